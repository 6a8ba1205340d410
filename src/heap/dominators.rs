//! Immediate dominators by semi-NCA, without recursion.
//!
//! Source: L. Georgiadis, R. Tarjan, R. Werneck, "Finding Dominators in Practice", JGAA 10(1), 2006. The last step, in which a node
//! climbs the tree found so far to its semidominator, is quadratic on hostile graphs (a long list whose end fans out): when it takes
//! more steps than a small multiple of the nodes, it is done again with jump pointers, which climb in logarithmic time
//! (E. Myers, "An applicative random-access stack", IPL 17, 1983).
//!
//! What the root does not reach is treated as DevTools does: nodes without any retaining edge hang under the root with all they reach;
//! the rest (cycles that nothing holds) hangs under the root node by node, and changes nothing for others.

use super::bits::Bits;
use super::essential::Rules;
use super::progress::{Phase, Progress, Stop, check};
use super::snapshot::{Sizes, Snapshot, TARGET};

const NONE: u32 = u32::MAX;

/// The dominator tree: for each node its dominator, and an order in which dominators come first.
#[derive(Debug)]
pub(super) struct Dominators {
    /// By node; the root is its own.
    pub dominator: Vec<u32>,
    /// All nodes, each after its dominator.
    pub order: Vec<u32>,
}

/// Computes the dominator tree over the edges that `rules` let through.
pub(super) fn dominators(snapshot: &Snapshot, rules: &Rules, progress: &dyn Progress) -> Result<Dominators, Stop> {
    let walk = Walk::of(snapshot, rules, progress)?;
    let reached = walk.reached;
    let idom = semi_nca(snapshot, rules, &walk, progress)?;
    let Walk { order, .. } = walk;
    let mut dominator = vec![snapshot.root; snapshot.node_count()];
    for (number, &d) in idom.iter().enumerate().take(reached).skip(1) {
        dominator[order[number] as usize] = order[d as usize];
    }
    Ok(Dominators { dominator, order })
}

/// The depth-first search: nodes in the order in which it meets them.
struct Walk {
    /// Node of each number; what nothing reaches comes last.
    order: Vec<u32>,
    /// Number of each node.
    number: Vec<u32>,
    /// Number of each number's parent.
    parent: Vec<u32>,
    /// Numbers below this were met by the search.
    reached: usize,
    /// Numbers of the nodes that nothing retains, which the root is made to hold.
    orphans: Bits,
}

impl Walk {
    fn of(snapshot: &Snapshot, rules: &Rules, progress: &dyn Progress) -> Result<Self, Stop> {
        let n = snapshot.node_count();
        let mut walk =
            Self { order: Vec::with_capacity(n), number: vec![NONE; n], parent: Vec::with_capacity(n), reached: 0, orphans: Bits::new(n) };
        walk.search(snapshot, rules, snapshot.root, 0, progress)?;
        if walk.order.len() < n {
            // By definition no retaining edge leads from the reached to the others, so only theirs are looked at.
            let others: Vec<u32> = (0..n as u32).filter(|&v| walk.number[v as usize] == NONE).collect();
            let mut held = Bits::new(n);
            for &v in &others {
                let (from, to) = snapshot.edge_range(v as usize);
                for &packed in &snapshot.edges.to[from..to] {
                    if rules.retains(v, packed) {
                        held.put((packed & TARGET) as usize);
                    }
                }
            }
            for &v in &others {
                if !held.has(v as usize) {
                    walk.orphans.put(walk.order.len());
                    walk.search(snapshot, rules, v, 0, progress)?;
                }
            }
            walk.reached = walk.order.len();
            for &v in &others {
                if walk.number[v as usize] == NONE {
                    walk.number[v as usize] = walk.order.len() as u32;
                    walk.order.push(v);
                    walk.parent.push(0);
                }
            }
        } else {
            walk.reached = n;
        }
        Ok(walk)
    }

    fn search(&mut self, snapshot: &Snapshot, rules: &Rules, start: u32, parent: u32, progress: &dyn Progress) -> Result<(), Stop> {
        // (number, node, next edge, end of edges)
        let mut stack: Vec<(u32, u32, u32, u32)> = Vec::new();
        let visit = |walk: &mut Self, stack: &mut Vec<(u32, u32, u32, u32)>, v: u32, parent: u32| {
            let number = walk.order.len() as u32;
            walk.number[v as usize] = number;
            walk.order.push(v);
            walk.parent.push(parent);
            let (from, to) = snapshot.edge_range(v as usize);
            stack.push((number, v, from as u32, to as u32));
        };
        visit(self, &mut stack, start, parent);
        let mut reported = 0;
        while let Some(top) = stack.last_mut() {
            let (number, v, end) = (top.0, top.1, top.3);
            let mut found = NONE;
            while top.2 < end {
                let packed = snapshot.edges.to[top.2 as usize];
                top.2 += 1;
                if self.number[(packed & TARGET) as usize] == NONE && rules.retains(v, packed) {
                    found = packed & TARGET;
                    break;
                }
            }
            if found == NONE {
                stack.pop();
            } else {
                visit(self, &mut stack, found, number);
                if self.order.len() >> 19 != reported {
                    reported = self.order.len() >> 19;
                    check(progress, Phase::Dominators, 0.4 * self.order.len() as f32 / snapshot.node_count() as f32)?;
                }
            }
        }
        Ok(())
    }
}

/// Retaining edges backwards, in numbers of the walk.
struct Predecessors {
    first: Vec<u32>,
    from: Vec<u32>,
}

