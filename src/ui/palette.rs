//! The line after `:`: names of commands and views, completed while they are typed.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::command::Command;
use super::key::Key;
use super::theme::Role;
use super::view::Cx;
use super::widgets::panel::boxed;
use super::widgets::text::{clean, pad, put};

/// What the person did in the palette.
#[derive(Debug, PartialEq, Eq)]
pub enum Picked {
    /// Goes on typing.
    Nothing,
    /// Left it.
    Leave,
    /// Wants this command, with these words behind it.
    Run(String, String),
}

/// The open palette.
#[derive(Debug, Default)]
pub struct Palette {
    typed: String,
    at: usize,
}

/// Short names that people of k9s, vi and the shell type.
const ALIASES: &[(&str, &str)] = &[
    ("q", "quit"),
    ("q!", "quit"),
    ("exit", "quit"),
    ("po", "pods"),
    ("snap", "capture"),
    ("evidence", "captures"),
    ("rs", "changes"),
    ("pm", "postmortem"),
    ("severity", "declare"),
    ("update", "post"),
    ("extend", "timer"),
];

impl Palette {
    /// Takes pasted text.
    pub fn paste(&mut self, text: &str) {
        self.typed.push_str(&clean(text));
        self.at = 0;
    }

    fn name(&self) -> &str {
        self.typed.split_whitespace().next().unwrap_or("")
    }

    fn words(&self) -> &str {
        self.typed.trim_start().split_once(char::is_whitespace).map_or("", |(_, words)| words.trim())
    }

    /// The commands that fit what is typed, best first: those that begin with it, then those that have it inside, then those
    /// whose help has it.
    fn found(&self, known: &[&'static Command]) -> Vec<&'static Command> {
        let name = self.name().to_lowercase();
        let mut found: Vec<(u8, &'static Command)> = known
            .iter()
            .filter_map(|c| {
                let rank = match () {
                    () if c.name == name => 0,
                    () if c.name.starts_with(&name) => 1,
                    () if c.name.contains(&name) => 2,
                    () if c.help.to_lowercase().contains(&name) => 3,
                    () => return None,
                };
                Some((rank, *c))
            })
            .collect();
        found.sort_by_key(|(rank, _)| *rank);
        let mut seen = std::collections::BTreeSet::new();
        found.into_iter().map(|(_, c)| c).filter(|c| seen.insert(c.name)).collect()
    }

    /// Takes a key.
    pub fn key(&mut self, key: Key, known: &[&'static Command]) -> Picked {
        let found = self.found(known);
        let last = found.len().saturating_sub(1);
        if key.is("esc") || (self.typed.is_empty() && key.is("backspace")) {
            return Picked::Leave;
        } else if key.is("enter") {
            let alias = ALIASES.iter().find(|(short, _)| *short == self.name()).map(|(_, name)| (*name).to_owned());
            let picked = alias.or_else(|| found.get(self.at).map(|c| c.name.to_owned()));
            return match picked {
                Some(name) => Picked::Run(name, self.words().to_owned()),
                None => Picked::Nothing,
            };
        } else if key.is("tab") {
            if let Some(command) = found.get(self.at) {
                self.typed = format!("{} ", command.name);
                self.at = 0;
            }
        } else if key.is("down") || key.is("ctrl-n") {
            self.at = (self.at + 1).min(last);
        } else if key.is("up") || key.is("ctrl-p") {
            self.at = self.at.saturating_sub(1);
        } else if key.is("ctrl-u") {
            self.typed.clear();
            self.at = 0;
        } else if key.is("backspace") || key.is("ctrl-h") {
            self.typed.pop();
            self.at = 0;
        } else if let Some(c) = key.typed() {
            self.typed.push(c);
            self.at = 0;
        }
        Picked::Nothing
    }

    /// Draws the list over the lower part of the body.
    pub fn draw(&mut self, cx: &Cx<'_>, area: Rect, buf: &mut Buffer, known: &[&'static Command]) {
        let found = self.found(known);
        self.at = self.at.min(found.len().saturating_sub(1));
        let rows = u16::try_from(found.len().max(1)).unwrap_or(u16::MAX).min(10).min(area.height.saturating_sub(2));
        let at = Rect { y: area.bottom().saturating_sub(rows + 2), height: (rows + 2).min(area.height), ..area };
        let inner = boxed(buf, at, cx.theme, "commands and views", Role::Info);
        if found.is_empty() {
            put(buf, inner, 0, &Line::styled("no command is called that; esc leaves", cx.style(Role::Warn)));
        }
        let top = (self.at + 1).saturating_sub(rows.into());
        for (y, (i, command)) in (0..inner.height).zip(found.iter().enumerate().skip(top)) {
            let marked = i == self.at;
            let style = |role| if marked { cx.style(Role::Selected) } else { cx.style(role) };
            let keys = cx.keys.shown(command).unwrap_or_default();
            let line = Line::from(vec![
                Span::styled(pad(command.name, 17, false), style(Role::Title)),
                Span::styled(pad(&keys, 8, false), style(Role::Key)),
                Span::styled(pad(command.help, usize::from(inner.width).saturating_sub(25), false), style(Role::Dim)),
            ]);
            put(buf, inner, y, &line);
        }
    }

    /// The line that is typed.
    pub fn footer(&self, cx: &Cx<'_>) -> Line<'static> {
        Line::from(vec![
            Span::styled(":", cx.style(Role::Key)),
            Span::styled(self.typed.clone(), cx.style(Role::Title)),
            Span::styled("█", cx.style(Role::Text)),
            Span::styled("  tab completes, enter runs, esc leaves", cx.style(Role::Dim)),
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::super::catalogue::{INCIDENT, POD, PROGRAM};
    use super::*;

    fn typed(keys: &str) -> Picked {
        let known: Vec<&'static Command> = PROGRAM.iter().chain(INCIDENT).chain(POD).collect();
        let mut palette = Palette::default();
        for c in keys.chars() {
            palette.key(Key::parse(&if c == ' ' { "space".to_owned() } else { c.to_string() }).expect("a key"), &known);
        }
        palette.key(Key::parse("enter").expect("a key"), &known)
    }

    #[test]
    fn the_start_of_a_name_is_enough() {
        let run = |name: &str, words: &str| Picked::Run(name.to_owned(), words.to_owned());
        assert_eq!(typed("capt"), run("capture", ""));
        assert_eq!(typed("q"), run("quit", ""));
        assert_eq!(typed("snapshot"), run("capture", ""), "words of the help are found too");
        assert_eq!(typed("note import runs hot"), run("note", "import runs hot"));
        assert_eq!(typed("theme mono"), run("theme", "mono"));
        assert_eq!(typed("zzz"), Picked::Nothing);
    }
}
