//! An approval that a person gives: what follows waits for it.

use super::kind::{Kind, by_hand, text};
use crate::playbook::model::Ask;

pub(super) static KIND: Kind = Kind {
    name: "gate",
    help: "a person approves; what follows waits",
    keys: &["approve", "by"],
    required: &["approve"],
    ask: |step, _| Ask::Gate { approve: text(step.approve.as_ref()), by: text(step.by.as_ref()) },
    ticks: by_hand,
};
