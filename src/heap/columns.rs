//! From rows of numbers to columns: what each field of a row becomes.

use super::format::{EdgeRow, Header, LocationRow, NodeRow, code};
use super::ids::NodeIx;
use super::rows::Block;
use super::snapshot::{Edges, Location, Nodes, Sizes, TARGET_BITS};

/// Columns are appended by several threads from this many rows on.
const WORTH_SHARING: usize = 64 << 10;

/// Some nodes.
#[derive(Debug)]
pub(super) struct NodeBlock {
    row: NodeRow,
    nodes: Nodes,
}

impl NodeBlock {
    pub fn new(header: &Header) -> Self {
        Self { row: header.node.clone(), nodes: Nodes::default() }
    }
}

impl Block for NodeBlock {
    fn fresh(&self) -> Self {
        Self { row: self.row.clone(), nodes: Nodes::default() }
    }

    #[inline]
    fn push(&mut self, row: &[u64]) {
        let f = &self.row;
        let ix = self.nodes.kind.len() as u32;
        self.nodes.kind.push(row[f.kind].min(255) as u8);
        self.nodes.name.push(narrow(row[f.name]));
        self.nodes.id.push(narrow(row[f.id]));
        let size = row[f.self_size];
        self.nodes.size.column_mut().push(Sizes::squeeze(size));
        if size >= u64::from(u32::MAX) {
            self.nodes.size.add_large(ix, size);
        }
        self.nodes.first_edge.push(narrow(row[f.edge_count]));
        if let Some(at) = f.detachedness
            && row[at] != 0
        {
            self.nodes.detached.push((ix, row[at].min(255) as u8));
        }
    }
}

/// Moves the nodes of `blocks` behind those of `nodes`.
pub(super) fn append_nodes(nodes: &mut Nodes, blocks: &mut [NodeBlock]) {
    let before = nodes.kind.len() as u32;
    let mut at = before;
    for block in &mut *blocks {
        for (&ix, &size) in block.nodes.size.large() {
            nodes.size.add_large(at + ix, size);
        }
        nodes.detached.extend(block.nodes.detached.iter().map(|&(ix, state)| (at + ix, state)));
        at += block.nodes.kind.len() as u32;
    }
    let Nodes { kind, name, id, size, first_edge, .. } = nodes;
    let added = (at - before) as usize;
    together(
        added,
        [
            &mut || {
                extend(kind, blocks, |b| &b.nodes.kind);
                extend(first_edge, blocks, |b| &b.nodes.first_edge);
            },
            &mut || {
                extend(id, blocks, |b| &b.nodes.id);
            },
            &mut || {
                extend(name, blocks, |b| &b.nodes.name);
                extend(size.column_mut(), blocks, |b| b.nodes.size.column());
            },
        ],
    );
    for block in blocks {
        block.nodes.clear();
    }
}

/// Some edges.
#[derive(Debug)]
pub(super) struct EdgeBlock {
    row: EdgeRow,
    codes: Vec<u32>,
    nodes: u32,
    node_width: u64,
    edges: Edges,
}

impl EdgeBlock {
    /// For edges between `nodes` nodes.
    pub fn new(header: &Header, nodes: usize) -> Self {
        let codes = header.edge_codes.iter().map(|&c| u32::from(c) << TARGET_BITS).collect();
        Self { row: header.edge.clone(), codes, nodes: nodes as u32, node_width: header.node.width as u64, edges: Edges::default() }
    }
}

impl Block for EdgeBlock {
    fn fresh(&self) -> Self {
        Self { row: self.row.clone(), codes: self.codes.clone(), edges: Edges::default(), ..*self }
    }

    #[inline]
    fn push(&mut self, row: &[u64]) {
        let to = row[self.row.to] / self.node_width;
        let kind = self.codes.get(row[self.row.kind] as usize).copied().unwrap_or(code::OTHER << TARGET_BITS);
        self.edges.to.push(if to < u64::from(self.nodes) { to as u32 | kind } else { code::BROKEN << TARGET_BITS });
        self.edges.name.push(narrow(row[self.row.name]));
    }
}

/// Moves the edges of `blocks` behind those of `edges`.
pub(super) fn append_edges(edges: &mut Edges, blocks: &mut [EdgeBlock]) {
    let added = blocks.iter().map(|b| b.edges.to.len()).sum();
    let Edges { to, name } = edges;
    together(added, [&mut || extend(to, blocks, |b| &b.edges.to), &mut || extend(name, blocks, |b| &b.edges.name)]);
    for block in blocks {
        block.edges.to.clear();
        block.edges.name.clear();
    }
}

/// Some locations.
#[derive(Debug)]
pub(super) struct LocationBlock {
    row: LocationRow,
    nodes: u64,
    node_width: u64,
    locations: Vec<Location>,
}

impl LocationBlock {
    /// For locations of `nodes` nodes; `None` when the header does not say what they look like.
    pub fn new(header: &Header, nodes: usize) -> Option<Self> {
        Some(Self { row: header.location.clone()?, nodes: nodes as u64, node_width: header.node.width as u64, locations: Vec::new() })
    }

    /// Numbers in a row.
    pub fn width(&self) -> usize {
        self.row.width
    }
}

impl Block for LocationBlock {
    fn fresh(&self) -> Self {
        Self { row: self.row.clone(), locations: Vec::new(), ..*self }
    }

    fn push(&mut self, row: &[u64]) {
        let f = &self.row;
        let node = row[f.object] / self.node_width;
        if node < self.nodes {
            self.locations.push(Location {
                node: NodeIx(node as u32),
                script: narrow(row[f.script]),
                line: narrow(row[f.line]),
                column: narrow(row[f.column]),
            });
        }
    }
}

/// Moves the locations of `blocks` behind the others.
pub(super) fn append_locations(locations: &mut Vec<Location>, blocks: &mut [LocationBlock]) {
    for block in blocks {
        locations.append(&mut block.locations);
    }
}

fn narrow(value: u64) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

fn extend<T: Copy, B>(column: &mut Vec<T>, blocks: &[B], of: impl Fn(&B) -> &[T]) {
    for block in blocks {
        column.extend_from_slice(of(block));
    }
}

/// Runs `work`, at the same time when there is enough of it.
fn together<const N: usize>(rows: usize, work: [&mut (dyn FnMut() + Send); N]) {
    if rows < WORTH_SHARING || rayon::current_num_threads() == 1 {
        work.into_iter().for_each(|w| w());
    } else {
        rayon::scope(|scope| {
            for w in work {
                scope.spawn(|_| w());
            }
        });
    }
}
