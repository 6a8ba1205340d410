//! One object of a heap: what it is, who holds it, what it holds. Contents of strings are hidden until asked for.

use ratatui::text::{Line, Span};

use super::super::theme::Role;
use super::super::view::Cx;
use super::super::widgets::text::{fit, pad};
use crate::base::{Bytes, Count, Untrusted, mask};
use crate::heap::{Analysis, Detour, Edge, EdgeKind, NodeIx, NodeKind, SYSTEM_DISTANCE, UNREACHED};

/// References shown.
const MOST: usize = 60;

/// A line that may lead to an object.
pub struct Lead {
    /// What is drawn.
    pub line: Line<'static>,
    /// Where Enter goes.
    pub to: Option<NodeIx>,
}

const fn is_text(kind: NodeKind) -> bool {
    matches!(kind, NodeKind::String | NodeKind::ConsString | NodeKind::SlicedString)
}

/// The name of `node`. What a string says may be anybody's data: it is hidden unless `open`, and secrets are masked then too.
pub fn name(analysis: &Analysis, node: NodeIx, open: bool) -> String {
    if node == analysis.root() {
        return "(root)".to_owned();
    }
    let text = analysis.display_name(node);
    if !is_text(analysis.kind(node)) {
        return Untrusted::new(text.as_bytes()).clean();
    }
    if open {
        format!("\"{}\"", mask(&Untrusted::new(text.as_bytes())))
    } else {
        format!("string of {} characters", Count(text.chars().count() as u64))
    }
}

/// What is written between two objects of a path: `.field`, `[3]`, a variable's name.
pub fn edge_text(analysis: &Analysis, edge: &Edge) -> String {
    let text = Untrusted::new(analysis.edge_text(edge).as_bytes()).clean();
    match edge.kind {
        EdgeKind::Property => format!(".{text}"),
        EdgeKind::Element => format!("[{text}]"),
        EdgeKind::Context => format!("variable {text}"),
        EdgeKind::Weak => format!("weak {text}"),
        _ => format!("({text})"),
    }
}

/// Where `node`'s constructor or function is written.
pub fn place(analysis: &Analysis, node: NodeIx) -> Option<String> {
    let location = analysis.location(node)?;
    let script = analysis.script_name(location.script)?;
    Some(format!("{}:{}", Untrusted::new(script.as_bytes()).clean(), location.line + 1))
}

/// The lines about `node`.
pub fn leads(cx: &Cx<'_>, analysis: &Analysis, node: NodeIx, open: bool, columns: usize) -> Vec<Lead> {
    let mut leads = Vec::new();
    let plain = |leads: &mut Vec<Lead>, words: String, role: Role| {
        leads.push(Lead { line: Line::styled(fit(&words, columns), cx.style(role)), to: None });
    };
    plain(&mut leads, format!("{} {}", name(analysis, node, open), analysis.id(node)), Role::Title);
    let distance = match analysis.distance(node) {
        UNREACHED => "not reached".to_owned(),
        d if d >= SYSTEM_DISTANCE => "held by V8 itself".to_owned(),
        d => format!("distance {d}"),
    };
    let size = format!(
        "{} retained, {} itself, class {}, {distance}",
        Bytes(analysis.retained_size(node)),
        Bytes(analysis.shallow_size(node)),
        Untrusted::new(analysis.class_name(node).as_bytes()).clean(),
    );
    plain(&mut leads, size, Role::Text);
    if let Some(place) = place(analysis, node) {
        plain(&mut leads, format!("written at {place}"), Role::Text);
    }
    let step = |edge: &Edge, at: NodeIx, role: Role, size: bool| {
        let bytes = if size { pad(&Bytes(analysis.retained_size(at)).to_string(), 9, true) + " " } else { String::new() };
        let edge = fit(&edge_text(analysis, edge), 28);
        let room = columns.saturating_sub(bytes.chars().count() + edge.chars().count() + 3);
        Line::from(vec![
            Span::styled(format!("  {bytes}"), cx.style(Role::Dim)),
            Span::styled(format!("{edge} "), cx.style(Role::Key)),
            Span::styled(fit(&name(analysis, at, open), room), cx.style(role)),
        ])
    };
    plain(&mut leads, "Held by (path from the root, root first)".to_owned(), Role::Title);
    let path = analysis.path(node);
    if path.is_empty() {
        plain(&mut leads, "  nothing reaches it from the root".to_owned(), Role::Dim);
    }
    for hop in &path {
        let role = if hop.detour == Detour::None { Role::Text } else { Role::Dim };
        leads.push(Lead { line: step(&hop.edge, hop.edge.to, role, false), to: Some(hop.edge.to) });
    }
    let others = analysis.independent_retainers(node);
    if others.len() > 1 {
        plain(&mut leads, format!("All that hold it from outside ({})", others.len()), Role::Title);
        for retainer in others.iter().take(MOST) {
            let role = if retainer.counts { Role::Text } else { Role::Dim };
            leads.push(Lead { line: step(&retainer.edge, retainer.edge.from, role, false), to: Some(retainer.edge.from) });
        }
    }
    let mut edges: Vec<Edge> = analysis.edges(node).filter(|e| e.kind != EdgeKind::Weak).collect();
    edges.sort_by_key(|e| std::cmp::Reverse(analysis.retained_size(e.to)));
    plain(&mut leads, format!("It refers to ({}, largest first)", Count(edges.len() as u64)), Role::Title);
    for edge in edges.iter().take(MOST) {
        leads.push(Lead { line: step(edge, edge.to, Role::Text, true), to: Some(edge.to) });
    }
    leads
}
