//! The depth-first search from the root over retaining edges. It numbers the nodes for the dominators, sorts the other edges by where
//! they lead, and finds out on the way which nodes are page-owned.
//!
//! What the global objects reach is searched first. All of that is page-owned, so while it lasts no edge is refused for ownership, and no
//! search of its own is needed to find the owned nodes. The dominator tree is the same for any order of the search.

use std::ops::Range;

use super::bits::Bits;
use super::essential::{Rules, dom_trees, starts_ownership};
use super::format::code;
use super::progress::{Phase, Progress, Stop, check};
use super::snapshot::{Snapshot, TARGET, TARGET_BITS};

/// No number, no node.
pub(super) const NONE: u32 = u32::MAX;
/// Numbers with the same high bits share a bucket, whose tables fit into the second-level cache.
pub(super) const BUCKET_BITS: u32 = 16;
/// What the search meets first is what most edges lead to: the first bucket is divided further.
const FIRST_BITS: u32 = 8;
const FIRST: u32 = 1 << (BUCKET_BITS - FIRST_BITS);

/// Nodes in the order in which the search meets them, and the edges that are not in its tree.
#[derive(Debug)]
pub(super) struct Walk {
    /// Node of each number. The root has number 0; what nothing reaches comes last.
    pub order: Vec<u32>,
    /// Number of each number's parent.
    pub parent: Vec<u32>,
    /// Smallest number from which an edge leads straight to this number, of those that are its ancestors.
    pub semi: Vec<u32>,
    /// Numbers below this were met by the search.
    pub reached: usize,
    /// Edges that lead to a smaller number, by target.
    pub backward: Backward,
    pub rules: Rules,
}

/// The edges that lead to smaller numbers, by buckets of targets. All stand in one store, in pages that belong to a bucket each: lists of
/// their own would be copied when they grow, leave half of their memory unused, and not give it back.
#[derive(Debug)]
pub(super) struct Backward {
    from: Vec<u32>,
    /// Low bits of the target's number.
    to: Vec<u16>,
    buckets: Vec<Bucket>,
}

#[derive(Clone, Debug, Default)]
struct Bucket {
    /// Where each page begins.
    pages: Vec<u32>,
    /// Where the next edge goes, and where the last page ends.
    next: u32,
    end: u32,
}

impl Backward {
    /// Edges in a page.
    const PAGE: usize = 1024;

    /// For `n` numbers and at most `edges` edges.
    fn new(n: usize, edges: usize) -> Self {
        let buckets = vec![Bucket::default(); bucket(n as u32) + 1];
        // Memory that is reserved and never touched costs nothing.
        let most = edges + buckets.len() * Self::PAGE;
        let (mut from, mut to) = (Vec::new(), Vec::new());
        let _ = (from.try_reserve_exact(most), to.try_reserve_exact(most));
        Self { from, to, buckets }
    }

    #[inline]
    fn push(&mut self, from: u32, to: u32) {
        let bucket = &mut self.buckets[bucket(to)];
        if bucket.next == bucket.end {
            bucket.next = self.from.len() as u32;
            bucket.end = bucket.next + Self::PAGE as u32;
            bucket.pages.push(bucket.next);
            self.from.resize(bucket.end as usize, 0);
            self.to.resize(bucket.end as usize, 0);
        }
        self.from[bucket.next as usize] = from;
        self.to[bucket.next as usize] = to as u16;
        bucket.next += 1;
    }

    /// How many buckets there are.
    pub fn buckets(&self) -> usize {
        self.buckets.len()
    }

    /// The numbers of bucket `b`.
    pub fn numbers(b: usize) -> Range<usize> {
        if b < FIRST as usize {
            b << FIRST_BITS..(b + 1) << FIRST_BITS
        } else {
            let b = b + 1 - FIRST as usize;
            b << BUCKET_BITS..(b + 1) << BUCKET_BITS
        }
    }

