//! What a view is, what it may answer, and what a dialog is. Data and traits only; the lists are in `views` and `prompts`.

use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::command::Command;
use super::key::Key;
use super::keys::Keymap;
use super::theme::{Role, Theme};
use crate::app::{Intent, Model, Shelf};
use crate::base::{ContainerRef, EvidenceId, Stamp};

/// All that a view may read.
#[derive(Clone, Copy)]
pub struct Cx<'a> {
    /// Everything decided so far.
    pub model: &'a Model,
    /// Whole analyses.
    pub shelf: &'a Shelf,
    /// How things look.
    pub theme: Theme,
    /// Which key does what.
    pub keys: &'a Keymap,
    /// How many times faster than real time the incident's clock runs: people read no faster then.
    pub speed: f64,
}

impl Cx<'_> {
    /// Real time that passed since `then`, as long as this program runs.
    pub fn since(&self, then: Stamp) -> Duration {
        self.model.now.mono.saturating_sub(then.mono).div_f64(self.speed)
    }

    /// The style of `role`.
    pub fn style(&self, role: Role) -> ratatui::style::Style {
        self.theme.style(role)
    }
}

/// What a view is asked to show when it is opened from elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum About {
    /// Whatever it shows by itself.
    Anything,
    /// This container.
    Container(ContainerRef),
    /// The analysis of these files.
    Evidence(Vec<EvidenceId>),
    /// The playbook step with this id.
    Step(String),
}

/// Where to go: the view's name, and what it is to show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Go(pub &'static str, pub About);

/// What the terminal is asked to do; the app does not know of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Local {
    /// Draw everything anew.
    Redraw,
    /// Give the terminal back and stop until `fg`.
    Suspend,
    /// Put text on the clipboard.
    Copy(String),
}

/// What a view, a dialog or a command answers.
#[derive(Default)]
pub struct Reply {
    /// What the person wants of the app.
    pub intents: Vec<Intent>,
    /// Another view.
    pub go: Option<Go>,
    /// A dialog to open.
    pub dialog: Option<Box<dyn Dialog>>,
    /// What the terminal is to do.
    pub local: Vec<Local>,
    /// A word to the person, gone with the next key.
    pub say: Option<String>,
    /// A dialog closes itself.
    pub close: bool,
    /// A command that holds everywhere, to be run as if its key was pressed.
    pub command: Option<&'static str>,
}

impl Reply {
    /// Nothing but being understood.
    pub fn none() -> Self {
        Self::default()
    }

    /// One intent.
    pub fn intent(intent: Intent) -> Self {
        Self { intents: vec![intent], ..Self::default() }
    }

    /// Another view.
    pub fn go(view: &'static str, about: About) -> Self {
        Self { go: Some(Go(view, about)), ..Self::default() }
    }

    /// A dialog.
    pub fn dialog(dialog: impl Dialog + 'static) -> Self {
        Self { dialog: Some(Box::new(dialog)), ..Self::default() }
    }

    /// Another command.
    pub fn command(name: &'static str) -> Self {
        Self { command: Some(name), ..Self::default() }
    }

    /// A word to the person.
    pub fn say(words: impl Into<String>) -> Self {
        Self { say: Some(words.into()), ..Self::default() }
    }

    /// Text for the clipboard.
    pub fn copy(text: impl Into<String>) -> Self {
        Self { local: vec![Local::Copy(text.into())], ..Self::default() }
    }

    /// A dialog that is done, with what it wants.
    pub fn done(intents: Vec<Intent>) -> Self {
        Self { intents, close: true, ..Self::default() }
    }
}

/// One screen under the clock. It owns its cursor and scroll state and nothing else.
pub trait View {
    /// Its own commands. Those of a list ([`super::widgets::cursor::Cursor::COMMANDS`]) come with `lists`.
    fn commands(&self) -> &'static [Command];

    /// Whether the commands of a list move something in it.
    fn lists(&self) -> bool {
        true
    }

    /// Does `command`; `None`: it is not known here, or has nothing to act on.
    fn on(&mut self, command: &str, cx: &Cx<'_>) -> Option<Reply>;

    /// Prepares to be drawn in `area`: cursors into their lists.
    fn arrange(&mut self, cx: &Cx<'_>, area: Rect);

    /// Draws itself.
    fn draw(&self, cx: &Cx<'_>, area: Rect, buf: &mut Buffer);

    /// Is asked to show something.
    fn show(&mut self, _about: &About, _cx: &Cx<'_>) -> Option<Reply> {
        None
    }

    /// Is left: what only it wanted may stop.
    fn left(&mut self, _cx: &Cx<'_>) -> Option<Reply> {
        None
    }

    /// The container that the cluster's keys act on; `None`: the one under most pressure.
    fn subject(&self, _cx: &Cx<'_>) -> Option<ContainerRef> {
        None
    }

    /// The containers that are marked: what may be done to several at once is done to them.
    fn marked(&self, _cx: &Cx<'_>) -> Vec<ContainerRef> {
        Vec::new()
    }

    /// The filter in force; `None`: there is nothing to filter.
    fn filter(&self) -> Option<&str> {
        None
    }

    /// Filters by `words`.
    fn set_filter(&mut self, _words: &str) {}

    /// A click on row `y` from the top of the area; true if something was selected.
    fn click(&mut self, _cx: &Cx<'_>, _y: u16) -> bool {
        false
    }
}

/// A question or form over the body.
pub trait Dialog {
    /// What stands in its frame.
    fn title(&self, cx: &Cx<'_>) -> String;

    /// How loud its frame is.
    fn role(&self) -> Role {
        Role::Info
    }

    /// Its keys, for the footer and the help.
    fn commands(&self) -> &'static [Command];

    /// Whether characters go into a text field.
    fn typing(&self) -> bool;

    /// Takes a key.
    fn key(&mut self, key: Key, cx: &Cx<'_>) -> Reply;

    /// Whether the person typed something that would be lost with it.
    fn is_begun(&self) -> bool {
        false
    }

    /// Takes pasted text; most dialogs do not.
    fn paste(&mut self, _text: &str) {}

    /// Rows it would like to have inside its frame when it is `columns` wide.
    fn rows(&self, cx: &Cx<'_>, columns: u16) -> u16;

    /// Draws its inside.
    fn draw(&mut self, cx: &Cx<'_>, area: Rect, buf: &mut Buffer);
}

/// Whether `text` fits the `filter`: every word occurs in it (not caring about case), every word after `!` does not.
pub fn fits(filter: &str, text: &str) -> bool {
    let text = text.to_lowercase();
    filter.to_lowercase().split_whitespace().all(|word| match word.strip_prefix('!') {
        Some("") => true,
        Some(no) => !text.contains(no),
        None => text.contains(word),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_are_words_and_their_absence() {
        for (filter, fit) in
            [("", true), ("imp", true), ("IMPORT x2", true), ("import !x2", false), ("!job", true), ("!", true), ("b", false)]
        {
            assert_eq!(fits(filter, "content-import-x2k4p Running"), fit, "{filter:?}");
        }
    }
}
