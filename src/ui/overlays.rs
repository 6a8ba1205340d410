//! What covers the view until the next key: help made from the commands, and the last messages.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::catalogue::{INCIDENT, POD, PROGRAM};
use super::chrome::level_mark;
use super::command::Command;
use super::key::Key;
use super::theme::Role;
use super::view::{Cx, View};
use super::views::VIEWS;
use super::widgets::bar::bar;
use super::widgets::cursor::{Cursor, Scroll};
use super::widgets::panel::boxed;
use super::widgets::text::{clean, pad, put, wrap};
use crate::base::span;

/// Which.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The keys.
    Help,
    /// Messages and jobs.
    Messages,
}

/// An open overlay.
#[derive(Clone, Copy, Debug)]
pub struct Overlay {
    /// Which.
    pub kind: Kind,
    scroll: Scroll,
}

impl Overlay {
    /// The keys.
    pub fn help() -> Self {
        Self { kind: Kind::Help, scroll: Scroll::default() }
    }

    /// Messages and jobs.
    pub fn messages() -> Self {
        Self { kind: Kind::Messages, scroll: Scroll::default() }
    }

    /// Scrolls; false if the key is for somebody else.
    pub fn key(&mut self, key: Key) -> bool {
        match Cursor::COMMANDS.iter().find(|c| c.keys.iter().any(|k| key.is(k))) {
            Some(command) => self.scroll.on(command.name),
            None => key.is("space") && self.scroll.on("page-down"),
        }
    }

    /// Draws it with `lines`.
    pub fn draw(&mut self, cx: &Cx<'_>, area: Rect, buf: &mut Buffer, lines: &[Line<'_>]) {
        let title = match self.kind {
            Kind::Help => "KEYS (esc closes)",
            Kind::Messages => "MESSAGES (esc closes)",
        };
        let inner = boxed(buf, area, cx.theme, title, Role::Info);
        let room = inner.height.saturating_sub(1);
        self.scroll.arrange(lines.len(), inner.height.into());
        let below = self.scroll.rest();
        let shown = if below.is_empty() { inner.height } else { room };
        for (y, i) in (0..shown).zip(self.scroll.seen()) {
            if let Some(line) = lines.get(i) {
                put(buf, inner, y, line);
            }
        }
        if !below.is_empty() {
            put(buf, inner, room, &Line::styled(format!("{below} (pgdn)"), cx.style(Role::Key)));
        }
    }
}

fn section(cx: &Cx<'_>, lines: &mut Vec<Line<'static>>, title: &str, commands: impl Iterator<Item = &'static Command>, columns: usize) {
    lines.push(Line::styled(clean(title), cx.style(Role::Title)));
    for command in commands {
        let keys: Vec<String> = cx.keys.of(command).iter().map(ToString::to_string).collect();
        let keys = if keys.is_empty() { format!(":{}", command.name) } else { keys.join(" ") };
        let role = if command.changes() { Role::Warn } else { Role::Key };
        lines.push(Line::from(vec![
            Span::styled(pad(&keys, 13, false), cx.style(role)),
            Span::styled(pad(command.name, 15, false), cx.style(Role::Text)),
            Span::styled(super::widgets::text::fit(command.help, columns.saturating_sub(28)), cx.style(Role::Dim)),
        ]));
    }
    lines.push(Line::default());
}

/// The keys that work in the view `title`, made from the commands.
pub fn help_lines(cx: &Cx<'_>, name: &str, title: &str, view: &dyn View, columns: u16) -> Vec<Line<'static>> {
    let columns = usize::from(columns.saturating_sub(4));
    let mut lines = Vec::new();
    if !view.commands().is_empty() {
        section(cx, &mut lines, &format!("In this view ({title})"), view.commands().iter(), columns);
    }
    section(cx, &mut lines, "The pod under the cursor, else the one under most pressure", POD.iter(), columns);
    section(cx, &mut lines, "The incident", INCIDENT.iter(), columns);
    if view.lists() {
        section(cx, &mut lines, "Lists and texts", Cursor::COMMANDS.iter(), columns);
    }
    section(cx, &mut lines, "Views", VIEWS.iter().map(|e| &e.open).filter(|c| c.name != name), columns);
    section(cx, &mut lines, "The program", PROGRAM.iter(), columns);
    let words = "Upper-case keys change the cluster or the incident: each shows the exact call and a dry-run first, and No is the default.";
    lines.extend(wrap(words, columns).into_iter().map(|l| Line::styled(l, cx.style(Role::Warn))));
    lines
}

/// Running jobs, then the last messages, newest first.
pub fn messages(cx: &Cx<'_>, columns: u16) -> Vec<Line<'static>> {
    let columns = usize::from(columns.saturating_sub(4));
    let mut lines = Vec::new();
    lines.push(Line::styled("Running", cx.style(Role::Title)));
    if cx.model.jobs.is_empty() {
        lines.push(Line::styled("nothing", cx.style(Role::Dim)));
    }
    for job in cx.model.jobs.values() {
        let share = job.share.map_or_else(String::new, |s| format!("{} {:.0} %  ", bar(f64::from(s), 8), s * 100.0));
        let age = span(cx.model.now.mono.saturating_sub(job.since.mono));
        let words = format!("{}  {share}{age}  {}", job.what, job.note);
        lines.extend(wrap(&words, columns).into_iter().map(|l| Line::styled(l, cx.style(Role::Text))));
    }
    lines.push(Line::default());
    lines.push(Line::styled("Messages, newest first", cx.style(Role::Title)));
    for toast in cx.model.toasts.iter().rev() {
        let (mark, role) = level_mark(toast.level);
        for (i, words) in wrap(&toast.text, columns.saturating_sub(11)).into_iter().enumerate() {
            let head = if i == 0 { format!("{} {mark} ", toast.at.wall.format("%H:%M:%S")) } else { " ".repeat(11) };
            lines.push(Line::from(vec![Span::styled(head, cx.style(role)), Span::styled(words, cx.style(Role::Text))]));
        }
    }
    lines
}
