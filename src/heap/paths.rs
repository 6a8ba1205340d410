//! Why an object is alive: its retainers as DevTools sorts them, one good path from the root, and all that would have to let go.
//!
//! Sources: the Retainers pane of DevTools (`HeapSnapshotRetainingObjectNode`, chrome-devtools-frontend 1.0.1705227); memlab's "grey list"
//! (`TraceFinder.ts`) for the idea of putting off what explains nothing.

use std::cmp::Ordering;
use std::collections::{BTreeMap, VecDeque};

use super::analysis::Analysis;
use super::bits::Bits;
use super::format::{EdgeKind, NodeKind, code};
use super::ids::{EdgeIx, NodeIx};
use super::snapshot::{Edge, Snapshot, TARGET, TARGET_BITS};

const NONE: u32 = u32::MAX;

/// A row of the retainers of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retainer {
    /// The reference; `edge.from` is the retainer.
    pub edge: Edge,
    /// Distance of the retainer.
    pub distance: i32,
    /// Whether dominators and retained sizes know this reference (see [`Analysis::retains`]).
    pub counts: bool,
}

/// One reference of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PathStep {
    /// The reference.
    pub edge: Edge,
    /// Whether paths go this way only when there is no other.
    pub detour: Detour,
}

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

impl Analysis {
    /// The rows of DevTools' Retainers pane for `node`: no weak references, none from the root itself; nearest first, then by name.
    pub fn retainer_rows(&self, node: NodeIx) -> Vec<Retainer> {
        let mut rows: Vec<Retainer> = self
            .retainers(node)
            .filter(|e| e.kind != EdgeKind::Weak && e.from != self.root() && !self.is_broken(e))
            .map(|e| self.row(e))
            .collect();
        // Names are compared only where distances are equal, since making one is dear.
        rows.sort_by(|a, b| {
            a.distance.cmp(&b.distance).then_with(|| utf16_order(&self.display_name(a.edge.from), &self.display_name(b.edge.from)))
        });
        rows
    }

    /// The path that DevTools opens by itself, from `node` towards the roots: at each step the first of the retainers.
    pub fn devtools_path(&self, node: NodeIx) -> Vec<Retainer> {
        let mut path = Vec::new();
        let mut at = node;
        while path.len() < 20 {
            let best = self
                .retainers(at)
                .filter(|e| e.kind != EdgeKind::Weak && e.from != self.root() && !self.is_broken(e))
                .map(|e| self.row(e))
                .reduce(|best, next| {
                    let nearer = next.distance < best.distance
                        || next.distance == best.distance
                            && utf16_order(&self.display_name(next.edge.from), &self.display_name(best.edge.from)) == Ordering::Less;
                    if nearer { next } else { best }
                });
            let Some(best) = best else { break };
            path.push(best);
            at = best.edge.from;
            if best.distance <= 1 {
                break;
            }
        }
        path
    }

    /// References to `node` from objects that would outlive it: what would have to let go of it. References from what only `node`
    /// keeps alive are left out. Nearest first.
    pub fn independent_retainers(&self, node: NodeIx) -> Vec<Retainer> {
        let mut rows: Vec<Retainer> = self
            .retainers(node)
            .filter(|e| e.kind != EdgeKind::Weak && !self.is_broken(e) && !self.dominates(node, e.from))
            .map(|e| self.row(e))
            .filter(|r| r.distance >= 0)
            .collect();
        rows.sort_by_key(|r| (!r.counts, r.distance));
        rows
    }

    /// One path from the root to `node`, root first: the one with the least detours, and of those the shortest. So a stale handle or the
    /// stack of the function that hit the limit are named only when nothing else holds the object. Empty for the root and
    /// for what nothing reaches. The first call looks at every edge.
    pub fn path(&self, node: NodeIx) -> Vec<PathStep> {
        let ways = self.ways();
        let mut path = Vec::new();
        let mut at = node;
        while at != self.root() && ways.edge[at.index()] != NONE {
            let edge = self.edge(EdgeIx(ways.edge[at.index()]));
            path.push(PathStep { edge, detour: ways.rules.detour(self, edge.from.0, edge.ix.index()) });
            at = edge.from;
        }
        path.reverse();
        path
    }

    /// The last step of [`Analysis::path`] alone: who holds `node`.
    pub fn path_parent(&self, node: NodeIx) -> Option<Edge> {
        let edge = self.ways().edge[node.index()];
        (node != self.root() && edge != NONE).then(|| self.edge(EdgeIx(edge)))
    }

    fn ways(&self) -> &Ways {
        self.ways.get_or_init(|| Ways::of(self))
    }

    fn row(&self, edge: Edge) -> Retainer {
        Retainer { edge, distance: self.distance(edge.from), counts: self.retains(&edge) }
    }

    fn is_broken(&self, edge: &Edge) -> bool {
        self.snapshot.edges.to[edge.ix.index()] >> TARGET_BITS == code::BROKEN
    }
}

/// As JavaScript compares strings.
fn utf16_order(a: &str, b: &str) -> Ordering {
    if a.is_ascii() && b.is_ascii() { a.cmp(b) } else { a.encode_utf16().cmp(b.encode_utf16()) }
}

/// For each node the edge by which the best path reaches it.
#[derive(Debug)]
pub(super) struct Ways {
    edge: Vec<u32>,
    rules: DetourRules,
}

impl Ways {
    fn of(snapshot: &Snapshot) -> Self {
        let n = snapshot.node_count();
        let rules = DetourRules::of(snapshot);
        let mut edge = vec![NONE; n];
        let mut done = Bits::new(n);
        // Sum of detours → nodes in order of their number of steps, each with the edge that led there.
        let mut waiting: BTreeMap<u32, VecDeque<(u32, u32)>> = BTreeMap::new();
        waiting.insert(0, VecDeque::from([(snapshot.root, NONE)]));
        while let Some((sum, mut queue)) = waiting.pop_first() {
            while let Some((v, by)) = queue.pop_front() {
                if !done.put(v as usize) {
                    continue;
                }
                edge[v as usize] = by;
                let (from, to) = snapshot.edge_range(v as usize);
                for e in from..to {
                    let packed = snapshot.edges.to[e];
                    let w = packed & TARGET;
                    if matches!(packed >> TARGET_BITS, code::WEAK | code::BROKEN) || done.has(w as usize) {
                        continue;
                    }
                    match rules.detour(snapshot, v, e).weight() {
                        0 => queue.push_back((w, e as u32)),
                        weight => waiting.entry((sum + weight).min(1 << 20)).or_default().push_back((w, e as u32)),
                    }
                }
            }
        }
        Self { edge, rules }
    }
}

#[derive(Debug)]
struct DetourRules {
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

    fn detour(&self, snapshot: &Snapshot, from: u32, e: usize) -> Detour {
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
