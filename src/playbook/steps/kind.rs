//! What a kind of step is: one value in the list.

use super::super::facts::What;
use super::super::file::StepFile;
use super::super::model::Ask;
use super::super::problem::Problem;

/// What a happening means for an open step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Answer {
    /// Nothing.
    No,
    /// It is done.
    Done,
    /// It was tried and failed.
    Failed,
}

/// A kind of step.
pub(in super::super) struct Kind {
    /// Name, as `kind:` gives it.
    pub name: &'static str,
    /// What it asks for, one line.
    pub help: &'static str,
    /// Keys that belong to it.
    pub keys: &'static [&'static str],
    /// Those of them that must be given.
    pub required: &'static [&'static str],
    /// Reads its keys; what is wrong with them is added to the problems. Required keys are there.
    pub ask: fn(&StepFile, &mut Vec<Problem>) -> Ask,
    /// What a happening means for a step of this kind.
    pub ticks: fn(&Ask, &What) -> Answer,
}

/// `ticks` of the kinds that only a person can tick.
pub(super) fn by_hand(_: &Ask, _: &What) -> Answer {
    Answer::No
}

/// A text key that is there.
pub(super) fn text(key: Option<&super::super::file::At<String>>) -> String {
    key.map(|at| at.value().clone()).unwrap_or_default()
}
