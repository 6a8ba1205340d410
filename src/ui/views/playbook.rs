//! The checklist: what is done, what is next, what was skipped and why.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::super::command::Command;
use super::super::prompts;
use super::super::theme::Role;
use super::super::view::{About, Cx, Reply, View};
use super::super::widgets::cursor::Cursor;
use super::super::widgets::panel::titled;
use super::super::widgets::text::{clean, fit, put, wrap};
use super::VIEWS;
use crate::app::Intent;
use crate::app::model::Guide;
use crate::base::span;
use crate::playbook::{Ask, DoneBy, Row, StepState};

/// The view.
#[derive(Debug, Default)]
pub struct PlaybookView {
    cursor: Cursor,
    moved: bool,
}

const COMMANDS: &[Command] = &[
    Command::new("do-step", &["enter"], "do what the step asks for, or open its view").shown("do"),
    Command::new("tick", &["space"], "tick the step by hand").shown("tick"),
    Command::new("skip", &["s"], "skip the step, with a reason").shown("skip"),
];

/// Symbol and role of a step.
pub const fn mark(state: &StepState, next: bool) -> (&'static str, Role) {
    match state {
        StepState::Done { .. } => ("✔", Role::Good),
        StepState::Skipped { .. } => ("–", Role::Dim),
        StepState::NotNeeded => ("·", Role::Dim),
        StepState::Failed { .. } => ("✖", Role::Bad),
        StepState::Current => ("▶", Role::Key),
        StepState::Open if next => ("▶", Role::Key),
        StepState::Open => ("○", Role::Text),
    }
}

/// One step in a line.
pub fn line(cx: &Cx<'_>, row: &Row<'_>, columns: usize, selected: bool) -> Line<'static> {
    let (symbol, role) = mark(&row.state, row.next);
    let over = row
        .due
        .filter(|due| *due < cx.model.now.wall)
        .map(|due| format!("  ▲ {} late", span((cx.model.now.wall - due).to_std().unwrap_or_default())));
    let over = over.unwrap_or_default();
    let title = fit(row.title, columns.saturating_sub(3 + over.chars().count()));
    let text = match row.state {
        StepState::Done { .. } | StepState::Skipped { .. } | StepState::NotNeeded => Role::Dim,
        StepState::Current => Role::Title,
        StepState::Open if row.next => Role::Title,
        StepState::Open | StepState::Failed { .. } => Role::Text,
    };
    let style = |role: Role| if selected { cx.style(role).patch(cx.style(Role::Selected)) } else { cx.style(role) };
    let mut spans =
        vec![Span::styled(format!("{symbol} "), style(role)), Span::styled(title, style(text)), Span::styled(over, style(Role::Warn))];
    if selected {
        let used: usize = spans.iter().map(|s| super::super::widgets::text::width(&s.content)).sum();
        spans.push(Span::styled(" ".repeat(columns.saturating_sub(used)), style(Role::Selected)));
    }
    Line::from(spans)
}

/// Rows with headings of phases: the heading, or the index of a step.
fn arranged<'a>(rows: &[Row<'a>]) -> Vec<Result<usize, &'a str>> {
    let mut out = Vec::new();
    let mut phase = "";
    for (i, row) in rows.iter().enumerate() {
        if row.phase != phase {
            out.push(Err(row.phase));
            phase = row.phase;
        }
        out.push(Ok(i));
    }
    out
}

/// Draws the checklist from the step that is next on: for the overview.
pub fn glance(cx: &Cx<'_>, area: Rect, buf: &mut Buffer, active: bool) {
    let Some(guide) = &cx.model.playbook else {
        let inner = titled(buf, area, cx.theme, "Playbook", "", active);
        put(buf, inner, 0, &Line::styled("no playbook is loaded", cx.style(Role::Dim)));
        return;
    };
    let (done, all) = guide.run.done(&guide.book);
    let inner = titled(buf, area, cx.theme, "Playbook", &format!("{done} of {all}"), active);
    let rows = guide.run.checklist(&guide.book);
    let next = rows.iter().position(|r| r.next).unwrap_or(0);
    let height = usize::from(inner.height);
    let from = next.saturating_sub(height / 3).min(rows.len().saturating_sub(height));
    for (y, row) in (0..inner.height).zip(rows.iter().skip(from)) {
        put(buf, inner, y, &line(cx, row, inner.width.into(), false));
    }
}

