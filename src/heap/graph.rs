//! Edges backwards: who refers to an object.

use rayon::prelude::*;
use rustc_hash::FxHashMap;

use super::bits::Bits;
use super::ids::{EdgeIx, NodeIx};
use super::snapshot::{Snapshot, TARGET};

/// Edges that one thread looks through at a time.
const STRETCH: usize = 1 << 20;

/// For each node the edges that lead to it, last edge of the file first, as DevTools keeps them.
#[derive(Debug)]
pub(super) struct Retainers {
    first: Vec<u32>,
    edge: Vec<u32>,
}

impl Retainers {
    pub fn of(snapshot: &Snapshot) -> Self {
        let mut first = vec![0u32; snapshot.node_count() + 1];
        for &packed in &snapshot.edges.to {
            first[(packed & TARGET) as usize] += 1;
        }
        let mut sum = 0;
        for count in &mut first {
            sum += *count;
            *count = sum;
        }
        // Filled from the end of each node's slots, so the last edge comes first.
        let mut edge = vec![0u32; sum as usize];
        for (e, &packed) in snapshot.edges.to.iter().enumerate() {
            let slot = &mut first[(packed & TARGET) as usize];
            *slot -= 1;
            edge[*slot as usize] = e as u32;
        }
        Self { first, edge }
    }

    pub fn of_node(&self, node: NodeIx) -> impl ExactSizeIterator<Item = EdgeIx> + Clone + '_ {
        self.edge[self.first[node.index()] as usize..self.first[node.index() + 1] as usize].iter().map(|&e| EdgeIx(e))
    }
}

/// The last `most` edges to each of `nodes`, last first: [`Retainers`] of a few, without the index.
pub(super) fn last_retainers(snapshot: &Snapshot, nodes: impl IntoIterator<Item = NodeIx>, most: usize) -> FxHashMap<u32, Vec<u32>> {
    let mut wanted = Bits::new(snapshot.node_count());
    let mut found: FxHashMap<u32, Vec<u32>> = FxHashMap::default();
    for node in nodes {
        wanted.put(node.index());
        found.insert(node.0, Vec::new());
    }
    if found.is_empty() {
        return found;
    }
    let stretches: Vec<FxHashMap<u32, Vec<u32>>> = snapshot
        .edges
        .to
        .par_chunks(STRETCH)
        .enumerate()
        .map(|(k, stretch)| {
            let mut here: FxHashMap<u32, Vec<u32>> = FxHashMap::default();
            for (i, &packed) in stretch.iter().enumerate().rev() {
                if wanted.has((packed & TARGET) as usize) {
                    let edges = here.entry(packed & TARGET).or_default();
                    if edges.len() < most {
                        edges.push((k * STRETCH + i) as u32);
                    }
                }
            }
            here
        })
        .collect();
    for stretch in stretches.iter().rev() {
        for (node, edges) in stretch {
            let list = found.entry(*node).or_default();
            list.extend(edges.iter().take(most - list.len()));
        }
    }
    found
}
