//! One line of the board: a container, how full it is, how fast it fills, and how long it still lives.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::end::LastEnd;
use super::eta::Eta;
use super::facts::{COPY_OF, ContainerFacts, ContainerState, ISOLATED, PodFacts, Workload};
use crate::base::{Bytes, BytesPerSecond, ContainerRef};

/// A container on the board.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// The container.
    pub container: ContainerRef,
    /// Its pod's controller.
    pub workload: Option<Workload>,
    /// `pod-template-hash` or controller revision, to see which pods are of which rollout.
    pub revision: Option<String>,
    /// One word: `Running`, `NotReady`, `Terminating`, `CrashLoopBackOff`, `Pending`, `Completed`, …
    pub state: String,
    /// Ready by its probes.
    pub ready: bool,
    /// Running now, so that it can be looked into.
    pub running: bool,
    /// Newest measured working set.
    pub working_set: Option<Bytes>,
    /// Container limit.
    pub limit: Option<Bytes>,
    /// `working_set / limit`; may exceed 1 for a moment.
    pub share: Option<f64>,
    /// Robust slope over the newest samples; `None` while there are too few.
    pub slope: Option<BytesPerSecond>,
    /// Whether the slope is sure to be upwards (three quarters of all pairs of samples climb).
    pub climbing: bool,
    /// Time left.
    pub eta: Eta,
    /// The newest working sets, oldest first, at most [`SPARK`].
    pub spark: Vec<Bytes>,
    /// When the newest sample was measured.
    pub sampled: Option<DateTime<Utc>>,
    /// How old it is at the moment of ranking.
    pub age: Option<Duration>,
    /// Who measured it (`metrics-server`, `cgroup`).
    pub source: Option<String>,
    /// Restart count.
    pub restarts: u32,
    /// How it ended last, by its status.
    pub last_end: Option<LastEnd>,
    /// How it ended last in better words, where logs told more ([`crate::pressure::Board::died`]).
    pub died: Option<String>,
    /// The first one to act on: the running container that dies first. At most one row.
    pub first: bool,
}

/// Points of [`Row::spark`].
pub const SPARK: usize = 32;

/// The state of a container in one word.
pub(super) fn state_word(pod: &PodFacts, container: &ContainerFacts) -> String {
    if pod.deleting {
        return "Terminating".to_owned();
    }
    match &container.state {
        // It runs on its own: who looks for the service's pods must not count it among them.
        ContainerState::Running { .. } if pod.labels.contains_key(ISOLATED) => "Isolated".to_owned(),
        ContainerState::Running { .. } if pod.labels.contains_key(COPY_OF) => "DebugCopy".to_owned(),
        ContainerState::Running { .. } if container.ready => "Running".to_owned(),
        ContainerState::Running { .. } => "NotReady".to_owned(),
        ContainerState::Waiting { reason } if reason.is_empty() => pod.phase.clone(),
        ContainerState::Waiting { reason } => reason.clone(),
        ContainerState::Terminated(end) if end.reason.is_empty() => format!("Exit {}", end.exit_code),
        ContainerState::Terminated(end) => end.reason.clone(),
    }
}
