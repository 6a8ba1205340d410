//! Names of things in the cluster and of files that prove something.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// A pod by namespace and name, shown as `namespace/name`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PodRef {
    /// Kubernetes namespace.
    pub namespace: String,
    /// Pod name, unique in the namespace at one moment (the uid tells lives apart).
    pub name: String,
}

impl PodRef {
    /// Names the pod `name` in `namespace`.
    pub fn new(namespace: impl Into<String>, name: impl Into<String>) -> Self {
        Self { namespace: namespace.into(), name: name.into() }
    }
}

impl fmt::Display for PodRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

/// One container of a pod, shown as `namespace/pod:container`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ContainerRef {
    /// The pod.
    pub pod: PodRef,
    /// Container name in the pod's spec.
    pub name: String,
}

impl fmt::Display for ContainerRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.pod, self.name)
    }
}

/// Names a file of evidence within one incident. Given when the file is opened, since it is named while it grows;
/// the sha256 joins when it is sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct EvidenceId(pub u64);

impl fmt::Display for EvidenceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "E{}", self.0)
    }
}

/// One life of one process. V8's object ids and any sizes are compared only inside one of these.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ProcessKey {
    /// `metadata.uid` of the pod.
    pub pod_uid: String,
    /// Container id as the runtime gives it.
    pub container_id: String,
    /// Restart count of the container when the process was seen.
    pub restart: u32,
    /// Process id inside the container's PID namespace.
    pub pid: u32,
    /// Start of the container (or of the process, where it is known better).
    pub started: DateTime<Utc>,
}

impl ProcessKey {
    /// Whether both are one life. Starts are computed from clocks with whole seconds: they may differ by a rounding.
    pub fn is_life_of(&self, other: &Self) -> bool {
        let name = |key: &Self| (key.pod_uid.clone(), key.container_id.clone(), key.restart, key.pid);
        name(self) == name(other) && (self.started - other.started).abs() <= chrono::TimeDelta::seconds(60)
    }
}
