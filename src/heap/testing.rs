//! Snapshots made by hand, for the tests of this room.

use std::sync::Arc;

use super::analysis::Analysis;
use super::format::{EdgeKind, NodeKind};
use super::pipeline::analyse;
use super::progress::Unwatched;
use super::strings::encode;

/// A snapshot that is being written. Node 0 is the root.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    pub nodes: Vec<DraftNode>,
    /// `(from, kind, name or number, to)`.
    pub edges: Vec<(usize, EdgeKind, String, usize)>,
    /// `(node, script, line, column)`.
    pub locations: Vec<(usize, u32, u32, u32)>,
    /// Written between `locations` and `strings`.
    pub extra: String,
}

#[derive(Clone, Debug)]
pub(super) struct DraftNode {
    pub kind: NodeKind,
    pub name: String,
    pub id: u32,
    pub size: u64,
    pub detachedness: u8,
}

impl Draft {
    /// Only a root.
    pub fn new() -> Self {
        let mut draft = Self { nodes: Vec::new(), edges: Vec::new(), locations: Vec::new(), extra: String::new() };
        draft.node(NodeKind::Synthetic, "", 0);
        draft
    }

    pub fn node(&mut self, kind: NodeKind, name: &str, size: u64) -> usize {
        let id = 2 * self.nodes.len() as u32 + 1;
        self.nodes.push(DraftNode { kind, name: name.to_owned(), id, size, detachedness: 0 });
        self.nodes.len() - 1
    }

    pub fn edge(&mut self, from: usize, kind: EdgeKind, name: &str, to: usize) {
        self.edges.push((from, kind, name.to_owned(), to));
    }

    /// The text as Node 20 writes it.
    pub fn text(&self) -> String {
        let mut strings: Vec<String> = vec!["<dummy>".to_owned()];
        let mut string = |text: &str| match strings.iter().position(|s| s == text) {
            Some(at) => at,
            None => {
                strings.push(text.to_owned());
                strings.len() - 1
            }
        };
        let rows = |rows: Vec<Vec<u64>>| {
            rows.iter().map(|r| r.iter().map(u64::to_string).collect::<Vec<_>>().join(",")).collect::<Vec<_>>().join("\n,")
        };
        let nodes = self
            .nodes
            .iter()
            .enumerate()
            .map(|(i, n)| {
                let kind = NodeKind::ALL.iter().position(|k| *k == n.kind).expect("a kind with a name") as u64;
                let edges = self.edges.iter().filter(|e| e.0 == i).count() as u64;
                vec![kind, string(&n.name) as u64, u64::from(n.id), n.size, edges, 0, u64::from(n.detachedness)]
            })
            .collect();
        let mut edges: Vec<&(usize, EdgeKind, String, usize)> = self.edges.iter().collect();
        edges.sort_by_key(|e| e.0);
        let edges = edges
            .iter()
            .map(|(_, kind, name, to)| {
                let label = match kind {
                    EdgeKind::Element | EdgeKind::Hidden => name.parse().expect("a number"),
                    _ => string(name) as u64,
                };
                vec![*kind as u64, label, 7 * *to as u64]
            })
            .collect();
        let locations = self.locations.iter().map(|&(n, s, l, c)| vec![7 * n as u64, u64::from(s), u64::from(l), u64::from(c)]).collect();
        let kinds = NodeKind::ALL.iter().map(|k| format!("\"{}\"", k.word())).collect::<Vec<_>>().join(",");
        let (nodes, edges, locations) = (rows(nodes), rows(edges), rows(locations));
        let strings = strings.iter().map(|s| format!("\"{}\"", String::from_utf8_lossy(&encode(s)))).collect::<Vec<_>>().join(",\n");
        format!(
            "{{\"snapshot\":{{\"meta\":{{\"node_fields\":[\"type\",\"name\",\"id\",\"self_size\",\"edge_count\",\"trace_node_id\",\"detachedness\"],\
             \"node_types\":[[{kinds}],\"string\",\"number\",\"number\",\"number\",\"number\",\"number\"],\
             \"edge_fields\":[\"type\",\"name_or_index\",\"to_node\"],\
             \"edge_types\":[[\"context\",\"element\",\"property\",\"internal\",\"hidden\",\"shortcut\",\"weak\"],\"string_or_number\",\"node\"],\
             \"location_fields\":[\"object_index\",\"script_id\",\"line\",\"column\"]}},\
             \"node_count\":{},\"edge_count\":{},\"trace_function_count\":0}},\n\
             \"nodes\":[{nodes}\n],\n\"edges\":[{edges}\n],\n\"trace_function_infos\":[],\n\"trace_tree\":[],\n\"samples\":[],\n\
             \"locations\":[{locations}\n],\n{}\"strings\":[{strings}]}}",
            self.nodes.len(),
            self.edges.len(),
            self.extra
        )
    }

