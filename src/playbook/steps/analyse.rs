//! An analysis of captured snapshots; ticks when it ended, with a name or without one.

use super::kind::{Answer, Kind};
use crate::playbook::facts::What;
use crate::playbook::model::Ask;

pub(super) static KIND: Kind = Kind {
    name: "analyse",
    help: "an analysis of snapshots that were captured",
    keys: &["compare"],
    required: &[],
    ask: |step, _| Ask::Analyse { compare: step.compare.as_ref().is_some_and(|at| *at.value()) },
    ticks: |ask, what| match (ask, what) {
        (Ask::Analyse { compare }, What::Analysed { snapshots, .. }) if !compare || *snapshots >= 2 => Answer::Done,
        _ => Answer::No,
    },
};
