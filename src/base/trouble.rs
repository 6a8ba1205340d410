//! An error as a person reads it.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

/// What went wrong, where, and what to do about it. Free of secrets; crosses every boundary upwards.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trouble {
    /// What went wrong, as a sentence without a full stop.
    pub what: Cow<'static, str>,
    /// Where: file and line, pod, URL without its secret parts. May be empty.
    pub place: String,
    /// What the person can do now. May be empty.
    pub remedy: Cow<'static, str>,
    /// Whether the same call may succeed when it is made again.
    pub retry: bool,
    /// What kind of trouble it is; exit codes come from it.
    pub kind: TroubleKind,
}

/// Why something failed, as far as a caller can act differently on it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TroubleKind {
    /// None of the others.
    #[default]
    Failed,
    /// The call itself was wrong.
    Usage,
    /// A config or playbook has an error.
    Config,
    /// No such incident, pod, file, or the file is not what it should be.
    NotFound,
    /// Credentials expired or rights missing.
    Denied,
    /// Cluster or network not reached.
    Unreachable,
    /// It took too long.
    TimedOut,
    /// Evidence is incomplete or does not match its hash.
    Incomplete,
    /// Refused by a rule: read-only, not confirmed, would kill the pod.
    Refused,
    /// Stopped by the person.
    Cancelled,
}

impl Trouble {
    /// A trouble of `kind`: `what` happened at `place`, and `remedy` is the way out.
    pub fn new(
        kind: TroubleKind,
        what: impl Into<Cow<'static, str>>,
        place: impl Into<String>,
        remedy: impl Into<Cow<'static, str>>,
    ) -> Self {
        let retry = matches!(kind, TroubleKind::Unreachable | TroubleKind::TimedOut);
        Self { what: what.into(), place: place.into(), remedy: remedy.into(), retry, kind }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)?;
        if !self.place.is_empty() {
            write!(f, " ({})", self.place)?;
        }
        if !self.remedy.is_empty() {
            write!(f, ": {}", self.remedy)?;
        }
        Ok(())
    }
}

impl std::error::Error for Trouble {}
