//! What was read of a process and its container at one moment: V8's numbers, and who else holds memory.

use serde::{Deserialize, Serialize};

use crate::base::Bytes;
use crate::node::cost::Census;
use crate::node::{Process, ProcessFacts, Role};

/// V8's own numbers at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeapReading {
    /// JS heap in use.
    pub used: Bytes,
    /// `heap_size_limit`; `None` when nobody said.
    pub limit: Option<Bytes>,
    /// Memory outside the heap that JS objects hold, `ArrayBuffer`s included.
    pub external: Bytes,
    /// `ArrayBuffer`s and `Buffer`s.
    pub array_buffers: Bytes,
    /// Resident memory at the same moment.
    pub rss: Bytes,
    /// Of the heap: objects above 128 KiB, one for each (long arrays, tables, long strings).
    #[serde(default)]
    pub large: Option<Bytes>,
    /// What is alive, if V8 counted it.
    #[serde(default)]
    pub census: Option<Census>,
    /// Whether a full collection came right before: else `used` holds the garbage of the last traffic.
    pub after_collection: bool,
    /// Whether the app handles SIGTERM itself: only then an exit is in order, and what Node writes at one is written.
    #[serde(default)]
    pub handles_sigterm: bool,
    /// Who said so.
    pub source: HeapSource,
}

/// Where a heap reading came from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HeapSource {
    /// The process itself, through the inspector.
    Inspector,
    /// A diagnostic report.
    Report,
    /// Guessed from resident memory: an upper bound.
    #[default]
    Resident,
}

impl HeapSource {
    /// As it is shown beside a figure.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Inspector => "inspector",
            Self::Report => "diagnostic report",
            Self::Resident => "guessed from resident memory",
        }
    }
}

impl HeapReading {
    /// What resident memory allows the heap to be at most.
    pub fn guessed(process: &Process) -> Self {
        // A Node without an app has 6 to 10 MB of anonymous memory.
        let used = process.anonymous.saturating_sub(Bytes(8_000_000)).max(Bytes(4_000_000));
        Self { used, rss: process.rss, ..Self::default() }
    }
}

/// Who holds a container's memory at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holdings {
    /// V8's own numbers, if anybody asked.
    pub heap: Option<HeapReading>,
    /// Resident memory of the process that is meant.
    pub process: Bytes,
    /// Its threads that are workers, each with a heap of its own; `None` where their names do not tell (before Node 24).
    pub workers: Option<u32>,
    /// Resident memory of all other processes of the container, but for its launchers.
    pub others: Bytes,
    /// The largest of them.
    pub other: Option<u32>,
    /// Files in tmpfs and shared memory.
    pub files: Bytes,
}

impl Holdings {
    /// What the probe saw, with V8's numbers of `pid` if there are any.
    pub fn of(facts: &ProcessFacts, pid: Option<u32>, heap: Option<HeapReading>) -> Self {
        let process = pid.or(facts.target).and_then(|pid| facts.process(pid));
        let is_other = |p: &&crate::node::Process| {
            p.same_container && Some(p.pid) != process.map(|p| p.pid) && !matches!(p.role, Role::Visitor | Role::Launcher | Role::Zombie)
        };
        let others = || facts.processes.iter().filter(is_other);
        Self {
            heap,
            process: process.map_or(Bytes(0), |p| p.rss),
            workers: process.and_then(|p| p.workers),
            others: Bytes(others().map(|p| p.rss.0).sum()),
            other: others().max_by_key(|p| p.rss).map(|p| p.pid),
            files: facts.cgroup.as_ref().map_or(Bytes(0), |c| c.shmem),
        }
    }

    pub(super) fn used(&self) -> Option<Bytes> {
        self.heap.map(|heap| heap.used)
    }

    pub(super) fn external(&self) -> Option<Bytes> {
        self.heap.map(|heap| heap.external.max(heap.array_buffers))
    }

    /// Resident memory at the moment when V8 was asked.
    pub(super) fn resident(&self) -> Bytes {
        self.heap.map_or(self.process, |heap| if heap.rss.0 > 0 { heap.rss } else { self.process })
    }

    pub(super) fn workers_said(&self) -> String {
        match self.workers {
            Some(n) if n > 0 => format!(" and {n} worker threads, each with a heap of its own"),
            Some(_) | None => String::new(),
        }
    }
}
