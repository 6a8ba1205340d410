//! Faults that a test or a demonstration switches on: the ways in which a real cluster lets one down.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

/// One way in which the API server misbehaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Fault {
    /// metrics-server is ill: its API answers 503 with plain text.
    MetricsUnavailable,
    /// metrics-server is not installed: its API group is absent (404).
    MetricsAbsent,
    /// The token has expired: 401 from now on.
    Unauthorized,
    /// No right to exec: 403.
    ExecForbidden,
    /// No right to port-forward: 403.
    PortForwardForbidden,
    /// The kubelet dies: exec streams are closed in mid-stream without a Status.
    ExecCutWithoutStatus,
    /// As above, but with Status Success, as a real API server sends it (`kube-real.md` K4).
    ExecCutWithSuccess,
    /// Exec and port-forward connections are reset in mid-stream, without a Close frame.
    StreamReset,
    /// Exec and port-forward bring 16 KiB a second only.
    SlowDrip,
    /// Nothing is answered any more; connections stay open.
    Silent,
    /// Every write is refused: 403.
    ReadOnly,
    /// Watches end with 410 Gone as soon as they start.
    WatchGone,
}

/// Switches faults on and off.
#[derive(Clone, Debug, Default)]
pub struct Faults(Arc<Mutex<BTreeSet<Fault>>>);

impl Faults {
    /// Switches `fault` on.
    pub fn set(&self, fault: Fault) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(fault);
    }

    /// Switches `fault` off.
    pub fn clear(&self, fault: Fault) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&fault);
    }

    /// Switches every fault off.
    pub fn clear_all(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Whether `fault` is on.
    pub fn is(&self, fault: Fault) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains(&fault)
    }
}
