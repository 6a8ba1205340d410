//! What preflight answers with: data only, journalled and shown as it is.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::base::{Bytes, Masked, span};

use super::nature::Nature;

/// How dangerous it is to go on, worst last: the worst [`Reason`] is the whole's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Risk {
    /// It fits, with room to spare.
    Ok,
    /// A number that decides is missing.
    Unknown,
    /// It may kill the process or fail.
    Risky,
    /// It will kill the process (exit 9 unless accepted by name).
    WouldKill,
    /// The method cannot work on this process.
    Impossible,
}

impl Risk {
    /// The word on the screen.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::Unknown => "UNKNOWN",
            Self::Risky => "RISKY",
            Self::WouldKill => "WILL BE KILLED",
            Self::Impossible => "NOT POSSIBLE",
        }
    }

    /// Whether a person is asked before it is started.
    pub const fn wants_yes(self) -> bool {
        matches!(self, Self::Risky | Self::WouldKill)
    }

    /// Whether the method may be started without a person accepting the risk by name.
    pub const fn may_start(self) -> bool {
        matches!(self, Self::Ok | Self::Unknown | Self::Risky)
    }
}

impl fmt::Display for Risk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// What a reason is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Check {
    /// Which process is meant.
    Target,
    /// Whether a heap snapshot would show what grows at all.
    Nature,
    /// Memory the capture needs against what is free under the limit.
    Memory,
    /// How long the process stands still, against its liveness probe.
    Freeze,
    /// Whether it ends before the process dies of its present growth.
    Race,
    /// Signals: who would be hit and what it would do.
    Signal,
    /// The inspector: whether it can be opened and reached.
    Inspector,
    /// Directory and free space in the pod.
    Disk,
    /// Free space here.
    LocalDisk,
    /// Programs and flags the method needs.
    Means,
    /// Restarts, and what becomes of the evidence.
    Restart,
    /// Kubernetes rights.
    Rights,
    /// Traps of the pod's quality of service and resize policy.
    Policy,
    /// Who else could reach what is opened.
    Exposure,
}

/// One ground of an assessment, in a sentence with its numbers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// What it is about.
    pub check: Check,
    /// How bad this alone is.
    pub risk: Risk,
    /// The sentence, without a full stop.
    pub text: Masked,
}

impl Reason {
    /// A reason; `text` is masked on the way in.
    pub fn new(check: Check, risk: Risk, text: impl Into<Masked>) -> Self {
        Self { check, risk, text: text.into() }
    }
}

/// An input of the assessment and where it came from, so that nobody must trust the verdict blindly.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Figure {
    /// What was read: `JS heap used`.
    pub name: Masked,
    /// Its value as people read it: `212 MB`.
    pub value: Masked,
    /// Who said it: `inspector`, `cgroup v1`, `pod spec`, `assumed`.
    pub source: Masked,
}

impl Figure {
    /// A figure.
    pub fn new(name: &'static str, value: impl Into<Masked>, source: impl Into<Masked>) -> Self {
        Self { name: Masked::own(name), value: value.into(), source: source.into() }
    }
}

/// A prediction between two bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Between<T> {
    /// Where heaps of strings and large arrays lie.
    pub low: T,
    /// Where heaps of many small objects lie.
    pub high: T,
}

impl fmt::Display for Between<Bytes> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.low == self.high { write!(f, "{}", self.low) } else { write!(f, "{} to {}", self.low, self.high) }
    }
}

impl fmt::Display for Between<Duration> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (low, high) = (span(self.low), span(self.high));
        if low == high { f.write_str(&low) } else { write!(f, "{low} to {high}") }
    }
}

/// What the capture will cost. `None`: no number to predict it from, or it does not apply to the method.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Predicted {
    /// Native memory on top of what the process has now.
    pub memory: Option<Between<Bytes>>,
    /// Wall time during which the process answers nobody.
    pub freeze: Option<Between<Duration>>,
    /// Size of the file.
    pub file: Option<Between<Bytes>>,
}

/// How long a process may be silent before the kubelet kills it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LivenessBudget {
    /// From the last good answer to SIGTERM: (failureThreshold − 1) × period + timeout.
    pub until_kill: Duration,
    /// terminationGracePeriodSeconds: a capture may still end inside it, but only if the process ignores SIGTERM.
    pub grace: Duration,
}

