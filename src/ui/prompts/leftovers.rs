//! What acts left behind in the cluster: a number begins the act that sees to it, which shows what it would do first.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::super::command::Command;
use super::super::key::Key;
use super::super::theme::Role;
use super::super::view::{Cx, Dialog, Reply};
use super::super::widgets::text::{put, wrap};
use crate::app::{Intent, LeftBehind, left_behind};

/// The choice.
pub struct Leftovers;

const COMMANDS: &[Command] = &[
    Command::new("see-to", &["1"], "see to number 1 (2, 3, …): shown first").shown("see to it (shown first)"),
    Command::new("leave", &["esc"], "leave it as it is").shown("leave"),
];
/// More than that can be reached when some of these are done.
const MOST: usize = 9;

fn words(left: &LeftBehind) -> String {
    let act = match left.settle.args.get("memory") {
        Some(memory) => format!("{} to {memory}", left.settle.act),
        None => left.settle.act.clone(),
    };
    format!("{} → {act}", left.what)
}

fn lines(cx: &Cx<'_>, columns: usize) -> Vec<Line<'static>> {
    let left = left_behind(cx.model);
    let mut lines = Vec::new();
    for (n, left) in (1..=MOST).zip(&left) {
        for (i, words) in wrap(&words(left), columns.saturating_sub(4)).into_iter().enumerate() {
            let head = if i == 0 { format!("[{n}] ") } else { "    ".to_owned() };
            lines.push(Line::from(vec![Span::styled(head, cx.style(Role::Key)), Span::styled(words, cx.style(Role::Text))]));
        }
    }
    if left.len() > MOST {
        lines.push(Line::styled(format!("and {} more", left.len() - MOST), cx.style(Role::Dim)));
    }
    lines
}

impl Dialog for Leftovers {
    fn title(&self, cx: &Cx<'_>) -> String {
        format!("LEFT BEHIND: {}", left_behind(cx.model).len())
    }

    fn role(&self) -> Role {
        Role::Warn
    }

    fn commands(&self) -> &'static [Command] {
        COMMANDS
    }

    fn typing(&self) -> bool {
        false
    }

    fn key(&mut self, key: Key, cx: &Cx<'_>) -> Reply {
        let number = key.typed().and_then(|c| c.to_digit(10)).and_then(|n| (n as usize).checked_sub(1));
        match number.filter(|n| *n < MOST).and_then(|n| left_behind(cx.model).into_iter().nth(n)) {
            Some(left) => Reply::done(vec![Intent::Act { request: left.settle }]),
            None if key.is("esc") || key.is("q") || key.is("enter") => Reply::done(Vec::new()),
            None => Reply::say("a number sees to it, Esc leaves it"),
        }
    }

    fn rows(&self, cx: &Cx<'_>, columns: u16) -> u16 {
        u16::try_from(lines(cx, columns.into()).len().max(1)).unwrap_or(u16::MAX)
    }

    fn draw(&mut self, cx: &Cx<'_>, area: Rect, buf: &mut Buffer) {
        for (y, line) in (0..area.height).zip(lines(cx, area.width.into())) {
            put(buf, area, y, &line);
        }
    }
}
