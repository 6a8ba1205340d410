//! A command on the operator's machine: an argument array, no shell. Off unless the config allows it.

use super::kind::{Kind, by_hand};
use crate::playbook::model::Ask;
use crate::playbook::problem::Problem;

pub(super) static KIND: Kind = Kind {
    name: "command",
    help: "a command on this machine (off unless the config allows it)",
    keys: &["argv"],
    required: &["argv"],
    ask: |step, problems| {
        let argv = step.argv.as_ref().map(|at| at.value().clone()).unwrap_or_default();
        if argv.first().is_none_or(String::is_empty)
            && let Some(at) = &step.argv
        {
            problems.push(Problem::error(at.pos(), "the command is empty", "write `argv: [program, argument]`"));
        }
        Ask::Command { argv }
    },
    ticks: by_hand,
};
