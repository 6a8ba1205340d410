//! Questions to a heap, each answered by a table: the same rows as text and as JSON.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::base::{Bytes, Count, Masked, Trouble, TroubleKind};
use crate::heap::{Analysis, Edge, NodeId, NodeIx, diff, diff_by_shape};

/// Rows under names; what ends in `_bytes` is printed as people read it.
pub struct Table {
    /// Name of the question: key in JSON, heading in text.
    pub name: &'static str,
    /// Names of the columns.
    pub columns: &'static [&'static str],
    /// The rows, a value for each column.
    pub rows: Vec<Vec<Value>>,
}

impl Table {
    /// Rows as objects.
    pub fn json(&self) -> Value {
        let row =
            |row: &Vec<Value>| Value::Object(self.columns.iter().map(|c| (*c).to_owned()).zip(row.iter().cloned()).collect::<Map<_, _>>());
        Value::Array(self.rows.iter().map(row).collect())
    }

    /// Rows as aligned text, below the name.
    pub fn text(&self) -> String {
        let shown = |column: &str, value: &Value| match value {
            Value::Null => "-".to_owned(),
            Value::String(text) => text.clone(),
            Value::Number(n) if column.ends_with("_bytes") => match n.as_i64() {
                Some(n) if n < 0 => format!("-{}", Bytes(n.unsigned_abs())),
                _ => Bytes(n.as_u64().unwrap_or(0)).to_string(),
            },
            Value::Number(n) if !column.ends_with("id") => n.as_u64().map_or_else(|| n.to_string(), |n| Count(n).to_string()),
            other => other.to_string(),
        };
        let head = self.columns.iter().map(|c| c.trim_end_matches("_bytes").to_uppercase()).collect::<Vec<_>>();
        let mut cells = vec![head];
        cells.extend(self.rows.iter().map(|row| self.columns.iter().zip(row).map(|(c, v)| shown(c, v)).collect()));
        let widths: Vec<usize> = (0..self.columns.len()).map(|c| cells.iter().map(|r| r[c].chars().count()).max().unwrap_or(0)).collect();
        let mut out = format!("\n{}\n", self.name);
        for row in &cells {
            let line: Vec<String> = row
                .iter()
                .zip(&widths)
                .enumerate()
                .map(|(n, (cell, width))| {
                    let number = self.rows.first().is_some_and(|r| r[n].is_number());
                    if number { format!("{cell:>width$}") } else { format!("{cell:width$}") }
                })
                .collect();
            out.push_str(line.join("  ").trim_end());
            out.push('\n');
        }
        if self.rows.is_empty() {
            out.push_str("(none)\n");
        }
        out
    }
}

/// Text of a heap as it may be shown: masked, short.
fn said(text: &str) -> Value {
    let short: String = text.chars().take(100).collect();
    let more = if short.len() < text.len() { "…" } else { "" };
    Value::String(Masked::from(format!("{short}{more}")).as_str().to_owned())
}

/// `@17` or `17` as an id.
pub fn parse_id(text: &str) -> Result<u32, String> {
    text.trim_start_matches('@').parse().map_err(|_| "an id like @1234".to_owned())
}

/// The object with an id.
pub fn object(a: &Analysis, id: u32) -> Result<NodeIx, Trouble> {
    a.by_id(NodeId(id)).ok_or_else(|| {
        Trouble::new(
            TroubleKind::NotFound,
            format!("there is no object @{id} in the newest snapshot"),
            "",
            "take an id from --class or --dominators",
        )
    })
}

const OBJECT: &[&str] = &["id", "name", "class", "shallow_bytes", "retained_bytes", "distance"];

fn row(a: &Analysis, node: NodeIx) -> Vec<Value> {
    vec![
        a.id(node).0.into(),
        said(&a.display_name(node)),
        said(a.class_name(node)),
        a.shallow_size(node).into(),
        a.retained_size(node).into(),
        distance(a, node),
    ]
}

fn distance(a: &Analysis, node: NodeIx) -> Value {
    match a.distance(node) {
        d if (0..crate::heap::SYSTEM_DISTANCE).contains(&d) => d.into(),
        _ => Value::Null,
    }
}

/// The largest objects of a class.
pub fn of_class(a: &Analysis, class: &str, top: usize) -> Table {
    let mut nodes: Vec<NodeIx> = a.nodes().filter(|&n| a.class_name(n) == class && a.shallow_size(n) > 0).collect();
    nodes.sort_by_key(|&n| (std::cmp::Reverse(a.retained_size(n)), n));
    nodes.truncate(top);
    Table { name: "objects", columns: OBJECT, rows: nodes.into_iter().map(|n| row(a, n)).collect() }
}

