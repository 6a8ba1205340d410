//! Everything that happened, oldest first, as the journal has it.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::super::command::Command;
use super::super::theme::Role;
use super::super::view::{Cx, Reply, View, fits};
use super::super::widgets::cursor::Scroll;
use super::super::widgets::panel::titled;
use super::super::widgets::pod::shorten;
use super::super::widgets::text::{fit, pad, put, wrap};
use crate::base::clock;
use crate::incident::{Event, Kind, State};
use crate::report::Class;

/// The view.
#[derive(Debug)]
pub struct Timeline {
    scroll: Scroll,
    follow: bool,
    quiet: bool,
    filter: String,
    wide: usize,
}

impl Default for Timeline {
    fn default() -> Self {
        Self { scroll: Scroll::default(), follow: true, quiet: false, filter: String::new(), wide: 80 }
    }
}

const COMMANDS: &[Command] = &[
    Command::new("all", &["w"], "show or hide what is routine (memory readings)").shown("all"),
    Command::new("copy", &["c"], "copy what is seen"),
];

/// The role of a kind of event.
pub const fn class_role(class: Class) -> Role {
    match class {
        Class::Incident | Class::Clock => Role::Info,
        Class::Cluster | Class::Trouble => Role::Bad,
        Class::Act | Class::Decision => Role::Warn,
        Class::Evidence | Class::Step => Role::Good,
        Class::Verdict => Role::Deep,
        Class::Post | Class::Note => Role::Key,
        Class::Quiet => Role::Dim,
    }
}

/// Whether an event is routine.
pub fn is_routine(event: &Event) -> bool {
    matches!(event.kind, Kind::MemorySeen { .. } | Kind::ProcessSeen { .. })
}

/// One event in the first of its lines, for a short list.
pub fn short(cx: &Cx<'_>, event: &Event, columns: usize) -> Line<'static> {
    let line = crate::report::event_line(event);
    let role = class_role(line.class);
    Line::from(vec![
        Span::styled(format!("{} ", event.at.wall.format("%H:%M:%S")), cx.style(Role::Dim)),
        Span::styled(format!("{} ", line.class.symbol()), cx.style(role)),
        Span::styled(
            fit(&shorten(cx.model, line.text.as_str(), columns.saturating_sub(11)), columns.saturating_sub(11)),
            cx.style(Role::Text),
        ),
    ])
}

impl Timeline {
    fn lines(&self, cx: &Cx<'_>, state: &State) -> Vec<Line<'static>> {
        let columns = self.wide;
        let who_wide = if columns >= 100 { 12 } else { 0 };
        let head_wide = 9 + 10 + 2 + if who_wide > 0 { who_wide + 1 } else { 0 };
        let mut lines = Vec::new();
        for event in state.timeline.iter().filter(|e| self.quiet || !is_routine(e)) {
            let line = crate::report::event_line(event);
            let who = event.actor.to_string();
            if !self.filter.is_empty() && !fits(&self.filter, &format!("{} {who} {}", line.class.word(), line.text)) {
                continue;
            }
            let since =
                (event.at.wall - state.declared.wall).to_std().map_or_else(|_| "   before".to_owned(), |d| format!("+{}", clock(d)));
            let role = class_role(line.class);
            for (i, words) in wrap(line.text.as_str(), columns.saturating_sub(head_wide)).into_iter().enumerate() {
                if i > 0 {
                    lines.push(Line::from(vec![Span::raw(" ".repeat(head_wide)), Span::styled(words, cx.style(Role::Text))]));
                    continue;
                }
                let mut spans = vec![
                    Span::styled(format!("{} ", event.at.wall.format("%H:%M:%S")), cx.style(Role::Dim)),
                    Span::styled(format!("{since} "), cx.style(Role::Dim)),
                ];
                if who_wide > 0 {
                    spans.push(Span::styled(format!("{} ", pad(&who, who_wide, false)), cx.style(Role::Dim)));
                }
                spans.push(Span::styled(format!("{} ", line.class.symbol()), cx.style(role)));
                spans.push(Span::styled(words, cx.style(Role::Text)));
                lines.push(Line::from(spans));
            }
        }
        lines
    }
}

impl View for Timeline {
    fn commands(&self) -> &'static [Command] {
        COMMANDS
    }

    fn on(&mut self, command: &str, cx: &Cx<'_>) -> Option<Reply> {
        if self.scroll.on(command) {
            self.follow = self.scroll.at_end();
            return Some(Reply::none());
        }
        match command {
            "all" => {
                self.quiet = !self.quiet;
                Some(Reply::say(if self.quiet { "routine events are shown" } else { "routine events are hidden" }))
            }
            "copy" => {
                let state = cx.model.incident.as_ref()?;
                let lines = self.lines(cx, state);
                let seen: Vec<String> = lines.get(self.scroll.seen()).unwrap_or_default().iter().map(ToString::to_string).collect();
                Some(Reply::copy(seen.join("\n")))
            }
            _ => None,
        }
    }

    fn arrange(&mut self, cx: &Cx<'_>, area: Rect) {
        self.wide = area.width.into();
        let len = cx.model.incident.as_ref().map_or(0, |s| self.lines(cx, s).len());
        self.scroll.arrange(len, area.height.saturating_sub(1).into());
        if self.follow {
            self.scroll.on("last");
        }
    }

    fn draw(&self, cx: &Cx<'_>, area: Rect, buf: &mut Buffer) {
        let Some(state) = &cx.model.incident else {
            let inner = titled(buf, area, cx.theme, "Timeline", "", true);
            let words = format!("No incident is declared: nothing is recorded. {} declares one.", cx.keys.key_for("declare"));
            put(buf, inner, 0, &Line::styled(words, cx.style(Role::Dim)));
            return;
        };
        let mut notes = vec![format!("{} events", state.timeline.len())];
        if !self.filter.is_empty() {
            notes.push(format!("/{}", self.filter));
        }
        if !cx.model.unwritten.is_empty() {
            notes.push(format!("✖ {} not on disk", cx.model.unwritten.len()));
        }
        let rest = self.scroll.rest();
        if !rest.is_empty() {
            notes.push(rest);
        }
        let inner = titled(buf, area, cx.theme, "Timeline", &notes.join(" · "), true);
        let lines = self.lines(cx, state);
        if lines.is_empty() {
            put(buf, inner, 0, &Line::styled("no event fits the filter", cx.style(Role::Dim)));
        }
        for (y, i) in (0..inner.height).zip(self.scroll.seen()) {
            if let Some(line) = lines.get(i) {
                put(buf, inner, y, line);
            }
        }
    }

    fn filter(&self) -> Option<&str> {
        Some(&self.filter)
    }

    fn set_filter(&mut self, words: &str) {
        words.clone_into(&mut self.filter);
    }
}
