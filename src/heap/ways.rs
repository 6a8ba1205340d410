//! One good path to every node: the search that puts off what explains nothing.
//!
//! Source of the idea: memlab's "grey list" (`TraceFinder.ts`).

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use super::bits::Bits;
use super::format::{NodeKind, code};
use super::ids::NodeIx;
use super::progress::{Phase, Progress, Stop, check};
use super::snapshot::{Edge, Snapshot, TARGET, TARGET_BITS};

/// No edge leads there.
pub(super) const NONE: u32 = u32::MAX;

/// What a reference explains, best first: a path takes the least detours, and among those the fewest steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Detour {
    /// It says who holds the object.
    None,
    /// It goes through V8's internals: hidden classes, code, feedback, internal caches, the table of a `WeakMap`.
    Internals,
    /// It comes from a group of roots that keeps what somebody else holds as well: handles of native code.
    Handles,
    /// It comes from the stack of what ran when the snapshot was taken.
    Stack,
}

impl Detour {
    /// In the sum of a path one step of a kind weighs as much as this many of the kind before it.
    const fn weight(self) -> u32 {
        match self {
            Self::None => 0,
            Self::Internals => 1,
            Self::Handles => 16,
            Self::Stack => 256,
        }
    }
}

/// For each node the edge by which the best path reaches it.
#[derive(Debug)]
pub(super) struct Ways {
    pub edge: Vec<u32>,
    pub rules: DetourRules,
}

/// The best paths as a tree: nodes are numbered in the order in which the search reached them, so that parents come first and those of
/// one parent are mostly neighbours: sums over subtrees go through memory in order. What nothing reaches is not in it.
#[derive(Debug, Default)]
pub(super) struct PathTree {
    /// The edge that led to each number: its target is the node. The root, which has number 0, has none.
    edge: Vec<u32>,
    /// Number of each number's parent; that of 0 is 0.
    parent: Vec<u32>,
    rules: DetourRules,
}

impl PathTree {
    /// Looks at every edge of the snapshot.
    ///
    /// # Errors
    /// [`Stop::Cancelled`].
    pub fn of(snapshot: &Snapshot, progress: &dyn Progress) -> Result<Self, Stop> {
        let n = snapshot.node_count();
        let rules = DetourRules::of(snapshot);
        let mut done = Bits::new(n);
        done.put(snapshot.root as usize);
        let mut tree = Self { edge: Vec::with_capacity(n), parent: Vec::with_capacity(n), rules };
        tree.push(NONE, 0);
        // Sum of detours → what it reaches first, in order of the steps: the edge that leads there, and the number of its parent.
        let mut waiting: BTreeMap<u32, Vec<(u32, u32)>> = BTreeMap::new();
        // What waits for the least weight: it need not wait again, since sums only grow.
        let mut waits = Bits::new(n);
        let (mut sum, mut at) = (0, 0);
        loop {
            while at < tree.len() {
                let (number, v) = (at as u32, tree.node(snapshot, at).0);
                at += 1;
                let (from, to) = snapshot.edge_range(v as usize);
                for (e, &packed) in (from..to).zip(&snapshot.edges.to[from..to]) {
                    let w = packed & TARGET;
                    if done.has(w as usize) || matches!(packed >> TARGET_BITS, code::WEAK | code::BROKEN) {
                        continue;
                    }
                    match tree.rules.detour(snapshot, v, e).weight() {
                        0 => {
                            done.put(w as usize);
                            tree.push(e as u32, number);
                        }
                        _ if waits.has(w as usize) => {}
                        weight => {
                            if weight == Detour::Internals.weight() {
                                waits.put(w as usize);
                            }
                            waiting.entry((sum + weight).min(1 << 20)).or_default().push((e as u32, number));
                        }
                    }
                }
                if at & 0xf_ffff == 0 {
                    check(progress, Phase::Suspects, 0.25 * at as f32 / n as f32)?;
                }
            }
            let Some((next, first)) = waiting.pop_first() else { return Ok(tree) };
            sum = next;
            for (e, parent) in first {
                if done.put((snapshot.edges.to[e as usize] & TARGET) as usize) {
                    tree.push(e, parent);
                }
            }
        }
    }

    fn push(&mut self, edge: u32, parent: u32) {
        self.edge.push(edge);
        self.parent.push(parent);
    }

    /// How many nodes the root reaches.
    pub fn len(&self) -> usize {
        self.parent.len()
    }

