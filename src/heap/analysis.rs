//! A finished analysis: everything that was computed about a snapshot, read-only, with the questions one can ask it.

use std::borrow::Cow;
use std::ops::{Deref, Range};
use std::sync::OnceLock;

use rustc_hash::FxHashMap;

use super::classes::Interface;
use super::column::{Codes, Distances, Sizes, Sums};
use super::dominators::Dominators;
use super::essential::Rules;
use super::graph::Retainers;
use super::ids::{ClassIx, NodeIx, StringIx};
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
    pub(super) places: OnceLock<Places>,
    pub(super) ways: OnceLock<Ways>,
}

/// Where the subtree of each node is in the preorder of the dominator tree.
#[derive(Debug)]
pub(super) struct Places {
    of: Vec<u32>,
    size: Vec<u32>,
}

impl Places {
    fn of(tree: &Dominators) -> Self {
        let n = tree.order.len();
        let mut of = vec![0; n];
        let mut size = vec![1u32; n];
        for (place, &node) in tree.order.iter().enumerate().rev() {
            of[node as usize] = place as u32;
            if place > 0 {
                size[tree.dominator[node as usize] as usize] += size[node as usize];
            }
        }
        Self { of, size }
    }

    fn subtree(&self, node: NodeIx) -> Range<u32> {
        let start = self.of[node.index()];
        start..start + self.size[node.index()]
    }
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
        self.places().subtree(over).contains(&self.places().of[node.index()])
    }

    /// The nodes whose dominator is `node`.
    pub fn dominated(&self, node: NodeIx) -> impl Iterator<Item = NodeIx> + '_ {
        let Range { start, end } = self.places().subtree(node);
        let at = move |place: u32| (place < end).then(|| NodeIx(self.tree.order[place as usize]));
        std::iter::successors(at(start + 1), move |&child| at(self.places().subtree(child).end))
    }

    /// All nodes of the dominator subtree of `node`, `node` first, each after its dominator.
    pub fn dominator_subtree(&self, node: NodeIx) -> impl ExactSizeIterator<Item = NodeIx> + '_ {
        let Range { start, end } = self.places().subtree(node);
        self.tree.order[start as usize..end as usize].iter().map(|&n| NodeIx(n))
    }

    /// All nodes, each after its dominator; backwards, each before it. For sums over subtrees.
    pub fn dominators_first(&self) -> impl ExactSizeIterator<Item = NodeIx> + DoubleEndedIterator + '_ {
        self.tree.order.iter().map(|&n| NodeIx(n))
    }

    fn places(&self) -> &Places {
        self.places.get_or_init(|| Places::of(&self.tree))
    }

    /// Nodes in preorder of the dominator tree, each with the number of nodes in its subtree.
    pub(super) fn flat_tree(&self) -> impl Iterator<Item = (u32, u32)> + '_ {
        self.tree.order.iter().map(|&node| (node, self.places().size[node as usize]))
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