/// One object, and what it refers to, largest first.
pub fn one(a: &Analysis, node: NodeIx, top: usize) -> Vec<Table> {
    let mut edges: Vec<Edge> = a.edges(node).collect();
    edges.sort_by_key(|e| (std::cmp::Reverse(a.retained_size(e.to)), e.ix));
    edges.truncate(top);
    let rows = edges
        .iter()
        .map(|e| {
            vec![
                said(&a.edge_text(e)),
                e.kind.word().into(),
                a.id(e.to).0.into(),
                said(&a.display_name(e.to)),
                a.retained_size(e.to).into(),
            ]
        })
        .collect();
    let path = a
        .path(node)
        .iter()
        .map(|s| {
            vec![
                said(&a.edge_text(&s.edge)),
                s.edge.kind.word().into(),
                a.id(s.edge.to).0.into(),
                said(&a.display_name(s.edge.to)),
                a.retained_size(s.edge.to).into(),
            ]
        })
        .collect();
    const EDGE: &[&str] = &["edge", "kind", "id", "name", "retained_bytes"];
    vec![
        Table { name: "object", columns: OBJECT, rows: vec![row(a, node)] },
        Table { name: "path", columns: EDGE, rows: path },
        Table { name: "references", columns: EDGE, rows },
    ]
}

/// Who refers to an object, nearest to the roots first, as DevTools sorts them.
pub fn retainers(a: &Analysis, node: NodeIx, top: usize) -> Table {
    let rows = a
        .retainer_rows(node)
        .into_iter()
        .take(top)
        .map(|r| {
            vec![
                said(&a.edge_text(&r.edge)),
                r.edge.kind.word().into(),
                a.id(r.edge.from).0.into(),
                said(&a.display_name(r.edge.from)),
                r.counts.into(),
            ]
        })
        .collect();
    Table { name: "retainers", columns: &["edge", "kind", "id", "name", "counts"], rows }
}

/// The dominator tree from a node, three levels, the largest of each.
pub fn dominators(a: &Analysis, from: NodeIx, top: usize) -> Table {
    let mut rows = Vec::new();
    let mut waiting = vec![(from, 0_usize)];
    while let Some((node, depth)) = waiting.pop() {
        let name = format!("{}{}", "  ".repeat(depth), a.display_name(node));
        rows.push(vec![a.id(node).0.into(), said(&name), a.shallow_size(node).into(), a.retained_size(node).into(), depth.into()]);
        if depth < 3 {
            let mut below: Vec<NodeIx> = a.dominated(node).collect();
            below.sort_by_key(|&n| (std::cmp::Reverse(a.retained_size(n)), n));
            below.truncate(if depth == 0 { top } else { top.div_ceil(3) });
            waiting.extend(below.into_iter().rev().map(|n| (n, depth + 1)));
        }
    }
    Table { name: "dominators", columns: &["id", "name", "shallow_bytes", "retained_bytes", "depth"], rows }
}

/// What came and went by class; by shape where ids mean nothing, with the reason.
pub fn changes(before: &Analysis, after: &Analysis, top: usize) -> (Table, Option<String>) {
    match diff(before, after) {
        Ok(growth) => {
            let rows = growth
                .rows
                .iter()
                .take(top)
                .map(|c| {
                    vec![
                        said(&c.name),
                        c.added.into(),
                        c.removed.into(),
                        c.delta().into(),
                        c.added_size.into(),
                        c.removed_size.into(),
                        c.size_delta().into(),
                    ]
                })
                .collect();
            (
                Table {
                    name: "diff",
                    columns: &["class", "added", "removed", "delta", "added_bytes", "removed_bytes", "delta_bytes"],
                    rows,
                },
                None,
            )
        }
        Err(why) => {
            let rows = diff_by_shape(before, after)
                .iter()
                .take(top)
                .map(|c| {
                    let delta = |pair: (u64, u64)| Value::from(pair.1 as i64 - pair.0 as i64);
                    vec![said(&c.name), delta(c.count), delta(c.shallow), delta(c.retained)]
                })
                .collect();
            (
                Table { name: "diff_by_shape", columns: &["class", "delta", "shallow_delta_bytes", "retained_delta_bytes"], rows },
                Some(why.to_string()),
            )
        }
    }
}

/// Texts that are in the heap more than once, most wasted bytes first.
pub fn duplicate_strings(a: &Analysis, top: usize) -> Table {
    let mut groups: BTreeMap<u32, (u64, u64, NodeIx)> = BTreeMap::new();
    for node in a.nodes().filter(|&n| a.kind(n) == crate::heap::NodeKind::String) {
        let group = groups.entry(a.name_ix(node).index() as u32).or_insert((0, 0, node));
        group.0 += 1;
        group.1 += a.shallow_size(node);
    }
    let mut rows: Vec<(u64, u64, NodeIx)> = groups.into_values().filter(|g| g.0 > 1).collect();
    rows.sort_by_key(|g| (std::cmp::Reverse(g.1 - g.1 / g.0), g.2));
    let rows = rows
        .into_iter()
        .take(top)
        .map(|(count, size, node)| vec![said(&a.name(node)), count.into(), size.into(), (size - size / count).into()])
        .collect();
    Table { name: "strings", columns: &["text", "count", "total_bytes", "wasted_bytes"], rows }
}
