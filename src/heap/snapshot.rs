//! The columns of a snapshot: what the file says, one array per field, nothing computed.

use std::borrow::Cow;

use super::column::{Ids, Names, Sizes};
use super::format::{EdgeKind, Header, NodeKind, code, edge_kind};
use super::ids::{EdgeIx, NodeId, NodeIx, StringIx};
use super::salvage::Cut;
use super::strings::Strings;
use super::trace::Trace;

/// Bits of an edge that hold its target; V8 has at most 2^28 nodes (`HeapEntry::index_`).
pub(super) const TARGET_BITS: u32 = 28;
/// Mask for [`TARGET_BITS`].
pub(super) const TARGET: u32 = (1 << TARGET_BITS) - 1;

/// Columns of the nodes.
#[derive(Clone, Debug, Default)]
pub(super) struct Nodes {
    /// Type as the file numbers it.
    pub kind: Vec<u8>,
    pub name: Vec<u32>,
    pub id: Ids,
    pub size: Sizes,
    /// First edge of each node, and one more: the end of the last. While nodes are read it holds edge counts.
    pub first_edge: Vec<u32>,
    /// `(node, state)` of those whose detachedness is not 0, in order.
    pub detached: Vec<(u32, u8)>,
    /// The call that allocated each, 0 for none; empty when allocations were not tracked.
    pub trace: Vec<u32>,
}

/// Columns of the edges.
#[derive(Clone, Debug, Default)]
pub(super) struct Edges {
    /// Target in the low [`TARGET_BITS`], [`code`] above.
    pub to: Vec<u32>,
    pub name: Names,
}

/// Where an object's constructor, or a function, is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Location {
    /// The object.
    pub node: NodeIx,
    /// V8's number of the script, valid in one process.
    pub script: u32,
    /// Line, from 0.
    pub line: u32,
    /// Column, from 0.
    pub column: u32,
}

/// A reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Edge {
    /// Its position.
    pub ix: EdgeIx,
    /// Who refers.
    pub from: NodeIx,
    /// To whom.
    pub to: NodeIx,
    /// What kind of reference it is.
    pub kind: EdgeKind,
    /// Its name or number.
    pub label: Label,
}

/// Name or number of an edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Label {
    /// Of element and hidden edges.
    Index(u32),
    /// Of all others.
    Name(StringIx),
}

/// How the snapshot was taken, which decides what can be compared with what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SnapshotKind {
    /// As an application sees itself: SIGUSR2, `v8.writeHeapSnapshot()`, the inspector.
    Normal,
    /// With V8's internals exposed, as `--heapsnapshot-near-heap-limit` writes it since Node 20: the root has no shortcut
    /// to the global object, numbers are objects of their own, sizes are not moved to owners.
    ExposeInternals,
}

impl SnapshotKind {
    /// The kind as a person reads it.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Normal => "normal snapshot",
            Self::ExposeInternals => "near-heap-limit snapshot (internals exposed)",
        }
    }
}

/// What a file says, in columns.
#[derive(Clone, Debug)]
pub struct Snapshot {
    pub(super) header: Header,
    pub(super) nodes: Nodes,
    pub(super) edges: Edges,
    /// In order of their nodes.
    pub(super) locations: Vec<Location>,
    pub(super) strings: Strings,
    pub(super) root: u32,
    /// Detached native nodes, in order.
    pub(super) renamed: Vec<u32>,
    pub(super) cut: Option<Cut>,
    /// Who allocated what, when that was tracked.
    pub(super) trace: Option<Trace>,
}

impl Snapshot {
    /// Nodes and edges alone.
    pub(super) fn of_graph(header: Header, nodes: Nodes, edges: Edges) -> Self {
        let root = header.root_of(nodes.kind.len());
        let (locations, renamed) = (Vec::new(), Vec::new());
        Self { header, nodes, edges, locations, strings: Strings::default(), root, renamed, cut: None, trace: None }
    }

    /// What the header says.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// How many nodes there are.
    pub fn node_count(&self) -> usize {
        self.nodes.kind.len()
    }

    /// How many edges there are.
    pub fn edge_count(&self) -> usize {
        self.edges.to.len()
    }

    /// All nodes, in the order of the file.
    pub fn nodes(&self) -> impl ExactSizeIterator<Item = NodeIx> + Clone + use<> {
        (0..self.node_count() as u32).map(NodeIx)
    }

    /// The root of everything.
    pub fn root(&self) -> NodeIx {
        NodeIx(self.root)
    }

    /// All strings.
    pub fn strings(&self) -> &Strings {
        &self.strings
    }

    /// What is missing when the file was cut; `None` when it is whole.
    pub fn cut(&self) -> Option<&Cut> {
        self.cut.as_ref()
    }

