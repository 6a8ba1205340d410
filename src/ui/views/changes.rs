//! What changed: rollouts of the workload with their ages, and what was done about it here.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::super::command::Command;
use super::super::requests::{on_workload, workload};
use super::super::theme::Role;
use super::super::view::{About, Cx, Reply, View};
use super::super::widgets::cursor::Cursor;
use super::super::widgets::panel::titled;
use super::super::widgets::table::{Column, Field, table};
use super::super::widgets::text::{fit, put, wrap};
use crate::app::Intent;
use crate::base::{ContainerRef, PodRef, span};
use crate::incident::{ActOutcome, ActRecord, Effectiveness};
use crate::pressure::Rollout;

/// The view.
#[derive(Debug, Default)]
pub struct Changes {
    cursor: Cursor,
    moved: bool,
    of: Option<ContainerRef>,
}

const COMMANDS: &[Command] = &[
    Command::new("to-revision", &["enter"], "roll back to the revision under the cursor (shown first)").shown("roll back to it"),
    Command::new("undo", &["U"], "take the last change of the cluster back (shown first)").shown("undo"),
    Command::new("copy", &["c"], "copy the image"),
];

const COLUMNS: &[Column] = &[
    Column::new("", 1, 0),
    Column::new("REV", 4, 0).right(),
    Column::new("MADE", 14, 0),
    Column::new("PODS", 4, 0).right(),
    Column::new("IMAGE", 14, 0).rest(),
    Column::new("CAUSE", 28, 90),
];

impl Changes {
    fn rollouts<'a>(cx: &Cx<'a>) -> &'a [Rollout] {
        &cx.model.history.rollouts
    }

    fn container(&self, cx: &Cx<'_>) -> Option<ContainerRef> {
        // The cursor is on a rollout: the pod only names the namespace.
        self.of.clone().or_else(|| cx.model.board.rows().first().map(|r| r.container.clone()))
    }

    fn roll_back(&self, cx: &Cx<'_>) -> Reply {
        let history = &cx.model.history;
        let Some(workload) = &history.workload else { return Reply::say("no history is loaded: B or ctrl-r loads it") };
        let Some(rollout) = Self::rollouts(cx).get(self.cursor.at) else { return Reply::say("there is no revision to roll back to") };
        if rollout.current {
            return Reply::say("this revision runs now; choose an older one with j and k");
        }
        let namespace = cx.model.setting.namespace.clone();
        let container = self.container(cx).unwrap_or(ContainerRef { pod: PodRef::new(namespace, ""), name: String::new() });
        let args = [("revision".to_owned(), rollout.revision.to_string())].into();
        Reply::intent(on_workload("rollback", &container, workload, args))
    }

    fn undo(cx: &Cx<'_>) -> Reply {
        let last = cx.model.incident.as_ref().and_then(|s| s.acts.iter().rev().find_map(ActRecord::undo));
        match last {
            Some(request) => Reply::intent(Intent::Act { request: request.clone() }),
            None => Reply::say("no change of this incident can be taken back"),
        }
    }
}

