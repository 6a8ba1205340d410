//! What a user may set about pressure.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// How slopes are taken. The defaults fit metrics-server (a value each 15 to 60 seconds) and direct readings alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Options {
    /// Seconds of newest samples that a slope is taken from; where samples are rarer than eight in this span, the
    /// newest eight.
    pub window_s: u64,
    /// Fewer samples than this give no slope. At least 3.
    pub least_samples: usize,
    /// Seconds after its start in which a process is expected to grow (loading code, warming caches); not counted when
    /// a change is judged.
    pub warm_up_s: u64,
    /// A sample older than this many seconds gives no time left.
    pub stale_s: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self { window_s: 180, least_samples: 4, warm_up_s: 45, stale_s: 300 }
    }
}

impl Options {
    pub(super) fn window(&self) -> Duration {
        Duration::from_secs(self.window_s.max(1))
    }

    pub(super) fn least(&self) -> usize {
        self.least_samples.max(3)
    }
}
