//! A form: fields to fill in and one thing that is done with them.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;

use super::super::command::Command;
use super::super::key::Key;
use super::super::theme::Role;
use super::super::view::{Cx, Dialog, Reply};
use super::super::widgets::editor::Editor;
use super::super::widgets::text::{put, wrap};
use crate::app::Intent;

/// One field of a form.
pub struct Field {
    label: &'static str,
    editor: Editor,
    rows: u16,
}

impl Field {
    /// A field of one line.
    pub fn line(label: &'static str, text: &str, hint: &str) -> Self {
        Self { label, editor: Editor::line(text).hint(hint), rows: 1 }
    }

    /// A field of `rows` lines or more.
    pub fn text(label: &'static str, text: &str, hint: &str, rows: u16) -> Self {
        Self { label, editor: Editor::text(text).hint(hint), rows: rows.max(2) }
    }
}

/// What a form does with its values, in the order of its fields; or what is wrong with them.
pub type Action = Box<dyn Fn(&[String]) -> Result<Vec<Intent>, String>>;

/// A form.
pub struct Form {
    title: &'static str,
    intro: String,
    fields: Vec<Field>,
    at: usize,
    action: Action,
    /// What the fields held at first.
    first: Vec<String>,
    wrong: Option<String>,
}

const LINES: &[Command] = &[
    Command::new("send", &["enter", "F2", "ctrl-s"], "do it").shown("send"),
    Command::new("next-field", &["tab"], "next field").shown("next field"),
    Command::new("leave", &["esc"], "leave; nothing is sent, the text is kept").shown("leave"),
];
const TEXT: &[Command] = &[
    Command::new("send", &["ctrl-s", "F2"], "do it").shown("send"),
    Command::new("next-field", &["tab"], "next field").shown("next field"),
    Command::new("leave", &["esc"], "leave; nothing is sent, the text is kept").shown("leave"),
];

impl Form {
    /// A form titled `title`, with a sentence above its fields.
    pub fn new(title: &'static str, intro: impl Into<String>, fields: Vec<Field>, action: Action) -> Self {
        let first = fields.iter().map(|f| f.editor.value()).collect();
        Self { title, intro: intro.into(), fields, at: 0, action, first, wrong: None }
    }

    fn many(&self) -> bool {
        self.fields.iter().any(|f| f.rows > 1)
    }

    fn field_is_text(&self) -> bool {
        self.fields.get(self.at).is_some_and(|f| f.rows > 1)
    }

    /// What was typed so far.
    pub fn values(&self) -> Vec<String> {
        self.fields.iter().map(|f| f.editor.value()).collect()
    }

    fn send(&mut self) -> Reply {
        match (self.action)(&self.values()) {
            Ok(intents) => Reply::done(intents),
            Err(wrong) => {
                self.wrong = Some(wrong);
                Reply::none()
            }
        }
    }
}

impl Dialog for Form {
    fn title(&self, _cx: &Cx<'_>) -> String {
        self.title.to_owned()
    }

    fn commands(&self) -> &'static [Command] {
        if self.many() { TEXT } else { LINES }
    }

    fn typing(&self) -> bool {
        true
    }

    fn is_begun(&self) -> bool {
        self.values() != self.first
    }

    fn key(&mut self, key: Key, _cx: &Cx<'_>) -> Reply {
        self.wrong = None;
        if key.is("esc") {
            return Reply { close: true, ..Reply::default() };
        }
        if key.is("ctrl-s") || key.is("F2") || (key.is("enter") && !self.field_is_text() && (!self.many() || self.fields.len() == 1)) {
            return self.send();
        }
        let count = self.fields.len().max(1);
        if key.is("tab") || (key.is("enter") && !self.field_is_text()) {
            self.at = (self.at + 1) % count;
        } else if key.is("S-tab") {
            self.at = (self.at + count - 1) % count;
        } else if let Some(field) = self.fields.get_mut(self.at) {
            field.editor.key(key);
        }
        Reply::none()
    }

    fn paste(&mut self, text: &str) {
        if let Some(field) = self.fields.get_mut(self.at) {
            field.editor.paste(text);
        }
    }

    fn rows(&self, _cx: &Cx<'_>, columns: u16) -> u16 {
        let intro = if self.intro.is_empty() { 0 } else { u16::try_from(wrap(&self.intro, columns.into()).len() + 1).unwrap_or(u16::MAX) };
        let fields: u16 = self.fields.iter().map(|f| f.rows + 1).sum();
        intro.saturating_add(fields).saturating_add(1)
    }

    fn draw(&mut self, cx: &Cx<'_>, area: Rect, buf: &mut Buffer) {
        let mut y = 0;
        if !self.intro.is_empty() {
            for line in wrap(&self.intro, area.width.into()) {
                put(buf, area, y, &Line::styled(line, cx.style(Role::Dim)));
                y += 1;
            }
            if area.height > 12 {
                y += 1;
            }
        }
        // What is left after labels and one-line fields goes to the texts.
        let fixed: u16 = self.fields.iter().map(|f| if f.rows > 1 { 1 } else { 2 }).sum();
        let texts = u16::try_from(self.fields.iter().filter(|f| f.rows > 1).count()).unwrap_or(1).max(1);
        let room = area.height.saturating_sub(y + fixed + 1) / texts;
        for (i, field) in self.fields.iter_mut().enumerate() {
            let active = i == self.at;
            let role = if active { Role::Title } else { Role::Dim };
            put(buf, area, y, &Line::styled(format!("{} {}", if active { "▸" } else { " " }, field.label), cx.style(role)));
            y += 1;
            let rows = if field.rows > 1 { room.max(1) } else { 1 };
            let at = Rect { x: area.x + 2.min(area.width), y: area.y + y, width: area.width.saturating_sub(2), height: rows };
            field.editor.draw(buf, at.intersection(area), cx.theme, active);
            y += rows;
        }
        if let Some(wrong) = &self.wrong {
            put(buf, area, area.height.saturating_sub(1), &Line::styled(format!("▲ {wrong}"), cx.style(Role::Warn)));
        }
    }
}