    /// What kind of object `node` is.
    pub fn kind(&self, node: NodeIx) -> NodeKind {
        self.header.kind(self.nodes.kind[node.index()])
    }

    /// The kind of `node` as the file calls it, also when this program does not know it.
    pub fn kind_word(&self, node: NodeIx) -> &str {
        self.header.node_words.get(self.nodes.kind[node.index()] as usize).map_or("unknown", String::as_str)
    }

    /// V8's id of `node`.
    pub fn id(&self, node: NodeIx) -> NodeId {
        NodeId(self.nodes.id.get(node.index()))
    }

    /// The ids of all nodes, in order of the nodes. Faster than to ask for one after the other.
    pub fn ids(&self) -> impl Iterator<Item = NodeId> + '_ {
        self.nodes.id.iter().map(NodeId)
    }

    /// The node with this id. A scan over one column.
    pub fn by_id(&self, id: NodeId) -> Option<NodeIx> {
        self.nodes.id.iter().position(|i| i == id.0).map(|i| NodeIx(i as u32))
    }

    /// Position of the name of `node`.
    pub fn name_ix(&self, node: NodeIx) -> StringIx {
        StringIx(self.nodes.name[node.index()])
    }

    /// The name of `node` as V8 wrote it: class of an object, text of a string, name of a function.
    pub fn raw_name(&self, node: NodeIx) -> Cow<'_, str> {
        self.strings.get(self.name_ix(node))
    }

    /// The name of `node`; that of a native object which no document holds any more begins with `Detached `.
    pub fn name(&self, node: NodeIx) -> Cow<'_, str> {
        let raw = self.raw_name(node);
        if self.is_renamed(node) { Cow::Owned(format!("Detached {raw}")) } else { raw }
    }

    /// Size of `node` alone as V8 wrote it, bytes.
    pub fn raw_size(&self, node: NodeIx) -> u64 {
        self.nodes.size.get(node.index())
    }

    /// How many references `node` has.
    pub fn edge_count_of(&self, node: NodeIx) -> usize {
        let (from, to) = self.edge_range(node.index());
        to - from
    }

    /// The references of `node`, in the order of the file.
    pub fn edges(&self, node: NodeIx) -> impl ExactSizeIterator<Item = Edge> + DoubleEndedIterator + Clone + '_ {
        let (from, to) = self.edge_range(node.index());
        (from..to).map(move |e| self.edge_from(node, e))
    }

    /// The edge at `ix`.
    pub fn edge(&self, ix: EdgeIx) -> Edge {
        self.edge_from(self.edge_owner(ix.0), ix.index())
    }

    /// The text of an edge's label: its name, or its number in digits.
    pub fn edge_text(&self, edge: &Edge) -> Cow<'_, str> {
        match edge.label {
            Label::Index(i) => Cow::Owned(i.to_string()),
            Label::Name(name) => self.strings.get(name),
        }
    }

    /// The first reference of `node` of this kind and name.
    pub fn edge_named(&self, node: NodeIx, kind: EdgeKind, name: StringIx) -> Option<Edge> {
        self.edges(node).find(|e| e.kind == kind && e.label == Label::Name(name))
    }

    /// Where the class of an object or a function is written.
    pub fn location(&self, node: NodeIx) -> Option<&Location> {
        let at = self.locations.partition_point(|l| l.node < node);
        self.locations.get(at).filter(|l| l.node == node)
    }

    /// All locations, in order of their nodes.
    pub fn locations(&self) -> &[Location] {
        &self.locations
    }

    #[inline]
    pub(super) fn is_renamed(&self, node: NodeIx) -> bool {
        !self.renamed.is_empty() && self.renamed.binary_search(&node.0).is_ok()
    }

    pub(super) fn kind_at(&self, node: u32) -> NodeKind {
        self.header.kind(self.nodes.kind[node as usize])
    }

    pub(super) fn edge_range(&self, node: usize) -> (usize, usize) {
        (self.nodes.first_edge[node] as usize, self.nodes.first_edge[node + 1] as usize)
    }

    pub(super) fn edge_owner(&self, edge: u32) -> NodeIx {
        NodeIx(self.nodes.first_edge.partition_point(|&first| first <= edge) as u32 - 1)
    }

    pub(super) fn edge_from(&self, from: NodeIx, e: usize) -> Edge {
        let packed = self.edges.to[e];
        let kind = edge_kind(packed >> TARGET_BITS);
        let name = self.edges.name.get(e);
        let label = match packed >> TARGET_BITS {
            code::ELEMENT | code::HIDDEN => Label::Index(name),
            _ => Label::Name(StringIx(name)),
        };
        Edge { ix: EdgeIx(e as u32), from, to: NodeIx(packed & TARGET), kind, label }
    }
}