impl PlaybookView {
    fn row<'a>(&self, guide: &'a Guide) -> Option<Row<'a>> {
        guide.run.checklist(&guide.book).into_iter().nth(self.cursor.at)
    }
}

fn how(state: &StepState) -> String {
    match state {
        StepState::Open => "to come".to_owned(),
        StepState::Current => "next".to_owned(),
        StepState::Done { by } => match by {
            DoneBy::Event { seq } => format!("done by event {seq}"),
            DoneBy::Hand => "ticked by hand".to_owned(),
            DoneBy::Time => "done: the time is over".to_owned(),
            DoneBy::Skip { reason } => format!("skipped: {reason}"),
        },
        StepState::Skipped { reason } => format!("skipped: {reason}"),
        StepState::NotNeeded => "not needed: its condition does not hold".to_owned(),
        StepState::Failed { times } => format!("failed {times} times"),
    }
}

/// The command of the face that does what a step asks for.
fn command(ask: &Ask) -> Option<&'static str> {
    match ask {
        Ask::Decision { about: Some(about), .. } if about == "cutoff" => Some("timer"),
        Ask::Note { .. } => Some("note"),
        Ask::Notify { .. } => Some("post"),
        Ask::Capture { .. } => Some("capture"),
        Ask::Analyse { .. } => Some("analysis"),
        Ask::Act { act, .. } => match act.as_str() {
            "rollback" => Some("rollback"),
            "restart" => Some("restart"),
            "resize" => Some("resize"),
            "isolate" => Some("isolate"),
            _ => None,
        },
        Ask::Manual | Ask::Check { .. } | Ask::Decision { .. } | Ask::Gate { .. } | Ask::Wait { .. } | Ask::Command { .. } => None,
    }
}

impl View for PlaybookView {
    fn commands(&self) -> &'static [Command] {
        COMMANDS
    }

    fn on(&mut self, name: &str, cx: &Cx<'_>) -> Option<Reply> {
        let guide = cx.model.playbook.as_ref()?;
        let len = guide.run.checklist(&guide.book).len();
        if self.cursor.on(name, len) {
            self.moved = true;
            return Some(Reply::none());
        }
        if !matches!(name, "do-step" | "tick" | "skip") {
            return None;
        }
        let row = self.row(guide)?;
        Some(match name {
            "tick" => Reply::intent(Intent::TickStep { step: row.id.to_owned() }),
            "skip" => Reply::dialog(prompts::skip(row.id, row.title)),
            _ => match command(row.ask) {
                Some(command) => Reply::command(command),
                None => match row.step.opens.as_deref().and_then(|view| VIEWS.iter().find(|e| e.open.name == view || e.title == view)) {
                    Some(entry) => Reply::go(entry.open.name, About::Anything),
                    None => Reply::say("a person does this one: space ticks it, s skips it with a reason"),
                },
            },
        })
    }

    fn arrange(&mut self, cx: &Cx<'_>, area: Rect) {
        let Some(guide) = &cx.model.playbook else { return };
        let rows = guide.run.checklist(&guide.book);
        if !self.moved {
            self.cursor.at = rows.iter().position(|r| r.next).unwrap_or(0);
        }
        self.cursor.arrange(rows.len(), usize::from(list_rows(area)));
    }

    fn draw(&self, cx: &Cx<'_>, area: Rect, buf: &mut Buffer) {
        let Some(guide) = &cx.model.playbook else {
            let inner = titled(buf, area, cx.theme, "Playbook", "", true);
            put(buf, inner, 0, &Line::styled("No playbook is loaded: cutoff --playbook FILE.", cx.style(Role::Dim)));
            return;
        };
        let rows = guide.run.checklist(&guide.book);
        let (done, all) = guide.run.done(&guide.book);
        let upper = Rect { height: (list_rows(area) + 1).min(area.height), ..area };
        let inner = titled(buf, upper, cx.theme, &format!("Playbook {}", guide.book.title), &format!("{done} of {all} done"), true);
        let lines = arranged(&rows);
        // The cursor counts steps; headings stand between them.
        let at = lines.iter().position(|l| *l == Ok(self.cursor.at)).unwrap_or(0);
        let height = usize::from(inner.height);
        let top = (at + height / 3 + 1).saturating_sub(height).min(lines.len().saturating_sub(height));
        let top = if at < top { at.saturating_sub(1) } else { top };
        for (y, entry) in (0..inner.height).zip(lines.iter().skip(top)) {
            let drawn = match entry {
                Err(phase) => Line::styled(fit(&phase.to_uppercase(), inner.width.into()), cx.style(Role::Title)),
                Ok(i) => line(cx, &rows[*i], inner.width.into(), *i == self.cursor.at),
            };
            put(buf, inner, y, &drawn);
        }
        let lower = Rect { y: area.y + upper.height, height: area.height - upper.height, ..area };
        if let Some(row) = rows.get(self.cursor.at) {
            details(cx, row, guide, lower, buf);
        }
    }

    fn show(&mut self, about: &About, cx: &Cx<'_>) -> Option<Reply> {
        let guide = cx.model.playbook.as_ref()?;
        if let About::Step(id) = about {
            self.cursor.at = guide.run.checklist(&guide.book).iter().position(|r| r.id == id)?;
            self.moved = true;
        }
        None
    }
}