    /// Target (its low [`BUCKET_BITS`]) and source of each edge of bucket `b`.
    pub fn edges(&self, b: usize) -> impl Iterator<Item = (u16, u32)> + '_ {
        let bucket = &self.buckets[b];
        bucket.pages.iter().flat_map(move |&at| {
            let end = at + Self::PAGE as u32;
            let page = at as usize..if end == bucket.end { bucket.next } else { end } as usize;
            self.to[page.clone()].iter().copied().zip(self.from[page].iter().copied())
        })
    }
}

#[inline]
fn bucket(number: u32) -> usize {
    let high = number >> BUCKET_BITS;
    (if high == 0 { number >> FIRST_BITS } else { high + FIRST - 1 }) as usize
}

struct Search<'a> {
    snapshot: &'a Snapshot,
    progress: &'a dyn Progress,
    number: Vec<u32>,
    order: Vec<u32>,
    parent: Vec<u32>,
    semi: Vec<u32>,
    backward: Backward,
    /// Numbers from 1 to below this are page-owned.
    owned_below: u32,
    /// Page-owned nodes beyond those.
    also_owned: Bits,
    /// Targets of edges that pass ownership on and do not retain.
    loose: Vec<u32>,
}

/// A node whose edges are being followed.
struct Frame {
    number: u32,
    edge: u32,
    end: u32,
    owned: bool,
}

impl Walk {
    /// Searches the whole snapshot.
    pub fn of(snapshot: &Snapshot, progress: &dyn Progress) -> Result<Self, Stop> {
        let n = snapshot.node_count();
        let mut search = Search {
            snapshot,
            progress,
            number: vec![NONE; n],
            order: Vec::with_capacity(n),
            parent: Vec::with_capacity(n),
            semi: Vec::with_capacity(n),
            backward: Backward::new(n, snapshot.edge_count()),
            owned_below: 0,
            also_owned: Bits::default(),
            loose: Vec::new(),
        };
        search.visit(snapshot.root, 0);
        let dom_trees = dom_trees(snapshot);
        let (from, to) = snapshot.edge_range(snapshot.root as usize);
        for e in from..to {
            if starts_ownership(snapshot, e, dom_trees) {
                search.follow::<false>(Frame { number: 0, edge: e as u32, end: e as u32 + 1, owned: true })?;
            }
        }
        search.end_of_owned();
        search.follow::<true>(Frame { number: 0, edge: from as u32, end: to as u32, owned: true })?;
        search.orphans()?;
        Ok(search.finish())
    }
}

