//! What this machine offers for running pods.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;

/// Node and the kind of namespaces to use.
#[derive(Clone, Debug)]
pub(crate) struct Host {
    /// The real node binary (behind shims).
    pub node: PathBuf,
    /// Its version, as `v20.20.2`.
    pub version: String,
    /// Where node is installed when a pod would not see it under `/usr` by itself.
    pub prefix: Option<PathBuf>,
    /// Whether pods need an unprivileged user namespace.
    pub user_namespace: bool,
}

const TOOLS: [&str; 7] = ["unshare", "nsenter", "setpriv", "sh", "mount", "umount", "pivot_root"];

impl Host {
    /// Looks for node and the tools; the error says in one sentence what is missing.
    pub async fn look() -> Result<Self, String> {
        if !cfg!(target_os = "linux") {
            return Err("pods of their own need Linux namespaces, which this system does not have".into());
        }
        let (node, version) = node().await?;
        if let Some(missing) = TOOLS.iter().find(|tool| !on_path(tool)) {
            return Err(format!("the command {missing} (util-linux) is not on PATH"));
        }
        let prefix = if node.starts_with("/usr") || node.starts_with("/bin") {
            None
        } else {
            node.parent().and_then(Path::parent).map(Path::to_path_buf)
        };
        Ok(Self { node, version, prefix, user_namespace: !is_root() })
    }
}

async fn node() -> Result<(PathBuf, String), String> {
    // Shims (nvm, volta, asdf) answer with the binary behind them.
    let asked = Command::new("node")
        .args(["-p", "process.execPath + ' ' + process.version"])
        .env_remove("NODE_OPTIONS")
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = match tokio::time::timeout(Duration::from_secs(20), asked).await {
        Ok(Ok(output)) if output.status.success() => output,
        Ok(Ok(output)) => return Err(format!("node does not run (exit {})", output.status.code().unwrap_or(255))),
        Ok(Err(_)) => return Err("node is not on PATH".into()),
        Err(_) => return Err("node did not answer in 20 s".into()),
    };
    let said = String::from_utf8_lossy(&output.stdout);
    let (path, version) = said.trim().rsplit_once(' ').ok_or("node gave no version")?;
    let major: u32 = version.trim_start_matches('v').split('.').next().and_then(|m| m.parse().ok()).unwrap_or(0);
    if major < 18 {
        return Err(format!("node {version} is older than 18"));
    }
    Ok((PathBuf::from(path), version.to_string()))
}

fn on_path(tool: &str) -> bool {
    let own = std::env::var("PATH").unwrap_or_default();
    own.split(':').chain(["/usr/sbin", "/sbin", "/usr/bin", "/bin"]).any(|dir| Path::new(dir).join(tool).is_file())
}

fn is_root() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    status.lines().find_map(|l| l.strip_prefix("Uid:")).and_then(|l| l.split_whitespace().nth(1)) == Some("0")
}
