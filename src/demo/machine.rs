//! Whatever runs the pods: real processes, or a recording.

use super::pods::{ExecRefusal, Live, Running, Session, StartSpec, Tunnel, Usage};
use super::recording::Player;

/// The machine under the kubelet.
pub(crate) enum Machine {
    /// Real local processes.
    Live(Live),
    /// A recording.
    Recorded(Player),
}

impl Machine {
    /// Ends every process at once.
    pub fn stop(&self) {
        match self {
            Self::Live(live) => live.stop(),
            Self::Recorded(_) => {}
        }
    }

    pub async fn sandbox(&self, uid: &str, pod: &str) -> Result<(), String> {
        match self {
            Self::Live(live) => live.sandbox(uid, pod).await,
            Self::Recorded(_) => Ok(()),
        }
    }

    pub async fn start(&self, spec: &StartSpec) -> Result<Running, String> {
        match self {
            Self::Live(live) => live.start(spec).await,
            Self::Recorded(player) => player.start(spec),
        }
    }

    /// Sends SIGTERM to process 1 of a container.
    pub async fn term(&self, uid: &str, container: &str) {
        match self {
            Self::Live(live) => {
                let argv = ["sh", "-c", "kill -TERM 1"].map(String::from);
                if let Ok(session) = live.exec(uid, container, &argv, false).await {
                    let _ = session.exit.await;
                }
            }
            // Node's own handler of the recorded services exits with 0.
            Self::Recorded(player) => player.end(uid, container, 0),
        }
    }

    /// Kills a whole container.
    pub fn kill(&self, uid: &str, container: &str) {
        match self {
            Self::Live(live) => live.kill(uid, container),
            Self::Recorded(player) => player.end(uid, container, 137),
        }
    }

    pub fn ended(&self, uid: &str, container: &str, restart: u32) {
        match self {
            Self::Live(live) => live.ended(uid, container, restart),
            Self::Recorded(player) => player.ended(uid, container),
        }
    }

    pub fn remove(&self, uid: &str) {
        match self {
            Self::Live(live) => live.remove(uid),
            Self::Recorded(player) => player.remove(uid),
        }
    }

    pub async fn exec(&self, uid: &str, container: &str, argv: &[String], stdin: bool) -> Result<Session, ExecRefusal> {
        match self {
            Self::Live(live) => live.exec(uid, container, argv, stdin).await,
            Self::Recorded(player) => player.exec(uid, container, argv),
        }
    }

    pub async fn connect(&self, uid: &str, port: u16) -> Result<Tunnel, String> {
        match self {
            Self::Live(live) => live.connect(uid, port).await,
            Self::Recorded(player) => player.connect(uid, port),
        }
    }

    pub fn usage(&self, uid: &str, container: &str) -> Option<Usage> {
        match self {
            Self::Live(live) => live.usage(uid, container),
            Self::Recorded(player) => player.usage(uid, container),
        }
    }

    /// Writes files that the container sees under `/sys/fs/cgroup`.
    pub fn publish_cgroup(&self, uid: &str, container: &str, files: &[(&'static str, String)]) {
        match self {
            Self::Live(live) => {
                let dir = live.cgroup_dir(uid, container);
                for (name, text) in files {
                    replace(&dir, name, text);
                }
            }
            Self::Recorded(player) => player.publish_cgroup(uid, container, files),
        }
    }

    /// Writes a pod's feed assignment.
    pub fn assign(&self, uid: &str, text: &str) {
        match self {
            Self::Live(live) => replace(&live.feed_dir(uid), "assignment.json", text),
            Self::Recorded(player) => player.assign(uid, text),
        }
    }
}

/// A reader sees the old or the new text, never half of one. A pod that goes away meanwhile needs neither.
fn replace(dir: &std::path::Path, name: &str, text: &str) {
    let fresh = dir.join(format!(".{name}.new"));
    if std::fs::create_dir_all(dir).is_ok() && std::fs::write(&fresh, text).is_ok() {
        let _ = std::fs::rename(&fresh, dir.join(name));
    }
}
