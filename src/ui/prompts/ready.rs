//! What stood in the way of a capture is done away with: it can be begun with one key.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::super::command::Command;
use super::super::key::Key;
use super::super::theme::Role;
use super::super::view::{Cx, Dialog, Reply};
use super::super::widgets::preflight::{lines, mark};
use super::super::widgets::text::put;
use crate::app::Intent;
use crate::base::ContainerRef;
use crate::preflight::Assessment;

/// The question.
pub struct Ready {
    container: ContainerRef,
    assessment: Assessment,
}

const COMMANDS: &[Command] = &[
    Command::new("begin-capture", &["C"], "begin the capture").shown("begin the capture"),
    Command::new("no", &["n", "esc", "enter"], "not now (default)").shown("not now (default)"),
];

impl Ready {
    /// For a capture of `container` as preflight judges it now.
    pub fn new(container: ContainerRef, assessment: Assessment) -> Self {
        Self { container, assessment }
    }
}

impl Dialog for Ready {
    fn title(&self, _cx: &Cx<'_>) -> String {
        let (symbol, _) = mark(self.assessment.risk);
        format!("{symbol} {} now: capture of {} by {}", self.assessment.risk.word(), self.container.pod.name, self.assessment.method)
    }

    fn role(&self) -> Role {
        mark(self.assessment.risk).1
    }

    fn commands(&self) -> &'static [Command] {
        COMMANDS
    }

    fn typing(&self) -> bool {
        false
    }

    fn key(&mut self, key: Key, _cx: &Cx<'_>) -> Reply {
        let container = self.container.clone();
        if key.is("C") {
            return Reply::intent(Intent::TakeReady { container });
        }
        if key.is("n") || key.is("esc") || key.is("enter") || key.is("q") {
            return Reply::intent(Intent::RefuseRisk { container });
        }
        Reply::say("C begins the capture; n, Enter or Esc do nothing")
    }

    fn rows(&self, cx: &Cx<'_>, columns: u16) -> u16 {
        u16::try_from(lines(cx, &self.assessment, columns.into()).len() + 2).unwrap_or(u16::MAX)
    }

    fn draw(&mut self, cx: &Cx<'_>, area: Rect, buf: &mut Buffer) {
        let last = area.height.saturating_sub(1);
        for (y, line) in (0..last.saturating_sub(1)).zip(lines(cx, &self.assessment, area.width.into())) {
            put(buf, area, y, &line);
        }
        let line = Line::from(vec![
            Span::styled("Begin it? ", cx.style(Role::Title)),
            Span::styled("[C] capture  ", cx.style(Role::Key)),
            Span::styled("[n, Enter, Esc] not now (default)", cx.style(Role::Title)),
        ]);
        put(buf, area, last, &line);
    }
}
