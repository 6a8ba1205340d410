//! A note for the timeline; ticks when one is written while the step is next.

use super::kind::{Answer, Kind, text};
use crate::playbook::facts::What;
use crate::playbook::model::Ask;

pub(super) static KIND: Kind = Kind {
    name: "note",
    help: "a person writes a note for the timeline",
    keys: &["prompt"],
    required: &["prompt"],
    ask: |step, _| Ask::Note { prompt: text(step.prompt.as_ref()) },
    ticks: |_, what| if matches!(what, What::Noted) { Answer::Done } else { Answer::No },
};
