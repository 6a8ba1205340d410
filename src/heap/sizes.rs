//! Sizes: what a node weighs alone after backing stores have been given to their owners, and how the heap divides.
//!
//! Source: `calculateShallowSizes` and `calculateStatistics` of DevTools' `HeapSnapshot.ts` (chrome-devtools-frontend 1.0.1705227).

use super::bits::{Bits, Ranked};
use super::column::Sizes;
use super::format::{EdgeKind, NodeKind, code};
use super::ids::NodeIx;
use super::snapshot::{Label, Snapshot, TARGET, TARGET_BITS};

const UNOWNED: u32 = u32::MAX;
const SHARED: u32 = u32::MAX - 1;

/// Gives the size of each backing store to the one object that owns it. Only for normal snapshots.
///
/// Few nodes can be owned by others; which, is a set of bits that fits into the cache, so most edges are done with one look.
pub(super) fn transfer(snapshot: &Snapshot) -> Sizes {
    let n = snapshot.node_count();
    let external = snapshot.strings.find("system / ExternalStringData").map(|s| s.0);
    let mut stores = Bits::new(n);
    for i in 0..n {
        match snapshot.kind_at(i as u32) {
            NodeKind::Hidden | NodeKind::Array => stores.put(i),
            NodeKind::Native if Some(snapshot.nodes.name[i]) == external => stores.put(i),
            _ => false,
        };
    }
    let stores = Ranked::of(stores);
    let mut owner = vec![UNOWNED; stores.count()];
    let mut stack = Vec::new();
    for i in (0..n).filter(|&i| stores.rank(i).is_none()) {
        stack.push((i as u32, i as u32));
        while let Some((v, mine)) = stack.pop() {
            let (from, to) = snapshot.edge_range(v as usize);
            for &packed in &snapshot.edges.to[from..to] {
                let w = packed & TARGET;
                let Some(rank) = stores.rank(w as usize) else { continue };
                let theirs = owner[rank];
                if theirs == mine || theirs == SHARED || matches!(packed >> TARGET_BITS, code::WEAK | code::BROKEN) {
                    continue;
                }
                owner[rank] = if theirs == UNOWNED { mine } else { SHARED };
                stack.push((w, owner[rank]));
            }
        }
    }
    let mut sizes = snapshot.nodes.size.clone();
    for i in 0..n {
        let Some(rank) = stores.rank(i) else { continue };
        let to = owner[rank];
        if to >= SHARED || to == snapshot.root || snapshot.kind_at(to) == NodeKind::Synthetic {
            continue;
        }
        let moved = sizes.get(i);
        sizes.set(i, 0);
        sizes.set(to as usize, sizes.get(to as usize).saturating_add(moved));
    }
    sizes
}

/// How the heap divides, in bytes: DevTools' statistics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    /// All of it, native memory in.
    pub total: u64,
    /// Native objects and bytes outside the heap.
    pub native: u64,
    /// Contents of array buffers, a part of `native`.
    pub typed_arrays: u64,
    /// Code, bytecode, scripts.
    pub code: u64,
    /// Strings of all makes.
    pub strings: u64,
    /// Arrays with their elements.
    pub arrays: u64,
    /// V8's own.
    pub system: u64,
}

impl Statistics {
    /// What is none of the others.
    pub fn other(&self) -> u64 {
        self.total.saturating_sub(self.native + self.code + self.strings + self.arrays + self.system)
    }
}

/// Adds up.
pub(super) fn statistics(snapshot: &Snapshot, shallow: &Sizes) -> Statistics {
    let extra = snapshot.header.extra_native_bytes;
    let mut s = Statistics { total: extra, native: extra, ..Statistics::default() };
    let found = snapshot.strings.find_all(&["system / JSArrayBufferData", "Array", "elements"]);
    let [data, array, elements] = [found[0], found[1], found[2]];
    let mut stores = Vec::new();
    for node in snapshot.nodes() {
        let size = shallow.get(node.index());
        s.total += size;
        match snapshot.kind(node) {
            NodeKind::Hidden => s.system += size,
            NodeKind::Native => {
                s.native += size;
                if Some(snapshot.name_ix(node)) == data {
                    s.typed_arrays += size;
                }
            }
            NodeKind::Code => s.code += size,
            kind if kind.is_string() => s.strings += size,
            _ if Some(snapshot.name_ix(node)) == array && array.is_some() => {
                s.arrays += size;
                if let Some(elements) = elements
                    && let Some(store) = snapshot.edges(node).find(|e| e.kind == EdgeKind::Internal && e.label == Label::Name(elements))
                {
                    stores.push(store.to);
                }
            }
            _ => {}
        }
    }
    // A store counts only when nothing else refers to it: one pass over all edges instead of an index of retainers.
    stores.retain(|s| shallow.get(s.index()) != 0);
    if !stores.is_empty() {
        let mut retainers = vec![0u8; snapshot.node_count()];
        for &packed in &snapshot.edges.to {
            if packed >> TARGET_BITS != code::BROKEN {
                let count = &mut retainers[(packed & TARGET) as usize];
                *count = count.saturating_add(1);
            }
        }
        s.arrays += stores.iter().filter(|s| retainers[s.index()] == 1).map(|s: &NodeIx| shallow.get(s.index())).sum::<u64>();
    }
    s
}
