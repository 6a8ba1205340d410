//! Text from outside and text that may leave: two types, so that the compiler keeps them apart.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Text that came from outside (logs, labels, strings of a snapshot, foreign errors). It has no `Display`; the screen
/// gets it by [`Untrusted::clean`], everything that is stored or sent by [`crate::base::mask`].
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Untrusted(Vec<u8>);

impl Untrusted {
    /// Takes `bytes` as they came.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self(bytes.into())
    }

    /// The bytes as they came.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// The text without escape sequences, control and bidirectional-override characters, safe to draw. Line breaks
    /// and tabs become one space.
    pub fn clean(&self) -> String {
        clean(&String::from_utf8_lossy(&self.0), false)
    }

    /// As [`Untrusted::clean`], but line breaks stay: for notes and posts, which a person wrote in lines.
    pub fn clean_lines(&self) -> String {
        clean(&String::from_utf8_lossy(&self.0), true)
    }
}

impl fmt::Debug for Untrusted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Untrusted({} bytes)", self.0.len())
    }
}

fn clean(text: &str, lines: bool) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\u{1b}' => skip_escape(&mut chars),
            '\u{9b}' => skip_csi(&mut chars),
            '\n' if lines => out.push('\n'),
            '\n' | '\t' => out.push(' '),
            c if c.is_control() => {}
            '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' => {}
            c => out.push(c),
        }
    }
    out
}

/// ECMA-48: CSI ends at a byte of 0x40..0x7e; OSC, DCS, SOS, PM and APC end at BEL or ST.
fn skip_escape(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) {
    match chars.next() {
        Some('[') => skip_csi(chars),
        Some(']' | 'P' | 'X' | '^' | '_') => {
            while let Some(c) = chars.next() {
                if c == '\u{7}' || c == '\u{9c}' {
                    return;
                }
                if c == '\u{1b}' {
                    if chars.peek() == Some(&'\\') {
                        chars.next();
                    }
                    return;
                }
            }
        }
        Some('(' | ')' | '*' | '+' | '#' | ' ') => {
            chars.next();
        }
        _ => {}
    }
}

fn skip_csi(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) {
    for c in chars.by_ref() {
        if ('\u{40}'..='\u{7e}').contains(&c) {
            return;
        }
    }
}

/// Text without secrets, which may be stored, sent and exported. Made by [`crate::base::mask`], from numbers and from
/// the program's own words.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Masked(String);

impl Masked {
    /// The program's own words.
    pub fn own(words: &'static str) -> Self {
        Self(words.to_owned())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn proven(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Display for Masked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl From<&Untrusted> for Masked {
    fn from(text: &Untrusted) -> Self {
        super::redact::mask(text)
    }
}

impl From<&str> for Masked {
    /// Masks `text`, whatever its origin: the program's own words pass unchanged, since they hold no secret.
    fn from(text: &str) -> Self {
        super::redact::mask(&Untrusted::new(text))
    }
}

impl From<String> for Masked {
    fn from(text: String) -> Self {
        Self::from(text.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_a_terminal_obeys_survives() {
        let cases = [
            ("\u{1b}[31mred\u{1b}[0m", "red"),
            ("a\u{1b}]52;c;ZXZpbA==\u{7}b", "ab"),
            ("a\u{1b}]0;title\u{1b}\\b", "ab"),
            ("\u{9b}2Jx", "x"),
            ("bell\u{7}\u{8}\u{0}", "bell"),
            ("two\nlines\tand", "two lines and"),
            ("\u{202e}evil", "evil"),
            ("cut \u{1b}", "cut "),
            ("emoji 🚀 日本", "emoji 🚀 日本"),
        ];
        for (raw, shown) in cases {
            assert_eq!(Untrusted::new(raw).clean(), shown, "{raw:?}");
        }
        assert_eq!(Untrusted::new(vec![0xff, b'a']).clean(), "\u{fffd}a");
        assert_eq!(Untrusted::new("one\r\n\ttwo\u{1b}[2J").clean_lines(), "one\n two");
    }
}
