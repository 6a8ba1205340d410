//! What preflight judges by: the probe's facts, a reading of the heap, the pod's budget; and what a method demands.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::base::{Bytes, BytesPerSecond};
use crate::node::cost::Shape;
use crate::node::{Process, ProcessFacts};
use crate::pressure::{Liveness, PodFacts};

use super::reading::{HeapReading, Holdings};

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
    /// Other containers of the pod that were killed for memory the last time they ended.
    pub others_killed: Vec<String>,
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
            others_killed: pod
                .containers
                .iter()
                .filter(|c| c.name != container && c.last_end.as_ref().is_some_and(|end| end.reason == "OOMKilled"))
                .map(|c| c.name.clone())
                .collect(),
        })
    }

    /// How long its process may be silent; `None` without a liveness probe.
    pub fn bears(&self) -> Option<super::LivenessBudget> {
        let probe = self.liveness?;
        let s = |n: u32| Duration::from_secs(u64::from(n));
        // The first probe may fall right after the freeze begins.
        let until_kill = s(probe.period_s) * probe.failure_threshold.saturating_sub(1) + s(probe.timeout_s.max(1));
        Some(super::LivenessBudget { until_kill, grace: s(probe.grace_s) })
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
    /// What was seen of the same process earlier, and how long ago: what grows is told by two readings.
    pub earlier: Option<(Holdings, Duration)>,
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

    /// Who holds the memory now.
    pub fn holdings(&self) -> Holdings {
        Holdings::of(self.facts, self.pid, self.heap)
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
        self.pod.bears()
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
