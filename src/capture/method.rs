//! What a capture method is. One file a method in `methods/`, one line in its list.

use futures::future::BoxFuture;
use tokio_util::sync::CancellationToken;

use crate::base::{Bytes, Masked};
use crate::cluster::Rule;
use crate::node::ProcessFacts;
use crate::preflight::{Assessment, CaptureState, Demand, Measured, Situation, assess};

use super::landing::Landing;
use super::place::Place;

/// What a method is, for help and lists.
#[derive(Clone, Copy, Debug)]
pub struct Spec {
    /// Its name: `cdp`.
    pub name: &'static str,
    /// What it does, in a line.
    pub summary: &'static str,
    /// What it needs of the process.
    pub demand: Demand,
    /// Extension of the file that it brings.
    pub extension: &'static str,
    /// Only when a person asks for it by name.
    pub opt_in: bool,
    /// Whether it waits, for hours if need be, instead of acting at once.
    pub waits: bool,
}

/// Called with every change of state.
pub type Tell<'a> = &'a mut (dyn FnMut(CaptureState) + Send);

/// A capture that is to be taken.
pub struct Order<'a> {
    /// The container.
    pub place: &'a dyn Place,
    /// What the probe said, moments ago.
    pub facts: &'a ProcessFacts,
    /// The process.
    pub pid: u32,
    /// Where the bytes go.
    pub landing: &'a mut dyn Landing,
    /// Who is told of progress.
    pub tell: Tell<'a>,
    /// Ends it early.
    pub stop: CancellationToken,
}

/// How a capture ended. There is exactly one for each.
#[derive(Clone, Debug)]
pub struct Done {
    /// The last state: COMPLETE, TRUNCATED, KILLED EMPTY, FAILED or CANCELLED.
    pub state: CaptureState,
    /// What it cost, as far as the method saw it.
    pub measured: Measured,
    /// What was run in the pod, masked.
    pub command: Masked,
    /// What is left behind, or what to do next; may be empty.
    pub remark: Masked,
    /// The file in the container that it was copied from, if there was one.
    pub origin: Origin,
}

/// A file in the container, beside its copy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// Its path.
    pub path: Option<Masked>,
    /// Whether its sha256, computed in the pod, is that of the copy; `None` where it was not computed.
    pub same: Option<bool>,
}

impl Done {
    /// An end without a file.
    pub(super) fn without_file(state: CaptureState, command: Masked) -> Self {
        Self { state, measured: Measured::default(), command, remark: Masked::default(), origin: Origin::default() }
    }

    /// An error as an end: cancelled, or failed with its remedy.
    pub(super) fn failed(error: super::Error, command: Masked) -> Self {
        let state = match error {
            super::Error::Cancelled | super::Error::Inspector(crate::inspector::Error::Cancelled) => CaptureState::Cancelled,
            error => CaptureState::Failed { why: Masked::from(crate::base::Trouble::from(error).to_string()) },
        };
        Self::without_file(state, command)
    }

    /// Bytes that were kept.
    pub fn bytes(&self) -> Bytes {
        match &self.state {
            CaptureState::Complete { bytes } | CaptureState::Truncated { bytes, .. } => *bytes,
            CaptureState::Armed { .. }
            | CaptureState::Preparing { .. }
            | CaptureState::Building { .. }
            | CaptureState::Writing { .. }
            | CaptureState::Copying { .. }
            | CaptureState::KilledEmpty { .. }
            | CaptureState::Failed { .. }
            | CaptureState::Cancelled => Bytes(0),
        }
    }
}

/// A way to get a heap.
pub trait Method: Sync {
    /// What it is.
    fn spec(&self) -> &'static Spec;
    /// The rights it needs besides watching pods.
    fn needs(&self) -> &'static [Rule];
    /// Judges whether it is safe. Pure.
    fn assess(&self, at: &Situation<'_>) -> Assessment {
        assess(at, &self.spec().demand)
    }
    /// Takes it. Ends in every case with one [`Done`]; leaves nothing open in the pod.
    fn take<'a>(&'a self, order: Order<'a>) -> BoxFuture<'a, Done>;
}
