//! Who holds a lock.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// Who holds a lock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// Process id.
    pub pid: u32,
    /// Host name.
    pub host: String,
    /// What it is, in its own words ("the dashboard of ann", "guard").
    pub who: String,
    /// Since when.
    pub since: DateTime<Utc>,
}

impl Holder {
    /// This process, as `who`, from `since` on.
    pub fn this_process(who: impl Into<String>, since: DateTime<Utc>) -> Self {
        Self { pid: std::process::id(), host: host(), who: who.into(), since }
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (process {} on {}, since {})", self.who, self.pid, self.host, self.since.format("%Y-%m-%d %H:%M:%SZ"))
    }
}

#[cfg(unix)]
fn host() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

#[cfg(not(unix))]
fn host() -> String {
    String::new()
}
