//! What the probe said about a container: data only.
//!
//! Paths and names in it are free of control characters (others are dropped while parsing); values of the
//! environment are never kept, but for the options that Node itself obeys.

use std::net::IpAddr;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::base::{Bytes, Masked};

use super::files::FileName;
use super::flags::Flags;
use super::limits::NodeVersion;
use super::signals::Signals;

/// Everything that one probe of a container found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProcessFacts {
    /// How the probe ran.
    pub by: ProbeKind,
    /// The pod's clock when it ran.
    pub now: DateTime<Utc>,
    /// Processor as `uname -m` or Node names it; may be empty.
    pub machine: String,
    /// Every process of the container but the probe's own, by pid.
    pub processes: Vec<Process>,
    /// The process to capture: the largest Node that is no launcher. `None`: there is no Node.
    pub target: Option<u32>,
    /// Memory and CPU of the container; `None` when no cgroup is visible.
    pub cgroup: Option<Cgroup>,
    /// Directories that a capture might write to.
    pub dirs: Vec<Directory>,
    /// Listening TCP sockets of the pod (all its containers share the network).
    pub listeners: Vec<Listener>,
    /// Programs found on PATH.
    pub tools: Tools,
    /// How busy the machine was; `None` where `/proc` does not tell.
    #[serde(default)]
    pub load: Option<Load>,
    /// Whether the probe came to its end.
    pub complete: bool,
}

/// Load of the whole machine, which a container shares.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Load {
    /// Processes that ran or waited for a CPU in the last minute, on average.
    pub running: f64,
    /// CPUs.
    pub cpus: u32,
}

impl Load {
    /// How much longer work may take because of others: 1 while there are CPUs to spare, 8 at most.
    pub fn contention(self) -> f64 {
        ((self.running + 1.0) / f64::from(self.cpus.max(1))).clamp(1.0, 8.0)
    }
}

impl std::fmt::Display for Load {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "load {:.1} on {} CPUs", self.running, self.cpus)
    }
}

impl ProcessFacts {
    /// The process with `pid`.
    pub fn process(&self, pid: u32) -> Option<&Process> {
        self.processes.iter().find(|process| process.pid == pid)
    }

    /// The process to capture.
    pub fn target(&self) -> Option<&Process> {
        self.target.and_then(|pid| self.process(pid))
    }

    /// Processes that can be captured, largest first: the target and what else a person may mean by it.
    pub fn candidates(&self) -> Vec<&Process> {
        let mut all: Vec<&Process> = self.processes.iter().filter(|process| process.role.is_candidate()).collect();
        all.sort_by_key(|process| (std::cmp::Reverse(process.rss), process.pid));
        all
    }

    /// Resident memory of all processes of the container added up. Shared pages count more than once.
    pub fn rss_of_all(&self) -> Bytes {
        Bytes(self.processes.iter().filter(|process| process.same_container).map(|process| process.rss.0).sum())
    }

    /// Where `pid` writes a snapshot that the heap limit (or, from Node 20 on, a signal) makes it write.
    pub fn dump_dir(&self, pid: u32, by_signal: bool) -> Option<&Directory> {
        let process = self.process(pid)?;
        let cwd = process.cwd.as_deref()?;
        // Node 18 does not honour --diagnostic-dir for the signal (nodejs/node#39493).
        let ignores = by_signal && process.version.is_some_and(|v| v.major < 20);
        let path = match process.flags.diagnostic_dir.as_deref() {
            Some(dir) if !ignores => absolute(cwd, dir),
            _ => cwd.to_owned(),
        };
        self.dirs.iter().find(|dir| dir.path == path)
    }

    /// The listener of the target's inspector, if one is open.
    pub fn inspector(&self, pid: u32) -> Option<&Listener> {
        let process = self.process(pid)?;
        let port = process.flags.inspector_port();
        let mine = |listener: &&Listener| process.owns.contains(&listener.inode);
        let owned = self.listeners.iter().filter(mine).find(|l| Some(l.port) == port);
        // Without rights to look at its sockets, a listener that nobody else is known to own is taken for its own.
        owned.or_else(|| {
            if process.sees_sockets {
                return None;
            }
            let unowned = |l: &&Listener| !self.processes.iter().any(|p| p.owns.contains(&l.inode));
            self.listeners.iter().filter(unowned).find(|l| Some(l.port) == port)
        })
    }

    /// The socket on the loopback that `pid` has begun to listen on since `earlier`: its inspector, if it was told to
    /// open one, wherever that is.
    pub fn opened_since(&self, earlier: &Self, pid: u32) -> Option<&Listener> {
        let process = self.process(pid)?;
        let new = |l: &&Listener| process.owns.contains(&l.inode) && !earlier.listeners.iter().any(|old| old.inode == l.inode);
        self.listeners.iter().filter(new).find(|l| !l.is_exposed())
    }

