//! A table whose less important columns give way when the screen is narrow.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::super::theme::{Role, Theme};
use super::cursor::Cursor;
use super::text::{fit, fit_middle, pad, put, width};

/// A column.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// Heading.
    pub title: &'static str,
    /// Width in columns; of the column that takes the rest, the least.
    pub width: u16,
    /// Shown when the table is at least this wide.
    pub from: u16,
    /// And less wide than this.
    pub until: u16,
    /// Numbers stand at the right.
    pub right: bool,
    /// Takes what is left over.
    pub rest: bool,
}

impl Column {
    /// A column of `width`, shown when the table is at least `from` wide.
    pub const fn new(title: &'static str, width: u16, from: u16) -> Self {
        Self { title, width, from, until: u16::MAX, right: false, rest: false }
    }

    /// The same with its content at the right.
    #[must_use]
    pub const fn right(mut self) -> Self {
        self.right = true;
        self
    }

    /// The same, gone where the table is `until` wide or wider.
    #[must_use]
    pub const fn until(mut self, until: u16) -> Self {
        self.until = until;
        self
    }

    /// The same, taking what is left over.
    #[must_use]
    pub const fn rest(mut self) -> Self {
        self.rest = true;
        self
    }
}

/// One field of a row.
#[derive(Clone, Debug)]
pub struct Field {
    text: String,
    style: Style,
    middle: bool,
}

impl Field {
    /// A field.
    pub fn new(text: impl Into<String>, style: Style) -> Self {
        Self { text: text.into(), style, middle: false }
    }

    /// A field that is cut in its middle (pod names, paths).
    pub fn middle(text: impl Into<String>, style: Style) -> Self {
        Self { text: text.into(), style, middle: true }
    }
}

/// Which columns a table of `wide` shows, each with its width.
fn fitted(columns: &[Column], wide: u16) -> Vec<Option<u16>> {
    let mut widths: Vec<Option<u16>> = columns.iter().map(|c| (wide >= c.from && wide < c.until).then_some(c.width)).collect();
    // One column stands between two.
    let used = |widths: &[Option<u16>]| widths.iter().flatten().map(|w| w + 1).sum::<u16>().saturating_sub(1);
    if let Some(rest) = columns.iter().position(|c| c.rest) {
        let over = wide.saturating_sub(used(&widths));
        if let Some(Some(width)) = widths.get_mut(rest) {
            *width += over;
        }
    }
    widths
}

fn line(columns: &[Column], widths: &[Option<u16>], fields: &[Field], marked: Option<Style>) -> Line<'static> {
    let mut spans: Vec<Span<'static>> = Vec::new();
    for ((column, wide), field) in columns.iter().zip(widths).zip(fields) {
        let Some(wide) = wide.map(usize::from) else { continue };
        let text = if field.middle { fit_middle(&field.text, wide) } else { fit(&field.text, wide) };
        let text = pad(&text, wide, column.right);
        spans.push(Span::styled(text, marked.map_or(field.style, |m| field.style.patch(m))));
        spans.push(Span::styled(" ", marked.unwrap_or_default()));
    }
    spans.pop();
    Line::from(spans)
}

/// Draws heading and the rows that `cursor` lets see. `row(i)` gives the fields of row `i`, one a column. `active`: the row
/// under the cursor is marked.
pub fn table(
    buf: &mut Buffer,
    area: Rect,
    theme: Theme,
    columns: &[Column],
    (cursor, len, active): (&Cursor, usize, bool),
    row: impl Fn(usize) -> Vec<Field>,
) {
    let widths = fitted(columns, area.width);
    let heads: Vec<Field> = columns.iter().map(|c| Field::new(c.title, theme.style(Role::Dim))).collect();
    put(buf, area, 0, &line(columns, &widths, &heads, None));
    for (y, i) in (1..area.height).zip(cursor.seen(len)) {
        let marked = (active && i == cursor.at).then(|| theme.style(Role::Selected));
        let mut drawn = line(columns, &widths, &row(i), marked);
        if let Some(style) = marked {
            let gap = (area.width as usize).saturating_sub(drawn.spans.iter().map(|s| width(&s.content)).sum());
            drawn.spans.push(Span::styled(" ".repeat(gap), style));
        }
        put(buf, area, y, &drawn);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_important_gives_way_first() {
        let columns = [Column::new("POD", 10, 0).rest(), Column::new("USED", 5, 0).right(), Column::new("SLOPE", 8, 40)];
        assert_eq!(fitted(&columns, 20), [Some(14), Some(5), None]);
        assert_eq!(fitted(&columns, 40), [Some(25), Some(5), Some(8)]);
        assert_eq!(fitted(&columns, 3), [Some(10), Some(5), None], "the buffer clips what is left");
    }
}
