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
use super::walk::{BUCKET_BITS, Backward, Walk};

/// Low bits of a number: its place in its bucket.
const LOW: usize = (1 << BUCKET_BITS) - 1;

/// The dominator tree in the numbers of the search.
#[derive(Debug)]
pub(super) struct Numbered {
    /// Node of each number; each comes after its dominator.
    pub order: Vec<u32>,
    /// Number of each number's dominator; that of 0 is 0.
    pub dominator: Vec<u32>,
    /// Steps that it took beside one for each node and edge: up the paths that were compressed and the tree that was climbed.
    #[cfg_attr(not(test), expect(dead_code, reason = "what the tests count; counting is cheaper than a second algorithm"))]
    pub steps: u64,
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
    let mut forest = Forest { links: vec![(0, 0); n], path: Vec::new(), steps: 0 };
    let buckets = backward.buckets();
    let mut sorted = Sorted::default();
    for b in (0..buckets).rev() {
        check(progress, Phase::Dominators, 0.5 + 0.4 * (buckets - b) as f32 / buckets as f32)?;
        let numbers = Backward::numbers(b);
        sorted.fill(&backward, b);
        for w in (numbers.start.max(1)..numbers.end.min(n)).rev() {
            let mut least = semi[w];
            for &u in sorted.of(w - numbers.start) {
                least = least.min(forest.eval(u, w as u32));
            }
            semi[w] = least;
            forest.links[w] = (parent[w], least);
        }
    }
    let steps = forest.steps;
    drop((backward, sorted, forest));
    check(progress, Phase::Dominators, 0.9)?;
    let (mut dominator, climbed) = nearest_common_ancestors(parent, &semi);
    dominator.resize(order.len(), 0);
    Ok(Numbered { order, dominator, steps: steps + climbed })
}

/// Edges of a bucket, grouped by target.
#[derive(Default)]
struct Sorted {
    first: Vec<u32>,
    from: Vec<u32>,
}

impl Sorted {
    fn fill(&mut self, backward: &Backward, b: usize) {
        let numbers = Backward::numbers(b);
        let low = |to: u16| usize::from(to) - (numbers.start & LOW);
        self.first.clear();
        self.first.resize(numbers.len() + 1, 0);
        for (to, _) in backward.edges(b) {
            self.first[low(to)] += 1;
        }
        let mut sum = 0;
        for count in &mut self.first {
            sum += *count;
            *count = sum;
        }
        self.from.clear();
        self.from.resize(sum as usize, 0);
        for (to, from) in backward.edges(b) {
            let slot = &mut self.first[low(to)];
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
    /// Ancestor, and the smallest semidominator from the node up to below that ancestor.
    links: Vec<(u32, u32)>,
    path: Vec<u32>,
    steps: u64,
}

impl Forest {
    /// The smallest semidominator on the path from `v` up to below the first number that is not above `w`.
    #[inline]
    fn eval(&mut self, v: u32, w: u32) -> u32 {
        let (ancestor, least) = self.links[v as usize];
        if ancestor <= w { least } else { self.compress(v, w) }
    }

    fn compress(&mut self, v: u32, w: u32) -> u32 {
        let mut u = v;
        let (mut ancestor, mut least) = self.links[u as usize];
        while ancestor > w {
            self.path.push(u);
            u = ancestor;
            (ancestor, least) = self.links[u as usize];
        }
        self.steps += self.path.len() as u64;
        while let Some(x) = self.path.pop() {
            let link = &mut self.links[x as usize];
            least = least.min(link.1);
            *link = (ancestor, least);
        }
        least
    }
}

/// The dominator of each number, and the steps it took: the nearest ancestor of its parent, in the tree found so far, that is not below its semidominator.
fn nearest_common_ancestors(parent: Vec<u32>, semi: &[u32]) -> (Vec<u32>, u64) {
    let n = parent.len();
    // One climb takes less than n steps.
    let all = 9 * n as u64 + 1024;
    let mut budget = all;
    let mut idom = parent;
    for w in 1..n {
        let mut d = idom[w];
        while d > semi[w] {
            d = idom[d as usize];
            budget -= 1;
        }
        idom[w] = d;
        if budget <= n as u64 {
            let steps = climb_by_jumps(&mut idom, semi, w + 1);
            return (idom, all - budget + steps);
        }
    }
    (idom, all - budget)
}

/// Goes on from number `from`; those before it have their dominators.
fn climb_by_jumps(idom: &mut [u32], semi: &[u32], from: usize) -> u64 {
    let n = idom.len();
    let mut depth = vec![0u32; n];
    let mut jump = vec![0u32; n];
    let mut steps = 0;
    for w in 1..n {
        if w >= from {
            let mut d = idom[w];
            while d > semi[w] {
                let far = jump[d as usize];
                d = if far > semi[w] { far } else { idom[d as usize] };
                steps += 1;
            }
            idom[w] = d;
        }
        let d = idom[w] as usize;
        depth[w] = depth[d] + 1;
        let far = jump[d] as usize;
        jump[w] = if depth[d] - depth[far] == depth[far] - depth[jump[far] as usize] { jump[far] } else { d as u32 };
    }
    steps
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
        drop(next);
        let subtree = number.iter().map(|&i| size[i as usize]).collect();
        Preorder { number, subtree }
    }

    /// All nodes in preorder, and the sizes of their subtrees.
    pub fn nodes(&self, preorder: Preorder) -> (Vec<u32>, Vec<u32>) {
        let mut nodes = preorder.number;
        for node in &mut nodes {
            *node = self.order[*node as usize];
        }
        (nodes, preorder.subtree)
    }

    /// Nodes in preorder, each with the number of nodes in its subtree.
    pub fn flat<'a>(&'a self, preorder: &'a Preorder) -> impl Iterator<Item = (u32, u32)> + 'a {
        preorder.number.iter().zip(&preorder.subtree).map(|(&number, &subtree)| (self.order[number as usize], subtree))
    }
}

/// See [`Numbered::preorder`].
#[derive(Debug)]
pub(super) struct Preorder {
    /// Number at each place.
    pub number: Vec<u32>,
    /// How many nodes the subtree at each place holds, its root included.
    pub subtree: Vec<u32>,
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;
    use crate::heap::progress::Unwatched;
    use crate::heap::scan::Scanner;

