//! A wait for time (from when the step is next) or for a condition. The run ticks it, since it knows the time.

use super::kind::{Kind, by_hand};
use crate::playbook::model::Ask;
use crate::playbook::problem::Problem;
use crate::playbook::reading;

pub(super) static KIND: Kind = Kind {
    name: "wait",
    help: "time passes, or a condition comes true",
    keys: &["for", "until"],
    required: &[],
    ask: |step, problems| {
        if step.lasts.is_none() && step.until.is_none() {
            problems.push(Problem::error(step.kind.pos(), "a wait needs `for` or `until`", "add `for: 15m` or an expression"));
        }
        Ask::Wait { lasts: reading::time(step.lasts.as_ref(), problems), until: reading::expression(step.until.as_ref(), problems) }
    },
    ticks: by_hand,
};
