//! What preflight judges by: the probe's facts, a reading of the heap, the pod's budget; and what a method demands.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::base::{Bytes, BytesPerSecond};
use crate::node::cost::Shape;
use crate::node::{Process, ProcessFacts};
use crate::pressure::{Liveness, PodFacts};

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

/// What the pod allows and what becomes of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PodBudget {
    /// Memory limit of the container by the API.
    pub limit: Option<Bytes>,
    /// Memory request.
    pub request: Option<Bytes>,
    /// Working set by a metrics source; the cgroup's own number is preferred.
    pub working_set: Option<Bytes>,
    /// Growth of the working set.
    pub slope: Option<BytesPerSecond>,
    /// Liveness probe.
    pub liveness: Option<Liveness>,
    /// Quality of service: `Guaranteed`, `Burstable`, `BestEffort`.
    pub qos: String,
    /// Whether a resize of memory restarts the container.
    pub resize_restarts: bool,
    /// Whether an init-less copy and isolation make sense: a controller would replace it.
    pub has_controller: bool,
    /// Whether the pod is being deleted.
    pub deleting: bool,
}

impl PodBudget {
    /// The budget of `container` in `pod`; `None` when it has no such container.
    pub fn of(pod: &PodFacts, container: &str) -> Option<Self> {
        let facts = pod.containers.iter().find(|c| c.name == container)?;
        Some(Self {
            limit: facts.limit,
            request: facts.request,
            working_set: None,
            slope: None,
            liveness: facts.liveness,
            qos: pod.qos.clone(),
            resize_restarts: facts.resize_restarts,
            has_controller: pod.workload.is_some(),
            deleting: pod.deleting,
        })
    }

    /// The same with what was measured.
    #[must_use]
    pub fn measured(mut self, working_set: Option<Bytes>, slope: Option<BytesPerSecond>) -> Self {
        self.working_set = working_set;
        self.slope = slope;
        self
    }
}

/// Everything an assessment is made from.
#[derive(Clone, Copy, Debug)]
pub struct Situation<'a> {
    /// What the probe said.
    pub facts: &'a ProcessFacts,
    /// The process that is meant; `None` takes the probe's choice.
    pub pid: Option<u32>,
    /// V8's numbers, if anybody has them.
    pub heap: Option<HeapReading>,
    /// The pod.
    pub pod: &'a PodBudget,
    /// What the heap is made of, if an earlier snapshot of this code told.
    pub shape: Shape,
    /// Free space where the file is to go here.
    pub local_free: Option<Bytes>,
    /// Speed of the link, if it was measured.
    pub link: Option<BytesPerSecond>,
    /// Kubernetes rights that were asked for and refused, each as `create pods/exec`.
    pub refused: &'a [String],
}

impl Situation<'_> {
    /// The process that is meant.
    pub fn process(&self) -> Option<&Process> {
        match self.pid {
            Some(pid) => self.facts.process(pid),
            None => self.facts.target(),
        }
    }

    /// Major version of its Node; 20 (dearer than its successors) where it is not known.
    pub fn major(&self) -> u16 {
        self.process().and_then(|p| p.version).map_or(20, |v| v.major)
    }

    /// The best reading of the heap there is.
    pub fn reading(&self) -> Option<HeapReading> {
        self.heap.or_else(|| self.process().map(HeapReading::guessed))
    }

    /// Memory limit of the container.
    pub fn limit(&self) -> Option<Bytes> {
        self.facts.cgroup.as_ref().and_then(|c| c.limit).or(self.pod.limit)
    }

    /// Working set of the container.
    pub fn working_set(&self) -> Option<Bytes> {
        self.facts.cgroup.as_ref().map(crate::node::Cgroup::working_set).or(self.pod.working_set)
    }

    /// Limit − working set.
    pub fn headroom(&self) -> Option<Bytes> {
        Some(self.limit()?.saturating_sub(self.working_set()?))
    }

    /// V8's heap limit: read, or computed from version, container and flags.
    pub fn heap_limit(&self) -> Option<Bytes> {
        let computed = || {
            let process = self.process()?;
            let memory = self.limit()?;
            Some(crate::node::heap_limit(self.major(), memory, &process.flags))
        };
        self.heap.and_then(|h| h.limit).or_else(computed)
    }

    /// CPUs that the container may use; `None` without a limit.
    pub fn cpus(&self) -> Option<f64> {
        self.facts.cgroup.as_ref()?.cpus.map(crate::node::MilliCpu::cpus)
    }

    /// How long it may be silent; `None` without a liveness probe.
    pub fn liveness(&self) -> Option<super::LivenessBudget> {
        let probe = self.pod.liveness?;
        let s = |n: u32| Duration::from_secs(u64::from(n));
        // The first probe may fall right after the freeze begins.
        let until_kill = s(probe.period_s) * probe.failure_threshold.saturating_sub(1) + s(probe.timeout_s.max(1));
        Some(super::LivenessBudget { until_kill, grace: s(probe.grace_s) })
    }
}

/// What a capture method needs of a process, in the words of preflight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Demand {
    /// The method's name.
    pub method: &'static str,
    /// When a snapshot is built, which costs memory and stops the process.
    pub builds: Builds,
    /// Whether it goes through the inspector.
    pub inspector: bool,
    /// Whether it sends SIGUSR2.
    pub usr2: bool,
    /// Whether a file is written in the container.
    pub writes: bool,
    /// Whether the process is replaced by a new one.
    pub restarts: bool,
    /// Whether a file of the heap's size comes here.
    pub brings_file: bool,
}

/// When a snapshot is built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Builds {
    /// Never.
    Never,
    /// At once.
    Now,
    /// When V8's heap limit is reached: the heap is as large as it can be then.
    AtHeapLimit,
}