    pub fn analyse(&self) -> Analysis {
        analyse(self.text().as_bytes(), Arc::new(Unwatched)).expect("a whole snapshot")
    }

    /// A small heap with a bit of everything: a global object, a class with a place, plain objects, a map with its table, a weak map's
    /// pair, a context, strings that need escapes, what nothing reaches.
    pub fn small() -> Self {
        let mut d = Self::new();
        let roots = d.node(NodeKind::Synthetic, "(GC roots)", 0);
        let stack = d.node(NodeKind::Synthetic, "(Stack roots)", 0);
        let global = d.node(NodeKind::Object, "global", 40);
        let map = d.node(NodeKind::Object, "Map", 32);
        let table = d.node(NodeKind::Array, "", 400);
        let context = d.node(NodeKind::Hidden, "system / Context", 48);
        let run = d.node(NodeKind::Closure, "run", 64);
        d.edge(0, EdgeKind::Element, "1", roots);
        d.edge(0, EdgeKind::Shortcut, "2", global);
        d.edge(roots, EdgeKind::Element, "0", stack);
        d.edge(stack, EdgeKind::Element, "0", map);
        d.edge(global, EdgeKind::Property, "run", run);
        d.edge(run, EdgeKind::Internal, "context", context);
        d.edge(context, EdgeKind::Context, "cache", map);
        d.edge(map, EdgeKind::Internal, "table", table);
        for i in 0..4 {
            let session = d.node(NodeKind::Object, "Session", 24);
            let plain = d.node(NodeKind::Object, "Object", 28);
            let name = d.node(NodeKind::String, &format!("n{i} \"q\" \\ \u{1F600}\u{1} é"), 16);
            d.locations.push((session, 7, 10, 4));
            d.edge(table, EdgeKind::Internal, &i.to_string(), session);
            d.edge(session, EdgeKind::Property, "user", plain);
            d.edge(plain, EdgeKind::Property, "name", name);
            d.edge(plain, EdgeKind::Property, "a,b", name);
            d.edge(plain, EdgeKind::Weak, "w", session);
        }
        let weak_table = d.node(NodeKind::Array, "(weak table)", 80);
        let value = d.node(NodeKind::Object, "Value", 20);
        let pair = format!(
            "2 / part of key (Session @{}) -> value (Value @{}) pair in WeakMap (table @{})",
            d.nodes[8].id, d.nodes[value].id, d.nodes[weak_table].id
        );
        d.edge(global, EdgeKind::Property, "weak", weak_table);
        d.edge(weak_table, EdgeKind::Internal, &pair, value);
        d.edge(8, EdgeKind::Internal, &pair, value);
        let orphan = d.node(NodeKind::Hidden, "system / Oddball", 12);
        let below = d.node(NodeKind::String, "below", 8);
        d.edge(orphan, EdgeKind::Internal, "to_string", below);
        let ring = d.node(NodeKind::Object, "Ring", 10);
        let other = d.node(NodeKind::Object, "Ring", 11);
        d.edge(ring, EdgeKind::Property, "o", other);
        d.edge(other, EdgeKind::Property, "o", ring);
        d
    }
}
