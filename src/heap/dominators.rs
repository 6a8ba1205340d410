//! Immediate dominators by semi-NCA, without recursion.
//!
//! Source: L. Georgiadis, R. Tarjan, R. Werneck, "Finding Dominators in Practice", JGAA 10(1), 2006. Differences, for speed:
//! edges from an ancestor are used up while the search runs, the others are grouped by target in buckets that fit into the cache, and
//! the compressed paths carry the smallest semidominator itself, since semi-NCA asks for nothing else.
//!
//! The last step, in which a node climbs the tree found so far to its semidominator, is quadratic on hostile graphs (a long list whose
//! end fans out): when it takes more steps than a small multiple of the nodes, it is done again with jump pointers, which
//! climb in logarithmic time (E. Myers, "An applicative random-access stack", IPL 17, 1983).
//!
//! What the root does not reach is treated as DevTools does: nodes without any retaining edge hang under the root with all they reach;
//! the rest (cycles that nothing holds) hangs under the root node by node, and changes nothing for others.

use super::column::{Sizes, Sums};
use super::progress::{Phase, Progress, Stop, check};
use super::walk::{BUCKET_BITS, Bucket, Walk};

/// Low bits of a number: its place in its bucket.
const LOW: usize = (1 << BUCKET_BITS) - 1;

/// The dominator tree in the numbers of the search.
#[derive(Debug)]
pub(super) struct Numbered {
    /// Node of each number; each comes after its dominator.
    pub order: Vec<u32>,
    /// Number of each number's dominator; that of 0 is 0.
    pub dominator: Vec<u32>,
}

/// The dominator tree: for each node its dominator, and an order in which dominators come first.
#[derive(Debug)]
pub(super) struct Dominators {
    /// By node; the root is its own.
    pub dominator: Vec<u32>,
    /// All nodes in preorder: those of a subtree are neighbours.
    pub order: Vec<u32>,
}

/// Computes the dominators of what `walk` has met.
pub(super) fn dominators(walk: Walk, progress: &dyn Progress) -> Result<Numbered, Stop> {
    let Walk { order, parent, mut semi, reached: n, backward, .. } = walk;
    let mut forest = Forest { links: vec![Vec::new(); backward.len()], path: Vec::new() };
    let buckets = backward.len();
    let mut sorted = Sorted::default();
    for (b, bucket) in backward.into_iter().enumerate().rev() {
        check(progress, Phase::Dominators, 0.5 + 0.4 * (buckets - b) as f32 / buckets as f32)?;
        let base = b << BUCKET_BITS;
        let end = n.min(base + (1 << BUCKET_BITS));
        sorted.fill(&bucket);
        drop(bucket);
        forest.links[b] = vec![(0, 0); end.saturating_sub(base)];
        for w in (base.max(1)..end).rev() {
            let mut least = semi[w];
            for &u in sorted.of(w - base) {
                least = least.min(forest.eval(u, w as u32));
            }
            semi[w] = least;
            forest.links[b][w - base] = (parent[w], least);
        }
    }
    drop(forest);
    check(progress, Phase::Dominators, 0.9)?;
    let mut dominator = nearest_common_ancestors(parent, &semi);
    dominator.resize(order.len(), 0);
    Ok(Numbered { order, dominator })
}

/// Edges of a bucket, grouped by target.
#[derive(Default)]
struct Sorted {
    first: Vec<u32>,
    from: Vec<u32>,
}

impl Sorted {
    fn fill(&mut self, bucket: &Bucket) {
        self.first.clear();
        self.first.resize((1 << BUCKET_BITS) + 1, 0);
        for &to in &bucket.to {
            self.first[to as usize] += 1;
        }
        let mut sum = 0;
        for count in &mut self.first {
            sum += *count;
            *count = sum;
        }
        self.from.clear();
        self.from.resize(sum as usize, 0);
        for (&to, &from) in bucket.to.iter().zip(&bucket.from) {
            let slot = &mut self.first[to as usize];
            *slot -= 1;
            self.from[*slot as usize] = from;
        }
    }

    fn of(&self, to: usize) -> &[u32] {
        &self.from[self.first[to] as usize..self.first[to + 1] as usize]
    }
}

/// The forest of the numbers handled so far, with path compression.
struct Forest {
    /// Ancestor, and the smallest semidominator from the node up to below that ancestor; bucket by bucket, so that they take the memory that
    /// the edges of the bucket have given back.
    links: Vec<Vec<(u32, u32)>>,
    path: Vec<u32>,
}

