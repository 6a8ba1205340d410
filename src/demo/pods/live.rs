//! Containers as real local processes in namespaces of their own, made by util-linux (`unshare`, `nsenter`, `setpriv`).
//!
//! A pod is a sandbox (network and host name) that its containers enter; a container adds PID and mount namespaces and a
//! root of its own, so that exec sees the pod's own `/proc`, `/sys/fs/cgroup` and `127.0.0.1`.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::{Notify, mpsc, oneshot};

use super::host::Host;
use super::spawner::Spawner;
use super::types::{ExecRefusal, Line, Running, Session, StartSpec, Tunnel, Usage};

const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
const SANDBOX: &str = "sandbox.sh";
const CONTAINER: &str = "container.sh";
/// How long a container's set-up may take on a loaded machine.
const SETUP: Duration = Duration::from_secs(20);

/// Runs pods as local processes.
pub(crate) struct Live {
    dir: PathBuf,
    host: Host,
    spawner: Spawner,
    sandboxes: Mutex<HashMap<String, u32>>,
    stops: Mutex<HashMap<String, Vec<Arc<Notify>>>>,
    cells: Mutex<HashMap<(String, String), Cell>>,
}

#[derive(Clone)]
struct Cell {
    /// Process 1 of the container, as the host numbers it.
    pid: u32,
    env: Vec<(String, String)>,
    kill: Arc<Notify>,
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Live {
    /// A machine that keeps the pods' files under `dir` and uses what `host` offers.
    pub fn new(dir: &Path, host: Host) -> std::io::Result<Self> {
        // As files, so that `ps` on the host shows short command lines.
        std::fs::write(dir.join(SANDBOX), include_str!("sandbox.sh"))?;
        std::fs::write(dir.join(CONTAINER), include_str!("container.sh"))?;
        Ok(Self {
            dir: dir.to_path_buf(),
            host,
            spawner: Spawner::start()?,
            sandboxes: Mutex::default(),
            stops: Mutex::default(),
            cells: Mutex::default(),
        })
    }

    /// Runs one container that listens on its own loopback, and tells what stands in the way if it cannot.
    pub async fn trial(&self) -> Result<(), String> {
        let script = "const s=require('net').createServer(c=>c.end('x')).listen(9229,'127.0.0.1',()=>require('net').connect(9229,'127.0.0.1')\
                      .on('data',()=>{console.log('namespaces '+process.pid);process.exit(0)}))";
        let spec = StartSpec {
            uid: "trial".into(),
            container: "trial".into(),
            image: "",
            argv: vec!["node".into(), "-e".into(), script.into()],
            env: Vec::new(),
            restart: 0,
        };
        self.sandbox("trial", "trial").await?;
        let mut running = self.start(&spec).await?;
        let mut said = Vec::new();
        let outcome = tokio::time::timeout(SETUP, async {
            while let Some(line) = running.lines.recv().await {
                said.push(String::from_utf8_lossy(&line.bytes).into_owned());
            }
        })
        .await;
        self.remove("trial");
        match outcome {
            Ok(()) if said.iter().any(|l| l == "namespaces 1") => Ok(()),
            Ok(()) => Err(said.pop().unwrap_or_else(|| "the trial container ended without a word".into())),
            Err(_) => Err(format!("the trial container did not answer in {} s", SETUP.as_secs())),
        }
    }

    /// Ends every process.
    pub fn stop(&self) {
        self.spawner.stop();
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        let path = format!("{}:{PATH}", std::env::var("PATH").unwrap_or_default());
        command.env_clear().env("PATH", path).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// `setpriv --pdeathsig KILL nsenter -t PID …` into the namespaces that `flags` name.
    fn enter(&self, pid: u32, flags: &[&str]) -> Command {
        let mut command = self.command("setpriv");
        command.args(["--pdeathsig", "KILL", "nsenter", "-t", &pid.to_string()]);
        if self.host.user_namespace {
            command.args(["-U", "--preserve-credentials"]);
        }
        command.args(flags);
        command
    }

    /// Makes the pod's network and host name.
    pub async fn sandbox(&self, uid: &str, pod: &str) -> Result<(), String> {
        let mut command = self.command("setpriv");
        command.args(["--pdeathsig", "KILL", "unshare"]);
        if self.host.user_namespace {
            command.args(["-U", "-r"]);
        }
        command.args(["-n", "-u", "sh"]).arg(self.dir.join(SANDBOX)).arg(pod);
        let mut child = self.spawner.spawn(command).await.map_err(|e| format!("setpriv: {e}"))?;
        let (Some(stdout), Some(mut stderr)) = (child.stdout.take(), child.stderr.take()) else {
            return Err("the sandbox has no output".into());
        };
        let mut stdout = BufReader::new(stdout);
        let mut first = String::new();
        let said = tokio::time::timeout(SETUP, stdout.read_line(&mut first)).await;
        if !matches!(said, Ok(Ok(_)) if first.trim() == "ready") {
            let mut why = String::new();
            let _ = tokio::time::timeout(Duration::from_secs(1), stderr.read_to_string(&mut why)).await;
            let _ = child.start_kill();
            return Err(last_line(&why).unwrap_or_else(|| "the pod's sandbox did not start".into()));
        }
        lock(&self.sandboxes).insert(uid.to_string(), child.id().ok_or("the pod's sandbox died")?);
        let stop = Arc::new(Notify::new());
        lock(&self.stops).entry(uid.to_string()).or_default().push(stop.clone());
        tokio::spawn(async move {
            tokio::select! {
                _ = child.wait() => {}
                () = stop.notified() => { let _ = child.kill().await; }
            }
        });
        Ok(())
    }

    fn container_dir(&self, uid: &str, container: &str) -> PathBuf {
        self.dir.join("pods").join(uid).join(container)
    }

    /// Where the container's `/sys/fs/cgroup` files are kept.
    pub fn cgroup_dir(&self, uid: &str, container: &str) -> PathBuf {
        self.container_dir(uid, container).join("cgroup")
    }

    /// Where the pod's feed volume is kept.
    pub fn feed_dir(&self, uid: &str) -> PathBuf {
        self.dir.join("pods").join(uid).join("feed")
    }

    /// Starts a container in its pod's sandbox.
    pub async fn start(&self, spec: &StartSpec) -> Result<Running, String> {
        let sandbox = lock(&self.sandboxes).get(&spec.uid).copied().ok_or("the pod has no sandbox")?;
        let base = self.container_dir(&spec.uid, &spec.container);
        let (root, marker) = (base.join(format!("root-{}", spec.restart)), base.join(format!("started-{}", spec.restart)));
        let (cgroup, feed) = (self.cgroup_dir(&spec.uid, &spec.container), self.feed_dir(&spec.uid));
        let log = self.dir.join("pods").join(&spec.uid).join("log");
        for dir in [&root, &cgroup, &feed, &log] {
            std::fs::create_dir_all(dir).map_err(|e| format!("{}: {e}", dir.display()))?;
        }
        let image = if spec.image.is_empty() { PathBuf::from("-") } else { self.dir.join("images").join(spec.image) };
        let mut command = self.enter(sandbox, &["-n", "-u"]);
        command.args(["unshare", "-m", "-p", "-C", "--fork", "--kill-child=KILL", "sh"]).arg(self.dir.join(CONTAINER));
        command.arg(if self.host.user_namespace { "user" } else { "root" });
        command.args([&root, &image, &cgroup, &feed, &log]);
        command.arg(self.host.prefix.as_deref().unwrap_or(Path::new("-"))).arg(&marker);
        command.args(self.environment(&spec.env)).args(&spec.argv);
        let mut child = self.spawner.spawn(command).await.map_err(|e| format!("setpriv: {e}"))?;

        let (into, lines) = mpsc::channel(1024);
        if let Some(stdout) = child.stdout.take() {
            tokio::spawn(copy_lines(stdout, into.clone()));
        }
        if let Some(stderr) = child.stderr.take() {
            tokio::spawn(copy_lines(stderr, into));
        }
        let kill = Arc::new(Notify::new());
        let (exited, exit) = oneshot::channel();
        let parent = child.id();
        if let Some(pid) = started(&mut child, parent, &marker).await {
            let cell = Cell { pid, env: spec.env.clone(), kill: kill.clone() };
            lock(&self.cells).insert((spec.uid.clone(), spec.container.clone()), cell);
        }
        lock(&self.stops).entry(spec.uid.clone()).or_default().push(kill.clone());
        tokio::spawn(async move {
            let status = tokio::select! {
                status = child.wait() => status,
                () = kill.notified() => { let _ = child.start_kill(); child.wait().await }
            };
            let _ = exited.send(status.map_or(255, exit_code));
        });
        Ok(Running { lines, exit })
    }

    fn environment(&self, env: &[(String, String)]) -> Vec<String> {
        let path = self.host.prefix.as_ref().map_or_else(|| PATH.to_string(), |p| format!("{}/bin:{PATH}", p.display()));
        let own = env.iter().map(|(k, v)| format!("{k}={v}"));
        [format!("PATH={path}"), "HOME=/tmp".into()].into_iter().chain(own).collect()
    }

    /// Forgets a container that has ended; its root directory goes too.
    pub fn ended(&self, uid: &str, container: &str, restart: u32) {
        lock(&self.cells).remove(&(uid.to_string(), container.to_string()));
        // Its mounts went with its namespace; what is left are the plain files it wrote.
        let _ = std::fs::remove_dir_all(self.container_dir(uid, container).join(format!("root-{restart}")));
    }

    /// Ends everything of a pod and removes its files.
    pub fn remove(&self, uid: &str) {
        for stop in lock(&self.stops).remove(uid).unwrap_or_default() {
            stop.notify_one();
        }
        lock(&self.sandboxes).remove(uid);
        lock(&self.cells).retain(|(pod, _), _| pod != uid);
        let dir = self.dir.join("pods").join(uid);
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_secs(1)).await;
            let _ = std::fs::remove_dir_all(dir);
        });
    }

    /// Kills all processes of a container at once, as the kernel's OOM killer does with a group.
    pub fn kill(&self, uid: &str, container: &str) {
        if let Some(cell) = self.cell(uid, container) {
            cell.kill.notify_one();
        }
    }

    fn cell(&self, uid: &str, container: &str) -> Option<Cell> {
        lock(&self.cells).get(&(uid.to_string(), container.to_string())).cloned()
    }

    /// Starts a command in a container.
    pub async fn exec(&self, uid: &str, container: &str, argv: &[String], stdin: bool) -> Result<Session, ExecRefusal> {
        let cell = self.cell(uid, container).ok_or(ExecRefusal::NotRunning)?;
        let root = PathBuf::from(format!("/proc/{}/root", cell.pid));
        let program = argv.first().cloned().unwrap_or_default();
        let there = |p: &str| root.join(p.trim_start_matches('/')).symlink_metadata().is_ok();
        let environment = self.environment(&cell.env);
        let known = if program.contains('/') {
            there(&program)
        } else {
            environment[0].trim_start_matches("PATH=").split(':').any(|dir| there(&format!("{dir}/{program}")))
        };
        if !known {
            return Err(ExecRefusal::NotFound(program));
        }
        let mut command = self.enter(cell.pid, &["-m", "-n", "-u", "-p", "-C"]);
        let user = if self.host.user_namespace { "" } else { "--reuid 65534 --regid 65534 --clear-groups " };
        let script = format!("cd /usr/src/app; exec setpriv {user}--no-new-privs --bounding-set=-all --inh-caps=-all -- env -i \"$@\"");
        command.args(["sh", "-c", &script, "exec"]).args(environment).args(argv);
        if stdin {
            command.stdin(Stdio::piped());
        }
        let mut child = self.spawner.spawn(command).await.map_err(|e| ExecRefusal::Failed(e.to_string()))?;
        let (Some(stdout), Some(stderr)) = (child.stdout.take(), child.stderr.take()) else {
            return Err(ExecRefusal::Failed("no output".into()));
        };
        let stdin = child.stdin.take().map(|s| Box::new(s) as super::types::Sink);
        let (exited, exit) = oneshot::channel();
        tokio::spawn(async move {
            let status = child.wait().await;
            let _ = exited.send(status.map_or(255, exit_code));
        });
        Ok(Session { stdin, stdout: Box::new(stdout), stderr: Box::new(stderr), exit })
    }

    /// Connects to a port of a pod's loopback; the error is the word of the socket (`ECONNREFUSED`).
    pub async fn connect(&self, uid: &str, port: u16) -> Result<Tunnel, String> {
        let sandbox = lock(&self.sandboxes).get(uid).copied().ok_or("no sandbox")?;
        let mut command = self.enter(sandbox, &["-n"]);
        command.arg(&self.host.node).args(["-e", include_str!("relay.js"), &port.to_string()]).stdin(Stdio::piped());
        let mut child = self.spawner.spawn(command).await.map_err(|e| e.to_string())?;
        let (Some(stdin), Some(stdout), Some(stderr)) = (child.stdin.take(), child.stdout.take(), child.stderr.take()) else {
            return Err("no pipes".into());
        };
        let mut word = String::new();
        let _ = tokio::time::timeout(SETUP, BufReader::new(stderr).read_line(&mut word)).await;
        if word.trim() != "connected" {
            let _ = child.start_kill();
            return Err(if word.trim() == "ECONNREFUSED" { "connection refused".into() } else { word.trim().to_string() });
        }
        tokio::spawn(async move { child.wait().await });
        Ok(Tunnel { reader: Box::new(stdout), writer: Box::new(stdin) })
    }

    /// What the container uses now, by its own `/proc`; `None` when it does not run.
    pub fn usage(&self, uid: &str, container: &str) -> Option<Usage> {
        super::account::usage(self.cell(uid, container)?.pid)
    }
}

