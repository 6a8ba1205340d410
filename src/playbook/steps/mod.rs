//! The kinds of steps. To add one: a file with its `KIND`, a line here, its variant of `Ask`.

mod act;
mod analyse;
mod capture;
mod check;
mod command;
mod decision;
mod gate;
mod kind;
mod manual;
mod note;
mod notify;
mod wait;

pub(super) use kind::{Answer, Kind};

use super::model::Ask;

/// All kinds, in the order in which help and schema show them.
pub(super) static KINDS: &[&Kind] = &[
    &manual::KIND,
    &check::KIND,
    &decision::KIND,
    &gate::KIND,
    &wait::KIND,
    &note::KIND,
    &notify::KIND,
    &act::KIND,
    &capture::KIND,
    &analyse::KIND,
    &command::KIND,
];

/// The kind `name`.
pub(super) fn named(name: &str) -> Option<&'static Kind> {
    KINDS.iter().copied().find(|kind| kind.name == name)
}

/// The kind of what a step asks.
pub(super) fn of(ask: &Ask) -> &'static Kind {
    match ask {
        Ask::Manual => &manual::KIND,
        Ask::Check { .. } => &check::KIND,
        Ask::Decision { .. } => &decision::KIND,
        Ask::Gate { .. } => &gate::KIND,
        Ask::Wait { .. } => &wait::KIND,
        Ask::Note { .. } => &note::KIND,
        Ask::Notify { .. } => &notify::KIND,
        Ask::Act { .. } => &act::KIND,
        Ask::Capture { .. } => &capture::KIND,
        Ask::Analyse { .. } => &analyse::KIND,
        Ask::Command { .. } => &command::KIND,
    }
}
