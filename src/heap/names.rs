//! Names as DevTools shows them, and the names of scripts.
//!
//! Source: `consStringName` and `plainObjectName` of DevTools' `HeapSnapshot.ts` (chrome-devtools-frontend 1.0.1705227).

use std::borrow::Cow;

use rustc_hash::FxHashMap;

use super::analysis::Analysis;
use super::classes::property_name;
use super::format::{EdgeKind, NodeKind};
use super::ids::{NodeIx, StringIx};
use super::snapshot::Snapshot;

impl Analysis {
    /// The name of `node` as DevTools shows it: a concatenated string joined, a plain object by its properties.
    pub fn display_name(&self, node: NodeIx) -> Cow<'_, str> {
        match self.kind(node) {
            NodeKind::ConsString => Cow::Owned(joined(self, node)),
            NodeKind::Object if self.name(node) == "Object" => Cow::Owned(by_properties(self, node)),
            _ => self.name(node),
        }
    }
}

/// The leaves of a concatenated string, until there are 1,024 characters.
fn joined(analysis: &Analysis, node: NodeIx) -> String {
    let mut stack = vec![node];
    let mut name = String::new();
    // A snapshot may be hostile: a string that is its own part would never end.
    let mut steps = 0;
    while let Some(part) = stack.pop() {
        steps += 1;
        if name.len() >= 1024 && name.encode_utf16().count() >= 1024 || steps > 100_000 {
            break;
        }
        if analysis.kind(part) != NodeKind::ConsString {
            name.push_str(&analysis.name(part));
            continue;
        }
        let half =
            |wanted: &str| analysis.edges(part).find(|e| e.kind == EdgeKind::Internal && analysis.edge_text(e) == wanted).map(|e| e.to);
        let first = half("first");
        stack.extend(half("second"));
        stack.extend(first);
    }
    name
}

/// `{a, b, …, y, z}`: properties from both ends, up to 100 characters.
fn by_properties(analysis: &Analysis, node: NodeIx) -> String {
    let units = |s: &str| s.encode_utf16().count();
    let mut names =
        analysis.edges(node).filter(|e| e.kind == EdgeKind::Property).map(|e| analysis.edge_text(&e)).filter(|n| n != "__proto__");
    let (mut start, mut end) = ("{".to_owned(), "}".to_owned());
    let mut from_end = false;
    let mut left_out = false;
    while let Some(name) = if from_end { names.next_back() } else { names.next() } {
        let shown = property_name(&name);
        if start.len() > 1 && units(&start) + units(&end) + units(&shown) > 100 {
            left_out = true;
            break;
        }
        if from_end {
            if end.len() > 1 {
                end.insert_str(0, ", ");
            }
            end.insert_str(0, &shown);
        } else {
            if start.len() > 1 {
                start.push_str(", ");
            }
            start.push_str(&shown);
        }
        from_end = !from_end;
    }
    if left_out {
        start.push_str(", …");
    }
    if end.len() > 1 {
        start.push_str(", ");
    }
    start + &end
}

/// Names of the scripts whose functions are in the heap: function → `shared` → `script` → its name.
pub(super) fn scripts(snapshot: &Snapshot) -> FxHashMap<u32, StringIx> {
    let mut scripts = FxHashMap::default();
    let found = snapshot.strings.find_all(&["shared", "script", "script_or_debug_info"]);
    let Some(shared) = found[0] else { return scripts };
    for location in &snapshot.locations {
        if scripts.contains_key(&location.script) || snapshot.kind(location.node) != NodeKind::Closure {
            continue;
        }
        let script = snapshot.edge_named(location.node, EdgeKind::Internal, shared).and_then(|info| {
            found[1..].iter().flatten().find_map(|&name| snapshot.edge_named(info.to, EdgeKind::Internal, name)).map(|e| e.to)
        });
        if let Some(script) = script.filter(|&s| snapshot.kind(s) == NodeKind::Code) {
            scripts.insert(location.script, snapshot.name_ix(script));
        }
    }
    scripts
}