/// Rows of the list; the rest tells of the step under the cursor.
fn list_rows(area: Rect) -> u16 {
    (area.height.saturating_sub(2) * 3 / 5).max(1)
}

fn details(cx: &Cx<'_>, row: &Row<'_>, guide: &Guide, area: Rect, buf: &mut Buffer) {
    let inner = titled(buf, area, cx.theme, row.title, &how(&row.state), false);
    let columns = usize::from(inner.width);
    let mut lines: Vec<Line<'static>> = Vec::new();
    let asks = match guide.run.ask(row.step) {
        Ask::Manual => String::new(),
        Ask::Check { question } => question,
        Ask::Decision { options, .. } => format!("decide: {}", options.join(" / ")),
        Ask::Gate { approve, by } => format!("approval of {approve} by {by}"),
        Ask::Wait { lasts, .. } => lasts.map_or_else(|| "wait".to_owned(), |d| format!("wait {}", span(d))),
        Ask::Note { prompt } => prompt,
        Ask::Notify { post, audience } => format!("post: {post} to {audience}"),
        Ask::Act { act, args } => format!("{act} {}", args.iter().map(|(k, v)| format!("{k}={v}")).collect::<Vec<_>>().join(" ")),
        Ask::Capture { method } => format!("heap snapshot, method {method}"),
        Ask::Analyse { compare } => if compare { "compare two snapshots" } else { "analyse a snapshot" }.to_owned(),
        Ask::Command { argv } => format!("run: {}", argv.join(" ")),
    };
    if !asks.trim().is_empty() {
        let key = command(row.ask).map_or_else(String::new, |c| format!("  ({})", cx.keys.key_for(c)));
        lines.extend(wrap(&format!("{}{key}", asks.trim()), columns).into_iter().map(|l| Line::styled(l, cx.style(Role::Key))));
    }
    for paragraph in row.step.details.lines() {
        lines.extend(wrap(&clean(paragraph), columns).into_iter().map(|l| Line::styled(l, cx.style(Role::Text))));
    }
    if !row.step.undo.is_empty() {
        lines.extend(wrap(&format!("Undo: {}", row.step.undo), columns).into_iter().map(|l| Line::styled(l, cx.style(Role::Dim))));
    }
    for (y, line) in (0..inner.height).zip(lines) {
        put(buf, inner, y, &line);
    }
}
