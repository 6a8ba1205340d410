//! A heap snapshot; ticks when a whole file came, fails when a capture gave none.

use super::kind::{Answer, Kind};
use crate::playbook::facts::What;
use crate::playbook::model::Ask;

pub(super) static KIND: Kind = Kind {
    name: "capture",
    help: "a heap snapshot, after preflight",
    keys: &["method"],
    required: &[],
    ask: |step, _| Ask::Capture { method: step.method.as_ref().map_or_else(|| "auto".to_owned(), |at| at.value().clone()) },
    ticks: |_, what| match what {
        What::CaptureEnded { complete: true, .. } => Answer::Done,
        What::CaptureEnded { complete: false, .. } => Answer::Failed,
        _ => Answer::No,
    },
};
