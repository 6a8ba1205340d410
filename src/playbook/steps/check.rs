//! A question that a person answers by looking.

use super::kind::{Kind, by_hand, text};
use crate::playbook::model::Ask;

pub(super) static KIND: Kind = Kind {
    name: "check",
    help: "a person looks and answers a question",
    keys: &["question"],
    required: &["question"],
    ask: |step, _| Ask::Check { question: text(step.question.as_ref()) },
    ticks: by_hand,
};