    /// Who else holds the port that `pid`'s inspector would want: opening it would fail.
    pub fn port_taken_by_other(&self, pid: u32) -> Option<&Listener> {
        let process = self.process(pid)?;
        let port = process.flags.inspector_port()?;
        self.listeners.iter().find(|l| l.port == port && !process.owns.contains(&l.inode)).filter(|_| self.inspector(pid).is_none())
    }
}

/// `dir` seen from `cwd`, without a trailing slash.
pub fn absolute(cwd: &str, dir: &str) -> String {
    let joined =
        if dir.starts_with('/') { dir.to_owned() } else { format!("{}/{}", cwd.trim_end_matches('/'), dir.trim_start_matches("./")) };
    match joined.trim_end_matches('/') {
        "" => "/".to_owned(),
        path => path.to_owned(),
    }
}

/// Which variant of the probe ran.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProbeKind {
    /// By the image's shell.
    Shell,
    /// By the container's own Node (distroless).
    Node,
}

/// What a process is in its container.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// A Node process that does the work.
    App,
    /// A Node process that starts others: npm, yarn, nodemon, pm2's daemon.
    Launcher,
    /// It has cluster children.
    ClusterPrimary,
    /// A cluster child (`NODE_UNIQUE_ID`): a target of its own.
    ClusterChild,
    /// Somebody's Node in an exec session.
    Visitor,
    /// Node of another container (shared process namespace).
    Foreign,
    /// Dead, not reaped.
    Zombie,
    /// Not Node.
    Other,
}

impl Role {
    /// Whether a capture may be aimed at it.
    pub const fn is_candidate(self) -> bool {
        matches!(self, Self::App | Self::ClusterPrimary | Self::ClusterChild)
    }
}

/// A process of the container.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Process {
    /// Id in the container's PID namespace.
    pub pid: u32,
    /// Its parent; 0 for the container's first and for exec sessions.
    pub parent: u32,
    /// What it is.
    pub role: Role,
    /// `/proc/PID/exe`; empty when it may not be read.
    pub exe: String,
    /// `comm`, at most 15 characters; Node 24 and 26 call it after a thread.
    pub name: String,
    /// The command line, masked. After `process.title = …` it is the title.
    pub command: Masked,
    /// Whether `process.title` has overwritten the command line: flags given there are lost.
    pub title_overwritten: bool,
    /// Start by the pod's clock.
    pub started: Option<DateTime<Utc>>,
    /// User id.
    pub uid: u32,
    /// Group ids, the first being the effective one.
    pub groups: Vec<u32>,
    /// Whether it may write where the mode forbids it (`CAP_DAC_OVERRIDE`).
    pub overrides_modes: bool,
    /// Resident memory.
    pub rss: Bytes,
    /// The most it ever was.
    pub rss_peak: Bytes,
    /// Anonymous part: heap, buffers, native memory.
    pub anonymous: Bytes,
    /// CPU time that it has used, all threads.
    pub cpu: Duration,
    /// Threads.
    pub threads: u32,
    /// Threads of `worker_threads`, each with a heap of its own; `None` where their names do not tell (before Node 24).
    #[serde(default)]
    pub workers: Option<u32>,
    /// Signal masks.
    pub signals: Signals,
    /// Working directory now.
    pub cwd: Option<String>,
    /// Options of command line and `NODE_OPTIONS`, merged. Of Node processes only.
    pub flags: Flags,
    /// `NODE_OPTIONS`, masked.
    pub node_options: Option<Masked>,
    /// Version of its Node.
    pub version: Option<NodeVersion>,
    /// Whether its sockets could be looked at.
    pub sees_sockets: bool,
    /// Inodes of listening sockets that it holds.
    pub owns: Vec<u64>,
    /// Whether it belongs to the probed container.
    pub same_container: bool,
}

/// Memory and CPU of a container, by cgroup version 1 or 2.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cgroup {
    /// 1 or 2.
    pub version: u8,
    /// Limit; `None` when there is none.
    pub limit: Option<Bytes>,
    /// `memory.high` (version 2): throttled above it.
    pub high: Option<Bytes>,
    /// Memory in use, page cache included.
    pub current: Bytes,
    /// Page cache that is given up first.
    pub inactive_file: Bytes,
    /// Anonymous memory.
    pub anonymous: Bytes,
    /// Memory in tmpfs and shared memory: counts, cannot be given up.
    pub shmem: Bytes,
    /// The most it ever was; `None` on kernels that do not say.
    pub peak: Option<Bytes>,
    /// How often the limit was hit (`memory.events` max, v1 `failcnt`): climbs long before a kill.
    pub limit_hits: u64,
    /// Processes killed for memory in this container's life: more than 0 while process 1 lives means that a child
    /// died.
    pub oom_kills: u64,
    /// Swap allowed on top; `None` when unknown.
    pub swap_limit: Option<Bytes>,
    /// CPU limit in CPUs; `None` when there is none.
    pub cpus: Option<MilliCpu>,
    /// Periods in which the CPU limit stopped it.
    pub throttled: u64,
}

