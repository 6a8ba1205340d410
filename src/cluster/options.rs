//! What a user may set about the connection.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Which cluster, which part of it, and how long to wait. Empty fields follow the kubeconfig.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Options {
    /// Kubeconfig file. Default: the files in `$KUBECONFIG`, else `~/.kube/config`, else the pod's service account.
    pub kubeconfig: Option<PathBuf>,
    /// Context in the kubeconfig. Default: its `current-context`.
    pub context: Option<String>,
    /// Namespace. Default: the context's.
    pub namespace: Option<String>,
    /// Watch all namespaces instead of one.
    pub all_namespaces: bool,
    /// Label selector that pods must match, as `kubectl -l` takes it.
    pub labels: Option<String>,
    /// Refuse everything that changes the cluster.
    pub read_only: bool,
    /// How long to wait for what.
    pub deadlines: Deadlines,
}

/// Deadlines in seconds of real time. None of them can be switched off: a server may keep a connection open and never
/// answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Deadlines {
    /// The first connection, with the run of a credential plugin.
    pub connect_s: u64,
    /// One call.
    pub call_s: u64,
    /// Silence of a command's output before it counts as broken.
    pub idle_s: u64,
    /// A change that takes time in the cluster (a resize) until it is called off.
    pub act_s: u64,
}

impl Default for Deadlines {
    fn default() -> Self {
        Self { connect_s: 30, call_s: 10, idle_s: 30, act_s: 30 }
    }
}

impl Deadlines {
    pub(super) fn connect(&self) -> Duration {
        Duration::from_secs(self.connect_s.max(1))
    }

    pub(super) fn call(&self) -> Duration {
        Duration::from_secs(self.call_s.max(1))
    }

    pub(super) fn idle(&self) -> Duration {
        Duration::from_secs(self.idle_s.max(1))
    }

    pub(super) fn act(&self) -> Duration {
        Duration::from_secs(self.act_s.max(1))
    }
}
