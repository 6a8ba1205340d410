//! Playbooks: model, lint, expressions, steps, run as a fold; a step asks, it never does.

mod builtin;
mod expr;
mod facts;
mod file;
mod lint;
mod model;
mod parse;
mod problem;
mod reading;
mod run;
mod schema;
mod steps;
#[cfg(test)]
mod tests;
mod value;

pub use builtin::BUILT_IN;
pub use expr::{Expr, ExprError};
pub use facts::{FACTS, Facts, Happening, TickedHow, What};
pub use lint::{Names, TITLE_COLUMNS, lint};
pub use model::{Ask, Phase, Playbook, Retry, Risk, Step, Var};
pub use parse::parse;
pub use problem::{Gravity, Pos, Problem, trouble};
pub use run::{DoneBy, Row, Run, StepState, Ticked};
pub use schema::schema;
pub use value::{Type, Value};

/// Every kind of step and what it asks for, for help and docs.
pub fn kinds() -> impl Iterator<Item = (&'static str, &'static str)> {
    steps::KINDS.iter().map(|kind| (kind.name, kind.help))
}