impl Predecessors {
    fn of(snapshot: &Snapshot, rules: &Rules, walk: &Walk) -> Self {
        let n = walk.reached;
        let mut first = vec![0u32; n + 1];
        let each = |put: &mut dyn FnMut(u32, u32)| {
            for (number, &v) in walk.order[..n].iter().enumerate() {
                let (from, to) = snapshot.edge_range(v as usize);
                for &packed in &snapshot.edges.to[from..to] {
                    if rules.retains(v, packed) {
                        put(number as u32, walk.number[(packed & TARGET) as usize]);
                    }
                }
            }
        };
        each(&mut |_, to| first[to as usize] += 1);
        let mut sum = 0;
        for count in &mut first {
            sum += *count;
            *count = sum;
        }
        let mut from = vec![0u32; sum as usize];
        each(&mut |source, to| {
            let slot = &mut first[to as usize];
            *slot -= 1;
            from[*slot as usize] = source;
        });
        Self { first, from }
    }

    fn of_number(&self, w: usize) -> &[u32] {
        &self.from[self.first[w] as usize..self.first[w + 1] as usize]
    }
}

/// Numbers of the immediate dominators.
fn semi_nca(snapshot: &Snapshot, rules: &Rules, walk: &Walk, progress: &dyn Progress) -> Result<Vec<u32>, Stop> {
    let n = walk.reached;
    let predecessors = Predecessors::of(snapshot, rules, walk);
    check(progress, Phase::Dominators, 0.6)?;
    let parent = &walk.parent[..n];
    let mut forest =
        Forest { ancestor: parent.to_vec(), label: (0..n as u32).collect(), semi: vec![0; n], linked: n as u32, path: Vec::new() };
    for w in (1..n).rev() {
        if w & 0xf_ffff == 0 {
            check(progress, Phase::Dominators, 0.6 + 0.3 * (n - w) as f32 / n as f32)?;
        }
        let mut semi = if walk.orphans.has(w) { 0 } else { parent[w] };
        for &v in predecessors.of_number(w) {
            let u = if v <= w as u32 { v } else { forest.eval(v) };
            semi = semi.min(u);
        }
        forest.link(w as u32, semi);
    }
    let semi = forest.semi;
    drop(forest.ancestor);
    Ok(nearest_common_ancestors(parent, &semi))
}

/// The forest of nodes handled so far, with path compression.
struct Forest {
    ancestor: Vec<u32>,
    /// Node with the smallest semidominator between the node and its compressed ancestor.
    label: Vec<u32>,
    semi: Vec<u32>,
    /// Nodes from this number on are linked to their parents.
    linked: u32,
    path: Vec<u32>,
}

impl Forest {
    fn link(&mut self, w: u32, semi: u32) {
        self.semi[w as usize] = semi;
        self.linked = w;
    }

    /// The smallest semidominator on the path from `v`, which is linked, up to below the first node that is not.
    fn eval(&mut self, v: u32) -> u32 {
        let mut u = v;
        while self.ancestor[u as usize] >= self.linked {
            self.path.push(u);
            u = self.ancestor[u as usize];
        }
        while let Some(x) = self.path.pop() {
            let above = self.label[u as usize];
            if self.semi[above as usize] < self.semi[self.label[x as usize] as usize] {
                self.label[x as usize] = above;
            }
            self.ancestor[x as usize] = self.ancestor[u as usize];
            u = x;
        }
        self.semi[self.label[v as usize] as usize]
    }
}

/// The dominator of each number: the nearest ancestor of its parent, in the tree found so far, that is not below its semidominator.
fn nearest_common_ancestors(parent: &[u32], semi: &[u32]) -> Vec<u32> {
    let n = parent.len();
    let mut idom = parent.to_vec();
    let mut budget = 8 * n as u64 + 1024;
    for w in 1..n {
        let mut d = idom[w];
        while d > semi[w] {
            d = idom[d as usize];
            budget -= 1;
            if budget == 0 {
                return climb_by_jumps(parent, semi);
            }
        }
        idom[w] = d;
    }
    idom
}

fn climb_by_jumps(parent: &[u32], semi: &[u32]) -> Vec<u32> {
    let n = parent.len();
    let mut idom = vec![0u32; n];
    let mut depth = vec![0u32; n];
    let mut jump = vec![0u32; n];
    for w in 1..n {
        let mut d = parent[w];
        while d > semi[w] {
            let far = jump[d as usize];
            d = if far > semi[w] { far } else { idom[d as usize] };
        }
        idom[w] = d;
        let d = d as usize;
        depth[w] = depth[d] + 1;
        let far = jump[d] as usize;
        jump[w] = if depth[d] - depth[far] == depth[far] - depth[jump[far] as usize] { jump[far] } else { d as u32 };
    }
    idom
}

/// Sums the sizes of each node's dominator subtree.
pub(super) fn retained(tree: &Dominators, own: &Sizes) -> Sizes {
    let mut sizes = own.clone();
    if own.large().is_empty() && own.column().iter().map(|&s| u64::from(s)).sum::<u64>() < u64::from(u32::MAX) {
        let column = sizes.column_mut();
        for &v in tree.order[1..].iter().rev() {
            column[tree.dominator[v as usize] as usize] += column[v as usize];
        }
    } else {
        for &v in tree.order[1..].iter().rev() {
            let d = tree.dominator[v as usize] as usize;
            sizes.set(d, sizes.get(d).saturating_add(sizes.get(v as usize)));
        }
    }
    sizes
}
