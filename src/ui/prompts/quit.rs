//! Leaving while something runs.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;

use super::super::command::Command;
use super::super::key::Key;
use super::super::theme::Role;
use super::super::view::{Cx, Dialog, Reply};
use super::super::widgets::text::{put_all, wrap};
use crate::app::Intent;

/// The question.
pub struct Quit;

const COMMANDS: &[Command] =
    &[Command::new("yes", &["y"], "leave").shown("leave"), Command::new("no", &["n", "esc", "enter"], "stay (default)").shown("stay")];

fn words(cx: &Cx<'_>) -> String {
    let mut words = String::new();
    if cx.model.incident.as_ref().is_some_and(crate::incident::State::is_open) {
        words.push_str("The incident is open. Its journal is on disk and its deadlines keep; `cutoff` goes on where you left.\n");
    }
    let running: Vec<&str> = cx.model.jobs.values().map(|j| j.what.as_str()).collect();
    if !running.is_empty() {
        words.push_str(&format!("These stop: {}.\n", running.join(", ")));
    }
    words.push_str("Leave?  y leaves, anything else stays.");
    words
}

impl Dialog for Quit {
    fn title(&self, _cx: &Cx<'_>) -> String {
        "LEAVE?".to_owned()
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

    fn key(&mut self, key: Key, _cx: &Cx<'_>) -> Reply {
        Reply::done(if key.is("y") { vec![Intent::Quit] } else { Vec::new() })
    }

    fn rows(&self, cx: &Cx<'_>, columns: u16) -> u16 {
        u16::try_from(wrap(&words(cx), columns.into()).len()).unwrap_or(u16::MAX)
    }

    fn draw(&mut self, cx: &Cx<'_>, area: Rect, buf: &mut Buffer) {
        let lines: Vec<Line<'_>> = wrap(&words(cx), area.width.into()).into_iter().map(Line::raw).collect();
        put_all(buf, area, &lines);
    }
}
