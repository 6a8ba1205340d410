//! What the rules look at: the snapshots of one process, newest last, and what is computed once for all rules.

use std::sync::OnceLock;

use rustc_hash::FxHashMap;

use super::census::Census;
use super::tree::{NONE, Point, Tree, data, net, points};
use crate::heap::analysis::Analysis;
use crate::heap::bits::Bits;
use crate::heap::diff::Growth;
use crate::heap::format::NodeKind;
use crate::heap::ids::NodeIx;
use crate::heap::recognise::{Pending as Timers, Reader, Trail, pending, thinned};

/// Snapshots of one process and the trees over the newest.
pub(super) struct Scene<'a> {
    /// Reads the newest.
    pub reader: Reader<'a>,
    /// Oldest first, the newest last.
    pub all: &'a [&'a Analysis],
    /// The oldest against the newest, with several.
    pub past: Option<Past<'a>>,
    /// Readers of the snapshots between the oldest and the newest.
    middle: OnceLock<Vec<Reader<'a>>>,
    dominators: OnceLock<Tree>,
    paths: OnceLock<Tree>,
    net: OnceLock<Vec<i64>>,
    singles: OnceLock<Singles>,
    census: OnceLock<Census>,
    timers: OnceLock<Vec<Timers>>,
    timers_before: OnceLock<Vec<Timers>>,
}

/// Smallest share of the data (1 of), and smallest weight, of a place where size alone accumulates; bytes.
const SHARE: i64 = 100;
const LEAST: i64 = 24 << 10;

/// Where the data of one snapshot accumulates in the dominator tree.
pub(super) struct Singles {
    pub points: Vec<Point>,
    /// Nodes below the points.
    pub explained: Bits,
    /// Bytes below which a place is not looked at.
    pub least: i64,
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
        Self {
            reader: Reader::of(newest),
            all,
            past,
            middle: OnceLock::new(),
            dominators: OnceLock::new(),
            paths: OnceLock::new(),
            net: OnceLock::new(),
            singles: OnceLock::new(),
            census: OnceLock::new(),
            timers: OnceLock::new(),
            timers_before: OnceLock::new(),
        }
    }

    /// Timers that wait, by the function they will call.
    pub fn timers(&self) -> &[Timers] {
        self.timers.get_or_init(|| pending(&self.reader))
    }

    /// The same in the oldest snapshot, when there is one.
    pub fn timers_before(&self) -> Option<&[Timers]> {
        self.past.as_ref().map(|p| self.timers_before.get_or_init(|| pending(&p.reader)).as_slice())
    }

    /// Readers of all snapshots before the newest, oldest first.
    pub fn older(&self) -> impl DoubleEndedIterator<Item = &Reader<'a>> {
        let middle = self.middle.get_or_init(|| match self.all {
            [_, middle @ .., _] => middle.iter().map(|a| Reader::of(a)).collect(),
            _ => Vec::new(),
        });
        self.past.iter().map(|p| &p.reader).chain(middle)
    }

    /// Structures that rules look for, in the newest.
    pub fn census(&self) -> &Census {
        self.census.get_or_init(|| Census::of(self.a()))
    }

    /// Places of the newest where size accumulates, by dominators.
    pub fn singles(&self) -> &Singles {
        self.singles.get_or_init(|| {
            let a = self.a();
            let mut weight: Vec<i64> = a.nodes().map(|n| data(a, n)).collect();
            self.dominators().sum(&mut weight);
            let least = LEAST.max(weight[a.root().index()] / SHARE);
            // A scope is no pile, and what several of its variables share is S2's; only a chain of scopes is a place of its own.
            let is_frame = |n: NodeIx| self.is_structure(n) || self.reader.is_context(n) && Trail::to(&self.reader, n).repeats.is_none();
            let points: Vec<Point> = points(a, self.dominators(), &weight, least).into_iter().filter(|p| !is_frame(p.node)).collect();
            let mut explained = Bits::new(a.node_count());
            for node in points.iter().flat_map(|p| a.dominator_subtree(p.node)) {
                explained.put(node.index());
            }
            Singles { points, explained, least }
        })
    }

    /// The deepest node that lies on the best ways to more than four fifths of `members` (a sample of them): where they are held together.
    pub fn common_holder(&self, members: &[NodeIx]) -> Option<NodeIx> {
        const SAMPLE: usize = 128;
        const FURTHEST: usize = 4096;
        let sample = thinned(members, SAMPLE);
        let up = |from: NodeIx| {
            let parent = |v: u32| Some(self.paths().parent[v as usize]).filter(|&p| p != NONE);
            std::iter::successors(parent(from.0), move |&v| parent(v)).take(FURTHEST)
        };
        let mut times: FxHashMap<u32, usize> = FxHashMap::default();
        for &member in &sample {
            for node in up(member) {
                *times.entry(node).or_default() += 1;
            }
        }
        let shared = |v: &u32| times[v] * 5 > sample.len() * 4;
        sample.iter().filter_map(|&m| up(m).find(shared)).min_by_key(|v| (times[v], *v)).map(NodeIx)
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
    pub fn net(&self, past: &Past<'_>) -> &[i64] {
        self.net.get_or_init(|| {
            net(past.reader.a, self.a(), &past.growth, &Tree::dominators(past.reader.a), self.dominators(), &data, &|_| false)
        })
    }

    /// Net growth below each node, by best paths, without what is in `done`.
    pub fn net_by_paths(&self, past: &Past<'_>, done: &Bits) -> Vec<i64> {
        net(past.reader.a, self.a(), &past.growth, &Tree::paths(past.reader.a), self.paths(), &data, &|n| done.has(n.index()))
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
