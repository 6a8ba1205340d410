//! Where a file of evidence came from: the record that feeds same-process checks and the postmortem.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::base::{ContainerRef, Masked, ProcessKey};

/// Chain of custody of one file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provenance {
    /// The container it came from.
    pub container: ContainerRef,
    /// The life of the process; ids are compared only within one.
    pub process: ProcessKey,
    /// Image with digest, as the cluster reports it.
    pub image: Masked,
    /// Kubernetes node.
    pub node: Option<String>,
    /// Node.js version (`v20.20.2`).
    pub node_version: Option<String>,
    /// V8 flags of the process, masked.
    pub flags: Masked,
    /// Capture method.
    pub method: Masked,
    /// Who asked for it.
    pub who: Masked,
    /// When the capture began.
    pub began: DateTime<Utc>,
    /// When it ended.
    pub ended: DateTime<Utc>,
    /// What was run in the pod, masked.
    pub command: Masked,
    /// Version of the tool.
    pub tool: Masked,
    /// The file in the container that it is a copy of; `None` where the bytes came from the process itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<Masked>,
    /// Whether the sha256 of that file, computed in the pod, is that of the copy; `None` where it was not computed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub same_in_pod: Option<bool>,
}