fn done_line(cx: &Cx<'_>, act: &ActRecord, columns: usize) -> Vec<Line<'static>> {
    let (symbol, role, words) = match &act.outcome {
        ActOutcome::Pending => ("◆", Role::Info, "under way, or its end is not known".to_owned()),
        ActOutcome::Done { receipt, .. } => ("✔", Role::Good, receipt.summary.to_string()),
        ActOutcome::Failed { why, .. } => ("✖", Role::Bad, why.to_string()),
    };
    let mut lines = Vec::new();
    let head = format!("{} {symbol} ", act.mark.at.format("%H:%M:%S"));
    let words = format!("{} {}: {words}", act.request.act, act.request.target.name);
    for (i, line) in wrap(&words, columns.saturating_sub(11)).into_iter().enumerate() {
        let head = if i == 0 { head.clone() } else { " ".repeat(11) };
        lines.push(Line::from(vec![Span::styled(head, cx.style(role)), Span::styled(line, cx.style(Role::Text))]));
    }
    let effect = match &act.effect {
        // Only a change of a workload is judged.
        None if matches!(act.outcome, ActOutcome::Done { .. }) && act.request.target.kind != "pod" => {
            Some((Role::Info, "its effect on memory is being measured".to_owned()))
        }
        None => None,
        Some(change) => {
            let slope = |s: Option<crate::base::BytesPerSecond>| s.map_or_else(|| "unknown".to_owned(), |s| s.to_string());
            let (role, word) = match change.effect {
                Effectiveness::Helped => (Role::Good, "✔ HELPED"),
                Effectiveness::NoChange => (Role::Warn, "▲ NO CHANGE"),
                Effectiveness::Worse => (Role::Bad, "✖ WORSE"),
                Effectiveness::TooEarly => (Role::Info, "? TOO EARLY"),
            };
            Some((role, format!("{word}: slope before {}, after {}", slope(change.before), slope(change.after))))
        }
    };
    if let Some(left) = act.leftover() {
        let words = format!("▲ left behind: {}; {} sees to it", left.what, cx.keys.key_for("clean-up"));
        lines.extend(
            wrap(&words, columns.saturating_sub(11)).into_iter().map(|l| Line::styled(format!("           {l}"), cx.style(Role::Warn))),
        );
    }
    if let Some((role, words)) = effect {
        lines.push(Line::styled(fit(&format!("           {words}"), columns), cx.style(role)));
    }
    lines
}

impl View for Changes {
    fn commands(&self) -> &'static [Command] {
        COMMANDS
    }

    fn on(&mut self, command: &str, cx: &Cx<'_>) -> Option<Reply> {
        if self.cursor.on(command, Self::rollouts(cx).len()) {
            self.moved = true;
            return Some(Reply::none());
        }
        match command {
            "to-revision" => Some(self.roll_back(cx)),
            "rollback" if !Self::rollouts(cx).is_empty() => Some(self.roll_back(cx)),
            "undo" => Some(Self::undo(cx)),
            "copy" => Self::rollouts(cx).get(self.cursor.at).map(|r| Reply::copy(r.image.clone())),
            _ => None,
        }
    }

    fn arrange(&mut self, cx: &Cx<'_>, area: Rect) {
        let rollouts = Self::rollouts(cx);
        // The revision before the present one is what a rollback usually means.
        if !self.moved {
            self.cursor.at = rollouts.iter().position(|r| r.current).map_or(0, |i| i + 1);
        }
        self.cursor.arrange(rollouts.len(), (area.height * 3 / 5).saturating_sub(2).into());
    }

    fn draw(&self, cx: &Cx<'_>, area: Rect, buf: &mut Buffer) {
        let history = &cx.model.history;
        let upper = Rect { height: area.height * 3 / 5, ..area };
        let title = history.workload.as_ref().map_or_else(|| "Rollouts".to_owned(), |w| format!("Rollouts of {w}"));
        let note = if history.job.is_some() { "loading …" } else { "" };
        let inner = titled(buf, upper, cx.theme, &title, note, true);
        let rollouts = Self::rollouts(cx);
        if rollouts.is_empty() {
            let words = match (&history.trouble, history.job) {
                (Some(trouble), _) => trouble.to_string(),
                (None, Some(_)) => "The history is being loaded.".to_owned(),
                (None, None) => format!("No history is loaded. {} on a pod loads that of its workload.", cx.keys.key_for("rollback")),
            };
            for (y, line) in (0..inner.height).zip(wrap(&words, inner.width.into())) {
                put(buf, inner, y, &Line::styled(line, cx.style(Role::Dim)));
            }
        } else {
            let declared = cx.model.incident.as_ref().map(|s| s.declared.wall);
            table(buf, inner, cx.theme, COLUMNS, (&self.cursor, rollouts.len(), true), |i| {
                let rollout = &rollouts[i];
                let age = rollout.made.map(|at| (cx.model.now.wall - at).to_std().unwrap_or_default());
                // Younger than a day when the incident was declared: a suspect.
                let young = rollout.made.zip(declared).is_some_and(|(made, at)| (at - made).num_hours() < 24);
                let (symbol, role) = if rollout.current { ("▶", Role::Title) } else { (" ", Role::Text) };
                vec![
                    Field::new(symbol, cx.style(Role::Key)),
                    Field::new(rollout.revision.to_string(), cx.style(role)),
                    Field::new(
                        age.map_or_else(|| "unknown".to_owned(), |a| format!("{} ago", span(a))),
                        cx.style(if young { Role::Warn } else { role }),
                    ),
                    Field::new(rollout.replicas.to_string(), cx.style(role)),
                    Field::middle(rollout.image.clone(), cx.style(role)),
                    Field::new(rollout.cause.clone().unwrap_or_default(), cx.style(Role::Dim)),
                ]
            });
        }
        let lower = Rect { y: area.y + upper.height, height: area.height - upper.height, ..area };
        let inner = titled(buf, lower, cx.theme, "Done in this incident", "", false);
        let lines: Vec<Line<'static>> = match &cx.model.incident {
            Some(state) if !state.acts.is_empty() => state.acts.iter().rev().flat_map(|a| done_line(cx, a, inner.width.into())).collect(),
            _ => vec![Line::styled("nothing that changed the cluster", cx.style(Role::Dim))],
        };
        for (y, line) in (0..inner.height).zip(lines) {
            put(buf, inner, y, &line);
        }
    }

    fn show(&mut self, about: &About, cx: &Cx<'_>) -> Option<Reply> {
        let container = match about {
            About::Container(container) => {
                self.of = Some(container.clone());
                self.moved = false;
                container.clone()
            }
            _ => self.container(cx)?,
        };
        // Opened without a history: it is loaded, since that is what the view is for.
        let history = &cx.model.history;
        let wanted = workload(cx, &container)?;
        let loaded = history.workload.as_ref() == Some(&wanted) && (history.job.is_some() || !history.rollouts.is_empty());
        let asked = history.workload.is_some() && matches!(about, About::Anything);
        (!loaded && !asked && cx.model.incident.is_some()).then(|| Reply::intent(Intent::History { workload: wanted }))
    }
}
