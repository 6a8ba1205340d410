//! Why an object is alive: its retainers as DevTools sorts them, one good path from the root, and all that would have to let go.
//!
//! Source: the Retainers pane of DevTools (`HeapSnapshotRetainingObjectNode`, chrome-devtools-frontend 1.0.1705227).

use std::cmp::Ordering;

use super::analysis::Analysis;
use super::format::{EdgeKind, code};
use super::ids::{EdgeIx, NodeIx};
use super::progress::{Progress, Stop, Unwatched};
use super::snapshot::{Edge, TARGET_BITS};
use super::ways::{Detour, NONE, PathTree, Ways};

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

    /// The best paths to all nodes as a tree.
    ///
    /// # Errors
    /// [`Stop::Cancelled`].
    pub(super) fn path_tree(&self, progress: &dyn Progress) -> Result<PathTree, Stop> {
        PathTree::of(self, progress)
    }

    /// What was found by [`Analysis::path_tree`] is what [`Analysis::path`] needs.
    pub(super) fn keep_paths(&self, tree: PathTree) {
        self.ways.get_or_init(|| tree.ways(self));
    }

    fn ways(&self) -> &Ways {
        self.ways.get_or_init(|| PathTree::of(self, &Unwatched).expect("nobody stops what nobody watches").ways(self))
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
