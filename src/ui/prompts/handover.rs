//! Handing over: drafted from the state, edited, kept in the timeline and ready to be copied.

use super::super::view::Cx;
use super::form::{Field, Form};
use crate::app::Intent;
use crate::base::{clock, span};
use crate::incident::{ActOutcome, State, clock_view};

fn draft(state: &State, cx: &Cx<'_>) -> String {
    let view = clock_view(state, cx.model.now);
    let mut lines = vec![
        format!("Handover by {} at T+{} ({}).", cx.model.setting.who, clock(view.since), view.phase.word()),
        format!("Conditions: {} {}.", state.severity, state.title),
    ];
    if let Some(row) = cx.model.board.first() {
        let share = row.share.map_or_else(String::new, |s| format!(" at {:.0} % of its limit", s * 100.0));
        lines.push(format!("Worst pod: {}{share}, {} restarts.", row.container.pod.name, row.restarts));
    }
    let done: Vec<String> = state
        .acts
        .iter()
        .filter(|a| matches!(a.outcome, ActOutcome::Done { .. }))
        .map(|a| format!("{} {}", a.request.act, a.request.target.name))
        .collect();
    lines.push(if done.is_empty() {
        "Actions: none that changed the cluster.".to_owned()
    } else {
        format!("Actions: {}.", done.join(", "))
    });
    match state.findings.last() {
        Some(found) => lines.push(format!("Finding: {} ({}).", found.finding.headline, found.finding.confidence)),
        None => lines.push(format!("Finding: none yet; {} captures.", state.captures.len())),
    }
    lines.push(match view.update_in_s {
        Some(s) if s >= 0 => format!("Needs: next post in {}; ", span(std::time::Duration::from_secs(s.unsigned_abs()))),
        Some(_) => "Needs: a post is overdue; ".to_owned(),
        None => "Needs: ".to_owned(),
    });
    lines.join("\n")
}

/// The form; `None` without an open incident.
pub fn handover(cx: &Cx<'_>) -> Option<Form> {
    let state = cx.model.incident.as_ref().filter(|s| s.is_open())?;
    Some(Form::new(
        "HANDOVER",
        "Kept in the timeline. Say who takes over and what is needed.",
        vec![Field::text("Conditions, actions, needs", &draft(state, cx), "", 8)],
        Box::new(|values| match values.first().filter(|t| !t.is_empty()) {
            Some(text) => Ok(vec![Intent::Note { text: text.clone() }]),
            None => Err("an empty handover is not kept; esc leaves".to_owned()),
        }),
    ))
}
