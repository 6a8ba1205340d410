//! Detached native objects: the state that the embedder has told for some is passed on to what they hold.
//!
//! Source: `propagateDOMState` of DevTools' `HeapSnapshot.ts` (chrome-devtools-frontend 1.0.1705227). Node writes no such state, so
//! this costs nothing there.

use rustc_hash::FxHashMap;

use super::format::{NodeKind, code};
use super::snapshot::{Snapshot, TARGET, TARGET_BITS};

const ATTACHED: u8 = 1;
const DETACHED: u8 = 2;

/// The nodes that get the prefix `Detached `, in order.
pub(super) fn renamed(snapshot: &Snapshot) -> Vec<u32> {
    let mut marks = Marks::default();
    for &(node, state) in &snapshot.nodes.detached {
        marks.visit(snapshot, node, state);
    }
    while let Some(node) = marks.attached.pop() {
        marks.pass_on(snapshot, node, ATTACHED);
    }
    while let Some(node) = marks.detached.pop() {
        if marks.state.get(&node) == Some(&DETACHED) {
            marks.pass_on(snapshot, node, DETACHED);
        }
    }
    marks.renamed.sort_unstable();
    marks.renamed
}

#[derive(Default)]
struct Marks {
    /// Every node that was met.
    state: FxHashMap<u32, u8>,
    attached: Vec<u32>,
    detached: Vec<u32>,
    renamed: Vec<u32>,
}

impl Marks {
    fn visit(&mut self, snapshot: &Snapshot, node: u32, state: u8) {
        if self.state.contains_key(&node) {
            return;
        }
        self.state.insert(node, state);
        if snapshot.kind_at(node) != NodeKind::Native {
            return;
        }
        match state {
            ATTACHED => self.attached.push(node),
            DETACHED => {
                self.renamed.push(node);
                self.detached.push(node);
            }
            _ => {}
        }
    }

    fn pass_on(&mut self, snapshot: &Snapshot, node: u32, state: u8) {
        let (from, to) = snapshot.edge_range(node as usize);
        for &packed in &snapshot.edges.to[from..to] {
            if !matches!(packed >> TARGET_BITS, code::HIDDEN | code::WEAK | code::BROKEN) {
                self.visit(snapshot, packed & TARGET, state);
            }
        }
    }
}
