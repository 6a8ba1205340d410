//! How a long analysis says where it is and learns that it should stop.

use std::ops::ControlFlow;

use crate::base::Trouble;
use crate::base::TroubleKind;

/// What the analysis is doing, in the order in which it happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// The nodes are read.
    Nodes,
    /// The edges are read.
    Edges,
    /// Everything after the edges is read.
    Strings,
    /// Edges are sorted into those that retain and those that do not.
    Edging,
    /// Sizes of backing stores move to their owners.
    Shallow,
    /// Dominators and retained sizes.
    Dominators,
    /// Distances from the roots.
    Distances,
    /// Class names, interfaces and the class table.
    Classes,
    /// Somebody looks for suspects in the finished analysis.
    Suspects,
}

impl Phase {
    /// The phase as a person reads it.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Nodes => "reading nodes",
            Self::Edges => "reading edges",
            Self::Strings => "reading strings",
            Self::Edging => "sorting edges",
            Self::Shallow => "finding owners",
            Self::Dominators => "computing dominators",
            Self::Distances => "measuring distances",
            Self::Classes => "naming classes",
            Self::Suspects => "looking for suspects",
        }
    }
}

/// Hears how far an analysis is and says whether to go on. Called from several threads, some hundred times in all.
pub trait Progress: Send + Sync {
    /// `share` of `phase` is done, from 0 to 1. `Break` stops the analysis soon: it then returns [`Stop::Cancelled`].
    fn step(&self, phase: Phase, share: f32) -> ControlFlow<()>;
}

/// Nobody listens, nothing is cancelled.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unwatched;

impl Progress for Unwatched {
    fn step(&self, _: Phase, _: f32) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}

/// Why there is no analysis.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Stop {
    /// [`Progress::step`] said so.
    #[error("the analysis was cancelled")]
    Cancelled,
    /// The bytes are no heap snapshot, or stop before the first node.
    #[error("not a heap snapshot: {why}")]
    NotASnapshot {
        /// What is wrong, as a clause without a full stop.
        why: String,
        /// Offset of the first wrong byte from the start of the file.
        offset: u64,
    },
}

impl From<Stop> for Trouble {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Cancelled => Self::new(TroubleKind::Cancelled, "the analysis was cancelled", "", ""),
            Stop::NotASnapshot { why, offset } => Self::new(
                TroubleKind::NotFound,
                format!("this is no heap snapshot: {why}"),
                format!("byte {offset}"),
                "take a new snapshot, or check that the whole file was copied and unpacked",
            ),
        }
    }
}

/// Asks `progress` and turns a `Break` into [`Stop::Cancelled`].
pub(super) fn check(progress: &dyn Progress, phase: Phase, share: f32) -> Result<(), Stop> {
    match progress.step(phase, share) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(()) => Err(Stop::Cancelled),
    }
}
