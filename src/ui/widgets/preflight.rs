//! A preflight answer in lines: the word, the reasons with their numbers, the ways out. Shown by the pod's view and by the prompt.

use ratatui::text::{Line, Span};

use super::super::command::Command;
use super::super::theme::Role;
use super::super::view::Cx;
use super::text::{fit, pad, wrap};
use crate::app::Intent;
use crate::base::{ContainerRef, span};
use crate::preflight::{Assessment, Remedy, RemedyKind, Risk};

/// Symbol and role of a risk.
pub const fn mark(risk: Risk) -> (&'static str, Role) {
    match risk {
        Risk::Ok => ("✔", Role::Good),
        Risk::Unknown => ("?", Role::Info),
        Risk::Risky => ("▲", Role::Warn),
        Risk::WouldKill | Risk::Impossible => ("✖", Role::Bad),
    }
}

/// The way out: a copy for debugging.
pub const COPY: Command = Command::new("way-copy", &["Y"], "way out: a copy for debugging, without probes, small heap");
/// The way out: another method.
pub const METHOD: Command = Command::new("way-method", &["O"], "way out: the other method");
/// The way out: new pods with flags.
pub const REDEPLOY: Command = Command::new("way-redeploy", &["W"], "way out: new pods with the flags of a capture");
/// The way out: the sampling profiler.
pub const SAMPLING: Command = Command::new("way-sampling", &["S"], "way out: the sampling profiler");

/// Command and key of a way out: the same on every screen. Resize and isolate are also there without a preflight.
const fn way(kind: &RemedyKind) -> (&'static str, &'static str) {
    match kind {
        RemedyKind::Resize { .. } => ("resize", "M"),
        RemedyKind::Isolate => ("isolate", "I"),
        RemedyKind::DebugCopy { .. } => (COPY.name, "Y"),
        RemedyKind::Method { .. } => (METHOD.name, "O"),
        RemedyKind::Redeploy { .. } => (REDEPLOY.name, "W"),
        RemedyKind::Sampling => (SAMPLING.name, "S"),
    }
}

/// The way out that the command called `name` takes, if the assessment offers it.
pub fn way_of(assessment: &Assessment, container: &ContainerRef, name: &str) -> Option<Intent> {
    let remedy = assessment.remedies.iter().find(|remedy| way(&remedy.kind).0 == name)?;
    Some(taken(container, remedy))
}

/// The way out that a typed character takes in a prompt: its letter, or its number in the list.
pub fn way_by(assessment: &Assessment, container: &ContainerRef, typed: char) -> Option<Intent> {
    let by_number = typed.to_digit(10).and_then(|n| assessment.remedies.get((n as usize).checked_sub(1)?));
    let by_letter = || assessment.remedies.iter().find(|remedy| way(&remedy.kind).1.starts_with(typed));
    by_number.or_else(by_letter).map(|remedy| taken(container, remedy))
}

fn taken(container: &ContainerRef, remedy: &Remedy) -> Intent {
    Intent::WayOut { container: container.clone(), way: remedy.kind.clone() }
}

/// The lines of `assessment`.
pub fn lines(cx: &Cx<'_>, assessment: &Assessment, columns: usize) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    // Where it is no heap that grows, a reason says so already.
    let told = |text: &crate::base::Masked| assessment.because.iter().any(|reason| reason.text == *text);
    if let Some(nature) = assessment.nature.as_ref().filter(|nature| !told(&nature.text)) {
        lines.extend(wrap(nature.text.as_str(), columns).into_iter().map(|l| Line::styled(l, cx.style(Role::Info))));
    }
    for reason in &assessment.because {
        let (symbol, role) = mark(reason.risk);
        for (i, words) in wrap(reason.text.as_str(), columns.saturating_sub(2)).into_iter().enumerate() {
            let head = if i == 0 { format!("{symbol} ") } else { "  ".to_owned() };
            lines.push(Line::from(vec![Span::styled(head, cx.style(role)), Span::styled(words, cx.style(Role::Text))]));
        }
    }
    let mut costs = Vec::new();
    if let Some(memory) = assessment.predicted.memory {
        costs.push(format!("memory +{memory}"));
    }
    if let Some(headroom) = assessment.headroom {
        costs.push(format!("headroom {headroom}"));
    }
    if let Some(freeze) = assessment.predicted.freeze {
        costs.push(format!("stands still {freeze}"));
    }
    if let Some(file) = assessment.predicted.file {
        costs.push(format!("file {file}"));
    }
    if let Some(budget) = assessment.liveness {
        costs.push(format!("liveness bears {}", span(budget.until_kill)));
    }
    if !costs.is_empty() {
        lines.extend(wrap(&costs.join(" · "), columns).into_iter().map(|l| Line::styled(l, cx.style(Role::Info))));
    }
    if !assessment.remedies.is_empty() {
        lines.push(Line::styled("Ways out:", cx.style(Role::Title)));
    }
    for remedy in &assessment.remedies {
        for (i, words) in wrap(remedy.text.as_str(), columns.saturating_sub(4)).into_iter().enumerate() {
            let head = if i == 0 { format!("[{}] ", way(&remedy.kind).1) } else { "    ".to_owned() };
            lines.push(Line::from(vec![Span::styled(head, cx.style(Role::Key)), Span::styled(words, cx.style(Role::Text))]));
        }
    }
    if !assessment.inputs.is_empty() {
        lines.push(Line::styled("Computed from:", cx.style(Role::Dim)));
    }
    for figure in &assessment.inputs {
        let words = format!("  {} {} ({})", pad(figure.name.as_str(), 22, false), figure.value, figure.source);
        lines.push(Line::styled(fit(&words, columns), cx.style(Role::Dim)));
    }
    lines
}
