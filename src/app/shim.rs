//! Words that `report/` is about to bring; this file goes when they are there.

use crate::base::{Masked, Stamp};
use crate::heap::Verdict;
use crate::incident::{Finding, PostKind, SlopeChange, State};

pub(super) fn draft(state: &State, _: PostKind, _: Stamp) -> Masked {
    state.title.clone()
}

pub(super) fn finding(_: &Verdict) -> Option<Finding> {
    None
}

pub(super) fn effect_words(change: &SlopeChange) -> String {
    format!("{:?}", change.effect)
}