/// Waits for the container's marker; `None` when the container ended before.
async fn started(child: &mut Child, parent: Option<u32>, marker: &Path) -> Option<u32> {
    let parent = parent?;
    let children = format!("/proc/{parent}/task/{parent}/children");
    tokio::time::timeout(SETUP, async {
        loop {
            if std::fs::metadata(marker).is_ok_and(|m| m.len() > 0) {
                let list = std::fs::read_to_string(&children).unwrap_or_default();
                return list.split_whitespace().next().and_then(|pid| pid.parse().ok());
            }
            if !matches!(child.try_wait(), Ok(None)) {
                return None;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await
    .ok()
    .flatten()
}

async fn copy_lines(from: impl tokio::io::AsyncRead + Unpin, into: mpsc::Sender<Line>) {
    let mut reader = BufReader::new(from);
    let mut bytes = Vec::new();
    while let Ok(n) = reader.read_until(b'\n', &mut bytes).await {
        if n == 0 {
            return;
        }
        if bytes.last() == Some(&b'\n') {
            bytes.pop();
        }
        if into.send(Line { at: crate::demo::clock::now(), bytes: std::mem::take(&mut bytes) }).await.is_err() {
            return;
        }
    }
}

#[cfg(unix)]
fn exit_code(status: std::process::ExitStatus) -> i32 {
    use std::os::unix::process::ExitStatusExt;
    status.code().or_else(|| status.signal().map(|s| 128 + s)).unwrap_or(255)
}

#[cfg(not(unix))]
fn exit_code(status: std::process::ExitStatus) -> i32 {
    status.code().unwrap_or(255)
}

fn last_line(text: &str) -> Option<String> {
    text.lines().rev().find(|l| !l.trim().is_empty()).map(|l| l.trim().to_string())
}
