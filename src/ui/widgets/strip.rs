//! The pods under most pressure in one to four rows: what stays in sight while a prompt covers the body.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::super::theme::Role;
use super::super::view::Cx;
use super::bar::bar;
use super::pod;
use super::text::{fit_middle, pad, put};
use crate::app::Model;

/// Rows that the strip takes of a body `height` rows high.
pub fn rows(model: &Model, height: u16) -> u16 {
    let want = u16::try_from(model.board.rows().len()).unwrap_or(u16::MAX);
    match height {
        0..18 => want.min(1),
        18..26 => want.min(3),
        _ => want.min(5),
    }
}

/// Draws them.
pub fn draw(cx: &Cx<'_>, area: Rect, buf: &mut Buffer) {
    let name = usize::from(area.width).saturating_sub(50).clamp(10, 44);
    for (y, row) in (0..area.height).zip(cx.model.board.rows()) {
        let (mark, role) = pod::mark(row);
        let share = row.share.unwrap_or(0.0);
        let line = Line::from(vec![
            Span::styled(format!("{mark} "), cx.style(role)),
            Span::styled(pad(&fit_middle(&row.container.pod.name, name), name, false), cx.style(Role::Text)),
            Span::styled(format!(" {} {} ", bar(share, 8), pad(&pod::percent(row), 5, true)), cx.style(role)),
            Span::styled(pad(&pod::eta(row), 12, false), cx.style(role)),
            Span::styled(pod::word(row), cx.style(Role::Dim)),
        ]);
        put(buf, area, y, &line);
    }
}
