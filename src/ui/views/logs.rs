//! The log of one container, followed or from before its last restart.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::super::command::Command;
use super::super::theme::Role;
use super::super::view::{About, Cx, Reply, View, fits};
use super::super::widgets::cursor::Scroll;
use super::super::widgets::panel::titled;
use super::super::widgets::text::{clean, fit, put, wrap};
use crate::app::Intent;
use crate::app::model::{LogLine, Logs};
use crate::base::{ContainerRef, Count};

/// The view.
#[derive(Debug)]
pub struct LogView {
    scroll: Scroll,
    follow: bool,
    wrapped: bool,
    stamps: bool,
    filter: String,
    wide: usize,
}

impl Default for LogView {
    fn default() -> Self {
        Self { scroll: Scroll::default(), follow: true, wrapped: true, stamps: true, filter: String::new(), wide: 80 }
    }
}

const COMMANDS: &[Command] = &[
    Command::new("follow", &["f"], "follow the end").shown("follow"),
    Command::new("wrap", &["w"], "wrap long lines").shown("wrap"),
    Command::new("timestamps", &["t"], "show the kubelet's timestamps").shown("times"),
    Command::new("copy", &["c"], "copy what is seen"),
    Command::new("stop", &["s"], "stop following the log"),
];

/// What Node and the kernel write when the heap ends, and what a person looks for first.
const SIGNS: [&str; 7] =
    ["heap out of memory", "FATAL ERROR", "Allocation failed", "OOMKilled", "<--- Last few GCs", "Mark-Compact", "JS stacktrace"];

fn role(text: &str) -> Role {
    let lower = text.to_ascii_lowercase();
    if SIGNS.iter().any(|s| text.contains(s)) {
        Role::Bad
    } else if lower.contains("error") || lower.contains("exception") {
        Role::Warn
    } else {
        Role::Text
    }
}

impl LogView {
    fn lines<'a>(&self, logs: &'a Logs) -> Vec<&'a LogLine> {
        logs.lines.iter().filter(|l| self.filter.is_empty() || fits(&self.filter, &l.text)).collect()
    }

    fn drawn(&self, cx: &Cx<'_>) -> Vec<Line<'static>> {
        let mut out = Vec::new();
        for line in self.lines(&cx.model.logs) {
            let stamp = match line.at {
                Some(at) if self.stamps => format!("{} ", at.format("%H:%M:%S")),
                _ => String::new(),
            };
            let room = self.wide.saturating_sub(stamp.len());
            let style = cx.style(role(&line.text));
            let texts = if self.wrapped { wrap(&line.text, room) } else { vec![fit(&line.text, room)] };
            for (i, text) in texts.into_iter().enumerate() {
                let head = if i == 0 { stamp.clone() } else { " ".repeat(stamp.len()) };
                out.push(Line::from(vec![Span::styled(head, cx.style(Role::Dim)), Span::styled(text, style)]));
            }
        }
        out
    }
}

impl View for LogView {
    fn commands(&self) -> &'static [Command] {
        COMMANDS
    }

    fn on(&mut self, command: &str, cx: &Cx<'_>) -> Option<Reply> {
        if self.scroll.on(command) {
            self.follow = self.scroll.at_end() && matches!(command, "down" | "page-down" | "last");
            return Some(Reply::none());
        }
        match command {
            "follow" => {
                self.follow = !self.follow;
                Some(Reply::say(if self.follow { "follows the end" } else { "stands still" }))
            }
            "wrap" => {
                self.wrapped = !self.wrapped;
                Some(Reply::none())
            }
            "timestamps" => {
                self.stamps = !self.stamps;
                Some(Reply::none())
            }
            "copy" => {
                let seen: Vec<String> =
                    self.drawn(cx).get(self.scroll.seen()).unwrap_or_default().iter().map(ToString::to_string).collect();
                Some(Reply::copy(seen.join("\n")))
            }
            "stop" => Some(Reply::intent(Intent::StopLogs)),
            _ => None,
        }
    }

    fn arrange(&mut self, cx: &Cx<'_>, area: Rect) {
        self.wide = area.width.into();
        let len = self.drawn(cx).len();
        self.scroll.arrange(len, area.height.saturating_sub(1).into());
        if self.follow {
            self.scroll.on("last");
        }
    }

    fn draw(&self, cx: &Cx<'_>, area: Rect, buf: &mut Buffer) {
        let logs = &cx.model.logs;
        let Some(of) = &logs.of else {
            let inner = titled(buf, area, cx.theme, "Logs", "", true);
            let words = format!(
                "No log is open. {} follows the log of the pod under most pressure, {} shows the one before its last restart.",
                cx.keys.key_for("logs"),
                cx.keys.key_for("previous-logs")
            );
            for (y, line) in (0..inner.height).zip(wrap(&words, inner.width.into())) {
                put(buf, inner, y, &Line::styled(line, cx.style(Role::Dim)));
            }
            return;
        };
        let title = format!("{}{}", clean(&format!("{}:{}", of.pod.name, of.name)), if logs.previous { " before its restart" } else { "" });
        let mut notes = Vec::new();
        if logs.skipped > 0 {
            notes.push(format!("{} skipped", Count(logs.skipped)));
        }
        if !self.filter.is_empty() {
            notes.push(format!("/{}", self.filter));
        }
        notes.push(match (&logs.ended, logs.job) {
            (Some(why), _) => format!("ended: {why}"),
            (None, Some(_)) if self.follow => "following".to_owned(),
            (None, Some(_)) => "standing still".to_owned(),
            (None, None) => "stopped".to_owned(),
        });
        let inner = titled(buf, area, cx.theme, &title, &notes.join(" · "), true);
        let lines = self.drawn(cx);
        if lines.is_empty() {
            let words = match (self.filter.is_empty(), logs.job) {
                (false, _) => "no line fits the filter",
                (true, Some(_)) => "no lines yet",
                (true, None) => "no lines",
            };
            put(buf, inner, 0, &Line::styled(words, cx.style(Role::Dim)));
        }
        for (y, i) in (0..inner.height).zip(self.scroll.seen()) {
            if let Some(line) = lines.get(i) {
                put(buf, inner, y, line);
            }
        }
    }

    fn show(&mut self, about: &About, _cx: &Cx<'_>) -> Option<Reply> {
        if matches!(about, About::Container(_)) {
            self.follow = true;
            self.scroll = Scroll::default();
        }
        None
    }

    fn left(&mut self, cx: &Cx<'_>) -> Option<Reply> {
        // Nobody reads it any more: the stream costs the API server a connection.
        cx.model.logs.job.map(|_| Reply::intent(Intent::StopLogs))
    }

    fn subject(&self, cx: &Cx<'_>) -> Option<ContainerRef> {
        cx.model.logs.of.clone()
    }

    fn filter(&self) -> Option<&str> {
        Some(&self.filter)
    }

    fn set_filter(&mut self, words: &str) {
        words.clone_into(&mut self.filter);
    }
}
