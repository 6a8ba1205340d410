//! The journal cannot be written: nothing is lost yet, and nothing that changes the cluster is done unrecorded.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;

use super::super::command::Command;
use super::super::key::Key;
use super::super::theme::Role;
use super::super::view::{Cx, Dialog, Reply};
use super::super::widgets::text::{put_all, wrap};
use crate::app::Intent;
use crate::base::Trouble;

/// The question.
pub struct Journal {
    trouble: Trouble,
}

const COMMANDS: &[Command] = &[
    Command::new("retry", &["r", "enter"], "try to write it again").shown("try again"),
    Command::new("leave-program", &["Q"], "leave; what is not on disk is lost").shown("leave"),
];

impl Journal {
    /// For `trouble`.
    pub fn new(trouble: Trouble) -> Self {
        Self { trouble }
    }

    fn words(&self, cx: &Cx<'_>) -> String {
        let n = cx.model.unwritten.len();
        let events = if n == 1 { "1 event is".to_owned() } else { format!("{n} events are") };
        format!(
            "{events} kept in memory only. Nothing that changes the cluster is done until they are on disk. The clock and running captures go on.\n\n{}\n{}\n\nRemedy: {}",
            self.trouble.what, self.trouble.place, self.trouble.remedy
        )
    }
}

impl Dialog for Journal {
    fn title(&self, _cx: &Cx<'_>) -> String {
        "✖ THE JOURNAL IS NOT WRITTEN".to_owned()
    }

    fn role(&self) -> Role {
        Role::Bad
    }

    fn commands(&self) -> &'static [Command] {
        COMMANDS
    }

    fn typing(&self) -> bool {
        false
    }

    fn key(&mut self, key: Key, _cx: &Cx<'_>) -> Reply {
        if key.is("r") || key.is("enter") {
            return Reply::intent(Intent::RetryJournal);
        }
        if key.is("Q") {
            return Reply::intent(Intent::Quit);
        }
        Reply::say("r tries to write again; this stays until the journal is on disk")
    }

    fn rows(&self, cx: &Cx<'_>, columns: u16) -> u16 {
        u16::try_from(wrap(&self.words(cx), columns.into()).len()).unwrap_or(u16::MAX)
    }

    fn draw(&mut self, cx: &Cx<'_>, area: Rect, buf: &mut Buffer) {
        let lines: Vec<Line<'_>> = wrap(&self.words(cx), area.width.into()).into_iter().map(Line::raw).collect();
        put_all(buf, area, &lines);
    }
}
