//! The states of a capture, as a person sees them: ARMED, BUILDING, WRITING, COPYING, COMPLETE, TRUNCATED, KILLED EMPTY.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::base::{Bytes, Count, Masked, span};
use crate::node::Whole;

/// Where a capture stands. Each variant carries what is known for sure; a share is never guessed from time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum CaptureState {
    /// Waits for a trigger: the heap limit, a growth, a time.
    Armed {
        /// What it waits for.
        waits_for: Masked,
    },
    /// Finding the process, opening the inspector, checking the directory.
    Preparing {
        /// What is being done.
        step: Masked,
    },
    /// V8 walks the heap: memory climbs, nothing is written yet. The process answers nobody.
    Building {
        /// Nodes done, where V8 says so (inspector).
        done: u64,
        /// Nodes in all; 0 while unknown.
        total: u64,
    },
    /// A file grows in the pod.
    Writing {
        /// Bytes there so far.
        written: Bytes,
        /// Size predicted from the header's counts.
        expected: Option<Bytes>,
    },
    /// Bytes arrive here.
    Copying {
        /// Bytes here so far.
        copied: Bytes,
        /// Size of the whole: known for a finished file, else predicted.
        of: Option<Bytes>,
        /// Bytes a second of late, by [`Pace`](super::Pace); `None` in the first moment.
        #[serde(default)]
        rate: Option<Bytes>,
    },
    /// Whole: the JSON ends, size and hash agree.
    Complete {
        /// Size of the file here.
        bytes: Bytes,
    },
    /// Cut: what is whole can be analysed.
    Truncated {
        /// Bytes that were saved.
        bytes: Bytes,
        /// Which sections are whole.
        whole: Whole,
        /// Why it ended.
        why: Masked,
    },
    /// The process died while V8 built: an empty file or none.
    KilledEmpty {
        /// How it died and what to do next.
        why: Masked,
    },
    /// It did not come to a file, and the process is as it was.
    Failed {
        /// Why, with the remedy.
        why: Masked,
    },
    /// Stopped by a person.
    Cancelled,
}

impl CaptureState {
    /// The word on the screen.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Armed { .. } => "ARMED",
            Self::Preparing { .. } => "PREPARING",
            Self::Building { .. } => "BUILDING",
            Self::Writing { .. } => "WRITING",
            Self::Copying { .. } => "COPYING",
            Self::Complete { .. } => "COMPLETE",
            Self::Truncated { .. } => "TRUNCATED",
            Self::KilledEmpty { .. } => "KILLED EMPTY",
            Self::Failed { .. } => "FAILED",
            Self::Cancelled => "CANCELLED",
        }
    }

    /// Done share of the present phase, 0 to 100; `None` where it is not known.
    pub fn percent(&self) -> Option<u8> {
        let (done, total) = match self {
            Self::Building { done, total } => (*done, *total),
            Self::Writing { written, expected } => (written.0, expected.map_or(0, |all| all.0)),
            Self::Copying { copied, of, .. } => (copied.0, of.map_or(0, |all| all.0)),
            Self::Complete { .. } => return Some(100),
            Self::Armed { .. }
            | Self::Preparing { .. }
            | Self::Truncated { .. }
            | Self::KilledEmpty { .. }
            | Self::Failed { .. }
            | Self::Cancelled => return None,
        };
        // A predicted size may be passed: 100 is for COMPLETE alone.
        (total > 0).then(|| u8::try_from(u128::from(done) * 100 / u128::from(total)).unwrap_or(99).min(99))
    }

    /// Whether nothing more will come.
    pub const fn is_over(&self) -> bool {
        matches!(self, Self::Complete { .. } | Self::Truncated { .. } | Self::KilledEmpty { .. } | Self::Failed { .. } | Self::Cancelled)
    }

    /// Until a copy is done at its present rate; `None` where size or rate is not known, and when it stands still.
    pub fn left(&self) -> Option<Duration> {
        let Self::Copying { copied, of: Some(of), rate: Some(rate) } = self else { return None };
        let seconds = of.saturating_sub(*copied).0.checked_div(rate.0)?;
        // A second that has begun counts; a predicted size may be passed.
        Some(Duration::from_secs(seconds.saturating_add(1)))
    }

    /// The line where room is short: a copy by its share and the time left (`COPYING 43 % · 10 s left`).
    pub fn brief(&self) -> String {
        match (self.percent(), self.left()) {
            (Some(percent), Some(left)) => format!("{} {percent} % · {} left", self.word(), span(left)),
            _ => self.line(),
        }
    }

    /// One line for the screen: `COPYING 43 % · 36.0 MB of 84.1 MB · 5.10 MB/s, 10 s left`.
    pub fn line(&self) -> String {
        let word = self.word();
        let word = match self.percent() {
            Some(percent) if !self.is_over() => format!("{word} {percent} %"),
            _ => word.to_owned(),
        };
        match self {
            Self::Armed { waits_for: text } | Self::Preparing { step: text } => format!("{word} · {text}"),
            Self::KilledEmpty { why: text } | Self::Failed { why: text } => format!("{word} · {text}"),
            Self::Building { done, total } if *total > 0 => format!("{word} · {} of {} objects", Count(*done), Count(*total)),
            Self::Building { .. } => format!("{word} · memory climbs, nothing is written yet"),
            Self::Writing { written: n, expected: of } | Self::Copying { copied: n, of, .. } => {
                let of = of.map_or_else(String::new, |of| format!(" of {of}"));
                let pace = match (self, self.left()) {
                    (Self::Copying { rate: Some(rate), .. }, Some(left)) => format!(" · {rate}/s, {} left", span(left)),
                    (Self::Copying { rate: Some(rate), .. }, None) => format!(" · {rate}/s"),
                    _ => String::new(),
                };
                format!("{word} · {n}{of}{pace}")
            }
            Self::Complete { bytes } => format!("{word} · {bytes}"),
            Self::Truncated { bytes, whole, why } => format!("{word} · {bytes}, {} · {why}", whole.words()),
            Self::Cancelled => word,
        }
    }
}

