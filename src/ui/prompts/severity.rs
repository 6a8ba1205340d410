//! Another severity, by one key.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::super::command::Command;
use super::super::key::Key;
use super::super::theme::Role;
use super::super::view::{Cx, Dialog, Reply};
use super::super::widgets::text::put;
use crate::app::Intent;
use crate::incident::Severity;

/// The choice.
pub struct SeverityChoice;

const COMMANDS: &[Command] = &[
    Command::new("severity-one", &["1"], "all users, or money").shown("SEV1"),
    Command::new("severity-two", &["2"], "many users").shown("SEV2"),
    Command::new("severity-three", &["3"], "some users").shown("SEV3"),
    Command::new("leave", &["esc"], "leave it as it is").shown("leave"),
];

impl Dialog for SeverityChoice {
    fn title(&self, cx: &Cx<'_>) -> String {
        let now = cx.model.incident.as_ref().map_or_else(String::new, |s| format!(" (now {})", s.severity));
        format!("SEVERITY{now}")
    }

    fn commands(&self) -> &'static [Command] {
        COMMANDS
    }

    fn typing(&self) -> bool {
        false
    }

    fn key(&mut self, key: Key, cx: &Cx<'_>) -> Reply {
        let severity = match key.typed() {
            Some('1') => Severity::Sev1,
            Some('2') => Severity::Sev2,
            Some('3') => Severity::Sev3,
            _ => return Reply { close: key.is("esc") || key.is("q") || key.is("enter"), ..Reply::default() },
        };
        let same = cx.model.incident.as_ref().is_none_or(|s| s.severity == severity);
        Reply::done(if same { Vec::new() } else { vec![Intent::Severity { severity }] })
    }

    fn rows(&self, _cx: &Cx<'_>, _columns: u16) -> u16 {
        3
    }

    fn draw(&mut self, cx: &Cx<'_>, area: Rect, buf: &mut Buffer) {
        for (y, command) in (0u16..3).zip(COMMANDS) {
            let line = Line::from(vec![
                Span::styled(command.keys[0].to_owned(), cx.style(Role::Key)),
                Span::raw(format!("  {}  {}", command.short, command.help)),
            ]);
            put(buf, area, y, &line);
        }
    }
}
