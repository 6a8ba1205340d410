//! What is (facts, from the pod's spec and status) and how much (samples). Data only.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::base::{Bytes, PodRef};

/// Label of a pod that was taken out of its Services and its controller.
pub const ISOLATED: &str = "cutoff.dev/isolated";
/// Label of a pod that is a copy for debugging; its value names the original.
pub const COPY_OF: &str = "cutoff.dev/copy-of";
/// Label of a pod whose memory limit was raised for a capture: `CONTAINER.LIMIT` as it was before.
pub const LIMIT_BEFORE: &str = "cutoff.dev/limit-before";

/// Reads the value of [`LIMIT_BEFORE`]: the container, and the limit as a quantity. No name of a container has a dot.
pub fn limit_before(value: &str) -> Option<(&str, &str)> {
    value.split_once('.')
}

/// The controller a person would roll back.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Workload {
    /// `deployment`, `statefulset`, `daemonset`, `job`, `replicaset`.
    pub kind: String,
    /// Name, in the pod's namespace.
    pub name: String,
}

impl std::fmt::Display for Workload {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.kind, self.name)
    }
}

/// Who would undo a manual change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manager {
    /// `Argo CD`, `Flux`, `Helm`, `Argo Rollouts`.
    pub tool: String,
    /// What gave it away (label, annotation or field manager).
    pub sign: String,
}

/// A liveness probe's budget: how long a process may not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Liveness {
    /// `failureThreshold`.
    pub failure_threshold: u32,
    /// `periodSeconds`.
    pub period_s: u32,
    /// `timeoutSeconds`.
    pub timeout_s: u32,
    /// The probe's own or the pod's `terminationGracePeriodSeconds`.
    pub grace_s: u32,
}

/// How a container ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    /// `OOMKilled`, `Error`, `Completed`.
    pub reason: String,
    /// Exit code.
    pub exit_code: i32,
    /// When it had started.
    pub started: Option<DateTime<Utc>>,
    /// When it ended.
    pub ended: Option<DateTime<Utc>>,
}

/// What a container does now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "is")]
pub enum ContainerState {
    /// Not running yet or not any more (`CrashLoopBackOff`, `ContainerCreating`).
    Waiting {
        /// The kubelet's reason.
        reason: String,
    },
    /// Running.
    Running {
        /// Since when.
        since: Option<DateTime<Utc>>,
    },
    /// Ended, and not started again.
    Terminated(End),
}

/// A container of a pod.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContainerFacts {
    /// Name in the spec.
    pub name: String,
    /// Container id as the runtime gives it; empty before it runs.
    pub id: String,
    /// Image of the spec.
    pub image: String,
    /// Image with digest, as the status reports it.
    pub image_id: String,
    /// Memory limit in force (status where the server reports it, else spec).
    pub limit: Option<Bytes>,
    /// Memory request.
    pub request: Option<Bytes>,
    /// What it does now.
    pub state: ContainerState,
    /// Ready by its probes.
    pub ready: bool,
    /// Restart count.
    pub restarts: u32,
    /// How it ended last.
    pub last_end: Option<End>,
    /// Liveness probe, if it has one.
    pub liveness: Option<Liveness>,
    /// Whether a resize of its memory restarts it (`resizePolicy: RestartContainer`).
    pub resize_restarts: bool,
}

impl ContainerFacts {
    /// Deaths that its status tells of: its restarts, and one more while it is dead and not yet started again.
    pub fn deaths(&self) -> u32 {
        self.restarts.saturating_add(u32::from(matches!(self.state, ContainerState::Terminated(_))))
    }

    /// How its last death was.
    pub fn end(&self) -> Option<&End> {
        match &self.state {
            ContainerState::Terminated(end) => Some(end),
            ContainerState::Running { .. } | ContainerState::Waiting { .. } => self.last_end.as_ref(),
        }
    }
}

/// What is known of a pod without measuring it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PodFacts {
    /// Namespace and name.
    pub pod: PodRef,
    /// `metadata.uid`.
    pub uid: String,
    /// The controller that a person would roll back (the Deployment, not the ReplicaSet).
    pub workload: Option<Workload>,
    /// `pod-template-hash` or controller revision.
    pub revision: Option<String>,
    /// Kubernetes node.
    pub node: Option<String>,
    /// `Pending`, `Running`, `Succeeded`, `Failed`, `Unknown`.
    pub phase: String,
    /// All containers ready.
    pub ready: bool,
    /// Being deleted.
    pub deleting: bool,
    /// When it was made.
    pub created: Option<DateTime<Utc>>,
    /// `Guaranteed`, `Burstable`, `BestEffort`.
    pub qos: String,
    /// Labels, for isolation and for the filter.
    pub labels: std::collections::BTreeMap<String, String>,
    /// Who would undo a manual change, if the pod shows it.
    pub manager: Option<Manager>,
    /// Containers in the order of the spec; init containers are left out.
    pub containers: Vec<ContainerFacts>,
    /// A resize that is under way or refused: its condition's reason and message.
    pub resize: Option<String>,
}

/// Memory of one container at one moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PodSample {
    /// The pod.
    pub pod: PodRef,
    /// The container.
    pub container: String,
    /// When it was measured, by the source.
    pub at: DateTime<Utc>,
    /// Working set (v2: `memory.current` − `inactive_file`).
    pub working_set: Bytes,
    /// Who says so (`metrics-server`, `cgroup`), shown beside the number.
    pub source: String,
}

/// One revision in the rollout history of a workload.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rollout {
    /// Revision number (`deployment.kubernetes.io/revision`, or the ControllerRevision's).
    pub revision: u64,
    /// Image of the first container.
    pub image: String,
    /// When it was made.
    pub made: Option<DateTime<Utc>>,
    /// `kubernetes.io/change-cause`.
    pub cause: Option<String>,
    /// Whether the workload's template is this one now.
    pub current: bool,
    /// Pods that run it now.
    pub replicas: u32,
}
