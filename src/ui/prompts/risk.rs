//! The capture would or might kill the pod: numbers, ways out, and for the worst case the pod's name to be typed.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::super::command::Command;
use super::super::key::Key;
use super::super::theme::Role;
use super::super::view::{Cx, Dialog, Reply};
use super::super::widgets::cursor::Scroll;
use super::super::widgets::editor::Editor;
use super::super::widgets::preflight::{lines, mark, way_by};
use super::super::widgets::text::put;
use crate::app::Intent;
use crate::base::ContainerRef;
use crate::preflight::{Assessment, Risk};

/// The question.
pub struct Risky {
    container: ContainerRef,
    assessment: Assessment,
    scroll: Scroll,
    typed: Option<Editor>,
    wrong: Option<String>,
}

const MIGHT: &[Command] = &[
    Command::new("yes", &["y"], "capture all the same").shown("capture all the same"),
    Command::new("no", &["n", "esc", "enter"], "no capture (default)").shown("No (default)"),
    Command::new("scroll", &["pgdn", "pgup", "down", "up"], "read on"),
];
const WILL: &[Command] = &[
    Command::new("accept", &["K"], "accept by name that the pod may be killed").shown("accept by name"),
    Command::new("no", &["n", "esc", "enter"], "no capture (default)").shown("No (default)"),
    Command::new("scroll", &["pgdn", "pgup", "down", "up"], "read on"),
];
const TYPING: &[Command] = &[
    Command::new("confirm-name", &["enter"], "capture if the name is typed; No if it is empty").shown("capture, if the name is typed"),
    Command::new("back", &["esc"], "back").shown("back"),
];

impl Risky {
    /// For a capture of `container` as preflight judged it.
    pub fn new(container: ContainerRef, assessment: Assessment) -> Self {
        Self { container, assessment, scroll: Scroll::default(), typed: None, wrong: None }
    }

    fn kills(&self) -> bool {
        self.assessment.risk >= Risk::WouldKill
    }

    fn refuse(&self) -> Intent {
        Intent::RefuseRisk { container: self.container.clone() }
    }

    fn asked(&mut self, key: Key) -> Reply {
        for (name, command) in [("pgdn", "page-down"), ("pgup", "page-up"), ("down", "down"), ("up", "up")] {
            if key.is(name) {
                self.scroll.on(command);
                return Reply::none();
            }
        }
        if key.is("esc") || key.is("n") || key.is("enter") || key.is("q") {
            return Reply::intent(self.refuse());
        }
        if let Some(intent) = key.typed().and_then(|typed| way_by(&self.assessment, &self.container, typed)) {
            return Reply::intent(intent);
        }
        if self.kills() && key.is("K") {
            self.typed = Some(Editor::line(""));
            return Reply::none();
        }
        if !self.kills() && key.is("y") {
            return Reply::intent(Intent::AcceptRisk { container: self.container.clone(), typed: String::new() });
        }
        Reply::say(if self.kills() {
            "K accepts by name; a letter in brackets takes that way out; Enter is No"
        } else {
            "y captures; a letter in brackets takes that way out; Enter is No"
        })
    }
}

impl Dialog for Risky {
    fn title(&self, _cx: &Cx<'_>) -> String {
        let (symbol, _) = mark(self.assessment.risk);
        format!("{symbol} {}: capture of {} by {}", self.assessment.risk.word(), self.container.pod.name, self.assessment.method)
    }

    fn role(&self) -> Role {
        if self.kills() { Role::Bad } else { Role::Warn }
    }

    fn commands(&self) -> &'static [Command] {
        match (&self.typed, self.kills()) {
            (Some(_), _) => TYPING,
            (None, true) => WILL,
            (None, false) => MIGHT,
        }
    }

    fn typing(&self) -> bool {
        self.typed.is_some()
    }

    fn key(&mut self, key: Key, _cx: &Cx<'_>) -> Reply {
        self.wrong = None;
        let Some(editor) = &mut self.typed else { return self.asked(key) };
        if key.is("esc") {
            self.typed = None;
            return Reply::none();
        }
        if !key.is("enter") {
            editor.key(key);
            return Reply::none();
        }
        let typed = editor.value();
        if typed.is_empty() {
            return Reply::intent(self.refuse());
        }
        if typed == self.container.pod.name {
            return Reply::intent(Intent::AcceptRisk { container: self.container.clone(), typed });
        }
        self.wrong = Some(format!("{typed} is not {}; nothing was done", self.container.pod.name));
        self.typed = Some(Editor::line(""));
        Reply::none()
    }

    fn rows(&self, cx: &Cx<'_>, columns: u16) -> u16 {
        u16::try_from(lines(cx, &self.assessment, columns.into()).len() + 4).unwrap_or(u16::MAX)
    }

    fn draw(&mut self, cx: &Cx<'_>, area: Rect, buf: &mut Buffer) {
        let lines = lines(cx, &self.assessment, area.width.into());
        let room = area.height.saturating_sub(3);
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
        let question = match (&self.wrong, &self.typed) {
            (Some(wrong), _) => Line::styled(format!("▲ {wrong}"), cx.style(Role::Warn)),
            (None, Some(_)) => Line::from(vec![
                Span::raw("Type "),
                Span::styled(self.container.pod.name.clone(), cx.style(Role::Key)),
                Span::raw(" to capture all the same; Enter alone is No:"),
            ]),
            (None, None) => Line::styled("A letter in brackets takes that way out. Capture all the same?", cx.style(Role::Title)),
        };
        put(buf, area, last.saturating_sub(1), &question);
        if let Some(editor) = &mut self.typed {
            let at = Rect { x: area.x, y: area.y + last, width: area.width, height: 1 }.intersection(area);
            editor.draw(buf, at, cx.theme, true);
        } else {
            let key = if self.kills() { "[K] accept by name  " } else { "[y] yes  " };
            let line = Line::from(vec![
                Span::styled(key, cx.style(Role::Key)),
                Span::styled("[n, Enter, Esc] No (default)", cx.style(Role::Title)),
            ]);
            put(buf, area, last, &line);
        }
    }
}
