//! What an act on the cluster is, what it would do, and what it did. Acts themselves live in `cluster/acts`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::base::Masked;

/// The object an act is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ActTarget {
    /// `pod`, `deployment`, `statefulset`, `daemonset`.
    pub kind: String,
    /// Namespace.
    pub namespace: String,
    /// Name.
    pub name: String,
}

/// A wish to change the cluster: the act's name in the list of acts, its object and its arguments.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActRequest {
    /// Name in the list (`rollback`, `resize`, `isolate`, …).
    pub act: String,
    /// The object.
    pub target: ActTarget,
    /// Arguments by name (`revision` → `3`); each act documents its own.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub args: BTreeMap<String, String>,
}

/// What an act would do, found out without doing it (RBAC, server-side dry-run).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Preview {
    /// The request; `args` hold what was pinned (resourceVersion), so that only what was shown is done.
    pub request: ActRequest,
    /// The exact call, readable (`PATCH /apis/apps/v1/namespaces/shop/deployments/api …`).
    pub call: Masked,
    /// What would change, as diff lines starting with `-`, `+` or a space.
    pub diff: Vec<Masked>,
    /// What the person should know first (GitOps owner, restarts, capacity).
    pub warnings: Vec<Masked>,
    /// For disruptive acts: the name that has to be typed. `None`: a plain yes is enough.
    pub confirm: Option<String>,
}

/// What an act did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// One line.
    pub summary: Masked,
    /// The act that takes it back, if there is one.
    pub undo: Option<ActRequest>,
    /// What it leaves behind that somebody has to see to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leaves: Option<Leftover>,
}

/// What an act leaves behind on purpose, for a while: it is listed until it was seen to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leftover {
    /// What kind of thing it is.
    pub kind: LeftoverKind,
    /// One line: what is left.
    pub what: Masked,
    /// The act that sees to it.
    pub settle: ActRequest,
}

/// Kinds of leftovers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LeftoverKind {
    /// A memory limit that was raised for a capture: it goes back after it.
    Limit,
    /// A pod that no controller owns any more (isolated, or a copy): nobody else deletes it.
    Pod,
}
