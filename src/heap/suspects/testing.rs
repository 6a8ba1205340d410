//! Heaps of a small service, made by hand, for the tests of the rules.

use crate::heap::Analysis;
use crate::heap::format::{EdgeKind, NodeKind};
use crate::heap::testing::Draft;
use crate::heap::verdict::Verdict;

/// A service of one file whose module scope holds what a test puts there. A clone is an earlier snapshot of the same process.
#[derive(Clone)]
pub(super) struct App {
    pub d: Draft,
    /// The module's scope.
    pub scope: usize,
    /// What every function refers to for its script.
    shared: usize,
    /// Native code's handles, a root beside the global object.
    pub handles: usize,
    line: u32,
}

/// The file that all functions and classes of the app are written in.
pub(super) const FILE: &str = "/usr/src/app/src/service.js";

impl App {
    pub fn new() -> Self {
        let mut d = Draft::new();
        let roots = d.node(NodeKind::Synthetic, "(GC roots)", 0);
        let handles = d.node(NodeKind::Synthetic, "(Global handles)", 0);
        let global = d.node(NodeKind::Object, "global", 40);
        let scope = d.node(NodeKind::Object, "system / Context", 400);
        let shared = d.node(NodeKind::Code, "work", 40);
        let script = d.node(NodeKind::Code, FILE, 40);
        d.edge(0, EdgeKind::Element, "1", roots);
        d.edge(0, EdgeKind::Shortcut, "2", global);
        d.edge(roots, EdgeKind::Element, "0", handles);
        d.edge(shared, EdgeKind::Internal, "script", script);
        let mut app = Self { d, scope, shared, handles, line: 9 };
        let work = app.function("work");
        app.d.edge(global, EdgeKind::Property, "work", work);
        app
    }

    /// A function of the app, on a line of its own.
    pub fn function(&mut self, name: &str) -> usize {
        let f = self.d.node(NodeKind::Closure, name, 64);
        self.d.edge(f, EdgeKind::Internal, "context", self.scope);
        self.d.edge(f, EdgeKind::Internal, "shared", self.shared);
        self.d.locations.push((f, 7, self.line, 2));
        self.line += 1;
        f
    }

    /// A variable of the module that holds `node`.
    pub fn variable(&mut self, name: &str, node: usize) -> usize {
        self.d.edge(self.scope, EdgeKind::Context, name, node);
        node
    }

    /// `const name = new Map()` with room for 2,048 entries: the map.
    pub fn map(&mut self, name: &str) -> usize {
        let map = self.d.node(NodeKind::Object, "Map", 32);
        let table = self.d.node(NodeKind::Array, "", 16 + 8 * (3 + 7 * 1024));
        self.d.edge(map, EdgeKind::Internal, "table", table);
        self.variable(name, map)
    }

    /// `map.set(…, value)`.
    pub fn set(&mut self, map: usize, value: usize) {
        let table = map + 1;
        let entry = self.d.edges.iter().filter(|e| e.0 == table).count();
        self.d.edge(table, EdgeKind::Internal, &(3 + 1024 + 3 * entry + 1).to_string(), value);
    }

    /// `const name = []` with room: the array.
    pub fn array(&mut self, name: &str) -> usize {
        let array = self.list(4000);
        self.variable(name, array)
    }

    /// An array with room for `slots` elements.
    pub fn list(&mut self, slots: u64) -> usize {
        let array = self.d.node(NodeKind::Object, "Array", 32);
        let elements = self.d.node(NodeKind::Array, "(object elements)", 16 + 8 * slots);
        self.d.edge(array, EdgeKind::Internal, "elements", elements);
        array
    }

    /// `array.push(value)`.
    pub fn push(&mut self, array: usize, value: usize) {
        let at = self.d.edges.iter().filter(|e| e.0 == array).count();
        self.d.edge(array, EdgeKind::Element, &at.to_string(), value);
    }

    /// An instance of a class of the app.
    pub fn instance(&mut self, class: &str, size: u64) -> usize {
        let node = self.d.node(NodeKind::Object, class, size);
        self.d.locations.push((node, 7, 3, 0));
        node
    }

    /// What is not there any more.
    pub fn forget(&mut self, gone: &[usize]) {
        self.d.edges.retain(|e| !gone.contains(&e.3));
    }

    pub fn heap(&self) -> Analysis {
        self.d.analyse()
    }
}

/// The verdict of these snapshots, oldest first.
pub(super) fn verdict(all: &[&App]) -> Verdict {
    let heaps: Vec<Analysis> = all.iter().map(|app| app.heap()).collect();
    let heaps: Vec<&Analysis> = heaps.iter().collect();
    super::find_leaks(&heaps, &super::Options::default(), &crate::heap::Unwatched).expect("nobody cancels")
}

/// Rules and holders of the suspects, first first.
pub(super) fn named(verdict: &Verdict) -> Vec<(&str, &str)> {
    verdict.suspects.iter().map(|s| (s.rule.as_str(), s.holder.as_str())).collect()
}

/// What a rule alone finds in these snapshots: the collections or other nodes, with their growth.
pub(super) fn found(rule: &dyn super::Rule, all: &[&App]) -> Vec<(usize, Option<i64>)> {
    let heaps: Vec<Analysis> = all.iter().map(|app| app.heap()).collect();
    let heaps: Vec<&Analysis> = heaps.iter().collect();
    let newest = *heaps.last().expect("a snapshot");
    let past = (heaps.len() > 1).then(|| (heaps[0], crate::heap::diff(heaps[0], newest).expect("one process")));
    let scene = super::Scene::new(&heaps, newest, past, &crate::heap::Unwatched).expect("nobody cancels");
    // A backing store stands for the collection that owns it.
    let owner = |n: crate::heap::NodeIx| match newest.kind(n) {
        NodeKind::Array => newest.retainers(n).next().map_or(n, |e| e.from),
        _ => n,
    };
    rule.find(&scene).iter().map(|c| (owner(c.at).index(), c.growth)).collect()
}