/// Thousandths of a CPU, as Kubernetes counts them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MilliCpu(pub u64);

impl MilliCpu {
    /// As a number of CPUs.
    pub fn cpus(self) -> f64 {
        self.0 as f64 / 1000.0
    }
}

impl Cgroup {
    /// What the kubelet calls the working set: in use less the page cache that is given up first.
    pub fn working_set(&self) -> Bytes {
        self.current.saturating_sub(self.inactive_file)
    }

    /// Limit − working set; `None` without a limit.
    pub fn headroom(&self) -> Option<Bytes> {
        self.limit.map(|limit| limit.saturating_sub(self.working_set()))
    }
}

/// A directory of the container.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Directory {
    /// Absolute path.
    pub path: String,
    /// Whether it is there.
    pub exists: bool,
    /// Mode bits; `None` when they could not be read.
    pub mode: Option<u32>,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Free space for an ordinary user.
    pub free: Option<Bytes>,
    /// Type of the file system; `tmpfs` counts as memory.
    pub fs: String,
    /// Whether it is mounted read-only.
    pub read_only: bool,
    /// Where the file system is mounted.
    pub mount_point: String,
    /// Files of Node and V8 in it.
    pub files: Vec<FoundFile>,
}

impl Directory {
    /// Whether `process` may create files here; `None` when it cannot be told.
    pub fn writable_by(&self, process: &Process) -> Option<bool> {
        if !self.exists || self.read_only {
            return Some(false);
        }
        let mode = self.mode?;
        let class = if self.uid == process.uid {
            mode >> 6
        } else if process.groups.contains(&self.gid) {
            mode >> 3
        } else {
            mode
        };
        // Creating a file needs both write and search.
        Some(process.overrides_modes || class & 0o3 == 0o3)
    }

    /// Whether what is written here counts as memory of the pod.
    pub fn is_memory(&self) -> bool {
        matches!(self.fs.as_str(), "tmpfs" | "ramfs")
    }

    /// Whether what is written here is lost when the container restarts (not a volume).
    pub fn dies_with_container(&self) -> bool {
        self.mount_point == "/" || matches!(self.fs.as_str(), "overlay" | "overlayfs")
    }
}

/// A file that Node or V8 left.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoundFile {
    /// Absolute path.
    pub path: String,
    /// What its name says.
    pub name: FileName,
    /// Size now.
    pub bytes: Bytes,
    /// Last written, by the pod's clock.
    pub modified: Option<DateTime<Utc>>,
    /// Inode: the same name with another inode is another file.
    pub inode: u64,
}

/// A listening TCP socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listener {
    /// Address.
    pub ip: IpAddr,
    /// Port.
    pub port: u16,
    /// Inode, to find the owner by.
    pub inode: u64,
}

impl Listener {
    /// Whether other pods can reach it.
    pub fn is_exposed(&self) -> bool {
        !self.ip.is_loopback()
    }
}

/// Programs on the container's PATH.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tools {
    /// Names found.
    pub found: Vec<String>,
    /// Whether they are busybox's, which ignore the level of gzip.
    pub busybox: bool,
}

impl Tools {
    /// Whether `name` is there.
    pub fn has(&self, name: &str) -> bool {
        self.found.iter().any(|tool| tool == name)
    }
}

/// Signs that children of the container died while process 1 lived.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChildDeaths {
    /// Kills for memory in this container's life.
    pub oom_kills: u64,
    /// Dead children that nobody reaped.
    pub zombies: u32,
    /// Cluster children that started more than two minutes after the first one: they replace dead ones.
    pub replaced: u32,
}

impl ProcessFacts {
    /// Children that died while process 1 lived.
    pub fn child_deaths(&self) -> ChildDeaths {
        let starts = || self.processes.iter().filter(|p| p.role == Role::ClusterChild).filter_map(|p| p.started);
        let first = starts().min();
        let replaced = starts().filter(|start| first.is_some_and(|first| (*start - first).num_seconds() > 120)).count();
        ChildDeaths {
            oom_kills: self.cgroup.as_ref().map_or(0, |cgroup| cgroup.oom_kills),
            zombies: u32::try_from(self.processes.iter().filter(|p| p.role == Role::Zombie).count()).unwrap_or(u32::MAX),
            replaced: u32::try_from(replaced).unwrap_or(u32::MAX),
        }
    }
}
