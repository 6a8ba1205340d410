//! An act on the cluster; ticks when it was done, wherever it was started from.

use super::kind::{Answer, Kind, text};
use crate::playbook::facts::What;
use crate::playbook::model::Ask;

pub(super) static KIND: Kind = Kind {
    name: "act",
    help: "an act on the cluster, previewed and confirmed",
    keys: &["act", "args"],
    required: &["act"],
    ask: |step, _| Ask::Act { act: text(step.act.as_ref()), args: step.args.as_ref().map(|at| at.value().clone()).unwrap_or_default() },
    ticks: |ask, what| match (ask, what) {
        (Ask::Act { act, .. }, What::ActDone { act: done }) if act == done => Answer::Done,
        (Ask::Act { act, .. }, What::ActFailed { act: failed }) if act == failed => Answer::Failed,
        _ => Answer::No,
    },
};
