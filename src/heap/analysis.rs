//! A finished analysis: everything that was computed about a snapshot, read-only, with the questions one can ask it.

use std::borrow::Cow;
use std::ops::{Deref, Range};
use std::sync::OnceLock;

use rustc_hash::FxHashMap;

use super::classes::Interface;
use super::column::{Codes, Distances, Sizes, Sums};
use super::dominators::Dominators;
use super::essential::Rules;
use super::graph::{Retainers, last_retainers};
use super::ids::{ClassIx, EdgeIx, NodeIx, StringIx};
use super::sizes::Statistics;
use super::snapshot::{Edge, Snapshot, SnapshotKind};
use super::table::ClassRow;
use super::ways::Ways;

/// What is known about one snapshot. Immutable; share it by `Arc`. Everything that the file says is asked of the [`Snapshot`] inside,
/// to which an analysis dereferences: `analysis.kind(node)`, `analysis.edges(node)`.
#[derive(Debug)]
pub struct Analysis {
    pub(super) snapshot: Snapshot,
    pub(super) kind: SnapshotKind,
    pub(super) rules: Rules,
    pub(super) user_roots: Vec<u32>,
    /// `None` when sizes stay where V8 put them.
    pub(super) shallow: Option<Sizes>,
    pub(super) retained: Sums,
    pub(super) tree: Dominators,
    pub(super) distance: Distances,
    pub(super) class: Codes,
    pub(super) classes: Vec<ClassRow>,
    pub(super) interfaces: Vec<Interface>,
    pub(super) statistics: Statistics,
    /// Script number → name of the script.
    pub(super) scripts: FxHashMap<u32, StringIx>,
    pub(super) borrowed: FxHashMap<u32, String>,
    pub(super) retainers: OnceLock<Retainers>,
    /// Place of each node in the preorder of the dominator tree.
    pub(super) places: OnceLock<Vec<u32>>,
    /// Nodes in the subtree of the node at each place of that preorder: read in order, it goes through memory in order.
    pub(super) subtrees: OnceLock<Vec<u32>>,
    pub(super) ways: OnceLock<Ways>,
}

impl Deref for Analysis {
    type Target = Snapshot;

    fn deref(&self) -> &Snapshot {
        &self.snapshot
    }
}

impl Analysis {
    /// What the file says.
    pub fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    /// How the snapshot was taken.
    pub fn snapshot_kind(&self) -> SnapshotKind {
        self.kind
    }

    /// Whether the file goes far enough to tell the kind; else [`Analysis::snapshot_kind`] is a guess and must not be shown.
    pub fn knows_kind(&self) -> bool {
        self.cut().is_none_or(|c| c.root_edges)
    }

