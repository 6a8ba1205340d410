//! What surrounds every view: clock, names of the views, what to do next, messages, jobs, keys.

use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::command::Command;
use super::theme::Role;
use super::view::Cx;
use super::views::{Entry, VIEWS};
use super::widgets::bar::bar;
use super::widgets::big::big;
use super::widgets::pod::shorten;
use super::widgets::text::{clean, fit, put, put_both, width};
use crate::app::model::{Level, Link};
use crate::base::{clock, span as time_span};
use crate::incident::{ClockView, Phase, clock_view};

/// The role of a phase.
pub fn phase_role(phase: Phase) -> Role {
    match phase {
        Phase::SizeUp => Role::Info,
        Phase::QuickFixes | Phase::Resolved => Role::Good,
        Phase::Warning => Role::Warn,
        Phase::CutOff => Role::Bad,
        Phase::DeepRca => Role::Deep,
    }
}

fn seconds(s: i64) -> String {
    clock(Duration::from_secs(s.unsigned_abs()))
}

/// What the clock says about the cut-off, and how loud.
fn cutoff_words(view: &ClockView) -> (String, Role) {
    match view.phase {
        Phase::Resolved => (String::new(), Role::Good),
        Phase::DeepRca => match view.update_in_s {
            Some(s) if s < 0 => (format!("update overdue {}", seconds(s)), Role::Warn),
            Some(s) => (format!("update in {}", seconds(s)), Role::Text),
            None => (String::new(), Role::Text),
        },
        _ if view.left_s <= 0 => (format!("cut-off {} ago", seconds(view.left_s)), Role::Bad),
        phase => (format!("cut-off in {}", seconds(view.left_s)), if phase == Phase::Warning { Role::Warn } else { Role::Text }),
    }
}

