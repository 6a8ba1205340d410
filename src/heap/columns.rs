//! From rows of numbers to columns: what each field of a row becomes.

use super::column::Sizes;
use super::format::{EdgeRow, Header, LocationRow, NodeRow, code};
use super::ids::NodeIx;
use super::rows::Block;
use super::snapshot::{Edges, Location, Nodes, TARGET_BITS};

/// Columns are appended by several threads from this many rows on.
const WORTH_SHARING: usize = 64 << 10;

/// Some nodes.
#[derive(Debug)]
pub(super) struct NodeBlock {
    row: NodeRow,
    kind: Vec<u8>,
    name: Vec<u32>,
    id: Vec<u32>,
    size: Sizes,
    edges: Vec<u32>,
    detached: Vec<(u32, u8)>,
    trace: Vec<u32>,
}

impl NodeBlock {
    pub fn new(header: &Header) -> Self {
        Self::of(header.node.clone())
    }

    fn of(row: NodeRow) -> Self {
        Self {
            row,
            kind: Vec::new(),
            name: Vec::new(),
            id: Vec::new(),
            size: Sizes::default(),
            edges: Vec::new(),
            detached: Vec::new(),
            trace: Vec::new(),
        }
    }
}

/// Bytes: no object is a terabyte. A damaged or hostile file must not overflow the sums of sizes.
const MOST: u64 = 1 << 40;

impl Block for NodeBlock {
    fn fresh(&self) -> Self {
        Self::of(self.row.clone())
    }

    #[inline]
    fn push(&mut self, row: &[u64]) {
        let f = &self.row;
        if let Some(at) = f.detachedness
            && row[at] != 0
        {
            self.detached.push((self.kind.len() as u32, row[at].min(255) as u8));
        }
        if let Some(at) = f.trace_node {
            self.trace.push(narrow(row[at]));
        }
        self.kind.push(row[f.kind].min(255) as u8);
        self.name.push(narrow(row[f.name]));
        self.id.push(narrow(row[f.id]));
        self.size.push(row[f.self_size].min(MOST));
        self.edges.push(narrow(row[f.edge_count]));
    }
}

/// Moves the nodes of `blocks` behind those of `nodes`.
pub(super) fn append_nodes(nodes: &mut Nodes, blocks: &mut [NodeBlock]) {
    let before = nodes.kind.len();
    let mut at = before as u32;
    for block in &*blocks {
        nodes.detached.extend(block.detached.iter().map(|&(ix, state)| (at + ix, state)));
        nodes.trace.extend_from_slice(&block.trace);
        at += block.kind.len() as u32;
    }
    let Nodes { kind, name, id, size, first_edge, .. } = nodes;
    let read = &*blocks;
    together(
        at as usize - before,
        [
            &mut || {
                extend(kind, read, |b| &b.kind);
                extend(first_edge, read, |b| &b.edges);
                extend(name, read, |b| &b.name);
                read.iter().for_each(|b| size.append(&b.size));
            },
            &mut || read.iter().flat_map(|b| &b.id).for_each(|&i| id.push(i)),
        ],
    );
    for block in blocks {
        block.kind.clear();
        block.name.clear();
        block.id.clear();
        block.size.clear();
        block.edges.clear();
        block.detached.clear();
        block.trace.clear();
    }
}

/// Some edges.
#[derive(Debug)]
pub(super) struct EdgeBlock {
    row: EdgeRow,
    codes: Vec<u32>,
    nodes: u32,
    node_width: u64,
    /// 2^64 / `node_width`, rounded up: multiplication instead of division, exact for what fits into 32 bits.
    reciprocal: u64,
    to: Vec<u32>,
    name: Vec<u32>,
}

impl EdgeBlock {
    /// For edges between `nodes` nodes.
    pub fn new(header: &Header, nodes: usize) -> Self {
        let node_width = header.node.width as u64;
        let codes = header.edge_codes.iter().map(|&c| u32::from(c) << TARGET_BITS).collect();
        Self {
            row: header.edge.clone(),
            codes,
            nodes: nodes as u32,
            node_width,
            reciprocal: u64::MAX / node_width + 1,
            to: Vec::new(),
            name: Vec::new(),
        }
    }
}

impl EdgeBlock {
    #[inline]
    fn node_of(&self, index: u64) -> u64 {
        if index >> 32 == 0 { ((u128::from(index) * u128::from(self.reciprocal)) >> 64) as u64 } else { index / self.node_width }
    }
}

impl Block for EdgeBlock {
    fn fresh(&self) -> Self {
        Self { row: self.row.clone(), codes: self.codes.clone(), to: Vec::new(), name: Vec::new(), ..*self }
    }

    #[inline]
    fn push(&mut self, row: &[u64]) {
        let to = self.node_of(row[self.row.to]);
        let kind = self.codes.get(row[self.row.kind] as usize).copied().unwrap_or(code::OTHER << TARGET_BITS);
        self.to.push(if to < u64::from(self.nodes) { to as u32 | kind } else { code::BROKEN << TARGET_BITS });
        self.name.push(narrow(row[self.row.name]));
    }
}

/// Moves the edges of `blocks` behind those of `edges`.
pub(super) fn append_edges(edges: &mut Edges, blocks: &mut [EdgeBlock]) {
    let added = blocks.iter().map(|b| b.to.len()).sum();
    let Edges { to, name } = edges;
    let read = &*blocks;
    let is_number = |packed: u32| matches!(packed >> TARGET_BITS, code::ELEMENT | code::HIDDEN);
    together(
        added,
        [&mut || extend(to, read, |b| &b.to), &mut || {
            for block in read {
                name.extend(block.name.iter().zip(&block.to).map(|(&name, &to)| (name, is_number(to))));
            }
        }],
    );
    for block in blocks {
        block.to.clear();
        block.name.clear();
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
