//! Edges backwards: who refers to an object.

use super::ids::{EdgeIx, NodeIx};
use super::snapshot::{Snapshot, TARGET};

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