impl Search<'_> {
    fn visit(&mut self, node: u32, parent: u32) -> u32 {
        let number = self.order.len() as u32;
        self.number[node as usize] = number;
        self.order.push(node);
        self.parent.push(parent);
        self.semi.push(parent);
        number
    }

    /// Follows the edges of `frame` and all that they lead to. `CHECK` looks at ownership.
    fn follow<const CHECK: bool>(&mut self, frame: Frame) -> Result<(), Stop> {
        let snapshot = self.snapshot;
        let (targets, first) = (&snapshot.edges.to[..], &snapshot.nodes.first_edge[..]);
        let mut stack = Vec::with_capacity(1024);
        let mut top = frame;
        loop {
            let mut deeper = None;
            while top.edge < top.end {
                let packed = targets[top.edge as usize];
                top.edge += 1;
                let kind = packed >> TARGET_BITS;
                let w = packed & TARGET;
                // Weak, broken, a weak map's second edge; a shortcut that is not the root's.
                if kind >= code::SHORTCUT && self.is_refused(kind, w, top.number) {
                    continue;
                }
                let number = self.number[w as usize];
                if number == NONE {
                    if CHECK && !top.owned && self.also_owned.has(w as usize) {
                        continue;
                    }
                    let number = self.visit(w, top.number);
                    let (edge, end) = (first[w as usize], first[w as usize + 1]);
                    if edge < end {
                        let owned = !CHECK || self.also_owned.has(w as usize);
                        deeper = Some(Frame { number, edge, end, owned });
                        break;
                    }
                    continue;
                }
                if CHECK && !top.owned && (number < self.owned_below || self.also_owned.has(w as usize)) {
                    continue;
                }
                if number > top.number {
                    let semi = &mut self.semi[number as usize];
                    *semi = (*semi).min(top.number);
                } else if number != top.number && number != 0 {
                    self.backward.push(top.number, number);
                }
            }
            if let Some(frame) = deeper {
                if frame.number & 0x7_ffff == 0 {
                    check(self.progress, Phase::Dominators, 0.5 * frame.number as f32 / self.number.len() as f32)?;
                }
                stack.push(std::mem::replace(&mut top, frame));
            } else if let Some(below) = stack.pop() {
                top = below;
            } else {
                return Ok(());
            }
        }
    }

    #[inline(never)]
    fn is_refused(&mut self, kind: u32, to: u32, from: u32) -> bool {
        match kind {
            code::WEAK | code::BROKEN => true,
            code::SHORTCUT if from == 0 => false,
            code::PAIR_TABLE | code::SHORTCUT => {
                if self.owned_below == 0 {
                    self.loose.push(to);
                }
                true
            }
            _ => false,
        }
    }

    /// All that was met so far is page-owned, and what it holds without retaining it, with all that this reaches.
    fn end_of_owned(&mut self) {
        self.owned_below = self.order.len() as u32;
        self.also_owned = Bits::new(self.number.len());
        let mut stack = std::mem::take(&mut self.loose);
        if self.owned_below == 1 {
            return;
        }
        stack.retain(|&w| self.number[w as usize] == NONE && self.also_owned.put(w as usize));
        while let Some(v) = stack.pop() {
            let (from, to) = self.snapshot.edge_range(v as usize);
            for &packed in &self.snapshot.edges.to[from..to] {
                let w = (packed & TARGET) as usize;
                if !matches!(packed >> TARGET_BITS, code::WEAK | code::BROKEN) && self.number[w] == NONE && self.also_owned.put(w) {
                    stack.push(w as u32);
                }
            }
        }
    }

    fn owns(&self, node: u32) -> bool {
        (1..self.owned_below).contains(&self.number[node as usize]) || self.also_owned.has(node as usize)
    }

    /// Nodes that nothing retains hang under the root, with all that they reach.
    fn orphans(&mut self) -> Result<(), Stop> {
        let snapshot = self.snapshot;
        let n = self.number.len();
        if self.order.len() == n {
            return Ok(());
        }
        // No retaining edge leads from the reached to the others, so only the edges of the others are looked at.
        let others: Vec<u32> = (0..n as u32).filter(|&v| self.number[v as usize] == NONE).collect();
        let mut held = Bits::new(n);
        for &v in &others {
            let (from, to) = snapshot.edge_range(v as usize);
            for &packed in &snapshot.edges.to[from..to] {
                let w = packed & TARGET;
                let refused = matches!(packed >> TARGET_BITS, code::WEAK | code::BROKEN | code::PAIR_TABLE | code::SHORTCUT) || w == v;
                if !refused && (self.owns(v) || !self.owns(w)) {
                    held.put(w as usize);
                }
            }
        }
        for &v in &others {
            if self.number[v as usize] == NONE && !held.has(v as usize) {
                let number = self.visit(v, 0);
                let (from, to) = snapshot.edge_range(v as usize);
                let owned = self.also_owned.has(v as usize);
                self.follow::<true>(Frame { number, edge: from as u32, end: to as u32, owned })?;
            }
        }
        Ok(())
    }

    fn finish(mut self) -> Walk {
        let reached = self.order.len();
        for v in 0..self.number.len() as u32 {
            if reached == self.number.len() {
                break;
            }
            if self.number[v as usize] == NONE {
                self.order.push(v);
            }
        }
        let mut page_owned = self.also_owned;
        for &v in self.order[..self.owned_below as usize].iter().skip(1) {
            page_owned.put(v as usize);
        }
        let rules = Rules { root: self.snapshot.root, page_owned };
        Walk { order: self.order, parent: self.parent, semi: self.semi, reached, backward: self.backward, rules }
    }
}
