//! A decision among options; the one about the cut-off ticks when the clock's question is answered.

use super::kind::{Answer, Kind};
use crate::playbook::facts::What;
use crate::playbook::model::Ask;
use crate::playbook::problem::Problem;

pub(super) static KIND: Kind = Kind {
    name: "decision",
    help: "a person decides among options",
    keys: &["about", "options"],
    required: &["options"],
    ask: |step, problems| {
        let options = step.options.as_ref().map(|at| at.value().clone()).unwrap_or_default();
        if options.len() < 2
            && let Some(at) = &step.options
        {
            problems.push(Problem::error(at.pos(), "a decision needs two options at least", "add what else could be decided"));
        }
        if let Some(about) = step.about.as_ref().filter(|at| at.value() != "cutoff") {
            let what = format!("unknown decision `{}`", about.value());
            problems.push(Problem::error(about.pos(), what, "known is `cutoff`; leave `about` out for a decision of this playbook"));
        }
        Ask::Decision { about: step.about.as_ref().map(|at| at.value().clone()), options }
    },
    ticks: |ask, what| match (ask, what) {
        // An extension answers the question only for a while: it comes back, so the step stays open.
        (Ask::Decision { about: Some(_), .. }, What::Decided { answer }) if answer == "deep" => Answer::Done,
        _ => Answer::No,
    },
};
