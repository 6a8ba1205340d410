//! A part of the screen under a title: one rule instead of a frame, since rows are dear at 24.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Borders, Clear, Widget};

use super::super::theme::{Role, Theme};
use super::text::{clean, fit, put, width};

/// Draws a rule with `title` at the left and `note` at the right end; gives what is left below it. `active` marks the
/// pane that keys go to.
pub fn titled(buf: &mut Buffer, area: Rect, theme: Theme, title: &str, note: &str, active: bool) -> Rect {
    if area.height == 0 || area.width == 0 {
        return area;
    }
    let columns = area.width as usize;
    // The note is short and says how things stand: it has room first, up to a half.
    let note = fit(note, (columns / 2).saturating_sub(4).max(columns.saturating_sub(width(title) + 8)));
    let title = fit(title, columns.saturating_sub(4 + if note.is_empty() { 0 } else { width(&note) + 4 }));
    let note_wide = if note.is_empty() { 0 } else { width(&note) + 3 };
    let fill = columns.saturating_sub(width(&title) + 4 + note_wide);
    let rule = theme.style(if active { Role::Title } else { Role::Border });
    let mut spans = vec![
        Span::styled(if active { "▸ " } else { "─ " }, rule),
        Span::styled(title, theme.style(if active { Role::Title } else { Role::Text })),
        Span::styled(format!(" {}", "─".repeat(fill)), theme.style(Role::Border)),
    ];
    if !note.is_empty() {
        spans.push(Span::styled(format!(" {note} "), theme.style(Role::Dim)));
    }
    spans.push(Span::styled("─", theme.style(Role::Border)));
    put(buf, area, 0, &Line::from(spans));
    Rect { y: area.y + 1, height: area.height - 1, ..area }
}

/// Draws an empty framed box over `area` with `title`; gives its inside.
pub fn boxed(buf: &mut Buffer, area: Rect, theme: Theme, title: &str, role: Role) -> Rect {
    Clear.render(area, buf);
    let block = Block::new()
        .borders(Borders::ALL)
        .border_style(theme.style(role))
        .title(Span::styled(format!(" {} ", clean(title)), theme.style(role)));
    let inner = block.inner(area);
    block.render(area, buf);
    Rect { x: inner.x + u16::from(inner.width > 2), width: inner.width.saturating_sub(2), ..inner }
}

/// The middle of `area`, at most `columns` by `rows`.
pub fn centred(area: Rect, columns: u16, rows: u16) -> Rect {
    let (width, height) = (columns.min(area.width), rows.min(area.height));
    Rect { x: area.x + (area.width - width) / 2, y: area.y + (area.height - height) / 2, width, height }
}