/// A way out when the assessment says no, or a cheaper way to the same answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remedy {
    /// What would be done.
    pub kind: RemedyKind,
    /// What it would do and what it would not, in a sentence.
    pub text: Masked,
}

/// The acts behind the remedies; each has its own dry-run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum RemedyKind {
    /// Raise the memory limit in place, and put it back afterwards.
    Resize {
        /// The present limit.
        from: Bytes,
        /// The limit that would do.
        to: Bytes,
    },
    /// Take the pod out of its Service by label, so that the freeze hurts nobody.
    Isolate,
    /// A copy of the pod with a small heap and without probes: the leak shows as well at 256 MB.
    DebugCopy {
        /// `--max-old-space-size` for the copy, in MiB.
        old_space_mib: u64,
        /// The memory limit that the copy needs, where the original's is too small.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        memory: Option<Bytes>,
    },
    /// The sampling profiler: 60 KB, no spike.
    Sampling,
    /// Another capture method by name.
    Method {
        /// Its name.
        name: String,
    },
    /// New pods with the flags of a capture (the act `arm`).
    Redeploy {
        /// `--max-old-space-size` for them, in MiB; `None`: it stays as it is.
        old_space_mib: Option<u64>,
        /// Whether they also write a sampling profile at an orderly exit, and the Node major that is to take the flag.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        heap_prof: Option<u16>,
    },
}

/// The verdict on one method for one process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assessment {
    /// Name of the capture method: `cdp`, `signal`, `sampling`, …
    pub method: String,
    /// The worst of the reasons.
    pub risk: Risk,
    /// Why, worst first.
    pub because: Vec<Reason>,
    /// What it was computed from.
    pub inputs: Vec<Figure>,
    /// What it will cost.
    pub predicted: Predicted,
    /// Memory limit − working set.
    pub headroom: Option<Bytes>,
    /// Silence that the liveness probe bears; `None` when there is no probe.
    pub liveness: Option<LivenessBudget>,
    /// Ways out, best first. Empty when nothing is wrong.
    pub remedies: Vec<Remedy>,
    /// What holds the memory, or what grows: the first question of all.
    #[serde(default)]
    pub nature: Option<Nature>,
}

impl Assessment {
    /// Puts an assessment together: sorts the reasons and takes the worst as the whole's.
    pub fn of(method: impl Into<String>, mut because: Vec<Reason>) -> Self {
        because.sort_by_key(|reason| std::cmp::Reverse(reason.risk));
        let risk = because.first().map_or(Risk::Unknown, |reason| reason.risk);
        Self {
            method: method.into(),
            risk,
            because,
            inputs: Vec::new(),
            predicted: Predicted::default(),
            headroom: None,
            liveness: None,
            remedies: Vec::new(),
            nature: None,
        }
    }

    /// One line: the word and the reason that decided it.
    pub fn headline(&self) -> String {
        match self.because.first() {
            Some(reason) => format!("{}: {}", self.risk.word(), reason.text),
            None => self.risk.word().to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_reason_decides() {
        let reason = |risk, text: &'static str| Reason::new(Check::Memory, risk, text);
        let verdict =
            Assessment::of("cdp", vec![reason(Risk::Ok, "fits"), reason(Risk::WouldKill, "needs 2 GB"), reason(Risk::Unknown, "?")]);
        assert_eq!(verdict.headline(), "WILL BE KILLED: needs 2 GB");
        assert!(!verdict.risk.may_start());
        assert_eq!(Assessment::of("cdp", Vec::new()).risk, Risk::Unknown, "no reasons prove nothing");
    }

    #[test]
    fn assessments_survive_the_journal() {
        let mut verdict = Assessment::of("cdp", vec![Reason::new(Check::Freeze, Risk::Risky, "stands still for 40 s".to_owned())]);
        verdict.predicted.freeze = Some(Between { low: Duration::from_secs(10), high: Duration::from_secs(40) });
        verdict.remedies.push(Remedy { kind: RemedyKind::Resize { from: Bytes::mib(512), to: Bytes::mib(2048) }, text: Masked::own("x") });
        let text = serde_json::to_string(&verdict).expect("plain data");
        assert_eq!(serde_json::from_str::<Assessment>(&text).expect("read back"), verdict);
    }
}
