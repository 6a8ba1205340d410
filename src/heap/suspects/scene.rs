//! What the rules look at: the snapshots of one process, newest last, and what is computed once for all rules.

use std::sync::OnceLock;

use super::tree::{NONE, Tree, data, net};
use crate::heap::analysis::Analysis;
use crate::heap::bits::Bits;
use crate::heap::diff::Growth;
use crate::heap::format::NodeKind;
use crate::heap::ids::NodeIx;
use crate::heap::recognise::Reader;

/// Snapshots of one process and the trees over the newest.
pub(super) struct Scene<'a> {
    /// Reads the newest.
    pub reader: Reader<'a>,
    /// Oldest first, the newest last.
    pub all: &'a [&'a Analysis],
    /// The oldest against the newest, with several.
    pub past: Option<Past<'a>>,
    dominators: OnceLock<Tree>,
    paths: OnceLock<Tree>,
}

/// The oldest snapshot, compared with the newest.
pub(super) struct Past<'a> {
    pub reader: Reader<'a>,
    pub growth: Growth,
}

/// A place that a rule thinks is a leak.
#[derive(Clone, Debug)]
pub(super) struct Candidate {
    /// Name of the rule.
    pub rule: &'static str,
    /// Where things pile up.
    pub at: NodeIx,
    /// What piles up.
    pub members: Vec<NodeIx>,
    /// How many members are alive, when the rule knows.
    pub count: Option<u64>,
    /// Net growth in bytes, when there is a past.
    pub growth: Option<i64>,
    /// Bytes that all of it keeps.
    pub retained: u64,
    /// Name and place that the rule knows better than the way to `at` does.
    pub named: Option<Known>,
}

/// A holder that a rule knows by itself.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub name: String,
    pub node: NodeIx,
    pub place: Option<crate::heap::verdict::Place>,
    pub kind: crate::heap::verdict::HolderKind,
    pub detail: Option<String>,
    pub count_growth: Option<i64>,
}

impl<'a> Scene<'a> {
    pub fn new(all: &'a [&'a Analysis], newest: &'a Analysis, past: Option<(&'a Analysis, Growth)>) -> Self {
        let past = past.map(|(before, growth)| Past { reader: Reader::of(before), growth });
        Self { reader: Reader::of(newest), all, past, dominators: OnceLock::new(), paths: OnceLock::new() }
    }

    /// The newest snapshot.
    pub fn a(&self) -> &'a Analysis {
        self.reader.a
    }

    /// Dominators of the newest.
    pub fn dominators(&self) -> &Tree {
        self.dominators.get_or_init(|| Tree::dominators(self.a()))
    }

    /// Best paths in the newest.
    pub fn paths(&self) -> &Tree {
        self.paths.get_or_init(|| Tree::paths(self.a()))
    }

    /// Net growth below each node, by dominators.
    pub fn net_by_dominators(&self, past: &Past<'_>) -> Vec<i64> {
        net(past.reader.a, self.a(), &past.growth, &Tree::dominators(past.reader.a), self.dominators(), &|_| false)
    }

    /// Net growth below each node, by best paths, without what is in `done`.
    pub fn net_by_paths(&self, past: &Past<'_>, done: &Bits) -> Vec<i64> {
        net(past.reader.a, self.a(), &past.growth, &Tree::paths(past.reader.a), self.paths(), &|n| done.has(n.index()))
    }

    /// Whether the node is part of the frame of every Node process and so never the answer.
    pub fn is_structure(&self, node: NodeIx) -> bool {
        let a = self.a();
        if node == a.root() || matches!(a.kind(node), NodeKind::Synthetic | NodeKind::Code | NodeKind::ObjectShape) {
            return true;
        }
        let name = a.raw_name(node);
        name.starts_with("system / NativeContext")
            || name.starts_with("Node / ")
            || name == "global"
            || name.starts_with("global / ")
            || name.starts_with("global (")
    }

    /// The objects that pile up below `point`: new ones (all, with one snapshot) of the program's data that hang, past backing stores, on
    /// the point itself or on something that was there before.
    pub fn topmost_new(&self, tree: &Tree, point: NodeIx) -> Vec<NodeIx> {
        let a = self.a();
        let mut under = Bits::new(a.node_count());
        under.put(point.index());
        let mut found = Vec::new();
        for &v in &tree.order {
            let parent = tree.parent[v as usize];
            if parent == NONE || !under.has(parent as usize) {
                continue;
            }
            under.put(v as usize);
            let node = NodeIx(v);
            if data(a, node) == 0 || !self.is_new(node) {
                continue;
            }
            let mut above = NodeIx(parent);
            while above != point && a.kind(above) == NodeKind::Array && tree.parent[above.index()] != NONE {
                above = NodeIx(tree.parent[above.index()]);
            }
            if above == point || self.past.is_some() && !self.is_new(above) {
                found.push(node);
            }
        }
        found
    }

    /// Whether the node was not in the oldest snapshot; true for all with one snapshot.
    pub fn is_new(&self, node: NodeIx) -> bool {
        self.past.as_ref().is_none_or(|p| p.growth.is_new(node))
    }
}
