//! An act shows the exact call, what would change and what to know first. Default is No.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::super::command::Command;
use super::super::key::Key;
use super::super::theme::Role;
use super::super::view::{Cx, Dialog, Reply};
use super::super::widgets::cursor::Scroll;
use super::super::widgets::editor::Editor;
use super::super::widgets::text::{clean, put, wrap};
use crate::app::model::ActStage;
use crate::app::{Intent, JobId};
use crate::incident::Preview;

/// The question.
pub struct Act {
    job: JobId,
    typed: Editor,
    scroll: Scroll,
    /// Whether the name has to be typed; known when it was drawn or a key came.
    named: bool,
    wrong: Option<String>,
}

const PLAIN: &[Command] = &[
    Command::new("yes", &["y"], "do exactly this").shown("do it"),
    Command::new("no", &["n", "esc", "enter"], "do nothing (default)").shown("No (default)"),
    Command::new("scroll", &["pgdn", "pgup", "down", "up"], "read on").shown("read on"),
];
const NAMED: &[Command] = &[
    Command::new("confirm-name", &["enter"], "do it if the name is typed; No if it is empty").shown("do it, if the name is typed"),
    Command::new("no", &["esc"], "do nothing").shown("No"),
    Command::new("scroll", &["pgdn", "pgup", "down", "up"], "read on").shown("read on"),
];

fn preview<'a>(cx: &Cx<'a>, job: JobId) -> Option<&'a Preview> {
    match &cx.model.act(job)?.stage {
        ActStage::Asking { preview } => Some(preview),
        ActStage::Checking | ActStage::Performing { .. } => None,
    }
}

impl Act {
    /// For the act of `job`.
    pub fn new(job: JobId) -> Self {
        Self { job, typed: Editor::line(""), scroll: Scroll::default(), named: false, wrong: None }
    }

    fn lines(&self, cx: &Cx<'_>, columns: usize) -> Vec<Line<'static>> {
        let Some(preview) = preview(cx, self.job) else { return vec![Line::raw("This is being done.")] };
        let mut lines: Vec<Line<'static>> = Vec::new();
        for warning in &preview.warnings {
            for (i, words) in wrap(warning.as_str(), columns.saturating_sub(2)).into_iter().enumerate() {
                lines.push(Line::styled(format!("{} {words}", if i == 0 { "▲" } else { " " }), cx.style(Role::Warn)));
            }
        }
        lines.push(Line::styled("The call:", cx.style(Role::Dim)));
        lines.extend(wrap(preview.call.as_str(), columns).into_iter().map(|l| Line::styled(l, cx.style(Role::Title))));
        lines.push(Line::styled("What would change (server-side dry-run):", cx.style(Role::Dim)));
        if preview.diff.is_empty() {
            lines.push(Line::styled("nothing", cx.style(Role::Dim)));
        }
        for diff in &preview.diff {
            let diff = clean(diff.as_str());
            let role = match diff.chars().next() {
                Some('+') => Role::Good,
                Some('-') => Role::Bad,
                _ => Role::Dim,
            };
            lines.extend(wrap(&diff, columns).into_iter().map(|l| Line::from(Span::styled(l, cx.style(role)))));
        }
        lines
    }
}

impl Dialog for Act {
    fn title(&self, cx: &Cx<'_>) -> String {
        cx.model.act(self.job).map_or_else(String::new, |a| {
            let target = &a.request.target;
            format!("{}: {}/{} in {}", a.request.act.to_uppercase(), target.kind, target.name, target.namespace)
        })
    }

    fn role(&self) -> Role {
        Role::Warn
    }

    fn commands(&self) -> &'static [Command] {
        if self.named { NAMED } else { PLAIN }
    }

    fn typing(&self) -> bool {
        self.named
    }

    fn key(&mut self, key: Key, cx: &Cx<'_>) -> Reply {
        self.wrong = None;
        let job = self.job;
        let Some(preview) = preview(cx, job) else { return Reply::none() };
        self.named = preview.confirm.is_some();
        for (name, command) in [("pgdn", "page-down"), ("pgup", "page-up"), ("down", "down"), ("up", "up")] {
            if key.is(name) {
                self.scroll.on(command);
                return Reply::none();
            }
        }
        if key.is("esc") {
            return Reply::intent(Intent::Refuse { job });
        }
        match &preview.confirm {
            None if key.is("y") => Reply::intent(Intent::Confirm { job, typed: String::new() }),
            None if key.is("n") || key.is("q") || key.is("enter") => Reply::intent(Intent::Refuse { job }),
            None => Reply::say("y does it; n, Enter or Esc do nothing"),
            Some(name) if key.is("enter") => {
                let typed = self.typed.value();
                if typed.is_empty() {
                    return Reply::intent(Intent::Refuse { job });
                }
                if &typed == name {
                    return Reply::intent(Intent::Confirm { job, typed });
                }
                self.wrong = Some(format!("{typed} is not {name}; nothing was done"));
                self.typed = Editor::line("");
                Reply::none()
            }
            Some(_) => {
                self.typed.key(key);
                Reply::none()
            }
        }
    }

    fn rows(&self, cx: &Cx<'_>, columns: u16) -> u16 {
        u16::try_from(self.lines(cx, columns.into()).len() + 4).unwrap_or(u16::MAX)
    }

    fn draw(&mut self, cx: &Cx<'_>, area: Rect, buf: &mut Buffer) {
        let confirm = preview(cx, self.job).and_then(|p| p.confirm.clone());
        self.named = confirm.is_some();
        let foot = if confirm.is_some() { 3 } else { 2 };
        let lines = self.lines(cx, area.width.into());
        let room = area.height.saturating_sub(foot);
        self.scroll.arrange(lines.len(), room.into());
        for (y, i) in (0..room).zip(self.scroll.seen()) {
            if let Some(line) = lines.get(i) {
                put(buf, area, y, line);
            }
        }
        let below = self.scroll.rest();
        if !below.is_empty() {
            put(buf, area, room, &Line::styled(format!("{below} (pgdn)"), cx.style(Role::Key)));
        }
        let last = area.height.saturating_sub(1);
        match (&confirm, &self.wrong) {
            (Some(name), wrong) => {
                let words = match wrong {
                    Some(wrong) => Line::styled(format!("▲ {wrong}"), cx.style(Role::Warn)),
                    None => Line::from(vec![
                        Span::styled("Type ", cx.style(Role::Text)),
                        Span::styled(clean(name), cx.style(Role::Key)),
                        Span::styled(" to do it; Enter alone is No:", cx.style(Role::Text)),
                    ]),
                };
                put(buf, area, last.saturating_sub(1), &words);
                let at = Rect { x: area.x, y: area.y + last, width: area.width, height: 1 }.intersection(area);
                self.typed.draw(buf, at, cx.theme, true);
            }
            (None, _) => {
                let line = Line::from(vec![
                    Span::styled("Do it? ", cx.style(Role::Title)),
                    Span::styled("[y] yes  ", cx.style(Role::Key)),
                    Span::styled("[n, Enter, Esc] No (default)", cx.style(Role::Title)),
                ]);
                put(buf, area, last, &line);
            }
        }
    }
}
