//! Text that fits: cleaned of what a terminal would obey, cut, padded and wrapped by the width that terminals draw.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::base::Untrusted;

/// `text` without anything that a terminal would obey. All that did not grow in this room's own source passes here.
pub fn clean(text: &str) -> String {
    if text.bytes().all(|b| (0x20..0x7f).contains(&b)) { text.to_owned() } else { Untrusted::new(text).clean() }
}

/// Columns that `text` takes.
pub fn width(text: &str) -> usize {
    UnicodeWidthStr::width(text)
}

/// The longest start of `text` that takes at most `columns`.
fn head(text: &str, columns: usize) -> &str {
    let mut used = 0;
    for (at, c) in text.char_indices() {
        used += c.width().unwrap_or(0);
        if used > columns {
            return &text[..at];
        }
    }
    text
}

/// The longest end of `text` that takes at most `columns`.
fn tail(text: &str, columns: usize) -> &str {
    let mut used = 0;
    for (at, c) in text.char_indices().rev() {
        used += c.width().unwrap_or(0);
        if used > columns {
            return &text[at + c.len_utf8()..];
        }
    }
    text
}

/// `text`, cleaned and cut at its end to `columns`; a cut is shown by `…`.
pub fn fit(text: &str, columns: usize) -> String {
    let text = clean(text);
    if width(&text) <= columns {
        return text;
    }
    if columns == 0 { String::new() } else { format!("{}…", head(&text, columns - 1)) }
}

/// `text`, cleaned and cut in its middle: pods and images differ at the end. The last part (behind `-` or `/`) stays whole if
/// it takes less than half, so that more of the name's beginning is seen.
pub fn fit_middle(text: &str, columns: usize) -> String {
    let text = clean(text);
    if width(&text) <= columns {
        return text;
    }
    if columns < 4 {
        return fit(&text, columns);
    }
    let half = (columns - 1) / 2;
    let part = text.rfind(['-', '/']).map_or(0, |at| width(&text[at + 1..]));
    let end = if (1..=half).contains(&part) { part } else { half };
    format!("{}…{}", head(&text, columns - 1 - end), tail(&text, end))
}

/// `text` cut to `columns` and filled up with spaces.
pub fn pad(text: &str, columns: usize, right: bool) -> String {
    let text = fit(text, columns);
    let space = " ".repeat(columns.saturating_sub(width(&text)));
    if right { space + &text } else { text + &space }
}

/// `text` in lines of at most `columns`, broken at spaces where that is possible. Line breaks of the text are kept; there is
/// at least one line.
pub fn wrap(text: &str, columns: usize) -> Vec<String> {
    let columns = columns.max(1);
    let mut lines = Vec::new();
    for paragraph in text.split('\n') {
        let paragraph = clean(paragraph);
        let indent: String = paragraph.chars().take_while(|c| *c == ' ').take(columns / 2).collect();
        let mut line = indent.clone();
        let mut empty = true;
        for word in paragraph.split(' ').filter(|w| !w.is_empty()) {
            let mut word = word;
            if !empty && width(&line) + 1 + width(word) > columns {
                lines.push(std::mem::replace(&mut line, indent.clone()));
                empty = true;
            }
            if !empty {
                line.push(' ');
            }
            while width(&line) + width(word) > columns {
                let mut part = head(word, columns - width(&line).min(columns));
                if part.is_empty() {
                    // A character wider than the line: drawn alone, the buffer clips it.
                    let first = word.chars().next().map_or(word.len(), char::len_utf8);
                    part = &word[..first];
                }
                line.push_str(part);
                word = &word[part.len()..];
                lines.push(std::mem::replace(&mut line, indent.clone()));
                if word.is_empty() {
                    break;
                }
            }
            line.push_str(word);
            empty = false;
        }
        lines.push(line);
    }
    lines
}

/// Draws `line` at row `y` of `area`; outside of it nothing happens.
pub fn put(buf: &mut Buffer, area: Rect, y: u16, line: &Line<'_>) {
    if y < area.height {
        buf.set_line(area.x, area.y + y, line, area.width);
    }
}

/// Draws `lines` from the top of `area`.
pub fn put_all(buf: &mut Buffer, area: Rect, lines: &[Line<'_>]) {
    for (y, line) in (0..area.height).zip(lines) {
        put(buf, area, y, line);
    }
}

/// Draws `left` at the left and `right` at the right end of row `y`; `right` wins where there is no room.
pub fn put_both(buf: &mut Buffer, area: Rect, y: u16, left: &Line<'_>, right: &Line<'_>) {
    if y >= area.height {
        return;
    }
    let wide = u16::try_from(right.width()).unwrap_or(u16::MAX).min(area.width);
    buf.set_line(area.x, area.y + y, left, area.width.saturating_sub(wide + u16::from(wide > 0)));
    buf.set_line(area.x + area.width - wide, area.y + y, right, wide);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_cut_by_what_terminals_draw() {
        assert_eq!(fit("content-import", 8), "content…");
        assert_eq!(fit("日本語", 5), "日本…");
        assert_eq!(fit("abc", 0), "");
        assert_eq!(fit_middle("content-import-7d9f8b6c5d-x2k4p", 20), "content-import…x2k4p");
        assert_eq!(fit_middle("abcdefghijkl", 7), "abc…jkl");
        assert_eq!(pad("7", 3, true), "  7");
        assert_eq!(fit("a\u{1b}[31mb\u{1b}]52;c;x\u{7}", 9), "ab");
    }

    #[test]
    fn text_is_wrapped_at_words() {
        assert_eq!(wrap("the quick brown fox", 10), ["the quick", "brown fox"]);
        assert_eq!(wrap("abcdefghij k", 4), ["abcd", "efgh", "ij k"]);
        assert_eq!(wrap("a\n\n  b c d", 5), ["a", "", "  b c", "  d"]);
        assert_eq!(wrap("", 5), [""]);
    }

    proptest::proptest! {
        #[test]
        fn nothing_is_wider_than_asked(text in "[ -~日本\u{1b}\n]{0,80}", columns in 2usize..40) {
            proptest::prop_assert!(width(&fit(&text, columns)) <= columns);
            proptest::prop_assert!(width(&fit_middle(&text, columns)) <= columns);
            for line in wrap(&text, columns) {
                proptest::prop_assert!(width(&line) <= columns, "{line:?}");
            }
        }

        #[test]
        fn wrapping_loses_no_word(text in "[a-z ]{0,80}", columns in 1usize..40) {
            let kept: String = wrap(&text, columns).concat().chars().filter(|c| *c != ' ').collect();
            let all: String = text.chars().filter(|c| *c != ' ').collect();
            proptest::prop_assert_eq!(kept, all);
        }
    }
}
