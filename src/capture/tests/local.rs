//! A container on this machine: PID and mount namespaces, entered by `nsenter` as a kubelet enters a real one.

use std::pin::Pin;
use std::process::Stdio;
use std::sync::atomic::{AtomicU16, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::io::{AsyncRead, AsyncReadExt, ReadBuf};
use tokio::net::TcpStream;
use tokio::process::{Child, ChildStdout, Command};

use crate::base::{ContainerRef, PodRef, Trouble, TroubleKind, Untrusted};
use crate::capture::{Place, Running};
use crate::cluster::{ExecEnd, Output, Rule};
use crate::inspector::ByteStream;
use crate::pressure::{ContainerFacts, ContainerState, Liveness, PodFacts};

/// Grows by some MB a second and says when it runs.
pub const LEAK: &str = "const kept = new Map(); let n = 0; console.error('ready');
setInterval(() => { for (let i = 0; i < 500; i++) kept.set({ key: n }, { id: n++, text: 'entry ' + n }) }, 50);";

pub fn programs() -> Vec<String> {
    let listed = std::env::var("CUTOFF_TEST_NODES").unwrap_or_default();
    let listed: Vec<String> = listed.split(':').filter(|p| !p.is_empty()).map(str::to_owned).collect();
    if !listed.is_empty() {
        return listed;
    }
    let runs = |program: &str, args: &[&str]| std::process::Command::new(program).args(args).output().is_ok_and(|out| out.status.success());
    if !runs("node", &["--version"]) {
        crate::skips::skipped("", "no `node` on PATH");
        return Vec::new();
    }
    if !runs("unshare", &["-p", "-m", "--fork", "--mount-proc", "true"]) || !runs("nsenter", &["--version"]) {
        crate::skips::skipped("", "this machine allows no PID namespaces (needs root, unshare and nsenter)");
        return Vec::new();
    }
    vec!["node".to_owned()]
}

/// A port of its own for each container: they share the network of this machine.
pub fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    loop {
        // Away from the ephemeral range and from other runs on this machine.
        let port = 20_000 + (std::process::id() % 400) as u16 * 25 + NEXT.fetch_add(1, Ordering::Relaxed) % 25;
        if std::net::TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

pub struct LocalPod {
    outer: Child,
    init: u32,
    container: ContainerRef,
    pub dir: tempfile::TempDir,
    pub port: u16,
    pub liveness: Option<Liveness>,
    /// Whether commands by a shell exist: `false` is a distroless image.
    pub shell: bool,
    /// What it said before it was ready.
    pub said: Vec<String>,
    cgroup: Option<std::path::PathBuf>,
}

/// A command that first joins `cgroup`.
fn joined(cgroup: Option<&std::path::Path>, program: &str) -> Command {
    let Some(cgroup) = cgroup else { return Command::new(program) };
    let mut command = Command::new("sh");
    command.args(["-c", &format!("echo $$ >{}/cgroup.procs; exec \"$@\"", cgroup.display()), "sh", program]);
    command
}

fn set_limit(cgroup: &std::path::Path, bytes: u64) {
    let file = ["memory.limit_in_bytes", "memory.max"].into_iter().map(|name| cgroup.join(name)).find(|file| file.exists());
    std::fs::write(file.expect("a memory cgroup"), bytes.to_string()).expect("a limit above what is in use");
}

impl Drop for LocalPod {
    fn drop(&mut self) {
        let Some(cgroup) = self.cgroup.clone() else { return };
        let _ = self.outer.start_kill();
        // It can be removed once the last process in it is gone.
        for _ in 0..50 {
            if std::fs::remove_dir(&cgroup).is_ok() {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// How a container is started.
#[derive(Clone, Copy)]
pub struct Start<'a> {
    /// The Node that stands for `NODE`.
    pub program: &'a str,
    /// Process 1; `NODE` and `PORT` in it (and in `files`) are replaced.
    pub command: &'a str,
    /// `app.js` in the working directory.
    pub script: &'a str,
    /// Further files there.
    pub files: &'a [(&'a str, &'a str)],
    /// Runs as root in the mount namespace, in the working directory, before process 1.
    pub setup: &'a str,
    /// Further variables, `NAME=value`.
    pub env: &'a [&'a str],
}

/// A memory cgroup of its own, version 1 or 2; `None` where this machine does not allow one.
fn new_cgroup() -> Option<std::path::PathBuf> {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let name = format!("cutoff-test-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    for (root, limit) in [("/sys/fs/cgroup/memory", "memory.limit_in_bytes"), ("/sys/fs/cgroup", "memory.max")] {
        let dir = std::path::Path::new(root).join(&name);
        if std::fs::create_dir(&dir).is_err() {
            continue;
        }
        if dir.join(limit).exists() {
            return Some(dir);
        }
        let _ = std::fs::remove_dir(&dir);
    }
    crate::skips::skipped("", "no memory cgroup can be made here (version 1, or 2 with the memory controller for children)");
    None
}

impl LocalPod {
    /// The same in a memory cgroup of its own with a limit; `None` where this machine does not allow one.
    pub async fn start_limited(program: &str, command: &str, script: &str, mib: u64) -> Option<Self> {
        let pod = Self::start_in_cgroup(Start { program, command, script, files: &[], setup: "", env: &[] }, Some(mib)).await?;
        Some(pod)
    }

    /// Starts in a memory cgroup of its own, at first with `mib` as limit; see [`Self::limit`].
    pub async fn start_in_cgroup(start: Start<'_>, mib: Option<u64>) -> Option<Self> {
        let dir = new_cgroup()?;
        if let Some(mib) = mib {
            set_limit(&dir, mib << 20);
        }
        Some(Self::begin(start, Some(dir)).await)
    }

    /// Starts `command` with `app.js` in its working directory; `NODE` and `PORT` in it are replaced.
    pub async fn start(program: &str, command: &str, script: &str) -> Self {
        Self::begin(Start { program, command, script, files: &[], setup: "", env: &[] }, None).await
    }

    /// Sets the limit of its memory cgroup.
    pub fn limit(&self, bytes: u64) {
        set_limit(self.cgroup.as_deref().expect("it has one"), bytes);
    }

    async fn begin(start: Start<'_>, cgroup: Option<std::path::PathBuf>) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let port = free_port();
        let replaced = |text: &str| text.replace("NODE", start.program).replace("PORT", &port.to_string());
        std::fs::write(dir.path().join("app.js"), start.script).expect("written");
        for (name, text) in start.files {
            std::fs::write(dir.path().join(name), replaced(text)).expect("written");
        }
        let command = replaced(start.command);
        let setup = if start.setup.is_empty() { String::new() } else { format!("{{ {}; }} >/dev/null 2>&1; cd \"$PWD\" && ", start.setup) };
        let mut outer = joined(cgroup.as_deref(), "unshare")
            .args(["-p", "-m", "--fork", "--kill-child", "--mount-proc", "env", "-i", "PATH=/usr/local/bin:/usr/bin:/bin"])
            .args(start.env)
            .args(["sh", "-c"])
            .arg(format!("{setup}exec {command}"))
            .current_dir(dir.path())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("unshare");
        let mut lines = tokio::io::AsyncBufReadExt::lines(tokio::io::BufReader::new(outer.stderr.take().expect("piped")));
        let mut said = Vec::new();
        loop {
            match lines.next_line().await.expect("text") {
                Some(line) if line == "ready" => break,
                Some(line) => said.push(line),
                None => panic!("{command} did not start: {said:?}"),
            }
        }
        // A full pipe would block it.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        let id = outer.id().expect("running");
        let children = std::fs::read_to_string(format!("/proc/{id}/task/{id}/children")).expect("children");
        let init = children.split_whitespace().next().and_then(|pid| pid.parse().ok()).expect("process 1");
        let container = ContainerRef { pod: PodRef::new("test", "local"), name: "app".to_owned() };
        Self { outer, init, container, dir, port, liveness: None, shell: true, said, cgroup }
    }

    /// Kills its process 1, and with it all others.
    pub fn kill(&self) {
        let pid = rustix::process::Pid::from_raw(i32::try_from(self.init).expect("a pid")).expect("a pid");
        rustix::process::kill_process(pid, rustix::process::Signal::KILL).expect("a process of ours");
    }

    pub fn lives(&mut self) -> bool {
        self.outer.try_wait().expect("a child").is_none()
    }

    fn enter(&self, command: &[String]) -> Command {
        let mut enter = joined(self.cgroup.as_deref(), "nsenter");
        enter.args(["-t", &self.init.to_string(), "-p", "-m"]).arg(format!("--wd={}", self.dir.path().display()));
        enter.args(["env", "-i", "PATH=/usr/local/bin:/usr/bin:/bin"]).args(command);
        enter.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
        enter
    }
}

struct Local {
    child: Child,
    stdout: ChildStdout,
}

impl AsyncRead for Local {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stdout).poll_read(cx, buffer)
    }
}

fn ended(code: Option<i32>) -> ExecEnd {
    ExecEnd { code, failure: None, broken: None, stderr: Untrusted::new("") }
}

impl Running for Local {
    fn finish(mut self: Box<Self>) -> BoxFuture<'static, ExecEnd> {
        async move { ended(self.child.wait().await.ok().and_then(|status| status.code())) }.boxed()
    }
}

fn gone() -> Trouble {
    Trouble::new(TroubleKind::Unreachable, "the container is gone", "", "")
}

impl Place for LocalPod {
    fn container(&self) -> &ContainerRef {
        &self.container
    }

    fn run<'a>(&'a self, command: &'a [String], deadline: Duration, most: usize) -> BoxFuture<'a, Result<Output, Trouble>> {
        async move {
            if !self.shell && command[0] == "sh" {
                let mut end = ended(None);
                end.failure = Some("exec: \"sh\": executable file not found in $PATH".into());
                return Ok(Output { stdout: Vec::new(), cut: false, end });
            }
            let mut child = self.enter(command).spawn().map_err(|_| gone())?;
            let mut stdout = Vec::new();
            let read = child.stdout.take().expect("piped").take(most as u64);
            let mut read = Box::pin(read);
            let all = async {
                read.read_to_end(&mut stdout).await.map_err(|_| gone())?;
                child.wait().await.map_err(|_| gone())
            };
            let status = tokio::time::timeout(deadline, all).await.map_err(|_| gone())??;
            Ok(Output { stdout, cut: false, end: ended(status.code()) })
        }
        .boxed()
    }

    fn start<'a>(&'a self, command: &'a [String], _idle: Duration) -> BoxFuture<'a, Result<Box<dyn Running>, Trouble>> {
        async move {
            let mut child = self.enter(command).spawn().map_err(|_| gone())?;
            let stdout = child.stdout.take().expect("piped");
            Ok(Box::new(Local { child, stdout }) as Box<dyn Running>)
        }
        .boxed()
    }

    fn connect(&self, port: u16) -> BoxFuture<'_, Result<Box<dyn ByteStream>, Trouble>> {
        async move {
            let stream = TcpStream::connect(("127.0.0.1", port)).await.map_err(|_| gone())?;
            Ok(Box::new(stream) as Box<dyn ByteStream>)
        }
        .boxed()
    }

    fn pod(&self) -> BoxFuture<'_, Result<PodFacts, Trouble>> {
        async move {
            // Process 1 gone is a container that restarted.
            let lives = std::path::Path::new(&format!("/proc/{}/exe", self.init)).read_link().is_ok();
            let container = ContainerFacts {
                name: "app".to_owned(),
                id: "local://1".to_owned(),
                image: "app:1".to_owned(),
                image_id: String::new(),
                limit: None,
                request: None,
                state: ContainerState::Running { since: None },
                ready: true,
                restarts: u32::from(!lives),
                last_end: None,
                liveness: self.liveness,
                resize_restarts: false,
            };
            Ok(PodFacts {
                pod: self.container.pod.clone(),
                uid: "uid-1".to_owned(),
                workload: None,
                revision: None,
                node: None,
                phase: "Running".to_owned(),
                ready: true,
                deleting: false,
                created: None,
                qos: "Burstable".to_owned(),
                labels: std::collections::BTreeMap::new(),
                manager: None,
                containers: vec![container],
                resize: None,
            })
        }
        .boxed()
    }

    fn refused<'a>(&'a self, _rules: &'a [Rule]) -> BoxFuture<'a, Result<Vec<Rule>, Trouble>> {
        async { Ok(Vec::new()) }.boxed()
    }
}
