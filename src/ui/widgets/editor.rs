//! A text field: one line or many. The words typed are the person's; nothing leaves before they are sent.

use crossterm::event::KeyEvent;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Modifier;
use ratatui::widgets::Widget;
use ratatui_textarea::{CursorMove, TextArea, WrapMode};

use super::super::key::Key;
use super::super::theme::{Role, Theme};
use crate::base::Untrusted;

/// A text field.
#[derive(Debug)]
pub struct Editor {
    area: TextArea<'static>,
    lines: bool,
}

impl Editor {
    /// A field of one line that holds `text`.
    pub fn line(text: &str) -> Self {
        Self::with(text, false)
    }

    /// A field of many lines that holds `text`.
    pub fn text(text: &str) -> Self {
        Self::with(text, true)
    }

    fn with(text: &str, lines: bool) -> Self {
        let clean = |line: &str| Untrusted::new(line).clean();
        let held = if lines { text.split('\n').map(clean).collect() } else { vec![clean(text)] };
        let mut area = TextArea::new(held);
        area.set_wrap_mode(WrapMode::Word);
        area.move_cursor(CursorMove::Bottom);
        area.move_cursor(CursorMove::End);
        Self { area, lines }
    }

    /// Words shown while the field is empty.
    #[must_use]
    pub fn hint(mut self, words: &str) -> Self {
        self.area.set_placeholder_text(words);
        self
    }

    /// What it holds, without spaces at both ends.
    pub fn value(&self) -> String {
        self.area.lines().join("\n").trim().to_owned()
    }

    /// Takes a key; what the field does not know is ignored.
    pub fn key(&mut self, key: Key) {
        let event: KeyEvent = key.event();
        if !self.lines && (key.is("enter") || key.is("ctrl-m") || key.is("ctrl-j")) {
            return;
        }
        self.area.input(event);
    }

    /// Takes pasted text.
    pub fn paste(&mut self, text: &str) {
        let lines: Vec<String> = text.replace("\r\n", "\n").split(['\n', '\r']).map(|l| Untrusted::new(l).clean()).collect();
        self.area.insert_str(lines.join(if self.lines { "\n" } else { " " }));
    }

    /// Draws it; `active`: the cursor is shown.
    pub fn draw(&mut self, buf: &mut Buffer, at: Rect, theme: Theme, active: bool) {
        self.area.set_style(theme.style(Role::Text));
        self.area.set_cursor_line_style(theme.style(Role::Text));
        self.area.set_placeholder_style(theme.style(Role::Dim));
        let text = theme.style(Role::Text);
        self.area.set_cursor_style(if active { text.add_modifier(Modifier::REVERSED) } else { text });
        if at.width > 0 && at.height > 0 {
            (&self.area).render(at, buf);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(editor: &mut Editor, keys: &str) {
        for c in keys.chars() {
            editor.key(Key::parse(&if c == ' ' { "space".to_owned() } else { c.to_string() }).expect("a key"));
        }
    }

    #[test]
    fn what_is_typed_is_held() {
        let mut one = Editor::line("");
        typed(&mut one, "import runs hot");
        one.key(Key::parse("enter").expect("a key"));
        assert_eq!(one.value(), "import runs hot", "one line stays one line");
        one.paste(" since\r\n02:10\u{1b}[31m");
        assert_eq!(one.value(), "import runs hot since 02:10");
    }

    #[test]
    fn a_text_has_lines() {
        let mut many = Editor::text("drafted\nwords");
        many.key(Key::parse("enter").expect("a key"));
        typed(&mut many, "more");
        assert_eq!(many.value(), "drafted\nwords\nmore");
    }
}
