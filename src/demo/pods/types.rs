//! What kubelet and API server ask of whatever runs the pods, and what they get back.

use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{mpsc, oneshot};

/// Everything needed to start one container.
#[derive(Clone, Debug)]
pub(crate) struct StartSpec {
    /// Pod uid.
    pub uid: String,
    /// Container name.
    pub container: String,
    /// Folder of `service/` that the image stands for; empty for an image without files of ours.
    pub image: &'static str,
    /// Command line.
    pub argv: Vec<String>,
    /// Environment, without PATH.
    pub env: Vec<(String, String)>,
    /// How often this container was started before.
    pub restart: u32,
}

/// One line of a container's output.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    /// When it came.
    pub at: DateTime<Utc>,
    /// Its bytes without the line end.
    pub bytes: Vec<u8>,
}

/// A started container.
pub(crate) struct Running {
    /// Its output.
    pub lines: mpsc::Receiver<Line>,
    /// Its exit code (128 + signal when a signal ended it).
    pub exit: oneshot::Receiver<i32>,
}

/// Something bytes are read from.
pub(crate) type Source = Box<dyn AsyncRead + Send + Unpin>;
/// Something bytes are written to.
pub(crate) type Sink = Box<dyn AsyncWrite + Send + Unpin>;

/// A command running in a container.
pub(crate) struct Session {
    /// Standard input, when it was asked for.
    pub stdin: Option<Sink>,
    /// Standard output.
    pub stdout: Source,
    /// Standard error.
    pub stderr: Source,
    /// Exit code.
    pub exit: oneshot::Receiver<i32>,
}

/// A connection to a port inside a pod.
pub(crate) struct Tunnel {
    /// From the pod.
    pub reader: Source,
    /// To the pod.
    pub writer: Sink,
}

/// What a container's processes use now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Usage {
    /// Anonymous memory in bytes.
    pub anon: u64,
    /// Mapped file pages in bytes, shared ones counted once.
    pub file: u64,
    /// Shared memory in bytes.
    pub shmem: u64,
    /// CPU time since the container started.
    pub cpu: Duration,
    /// Number of processes.
    pub processes: u32,
}

impl Usage {
    /// What counts against the limit, in bytes.
    pub fn working_set(self) -> u64 {
        self.anon + self.file + self.shmem
    }
}

/// Why a command could not be started in a container.
#[derive(Debug)]
pub(crate) enum ExecRefusal {
    /// The container has no process.
    NotRunning,
    /// No such program in the container.
    NotFound(String),
    /// The machine refused.
    Failed(String),
}
