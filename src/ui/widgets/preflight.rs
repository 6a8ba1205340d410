//! A preflight answer in lines: the word, the reasons with their numbers, the ways out. Shown by the pod's view and by the prompt.

use ratatui::text::{Line, Span};

use super::super::requests::{on_its_pod, resize_args};
use super::super::theme::Role;
use super::super::view::Cx;
use super::text::{fit, pad, wrap};
use crate::app::Intent;
use crate::base::{ContainerRef, span};
use crate::preflight::{Assessment, RemedyKind, Risk};

/// Symbol and role of a risk.
pub const fn mark(risk: Risk) -> (&'static str, Role) {
    match risk {
        Risk::Ok => ("✔", Role::Good),
        Risk::Unknown => ("?", Role::Info),
        Risk::Risky => ("▲", Role::Warn),
        Risk::WouldKill | Risk::Impossible => ("✖", Role::Bad),
    }
}

/// What choosing a way out asks the app for; `None`: a person does it outside.
pub fn remedy_intent(cx: &Cx<'_>, container: &ContainerRef, kind: &RemedyKind) -> Option<Intent> {
    let method = |name: &str| Some(Intent::Capture { container: container.clone(), method: Some(name.to_owned()) });
    let known = |name: &str| cx.model.surveys.get(container).is_some_and(|s| s.methods.iter().any(|m| m.method == name));
    match kind {
        RemedyKind::Resize { to, .. } => Some(on_its_pod("resize", container, resize_args(container, *to))),
        RemedyKind::Isolate => Some(on_its_pod("isolate", container, std::collections::BTreeMap::new())),
        RemedyKind::Sampling if known("sampling") => method("sampling"),
        RemedyKind::Method { name } => method(name),
        RemedyKind::Sampling | RemedyKind::DebugCopy { .. } | RemedyKind::Directory { .. } => None,
    }
}

/// The lines of `assessment`.
pub fn lines(cx: &Cx<'_>, assessment: &Assessment, columns: usize) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
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
    for (n, remedy) in (1..).zip(&assessment.remedies) {
        for (i, words) in wrap(remedy.text.as_str(), columns.saturating_sub(4)).into_iter().enumerate() {
            let head = if i == 0 { format!("[{n}] ") } else { "    ".to_owned() };
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