/// What was seen of a file that a process writes in its container.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sighting {
    /// Its size; `None` while there is no file.
    pub size: Option<Bytes>,
    /// What is known to be whole of it, from its bytes.
    pub whole: Whole,
    /// Size that the header's counts predict.
    pub expected: Option<Bytes>,
    /// Whether the process that writes it still lives.
    pub alive: bool,
}

impl CaptureState {
    /// The state of a file that is being written, by what is seen of it alone: log lines are not believed.
    pub fn of_file(seen: &Sighting) -> Self {
        match (seen.size, seen.alive) {
            (Some(bytes), _) if seen.whole.strings => Self::Complete { bytes },
            (None | Some(Bytes(0)), true) => Self::Building { done: 0, total: 0 },
            (None | Some(Bytes(0)), false) => Self::KilledEmpty {
                why: Masked::own("killed while V8 built the snapshot: give it more memory, or take a smaller heap or the sampling profile"),
            },
            (Some(written), true) => Self::Writing { written, expected: seen.expected },
            (Some(bytes), false) => Self::Truncated { bytes, whole: seen.whole, why: Masked::own("the process died while it wrote") },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_reads_as_one_line() {
        let cases = [
            (CaptureState::Armed { waits_for: Masked::own("the heap limit") }, "ARMED · the heap limit"),
            (CaptureState::Building { done: 500, total: 2000 }, "BUILDING 25 % · 500 of 2,000 objects"),
            (CaptureState::Building { done: 0, total: 0 }, "BUILDING · memory climbs, nothing is written yet"),
            (CaptureState::Writing { written: Bytes(50), expected: None }, "WRITING · 50 B"),
            (CaptureState::Copying { copied: Bytes(120), of: Some(Bytes(100)), rate: None }, "COPYING 99 % · 120 B of 100 B"),
            (
                CaptureState::Copying { copied: Bytes(36_000_000), of: Some(Bytes(84_100_000)), rate: Some(Bytes(5_100_000)) },
                "COPYING 42 % · 36.0 MB of 84.1 MB · 5.10 MB/s, 10 s left",
            ),
            (CaptureState::Copying { copied: Bytes(50), of: None, rate: Some(Bytes(7)) }, "COPYING · 50 B · 7 B/s"),
            (CaptureState::Copying { copied: Bytes(5), of: Some(Bytes(10)), rate: Some(Bytes(0)) }, "COPYING 50 % · 5 B of 10 B · 0 B/s"),
            (CaptureState::Complete { bytes: Bytes(100) }, "COMPLETE · 100 B"),
        ];
        for (state, line) in cases {
            assert_eq!(state.line(), line);
        }
        let copy = CaptureState::Copying { copied: Bytes(60), of: Some(Bytes(100)), rate: Some(Bytes(5)) };
        assert_eq!((copy.brief().as_str(), copy.left()), ("COPYING 60 % · 9 s left", Some(Duration::from_secs(9))));
        assert_eq!(CaptureState::Cancelled.brief(), "CANCELLED");
        let cut = CaptureState::Truncated {
            bytes: Bytes(7),
            whole: Whole { header: true, nodes: true, edges: false, strings: false },
            why: Masked::own("the pod died"),
        };
        assert_eq!(cut.line(), "TRUNCATED · 7 B, objects whole, references and names cut · the pod died");
        assert!(cut.is_over());
    }

    #[test]
    fn a_file_says_how_it_stands() {
        let none = Whole::default();
        let nodes = Whole { header: true, nodes: true, ..none };
        let all = Whole { header: true, nodes: true, edges: true, strings: true };
        let cases = [
            (None, none, true, "BUILDING"),
            (Some(0), none, true, "BUILDING"),
            (Some(0), none, false, "KILLED EMPTY"),
            (None, none, false, "KILLED EMPTY"),
            (Some(70), nodes, true, "WRITING"),
            (Some(70), nodes, false, "TRUNCATED"),
            (Some(70), all, true, "COMPLETE"),
            (Some(70), all, false, "COMPLETE"),
        ];
        for (size, whole, alive, word) in cases {
            let seen = Sighting { size: size.map(Bytes), whole, expected: None, alive };
            assert_eq!(CaptureState::of_file(&seen).word(), word, "{seen:?}");
        }
    }
}