    /// The node of a number.
    #[inline]
    pub fn node(&self, snapshot: &Snapshot, number: usize) -> NodeIx {
        NodeIx(if number == 0 { snapshot.root } else { snapshot.edges.to[self.edge[number] as usize] & TARGET })
    }

    /// Number of the parent of a number.
    #[inline]
    pub fn parent(&self, number: usize) -> usize {
        self.parent[number] as usize
    }

    /// The numbers of some nodes; `None` for what nothing reaches. One pass over all numbers.
    pub fn numbers(&self, snapshot: &Snapshot, nodes: &[NodeIx]) -> Vec<Option<usize>> {
        let mut wanted = Bits::new(snapshot.node_count());
        nodes.iter().for_each(|n| {
            wanted.put(n.index());
        });
        let mut found: FxHashMap<u32, usize> = FxHashMap::default();
        if !nodes.is_empty() {
            found.extend((0..self.len()).map(|k| (self.node(snapshot, k).0, k)).filter(|n| wanted.has(n.0 as usize)));
        }
        nodes.iter().map(|n| found.get(&n.0).copied()).collect()
    }

    /// The edges from the root to some nodes; see [`super::Analysis::path`].
    pub fn paths_to(&self, snapshot: &Snapshot, nodes: &[NodeIx]) -> Vec<Vec<Edge>> {
        let up = |k: usize| (k != 0).then(|| self.parent(k));
        let path = |number: Option<usize>| {
            let mut edges: Vec<Edge> = std::iter::successors(number, |&k| up(k))
                .filter(|&k| k != 0)
                .map(|k| snapshot.edge_from(self.node(snapshot, self.parent(k)), self.edge[k] as usize))
                .collect();
            edges.reverse();
            edges
        };
        self.numbers(snapshot, nodes).into_iter().map(path).collect()
    }

    /// By node.
    pub fn ways(self, snapshot: &Snapshot) -> Ways {
        drop(self.parent);
        let mut edge = vec![NONE; snapshot.node_count()];
        for &e in self.edge.iter().skip(1) {
            edge[(snapshot.edges.to[e as usize] & TARGET) as usize] = e;
        }
        Ways { edge, rules: self.rules }
    }
}

/// Which references explain nothing.
#[derive(Debug, Default)]
pub(super) struct DetourRules {
    root: u32,
    /// Edge names that lead into internals.
    internal: Vec<u32>,
    stack: Vec<u32>,
    handles: Vec<u32>,
}

impl DetourRules {
    fn of(snapshot: &Snapshot) -> Self {
        let find = |texts: &[&str]| -> Vec<u32> { snapshot.strings.find_all(texts).into_iter().flatten().map(|s| s.0).collect() };
        Self {
            root: snapshot.root,
            internal: find(&[
                "__proto__",
                "map",
                "feedback_cell",
                "feedback_vector",
                "descriptors",
                "transition",
                "transitions",
                "dependent_code",
                "prototype_info",
                "shared",
                "code",
                "bytecode_array",
                "initial_map",
                "property_cell",
                "optimized_code_list",
            ]),
            stack: find(&["(Stack roots)", "(Handle scope)", "(Micro tasks)", "(Relocatable)"]),
            handles: find(&[
                "(Global handles)",
                "(Eternal handles)",
                "(Traced handles)",
                "(Weak roots)",
                "(Internal string table)",
                "(Strong roots)",
            ]),
        }
    }

    /// What the edge `e` of `from` explains.
    pub fn detour(&self, snapshot: &Snapshot, from: u32, e: usize) -> Detour {
        let packed = snapshot.edges.to[e];
        let to = packed & TARGET;
        let kind = snapshot.kind_at(to);
        if kind == NodeKind::Synthetic {
            let name = snapshot.nodes.name[to as usize];
            return if self.stack.contains(&name) {
                Detour::Stack
            } else if self.handles.contains(&name) {
                Detour::Handles
            } else if from == self.root {
                Detour::Internals
            } else {
                Detour::None
            };
        }
        match packed >> TARGET_BITS {
            code::PAIR_TABLE => Detour::Internals,
            code::INTERNAL | code::PROPERTY if self.internal.contains(&snapshot.edges.name.get(e)) => Detour::Internals,
            code::HIDDEN => Detour::Internals,
            _ if matches!(kind, NodeKind::Code | NodeKind::ObjectShape) => Detour::Internals,
            _ => Detour::None,
        }
    }
}
