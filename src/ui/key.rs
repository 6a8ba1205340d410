//! One key press: how it is written (`C`, `ctrl-l`, `pgdn`), read from the terminal and compared.

use std::fmt;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// A key with its modifiers. Shift is part of a character, not a modifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    code: KeyCode,
    ctrl: bool,
    alt: bool,
}

const NAMED: [(&str, KeyCode); 17] = [
    ("enter", KeyCode::Enter),
    ("esc", KeyCode::Esc),
    ("tab", KeyCode::Tab),
    ("S-tab", KeyCode::BackTab),
    ("space", KeyCode::Char(' ')),
    ("backspace", KeyCode::Backspace),
    ("del", KeyCode::Delete),
    ("up", KeyCode::Up),
    ("down", KeyCode::Down),
    ("left", KeyCode::Left),
    ("right", KeyCode::Right),
    ("home", KeyCode::Home),
    ("end", KeyCode::End),
    ("pgup", KeyCode::PageUp),
    ("pgdn", KeyCode::PageDown),
    ("F1", KeyCode::F(1)),
    ("F2", KeyCode::F(2)),
];

impl Key {
    /// Reads `C`, `?`, `ctrl-l`, `alt-x`, `enter`, `S-tab`. `None` when it is no key.
    pub fn parse(text: &str) -> Option<Self> {
        let (ctrl, rest) = text.strip_prefix("ctrl-").map_or((false, text), |r| (true, r));
        let (alt, rest) = rest.strip_prefix("alt-").map_or((false, rest), |r| (true, r));
        let code = match NAMED.iter().find(|(name, _)| *name == rest) {
            Some((_, code)) => *code,
            None => {
                let mut chars = rest.chars();
                let c = chars.next()?;
                if chars.next().is_some() || c.is_control() {
                    return None;
                }
                KeyCode::Char(c)
            }
        };
        Some(Self { code, ctrl, alt })
    }

    /// The key of a terminal event.
    pub fn of(event: KeyEvent) -> Self {
        let code = match event.code {
            KeyCode::Tab if event.modifiers.contains(KeyModifiers::SHIFT) => KeyCode::BackTab,
            // Terminals with the kitty protocol send the plain character and Shift.
            KeyCode::Char(c) if event.modifiers.contains(KeyModifiers::SHIFT) && c.is_ascii_lowercase() => {
                KeyCode::Char(c.to_ascii_uppercase())
            }
            code => code,
        };
        Self { code, ctrl: event.modifiers.contains(KeyModifiers::CONTROL), alt: event.modifiers.contains(KeyModifiers::ALT) }
    }

    /// Whether it is `text`.
    pub fn is(self, text: &str) -> bool {
        Self::parse(text) == Some(self)
    }

    /// The character it types, if it types one.
    pub const fn typed(self) -> Option<char> {
        match self.code {
            KeyCode::Char(c) if !self.ctrl && !self.alt => Some(c),
            _ => None,
        }
    }

    /// The event that a text field understands.
    pub const fn event(self) -> KeyEvent {
        let mut mods = KeyModifiers::NONE;
        if self.ctrl {
            mods = mods.union(KeyModifiers::CONTROL);
        }
        if self.alt {
            mods = mods.union(KeyModifiers::ALT);
        }
        KeyEvent::new(self.code, mods)
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match NAMED.iter().find(|(_, code)| *code == self.code) {
            Some((name, _)) => (*name).to_owned(),
            None => match self.code {
                KeyCode::Char(c) => c.to_string(),
                other => format!("{other:?}"),
            },
        };
        f.pad(&format!("{}{}{name}", if self.ctrl { "ctrl-" } else { "" }, if self.alt { "alt-" } else { "" }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_and_written_alike() {
        for text in ["j", "C", "?", "!", "/", ":", "ctrl-l", "alt-x", "enter", "S-tab", "pgdn", "space", "F2", "-"] {
            let key = Key::parse(text).expect(text);
            assert_eq!(key.to_string(), text);
        }
        for text in ["", "jj", "ctrl-", "hyper-x"] {
            assert_eq!(Key::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn shift_is_part_of_the_character() {
        let shifted = KeyEvent::new(KeyCode::Char('C'), KeyModifiers::SHIFT);
        assert!(Key::of(shifted).is("C"));
        assert!(Key::of(KeyEvent::new(KeyCode::Char('c'), KeyModifiers::SHIFT)).is("C"));
        assert!(!Key::of(KeyEvent::new(KeyCode::Char('c'), KeyModifiers::NONE)).is("C"));
        assert!(Key::of(KeyEvent::new(KeyCode::Tab, KeyModifiers::SHIFT)).is("S-tab"));
    }
}
