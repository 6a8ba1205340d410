//! Where in the newest snapshot the structures are that rules look for: one pass over all edges, shared by the rules.

use crate::heap::analysis::Analysis;
use crate::heap::format::code;
use crate::heap::ids::EdgeIx;
use crate::heap::snapshot::{Edge, TARGET, TARGET_BITS};

/// Backing stores below this many bytes hold too few entries to matter (1,000 slots of 8 bytes).
const TABLE: u64 = 8_000;

/// References that lead to structures, each list in the order of the file.
#[derive(Debug, Default)]
pub(super) struct Census {
    /// `_events`: from an `EventEmitter` to its listeners by event.
    pub emitters: Vec<Edge>,
    /// `<symbol kEvents>`: from an `EventTarget` to its listeners by event.
    pub targets: Vec<Edge>,
    /// `<symbol kResourceStore>` (Node 16 to 22): from a resource to what it keeps of `AsyncLocalStorage`.
    pub stores: Vec<Edge>,
    /// `parameters_and_registers`: from a suspended generator or async function to its locals.
    pub frames: Vec<Edge>,
    /// `reactions_or_result`: from a promise to what waits for it, or to its result.
    pub promises: Vec<Edge>,
    /// `table` and `elements`: from a Map, Set or array to a store of at least 1,000 slots.
    pub tables: Vec<Edge>,
    /// `backing_store`: from an `ArrayBuffer` to its bytes outside the heap.
    pub buffers: Vec<Edge>,
}

impl Census {
    pub fn of(a: &Analysis) -> Self {
        const NAMES: [&str; 8] = [
            "_events",
            "<symbol kEvents>",
            "<symbol kResourceStore>",
            "parameters_and_registers",
            "reactions_or_result",
            "table",
            "elements",
            "backing_store",
        ];
        let snapshot = a.snapshot();
        let found = snapshot.strings().find_all(&NAMES);
        let (names, whats): (Vec<u32>, Vec<usize>) = found.into_iter().enumerate().filter_map(|(n, s)| Some((s?.0, n))).unzip();
        let hits = snapshot.edges.name.find(&names).into_iter().filter_map(|(e, k)| {
            let packed = snapshot.edges.to[e as usize];
            if !matches!(packed >> TARGET_BITS, code::PROPERTY | code::INTERNAL) {
                return None;
            }
            let what = whats[k];
            let big = || snapshot.nodes.size.get((packed & TARGET) as usize) >= TABLE;
            (!matches!(what, 5 | 6) || big()).then_some((e, what))
        });
        let mut census = Self::default();
        for (e, what) in hits {
            let edge = snapshot.edge(EdgeIx(e));
            match what {
                0 => &mut census.emitters,
                1 => &mut census.targets,
                2 => &mut census.stores,
                3 => &mut census.frames,
                4 => &mut census.promises,
                5 | 6 => &mut census.tables,
                _ => &mut census.buffers,
            }
            .push(edge);
        }
        census
    }
}
