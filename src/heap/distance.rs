//! Distance from the roots: how many references away an object is.
//!
//! Source: `calculateDistances` of DevTools' `HeapSnapshot.ts` (chrome-devtools-frontend 1.0.1705227).

use rustc_hash::FxHashSet;

use super::bits::Bits;
use super::column::{Distances, SYSTEM_DISTANCE};
use super::essential::Pairs;
use super::format::{NodeKind, code};
use super::progress::{Phase, Progress, Stop, check};
use super::snapshot::{Label, Snapshot, TARGET, TARGET_BITS};

/// The distance of each node.
pub(super) fn distances(snapshot: &Snapshot, pairs: &Pairs, user_roots: &[u32], progress: &dyn Progress) -> Result<Distances, Stop> {
    let n = snapshot.node_count();
    let mut bfs = Bfs {
        snapshot,
        pairs,
        filter: Filter::of(snapshot),
        pending: FxHashSet::default(),
        met: Bits::new(n),
        distance: Distances::unreached(n),
    };
    let mut queue = Vec::new();
    for &root in user_roots {
        if bfs.met.put(root as usize) {
            bfs.distance.set(root as usize, 1);
            queue.push(root);
        }
    }
    bfs.run(queue, progress)?;
    bfs.met.put(snapshot.root as usize);
    bfs.distance.set(snapshot.root as usize, if user_roots.is_empty() { 0 } else { SYSTEM_DISTANCE });
    bfs.run(vec![snapshot.root], progress)?;
    Ok(bfs.distance)
}

struct Bfs<'a> {
    snapshot: &'a Snapshot,
    pairs: &'a Pairs,
    filter: Filter,
    /// Entries of weak maps that were met once: the second of key and table sets the distance.
    pending: FxHashSet<u32>,
    /// Nodes that have a distance: asked for each edge, and small enough for the cache.
    met: Bits,
    distance: Distances,
}

impl Bfs<'_> {
    /// Level by level, so that only two of them are in memory.
    fn run(&mut self, mut level: Vec<u32>, progress: &dyn Progress) -> Result<(), Stop> {
        let snapshot = self.snapshot;
        let mut next = Vec::new();
        let mut done = 0usize;
        while !level.is_empty() {
            let reported = done >> 20;
            for &v in &level {
                let distance = self.distance.get(v as usize) + 1;
                let (from, to) = snapshot.edge_range(v as usize);
                let filter = self.filter.at(snapshot, v);
                for e in from..to {
                    let packed = snapshot.edges.to[e];
                    let kind = packed >> TARGET_BITS;
                    let w = packed & TARGET;
                    if matches!(kind, code::WEAK | code::BROKEN) || self.met.has(w as usize) {
                        continue;
                    }
                    match filter {
                        Special::None => {
                            if kind >= code::PAIR_TABLE && !self.second_of_pair(snapshot.edges.name.get(e)) {
                                continue;
                            }
                        }
                        special => {
                            if !self.passes(special, e) {
                                continue;
                            }
                        }
                    }
                    self.met.put(w as usize);
                    self.distance.set(w as usize, distance);
                    next.push(w);
                }
            }
            done += level.len();
            level.clear();
            std::mem::swap(&mut level, &mut next);
            if done >> 20 != reported {
                check(progress, Phase::Distances, done as f32 / snapshot.node_count() as f32)?;
            }
        }
        Ok(())
    }

    #[cold]
    fn second_of_pair(&mut self, name: u32) -> bool {
        let Some(pair) = self.pairs.number(name) else { return true };
        self.pending.remove(&pair) || !self.pending.insert(pair)
    }

    #[cold]
    fn passes(&mut self, special: Special, e: usize) -> bool {
        let edge = self.snapshot.edge_from(super::ids::NodeIx(0), e);
        let pair = || self.snapshot.edges.to[e] >> TARGET_BITS >= code::PAIR_TABLE;
        match special {
            Special::NativeContext if self.filter.is_sloppy(edge.label) => false,
            Special::Descriptors => {
                let index = match edge.label {
                    Label::Index(i) => Some(u64::from(i)),
                    Label::Name(name) => parse_int(&self.snapshot.strings.get(name)),
                };
                index.is_none_or(|i| i < 2 || i % 3 != 1)
            }
            Special::NativeContext | Special::None => !pair() || self.second_of_pair(self.snapshot.edges.name.get(e)),
        }
    }
}

/// `parseInt` as far as names of edges need it.
fn parse_int(text: &str) -> Option<u64> {
    let digits = text.trim_start();
    let end = digits.bytes().take_while(u8::is_ascii_digit).count();
    digits[..end].parse().ok()
}

#[derive(Clone, Copy)]
enum Special {
    None,
    NativeContext,
    Descriptors,
}

/// The two kinds of node some of whose edges lead astray.
struct Filter {
    context: Option<u32>,
    sloppy: Option<u32>,
    descriptors: Option<u32>,
}

impl Filter {
    fn of(snapshot: &Snapshot) -> Self {
        let found = snapshot.strings.find_all(&["system / NativeContext", "sloppy_function_map", "(map descriptors)"]);
        Self { context: found[0].map(|s| s.0), sloppy: found[1].map(|s| s.0), descriptors: found[2].map(|s| s.0) }
    }

    #[inline]
    fn at(&self, snapshot: &Snapshot, node: u32) -> Special {
        let name = Some(snapshot.nodes.name[node as usize]);
        if name == self.descriptors && snapshot.kind_at(node) == NodeKind::Array {
            Special::Descriptors
        } else if name == self.context && snapshot.kind_at(node) == NodeKind::Hidden {
            Special::NativeContext
        } else {
            Special::None
        }
    }

    fn is_sloppy(&self, label: Label) -> bool {
        matches!(label, Label::Name(name) if Some(name.0) == self.sloppy)
    }
}