    /// Edges from node to node, as many of each as its list says. Node 0 is the root.
    fn snapshot(edges: &[Vec<usize>]) -> crate::heap::snapshot::Snapshot {
        let mut text = "{\"snapshot\":{\"meta\":{\"node_fields\":[\"type\",\"name\",\"id\",\"self_size\",\"edge_count\"],\"node_types\":[[\"object\"]],\
             \"edge_fields\":[\"type\",\"name_or_index\",\"to_node\"],\"edge_types\":[[\"element\"]]},\"node_count\":0,\"edge_count\":0},\"nodes\":["
            .to_owned();
        for (i, to) in edges.iter().enumerate() {
            let _ = write!(text, "0,0,{},1,{},", 2 * i + 1, to.len());
        }
        text.push_str("],\"edges\":[");
        for to in edges.iter().flatten() {
            let _ = write!(text, "0,0,{},", 5 * to);
        }
        text.push_str("],\"strings\":[\"\"]}");
        let mut scanner = Scanner::new();
        scanner.push(text.as_bytes()).expect("a snapshot");
        scanner.finish(None).expect("a snapshot")
    }

    /// Shapes that cost iterative algorithms, or those that climb step by step, the square of their size.
    fn shapes(n: usize) -> Vec<(&'static str, Vec<Vec<usize>>)> {
        let back = |i: usize| if i == 0 { vec![1] } else { vec![(i + 1) % n, 0] };
        let list: Vec<Vec<usize>> = (0..n).map(back).collect();
        // Its nodes point at one that owns them all and hangs in the middle.
        let owner: Vec<Vec<usize>> = (0..n).map(|i| if i == n / 2 { (0..n).rev().collect() } else { vec![(i + 1) % n, n / 2] }).collect();
        let wide: Vec<Vec<usize>> = (0..n).map(|i| if i == 0 { (1..n).collect() } else { Vec::new() }).collect();
        let chain: Vec<Vec<usize>> = (0..n).map(|i| if i + 1 < n { vec![i + 1] } else { Vec::new() }).collect();
        // A list whose end fans out to leaves that the root holds as well.
        let half = n / 2;
        let fan: Vec<Vec<usize>> = (0..n)
            .map(|i| match i {
                0 => std::iter::once(1).chain(half..n).collect(),
                i if i + 1 < half => vec![i + 1, 0],
                i if i + 1 == half => (half..n).collect(),
                _ => Vec::new(),
            })
            .collect();
        // Two lists with rungs both ways: every semidominator lies far up.
        let ladder: Vec<Vec<usize>> = (0..n)
            .map(|i| match i {
                0 => vec![1, 2],
                i if i + 2 < n => vec![i + 2, if i % 2 == 1 { i + 1 } else { i - 1 }],
                _ => Vec::new(),
            })
            .collect();
        // Every node of a list leads to every power of two further down, and the end back to all of them.
        let skips: Vec<Vec<usize>> = (0..n)
            .map(|i| if i + 1 == n { (1..n).collect() } else { (0..20).map(|k| i + (1 << k)).filter(|&to| to < n).collect() })
            .collect();
        vec![
            ("list with back-pointers", list),
            ("list with an owner in its middle", owner),
            ("wide fan-out", wide),
            ("deep chain", chain),
            ("list with a fan", fan),
            ("ladder", ladder),
            ("skip list", skips),
        ]
    }

    #[test]
    fn the_steps_grow_with_the_size_alone() {
        for (name, edges) in shapes(1 << 14) {
            let steps = |edges: &[Vec<usize>]| {
                let snapshot = snapshot(edges);
                let walk = Walk::of(&snapshot, &Unwatched).expect("nobody cancels");
                let size = edges.len() + edges.iter().map(Vec::len).sum::<usize>();
                dominators(walk, &Unwatched).expect("nobody cancels").steps as f64 / size as f64
            };
            let (_, smaller) = shapes(1 << 10).into_iter().find(|s| s.0 == name).expect("the same shapes");
            let (small, large) = (steps(&smaller), steps(&edges));
            // The square would be sixteen times as many.
            assert!(
                large <= 8.0 && large <= 2.0 * small + 1.0,
                "{name}: {small:.2} steps a node and edge of 2^10 nodes, {large:.2} of 2^14"
            );
        }
    }
}