/// The clock's line: the word, the symbol and the time always; the rest as there is room.
pub fn clock_line(cx: &Cx<'_>, columns: usize) -> Line<'static> {
    let on_bar = |role: Role| cx.style(Role::Bar).patch(cx.style(role));
    let mut parts: Vec<(String, Style)> = Vec::new();
    let place = format!("{}/{}", clean(&cx.model.setting.context), clean(&cx.model.setting.namespace));
    let mut extra: Vec<(String, Style)> = Vec::new();
    let left = crate::app::left_behind(cx.model).len();
    if left > 0 {
        extra.push((format!("▲ {left} LEFT BEHIND"), on_bar(Role::Warn)));
    }
    match &cx.model.incident {
        Some(state) => {
            let view = clock_view(state, cx.model.now);
            let role = phase_role(view.phase);
            parts.push((format!("{} {}", view.phase.symbol(), view.phase.word()), on_bar(role)));
            parts.push((format!("T+{}", clock(view.since)), on_bar(Role::Title)));
            let (words, role) = cutoff_words(&view);
            if !words.is_empty() {
                parts.push((words, on_bar(role)));
            }
            extra.push((state.severity.to_string(), on_bar(Role::Text)));
            if cx.model.setting.read_only {
                extra.push(("READ-ONLY".to_owned(), on_bar(Role::Warn)));
            }
            extra.push((place, on_bar(Role::Text)));
            extra.push((clean(state.id.as_str()), on_bar(Role::Dim)));
        }
        None => {
            parts.push(("○ NO INCIDENT".to_owned(), on_bar(Role::Info)));
            parts.push((format!("{} declares", cx.keys.key_for("declare")), on_bar(Role::Text)));
            if cx.model.setting.read_only {
                extra.push(("READ-ONLY".to_owned(), on_bar(Role::Warn)));
            }
            extra.push((place, on_bar(Role::Text)));
        }
    }
    extra.push((cx.model.now.wall.format("%H:%M:%S UTC").to_string(), on_bar(Role::Dim)));
    let gap = 2;
    let mut used: usize = parts.iter().map(|(t, _)| width(t) + gap).sum();
    for (text, style) in extra {
        if used + width(&text) <= columns {
            used += width(&text) + gap;
            parts.push((text, style));
        }
    }
    let mut spans: Vec<Span<'static>> = Vec::new();
    for (text, style) in parts {
        spans.push(Span::styled(text, style));
        spans.push(Span::styled("  ", cx.style(Role::Bar)));
    }
    let drawn: usize = spans.iter().map(|s| width(&s.content)).sum();
    spans.push(Span::styled(" ".repeat(columns.saturating_sub(drawn)), cx.style(Role::Bar)));
    Line::from(spans)
}

/// Time since the declaration and time to the cut-off in large digits.
pub fn big_clock(cx: &Cx<'_>, area: Rect, buf: &mut Buffer) {
    let Some(state) = &cx.model.incident else { return };
    let view = clock_view(state, cx.model.now);
    let since = big(&clock(view.since));
    let (words, role) = cutoff_words(&view);
    let left = match view.phase {
        Phase::Resolved | Phase::DeepRca => Default::default(),
        _ if view.left_s < 0 => big(&format!("-{}", seconds(view.left_s))),
        _ => big(&seconds(view.left_s)),
    };
    let right = match view.phase {
        Phase::Resolved | Phase::DeepRca => words.as_str(),
        _ if view.left_s <= 0 => "past the cut-off",
        _ => "to the cut-off",
    };
    let labels = [("since it was declared", right), ("", ""), (view.phase.word(), "")];
    for (y, ((since, left), (label, words))) in (0u16..).zip(since.iter().zip(&left).zip(labels)) {
        let at_left = Line::from(vec![
            Span::styled(format!(" {since}  "), cx.style(Role::Title)),
            Span::styled(label.to_owned(), cx.style(if y == 2 { phase_role(view.phase) } else { Role::Dim })),
        ]);
        let at_right =
            Line::from(vec![Span::styled(format!("{words}  "), cx.style(Role::Dim)), Span::styled(format!("{left} "), cx.style(role))]);
        put_both(buf, area, y, &at_left, &at_right);
    }
}

/// The names of the views with their keys; the one shown is marked.
pub fn tabs(cx: &Cx<'_>, shown: &str, columns: usize) -> Line<'static> {
    let entries: Vec<_> = VIEWS.iter().filter(|e| !e.open.short.is_empty()).collect();
    // Where there is no room for all names, they are cut alike; that of the view shown stays whole.
    let name = |entry: &Entry, room: usize| entry.open.short.get(..room).unwrap_or(entry.open.short);
    let wide = |room: usize| {
        let one = |e: &&Entry| width(if e.open.name == shown { e.open.short } else { name(e, room) }) + 3;
        entries.iter().map(one).sum::<usize>()
    };
    let room = (0..=12).rev().find(|room| wide(*room) <= columns + 1).unwrap_or(0);
    let mut spans = Vec::new();
    for entry in &entries {
        let key = cx.keys.shown(&entry.open).unwrap_or_default();
        if entry.open.name == shown {
            spans.push(Span::styled(format!("{key} {}", entry.open.short), cx.style(Role::Selected)));
        } else {
            spans.push(Span::styled(key, cx.style(Role::Key)));
            spans.push(Span::styled(format!(" {}", name(entry, room)), cx.style(Role::Dim)));
        }
        spans.push(Span::raw(" "));
    }
    Line::from(spans)
}

/// What to do now, and with which key.
pub fn next_line(cx: &Cx<'_>, columns: usize) -> (Line<'static>, Line<'static>) {
    let next = crate::app::next(cx.model);
    // A prompt shows its own keys.
    let key = (cx.model.prompts.is_empty() && !next.command.is_empty()).then(|| cx.keys.key_for(next.command));
    let right = key.map_or_else(Line::default, |key| {
        Line::from(vec![Span::styled(format!(" {key} "), cx.style(Role::Key).patch(cx.style(Role::Selected)))])
    });
    let room = columns.saturating_sub(right.width() + 8);
    let words = fit(&shorten(cx.model, &next.words, room), room);
    let left = Line::from(vec![Span::styled("▶ NEXT ", cx.style(Role::Key)), Span::styled(words, cx.style(Role::Title))]);
    (left, right)
}

/// How long a message stays.
fn stays(level: Level) -> Duration {
    Duration::from_secs(match level {
        Level::Info | Level::Good => 12,
        Level::Warn => 30,
        Level::Bad => 60,
    })
}

/// Symbol and role of a message.
pub const fn level_mark(level: Level) -> (&'static str, Role) {
    match level {
        Level::Info => ("·", Role::Info),
        Level::Good => ("✔", Role::Good),
        Level::Warn => ("▲", Role::Warn),
        Level::Bad => ("✖", Role::Bad),
    }
}

/// Messages at the left, what runs at the right.
pub fn status_lines(cx: &Cx<'_>, said: Option<&str>, columns: usize) -> (Line<'static>, Line<'static>) {
    let model = cx.model;
    let newest = model.toasts.back().filter(|t| cx.since(t.at) <= stays(t.level));
    let stale = match &model.link {
        Link::Stale { since, trouble } => {
            let age = (model.now.wall - since).to_std().unwrap_or_default();
            Some(format!("cluster silent for {}: {}", time_span(age), trouble.what))
        }
        Link::Connecting => Some("connecting to the cluster".to_owned()),
        Link::Up => None,
    };
    let right = jobs_line(cx, columns / 2);
    let room = columns.saturating_sub(right.width() + 3);
    let left = match (said, newest, stale) {
        (Some(words), _, _) => ("·", Role::Info, words.to_owned()),
        (None, Some(toast), _) => {
            let (mark, role) = level_mark(toast.level);
            (mark, role, toast.text.clone())
        }
        (None, None, Some(words)) => ("▲", Role::Warn, words),
        (None, None, None) => match (&model.metering.trouble, model.unwritten.len()) {
            (_, n) if n > 0 => ("✖", Role::Bad, format!("{n} events are not on disk")),
            (Some(trouble), _) => ("▲", Role::Warn, format!("memory: {trouble}")),
            (None, _) => ("", Role::Dim, String::new()),
        },
    };
    let (mark, role, words) = left;
    let left = if mark.is_empty() {
        Line::default()
    } else {
        let words = fit(&shorten(cx.model, &words, room), room);
        Line::from(vec![Span::styled(format!("{mark} "), cx.style(role)), Span::styled(words, cx.style(role))])
    };
    (left, right)
}

fn jobs_line(cx: &Cx<'_>, columns: usize) -> Line<'static> {
    let jobs = &cx.model.jobs;
    // The one with the most to tell: a capture's share rather than a watch.
    let Some(job) = jobs.values().max_by_key(|j| (j.share.is_some(), j.since)) else { return Line::default() };
    let mut spans = Vec::new();
    let more = if jobs.len() > 1 { format!(" +{}", jobs.len() - 1) } else { String::new() };
    let share = job.share.map(f64::from);
    let tail = match share {
        Some(share) => format!(" {} {:.0} %{more}", bar(share, 8), (share * 100.0).clamp(0.0, 100.0).floor()),
        None => format!(" {}{more}", time_span(cx.model.now.mono.saturating_sub(job.since.mono))),
    };
    let what = if job.cancelling { format!("stopping: {}", job.what) } else { job.what.clone() };
    spans.push(Span::styled("◆ ", cx.style(Role::Info)));
    spans.push(Span::styled(fit(&what, columns.saturating_sub(width(&tail) + 2)), cx.style(Role::Text)));
    spans.push(Span::styled(tail, cx.style(Role::Info)));
    Line::from(spans)
}

/// The keys of `commands`, as many as there is room for.
pub fn footer(cx: &Cx<'_>, commands: impl Iterator<Item = &'static Command>, columns: usize) -> Line<'static> {
    let mut spans: Vec<Span<'static>> = Vec::new();
    let mut used = 0;
    for command in commands.filter(|c| !c.short.is_empty()) {
        let Some(key) = cx.keys.shown(command) else { continue };
        let wide = width(&key) + 1 + width(command.short) + 2;
        if used + wide > columns + 2 {
            continue;
        }
        used += wide;
        spans.push(Span::styled(key, cx.style(Role::Key)));
        spans.push(Span::styled(format!(" {}  ", command.short), cx.style(Role::Dim)));
    }
    Line::from(spans)
}

/// The keys of a dialog.
pub fn dialog_footer(cx: &Cx<'_>, commands: &[Command], columns: usize) -> Line<'static> {
    let mut spans: Vec<Span<'static>> = Vec::new();
    let mut used = 0;
    for command in commands.iter().filter(|c| !c.short.is_empty()) {
        let key = command.keys.first().copied().unwrap_or_default();
        used += width(key) + width(command.short) + 3;
        if used > columns + 2 {
            break;
        }
        spans.push(Span::styled(key.to_owned(), cx.style(Role::Key)));
        spans.push(Span::styled(format!(" {}  ", command.short), cx.style(Role::Dim)));
    }
    Line::from(spans)
}

/// The sentence that stays on the screen.
pub fn notice(cx: &Cx<'_>, area: Rect, buf: &mut Buffer) {
    let words = fit(&cx.model.setting.notice, area.width.into());
    put(buf, area, 0, &Line::styled(words, cx.style(Role::Info)));
}

/// What is shown where there is no room: the clock runs on.
pub fn too_small(cx: &Cx<'_>, area: Rect, buf: &mut Buffer) {
    let time = match &cx.model.incident {
        Some(state) => {
            let view = clock_view(state, cx.model.now);
            format!("{} {} T+{}", view.phase.symbol(), view.phase.word(), clock(view.since))
        }
        None => "no incident".to_owned(),
    };
    let lines = [
        (time, Role::Title),
        (format!("terminal too small: {}x{}", area.width, area.height), Role::Warn),
        (
            format!(
                "needs {}x{}, better {}x{}",
                super::layout::LEAST.0,
                super::layout::LEAST.1,
                super::layout::FULL.0,
                super::layout::FULL.1
            ),
            Role::Text,
        ),
        ("the clock and all captures go on".to_owned(), Role::Dim),
    ];
    for (y, (words, role)) in (0u16..).zip(lines) {
        put(buf, area, y, &Line::styled(words, cx.style(role)));
    }
}
