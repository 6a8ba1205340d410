//! The postmortem as it would be written now.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;

use super::super::command::Command;
use super::super::theme::Role;
use super::super::view::{Cx, Reply, View};
use super::super::widgets::cursor::Scroll;
use super::super::widgets::panel::titled;
use super::super::widgets::text::{put, wrap};
use crate::incident::{Seq, State};
use crate::report::{ExportOptions, postmortem};

/// The view. The text is made anew only when the incident has a new event.
#[derive(Debug, Default)]
pub struct Postmortem {
    scroll: Scroll,
    made: Option<(String, Seq, usize)>,
    lines: Vec<(String, Role)>,
}

const COMMANDS: &[Command] = &[Command::new("copy", &["c"], "copy the markdown").shown("copy")];

/// The page in the built-in format; the export may use another template.
fn page(state: &State) -> String {
    match postmortem(state, &ExportOptions::default()) {
        Ok(export) => export.markdown,
        Err(error) => error.to_string(),
    }
}

fn role(line: &str) -> Role {
    if line.starts_with('#') {
        Role::Title
    } else if line.starts_with('|') || line.starts_with("```") {
        Role::Dim
    } else {
        Role::Text
    }
}

impl View for Postmortem {
    fn commands(&self) -> &'static [Command] {
        COMMANDS
    }

    fn on(&mut self, command: &str, cx: &Cx<'_>) -> Option<Reply> {
        if self.scroll.on(command) {
            return Some(Reply::none());
        }
        match command {
            "copy" => cx.model.incident.as_ref().map(|s| Reply::copy(page(s))),
            _ => None,
        }
    }

    fn arrange(&mut self, cx: &Cx<'_>, area: Rect) {
        let columns = usize::from(area.width);
        let Some(state) = &cx.model.incident else {
            self.lines.clear();
            self.made = None;
            return;
        };
        let now = (state.id.to_string(), state.next_seq(), columns);
        if self.made.as_ref() != Some(&now) {
            self.lines.clear();
            for line in page(state).lines() {
                let role = role(line);
                self.lines.extend(wrap(line, columns).into_iter().map(|l| (l, role)));
            }
            self.made = Some(now);
        }
        self.scroll.arrange(self.lines.len(), area.height.saturating_sub(1).into());
    }

    fn draw(&self, cx: &Cx<'_>, area: Rect, buf: &mut Buffer) {
        let note = match &cx.model.exported {
            Some(path) => format!("written: {path}"),
            None => format!("{} writes it · {}", cx.keys.key_for("export"), self.scroll.rest()),
        };
        let inner = titled(buf, area, cx.theme, "Postmortem", &note, true);
        if cx.model.incident.is_none() {
            put(buf, inner, 0, &Line::styled("No incident is declared: there is nothing to write about.", cx.style(Role::Dim)));
        }
        for (y, i) in (0..inner.height).zip(self.scroll.seen()) {
            if let Some((line, role)) = self.lines.get(i) {
                put(buf, inner, y, &Line::styled(line.clone(), cx.style(*role)));
            }
        }
    }
}
