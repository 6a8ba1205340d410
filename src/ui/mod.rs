//! Shows the model, turns keys into intents.
//!
//! `face` holds the stack of views and the dialog on top; `views/*` and `prompts/*` are lists, one file each; `terminal` is
//! the only file that touches the world. A view reads the model and keeps its own cursor, nothing else.

mod actions;
mod catalogue;
mod chrome;
mod command;
mod face;
#[cfg(test)]
mod frames;
mod input;
mod key;
mod keys;
mod layout;
mod options;
mod overlays;
mod palette;
mod prompts;
mod requests;
#[cfg(test)]
mod story;
pub mod terminal;
#[cfg(test)]
mod tests;
mod theme;
mod view;
mod views;
mod widgets;

pub use catalogue::every as commands;
pub use command::Command;
pub use face::{Answer, Face};
pub use input::{Input, Mouse};
pub use key::Key;
pub use keys::Keymap;
pub use options::Options;
pub use terminal::Terminal;
pub use theme::ThemeName;
pub use view::Local;

/// Names of all views and commands, as the palette and a playbook's `opens:` take them.
pub fn names() -> impl Iterator<Item = &'static str> {
    views::VIEWS.iter().map(|entry| entry.open.name).chain(commands().map(|(_, command)| command.name))
}