impl Forest {
    /// The smallest semidominator on the path from `v` up to below the first number that is not above `w`.
    #[inline]
    fn eval(&mut self, v: u32, w: u32) -> u32 {
        let (ancestor, least) = self.link(v);
        if ancestor <= w { least } else { self.compress(v, w) }
    }

    #[inline]
    fn link(&self, v: u32) -> (u32, u32) {
        self.links[(v >> BUCKET_BITS) as usize][v as usize & LOW]
    }

    fn compress(&mut self, v: u32, w: u32) -> u32 {
        let mut u = v;
        let (mut ancestor, mut least) = self.link(u);
        while ancestor > w {
            self.path.push(u);
            u = ancestor;
            (ancestor, least) = self.link(u);
        }
        while let Some(x) = self.path.pop() {
            let link = &mut self.links[(x >> BUCKET_BITS) as usize][x as usize & LOW];
            least = least.min(link.1);
            *link = (ancestor, least);
        }
        least
    }
}

/// The dominator of each number: the nearest ancestor of its parent, in the tree found so far, that is not below its semidominator.
fn nearest_common_ancestors(parent: Vec<u32>, semi: &[u32]) -> Vec<u32> {
    let n = parent.len();
    // One climb takes less than n steps.
    let mut budget = 9 * n as u64 + 1024;
    let mut idom = parent;
    for w in 1..n {
        let mut d = idom[w];
        while d > semi[w] {
            d = idom[d as usize];
            budget -= 1;
        }
        idom[w] = d;
        if budget <= n as u64 {
            climb_by_jumps(&mut idom, semi, w + 1);
            break;
        }
    }
    idom
}

/// Goes on from number `from`; those before it have their dominators.
fn climb_by_jumps(idom: &mut [u32], semi: &[u32], from: usize) {
    let n = idom.len();
    let mut depth = vec![0u32; n];
    let mut jump = vec![0u32; n];
    for w in 1..n {
        if w >= from {
            let mut d = idom[w];
            while d > semi[w] {
                let far = jump[d as usize];
                d = if far > semi[w] { far } else { idom[d as usize] };
            }
            idom[w] = d;
        }
        let d = idom[w] as usize;
        depth[w] = depth[d] + 1;
        let far = jump[d] as usize;
        jump[w] = if depth[d] - depth[far] == depth[far] - depth[jump[far] as usize] { jump[far] } else { d as u32 };
    }
}

impl Numbered {
    /// Dominator and retained size of each node.
    pub fn by_node(&self, own: &Sizes) -> (Vec<u32>, Sums) {
        let mut dominator = vec![0; self.order.len()];
        let mut sizes: Sums = own.to();
        dominator[self.order[0] as usize] = self.order[0];
        for (&v, &d) in self.order[1..].iter().zip(&self.dominator[1..]).rev() {
            let d = self.order[d as usize];
            dominator[v as usize] = d;
            sizes.set(d as usize, sizes.get(d as usize).saturating_add(sizes.get(v as usize)));
        }
        (dominator, sizes)
    }

    /// The dominator tree in preorder, where a subtree is an interval.
    pub fn preorder(&self) -> Preorder {
        let n = self.order.len();
        let mut size = vec![1u32; n];
        for (i, &d) in self.dominator.iter().enumerate().skip(1).rev() {
            size[d as usize] += size[i];
        }
        // Where the next child of each number goes.
        let mut next = vec![0u32; n];
        let mut number = vec![0u32; n];
        for i in 0..n {
            let d = self.dominator[i] as usize;
            let place = if i == 0 { 0 } else { next[d] };
            if i != 0 {
                next[d] += size[i];
            }
            next[i] = place + 1;
            number[place as usize] = i as u32;
        }
        Preorder { number, size }
    }

    /// All nodes in preorder.
    pub fn nodes(&self, preorder: Preorder) -> Vec<u32> {
        let mut nodes = preorder.number;
        for node in &mut nodes {
            *node = self.order[*node as usize];
        }
        nodes
    }

    /// Nodes in preorder, each with the number of nodes in its subtree.
    pub fn flat<'a>(&'a self, preorder: &'a Preorder) -> impl Iterator<Item = (u32, u32)> + 'a {
        preorder.number.iter().map(|&number| (self.order[number as usize], preorder.size[number as usize]))
    }
}

/// See [`Numbered::preorder`].
pub(super) struct Preorder {
    /// Number at each place.
    pub number: Vec<u32>,
    /// How many nodes the subtree of each number holds, itself included.
    pub size: Vec<u32>,
}