    /// The children of the root that an application would call its own: its global objects. Empty in a snapshot with internals exposed.
    pub fn user_roots(&self) -> impl ExactSizeIterator<Item = NodeIx> + '_ {
        self.user_roots.iter().map(|&r| NodeIx(r))
    }

    /// Size of the heap in bytes, native memory in: what percentages are of.
    pub fn total_size(&self) -> u64 {
        self.retained_size(self.root()) + self.header.extra_native_bytes
    }

    /// How the heap divides.
    pub fn statistics(&self) -> &Statistics {
        &self.statistics
    }

    /// Size of `node` alone, bytes, with the backing stores that it alone owns: DevTools' "shallow size". 0 for such a store.
    pub fn shallow_size(&self, node: NodeIx) -> u64 {
        self.shallow.as_ref().unwrap_or(&self.snapshot.nodes.size).get(node.index())
    }

    /// What would be free if nothing referred to `node` any more, bytes.
    pub fn retained_size(&self, node: NodeIx) -> u64 {
        self.retained.get(node.index())
    }

    /// The nearest node without which `node` would be free; the root's is the root.
    pub fn dominator(&self, node: NodeIx) -> NodeIx {
        NodeIx(self.tree.dominator[node.index()])
    }

    /// `node`'s dominator, that one's, and so on to the root, which comes last. Empty for the root.
    pub fn dominators(&self, node: NodeIx) -> impl Iterator<Item = NodeIx> + '_ {
        let up = |n: NodeIx| (n != self.root()).then(|| self.dominator(n));
        std::iter::successors(up(node), move |&n| up(n))
    }

    /// Whether all paths from the root to `node` go through `over`; true for `node` itself.
    pub fn dominates(&self, over: NodeIx, node: NodeIx) -> bool {
        self.subtree(over).contains(&self.places()[node.index()])
    }

    /// The nodes whose dominator is `node`.
    pub fn dominated(&self, node: NodeIx) -> impl Iterator<Item = NodeIx> + '_ {
        let Range { start, end } = self.subtree(node);
        let at = move |place: u32| (place < end).then(|| NodeIx(self.tree.order[place as usize]));
        std::iter::successors(at(start + 1), move |&child| at(self.subtree(child).end))
    }

    /// All nodes of the dominator subtree of `node`, `node` first, each after its dominator.
    pub fn dominator_subtree(&self, node: NodeIx) -> impl ExactSizeIterator<Item = NodeIx> + '_ {
        let Range { start, end } = self.subtree(node);
        self.tree.order[start as usize..end as usize].iter().map(|&n| NodeIx(n))
    }

    /// All nodes, each after its dominator; backwards, each before it. For sums over subtrees.
    pub fn dominators_first(&self) -> impl ExactSizeIterator<Item = NodeIx> + DoubleEndedIterator + '_ {
        self.tree.order.iter().map(|&n| NodeIx(n))
    }

    fn places(&self) -> &[u32] {
        self.places.get_or_init(|| {
            let mut places = vec![0; self.tree.order.len()];
            for (place, &node) in (0u32..).zip(&self.tree.order) {
                places[node as usize] = place;
            }
            places
        })
    }

    fn subtrees(&self) -> &[u32] {
        self.subtrees.get_or_init(|| {
            let places = self.places();
            let mut sizes = vec![1u32; places.len()];
            for (place, &node) in self.tree.order.iter().enumerate().skip(1).rev() {
                sizes[places[self.tree.dominator[node as usize] as usize] as usize] += sizes[place];
            }
            sizes
        })
    }

    /// Places of the subtree of `node` in the preorder of the dominator tree.
    pub(super) fn subtree(&self, node: NodeIx) -> Range<u32> {
        let start = self.places()[node.index()];
        start..start + self.subtrees()[start as usize]
    }

    /// Nodes in preorder of the dominator tree, each with the number of nodes in its subtree.
    pub(super) fn flat_tree(&self) -> impl ExactSizeIterator<Item = (u32, u32)> + '_ {
        self.tree.order.iter().copied().zip(self.subtrees().iter().copied())
    }

    /// [`Analysis::flat_tree`] of the subtree of the node at `place` alone, which comes first.
    pub(super) fn flat_subtree(&self, place: u32) -> (&[u32], &[u32]) {
        let subtree = place as usize..(place + self.subtrees()[place as usize]) as usize;
        (&self.tree.order[subtree.clone()], &self.subtrees()[subtree])
    }

    /// The last `most` references to each of `nodes` (in the file's order), last first, as [`Analysis::retainers`] gives them. One pass over
    /// all edges: cheaper than that index for a few hundred nodes, and it takes no memory.
    pub(super) fn last_retainers(&self, nodes: impl IntoIterator<Item = NodeIx>, most: usize) -> FxHashMap<u32, Vec<Edge>> {
        let found = last_retainers(&self.snapshot, nodes, most);
        found.into_iter().map(|(node, edges)| (node, edges.into_iter().map(|e| self.edge(EdgeIx(e))).collect())).collect()
    }

    /// References from the global objects to `node`; from [`super::SYSTEM_DISTANCE`] on only internals reach it, at
    /// [`super::UNREACHED`] nothing does.
    pub fn distance(&self, node: NodeIx) -> i32 {
        self.distance.get(node.index())
    }

    /// The class of `node`.
    pub fn class_of(&self, node: NodeIx) -> ClassIx {
        ClassIx(self.class.get(node.index()))
    }

    /// The row of a class.
    pub fn class(&self, class: ClassIx) -> &ClassRow {
        &self.classes[class.index()]
    }

    /// The name of `node`'s class: `Map`, `{id, title}`, `(string)`, `Function`.
    pub fn class_name(&self, node: NodeIx) -> &str {
        &self.class(self.class_of(node)).name
    }

    /// All classes, largest retained size first; those without counted objects come last.
    pub fn classes(&self) -> &[ClassRow] {
        &self.classes
    }

    /// The classes that have objects with a size: the rows of the Summary.
    pub fn class_rows(&self) -> &[ClassRow] {
        &self.classes[..self.classes.partition_point(|c| c.count != 0)]
    }

    /// The interfaces by which plain objects were told apart, most frequent first.
    pub fn interfaces(&self) -> &[Interface] {
        &self.interfaces
    }

    /// Whether the reference counts for dominators and retained sizes.
    pub fn retains(&self, edge: &Edge) -> bool {
        self.rules.retains(edge.from.0, self.snapshot.edges.to[edge.ix.index()])
    }

    /// The references to `node`, in DevTools' order. The first call builds an index over all edges.
    pub fn retainers(&self, node: NodeIx) -> impl ExactSizeIterator<Item = Edge> + Clone + '_ {
        self.retainers.get_or_init(|| Retainers::of(&self.snapshot)).of_node(node).map(|e| self.edge(e))
    }

    /// The name of `node`: from the file, else from an earlier snapshot of the process, else its kind and id (`object @17`).
    pub fn name(&self, node: NodeIx) -> Cow<'_, str> {
        if self.strings.has(self.name_ix(node)) {
            self.snapshot.name(node)
        } else if let Some(name) = self.borrowed.get(&node.0) {
            Cow::Borrowed(name)
        } else {
            Cow::Owned(format!("{} {}", self.kind_word(node), self.id(node)))
        }
    }

    /// The name (path or URL) of a script by its number in [`super::Location`]; `None` when no function of it is in the heap.
    pub fn script_name(&self, script: u32) -> Option<Cow<'_, str>> {
        self.scripts.get(&script).map(|&s| self.strings.get(s))
    }
}
