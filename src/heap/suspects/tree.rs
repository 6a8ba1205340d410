//! Two trees over one heap, dominators and best paths, and where weight accumulates in them: bytes, or net growth.
//!
//! New by id is not growth: a bounded cache that turns over has more new bytes than a leak. So what went is charged to the owner that held
//! it, the nearest one that is still there; what remains is net growth. One pending timer can take all dominators away from a holder,
//! which is then still on the path of nearly all new objects: hence two trees.
//!
//! Both trees are walked in the order in which they lie in memory, once for all places: looking at each place by itself was most of the
//! time of a verdict.

use rayon::prelude::*;
use rustc_hash::FxHashMap;

use crate::heap::analysis::Analysis;
use crate::heap::bits::Bits;
use crate::heap::column::Sums;
use crate::heap::diff::Growth;
use crate::heap::format::NodeKind;
use crate::heap::ids::NodeIx;
use crate::heap::ways::PathTree;

const NONE: u32 = u32::MAX;

/// Which nodes are the program's data. V8's own are not (code, feedback, hidden classes, descriptors): they climb while a process warms
/// up and are never the leak. Backing stores count with their owners.
pub(super) struct Data {
    is: Bits,
}

impl Data {
    pub fn of(a: &Analysis) -> Self {
        const WORDS: usize = 4096;
        let n = a.node_count();
        let words = n.div_ceil(64);
        let parts: Vec<Vec<u64>> = (0..words.div_ceil(WORDS))
            .into_par_iter()
            .map(|part| {
                // Names of internals and of native objects: few, and looked at once each.
                let mut known: FxHashMap<(u32, bool), bool> = FxHashMap::default();
                let word = |w: usize| {
                    (w * 64..n.min(w * 64 + 64)).filter(|&i| is_data(a, NodeIx(i as u32), &mut known)).map(|i| 1 << (i % 64)).sum()
                };
                (part * WORDS..words.min((part + 1) * WORDS)).map(word).collect()
            })
            .collect();
        Self { is: Bits::of_words(parts.concat()) }
    }

    /// Bytes of `node` as far as they are data.
    #[inline]
    pub fn bytes(&self, a: &Analysis, node: NodeIx) -> i64 {
        if self.is.has(node.index()) { a.shallow_size(node) as i64 } else { 0 }
    }
}

fn is_data(a: &Analysis, node: NodeIx, known: &mut FxHashMap<(u32, bool), bool>) -> bool {
    match a.kind(node) {
        NodeKind::Code | NodeKind::ObjectShape | NodeKind::Synthetic | NodeKind::Array => false,
        kind @ (NodeKind::Hidden | NodeKind::Other | NodeKind::Native) => {
            *known.entry((a.name_ix(node).0, kind == NodeKind::Native)).or_insert_with(|| {
                let name = a.raw_name(node);
                let program = ["system / Context", "system / PromiseReaction", "system / AsyncGeneratorRequest", "system / CallbackTask"];
                if kind == NodeKind::Native { !name.starts_with("Node / ") } else { program.iter().any(|p| name.starts_with(p)) }
            })
        }
        _ => true,
    }
}

/// What came and what went at each node of `after`, by what `then` and `now` say that nodes weigh: to be summed over a tree. `old` are the nodes of `before` with their
/// parents in that tree, parents first.
pub(super) fn charges(
    (before, then): (&Analysis, &dyn Fn(NodeIx) -> i64),
    (after, now): (&Analysis, &dyn Fn(NodeIx) -> i64),
    growth: &Growth,
    old: impl Iterator<Item = (u32, u32)>,
    skip: impl Fn(NodeIx) -> bool,
) -> Vec<i64> {
    let mut net = vec![0_i64; after.node_count()];
    let mut back = vec![NONE; before.node_count()];
    for node in after.nodes() {
        match growth.counterpart(node) {
            None if !skip(node) => net[node.index()] += now(node),
            None => {}
            Some(b) => {
                back[b.index()] = node.0;
                // Objects that stayed and changed their size: arrays of numbers grow so.
                if after.kind(node) == NodeKind::Object && !skip(node) {
                    net[node.index()] += now(node) - then(b);
                }
            }
        }
    }
    // The owner that is still there, of each node that went: parents come first, so each step looks one up.
    let mut owner = vec![NONE; before.node_count()];
    for (v, p) in old {
        let v = v as usize;
        if back[v] != NONE {
            owner[v] = back[v];
        } else if p as usize != v {
            owner[v] = owner[p as usize];
        }
        if back[v] == NONE && owner[v] != NONE {
            net[owner[v] as usize] -= then(NodeIx(v as u32));
        }
    }
    net
}

/// The nodes whose subtrees weigh much.
pub(super) struct Heavy {
    /// Sorted by parent and node. Without the root.
    nodes: Vec<Part>,
    /// Weight of everything.
    pub whole: i64,
    /// What is heavy: this or more.
    pub least: i64,
}

/// A heavy node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Part {
    parent: u32,
    node: u32,
    /// Of its subtree.
    weight: i64,
    /// Position in the order of the tree.
    place: u32,
}

impl Heavy {
    /// By dominators, in one pass over their preorder. `least` is told the weight of everything.
    pub fn by_dominators(a: &Analysis, own: impl Fn(NodeIx) -> i64 + Sync, least: impl Fn(i64) -> i64) -> Self {
        let whole = (0..a.node_count() as u32).into_par_iter().with_min_len(1 << 16).map(|n| own(NodeIx(n))).sum();
        let least = least(whole);
        let mut nodes = Vec::new();
        // The path from the root: node, its place, where its subtree ends, weight so far.
        let mut open: Vec<(u32, u32, u32, i64)> = Vec::new();
        for (place, (node, size)) in (0u32..).zip(a.flat_tree()).chain([(u32::MAX, (0, 0))]) {
            while let Some(&(node, place, _, weight)) = open.last().filter(|o| o.2 <= place) {
                open.pop();
                let Some(parent) = open.last_mut() else { break };
                parent.3 += weight;
                if weight >= least {
                    nodes.push(Part { parent: parent.0, node, weight, place });
                }
            }
            if size > 1 || place == 0 {
                open.push((node, place, place + size, own(NodeIx(node))));
            } else if let Some(parent) = open.last_mut() {
                // A leaf, as most are.
                let weight = own(NodeIx(node));
                parent.3 += weight;
                if weight >= least {
                    nodes.push(Part { parent: parent.0, node, weight, place });
                }
            }
        }
        nodes.sort_unstable();
        Self { nodes, whole, least }
    }

    /// By best paths.
    pub fn by_paths(a: &Analysis, tree: &PathTree, own: impl Fn(NodeIx) -> i64, least: impl Fn(i64) -> i64) -> Self {
        let weight = Signed::by_paths(a, tree, own);
        let whole = if tree.len() == 0 { 0 } else { weight.get(0) };
        let least = least(whole);
        let part = |k: usize| {
            let weight = weight.get(k);
            let part = || Part { parent: tree.node(a, tree.parent(k)).0, node: tree.node(a, k).0, weight, place: k as u32 };
            (weight >= least).then(part)
        };
        let mut nodes: Vec<Part> = (1..tree.len()).filter_map(part).collect();
        nodes.sort_unstable();
        Self { nodes, whole, least }
    }

    /// Weights of the subtrees of some nodes, by best paths.
    pub fn weights(a: &Analysis, tree: &PathTree, own: impl Fn(NodeIx) -> i64, nodes: &[NodeIx]) -> Vec<i64> {
        let weight = Signed::by_paths(a, tree, own);
        tree.numbers(a, nodes).into_iter().map(|k| k.map_or(0, |k| weight.get(k))).collect()
    }

    fn children(&self, v: u32) -> &[Part] {
        let from = self.nodes.partition_point(|p| p.parent < v);
        let len = self.nodes[from..].partition_point(|p| p.parent == v);
        &self.nodes[from..from + len]
    }
}

/// Sums, in four bytes each as far as they fit.
#[derive(Default)]
struct Signed(Sums);

const fn zigzag(n: i64) -> u64 {
    ((n << 1) ^ (n >> 63)) as u64
}

impl Signed {
    fn by_paths(a: &Analysis, tree: &PathTree, own: impl Fn(NodeIx) -> i64) -> Self {
        let mut weight = Self::default();
        weight.0.try_reserve(tree.len());
        for k in 0..tree.len() {
            weight.0.push(zigzag(own(tree.node(a, k))));
        }
        for k in (1..tree.len()).rev() {
            weight.add(tree.parent(k), weight.get(k));
        }
        weight
    }

    fn get(&self, i: usize) -> i64 {
        let n = self.0.get(i);
        (n >> 1) as i64 ^ -((n & 1) as i64)
    }

    fn add(&mut self, i: usize, n: i64) {
        self.0.set(i, zigzag(self.get(i) + n));
    }
}

/// Sums over the dominator tree's preorder, where a subtree is an interval.
pub(super) struct Prefix(Vec<i64>);

impl Prefix {
    pub fn of(a: &Analysis, own: impl Fn(NodeIx) -> i64) -> Self {
        let mut sum = 0;
        let mut sums = Vec::with_capacity(a.node_count() + 1);
        sums.push(0);
        sums.extend(a.dominators_first().map(|n| {
            sum += own(n);
            sum
        }));
        Self(sums)
    }

    /// The sum below a node, itself included.
    pub fn under(&self, a: &Analysis, node: NodeIx) -> i64 {
        let places = a.subtree(node);
        self.0[places.end as usize] - self.0[places.start as usize]
    }
}

/// A place where weight fans out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Point {
    pub node: NodeIx,
    /// Weight of its subtree, less that of the points below it.
    pub weight: i64,
    /// Weight of its subtree.
    pub whole: i64,
    /// Position in the order of the tree.
    pub place: u32,
}

/// Where the weight of a tree accumulates: from the root down, through every heavy child, to where the heavy children of a node have
/// together less than 0.6 of it, or three or more of them are alike (a fan of few). MAT's accumulation point (`big_drop_ratio`), made to
/// find several.
pub(super) fn points(a: &Analysis, heavy: &Heavy) -> Vec<Point> {
    let least = heavy.least;
    let mut found = Vec::new();
    // With each node its weight, and the weight at the top of the stretch it ends: a chain sheds a little at every step and so has its
    // weight nowhere.
    let mut stack = vec![((a.root(), 0), heavy.whole, heavy.whole)];
    let mut classes: Vec<(u32, i64)> = Vec::new();
    while let Some(((node, place), whole, top)) = stack.pop() {
        let children = heavy.children(node.0);
        let below: i64 = children.iter().map(|c| c.weight).sum();
        classes.clear();
        if !is_frame(a, node) {
            let parts = children.iter().filter(|c| !is_frame(a, NodeIx(c.node)));
            classes.extend(parts.map(|c| (a.class_of(NodeIx(c.node)).0, c.weight)));
            classes.sort_unstable();
        }
        // Few big members of one collection, none of them most of it: the collection is the place.
        let alike = classes.chunk_by(|x, y| x.0 == y.0).any(|run| {
            let sum: i64 = run.iter().map(|r| r.1).sum();
            let most = run.iter().map(|r| r.1).max().unwrap_or(0);
            run.len() >= 3 && sum.saturating_mul(2) >= whole && most.saturating_mul(10) <= sum.saturating_mul(7)
        });
        if alike {
            found.push(Point { node, weight: whole, whole, place });
            continue;
        }
        if whole - below >= least && (below.saturating_mul(10) < whole.saturating_mul(6) || whole - below >= least.saturating_mul(4)) {
            let weight = if children.is_empty() { top } else { whole - below };
            found.push(Point { node, weight, whole, place });
        }
        for child in children {
            let here = child.weight;
            let goes_on = children.len() == 1 && (whole - here).saturating_mul(50) <= top;
            stack.push(((NodeIx(child.node), child.place), here, if goes_on { top } else { here }));
        }
    }
    found.sort_by_key(|p| (std::cmp::Reverse(p.weight), p.node));
    found
}

/// The objects that pile up below `point` by dominators: new ones (all, with one snapshot) of the program's data that hang, past backing
/// stores, on the point itself or on something that was there before.
pub(super) fn topmost_by_dominators(a: &Analysis, data: &Data, point: Point, is_new: Option<&dyn Fn(NodeIx) -> bool>) -> Vec<NodeIx> {
    let (order, size) = a.flat_subtree(point.place);
    let mut found = Vec::new();
    // Where each open subtree ends, and what its members hang on: `None` for the point.
    let mut open: Vec<(u32, Option<NodeIx>)> = vec![(size.len() as u32, None)];
    let mut at = 1;
    while let Some(&v) = order.get(at) {
        let node = NodeIx(v);
        while open.last().is_some_and(|o| o.0 <= at as u32) {
            open.pop();
        }
        let above = open.last().and_then(|o| o.1);
        let is_store = a.kind(node) == NodeKind::Array;
        match is_new {
            None => {
                if data.bytes(a, node) != 0 {
                    found.push(node);
                }
                // What hangs on a member is not one.
                at += if is_store { 1 } else { size[at] as usize };
                continue;
            }
            Some(is_new) => {
                if data.bytes(a, node) != 0 && is_new(node) && above.is_none_or(|n| !is_new(n)) {
                    found.push(node);
                }
            }
        }
        if size[at] > 1 {
            open.push((at as u32 + size[at], if is_store { above } else { Some(node) }));
        }
        at += 1;
    }
    found
}

/// The same by best paths, for all `points` in one pass.
pub(super) fn topmost_by_paths(
    a: &Analysis,
    data: &Data,
    tree: &PathTree,
    points: &[NodeIx],
    is_new: Option<&dyn Fn(NodeIx) -> bool>,
) -> Vec<Vec<NodeIx>> {
    let mut found = vec![Vec::new(); points.len()];
    let number: FxHashMap<u32, u32> = points.iter().map(|p| p.0).zip(0..).collect();
    // The point around each point, and around each node the innermost; with that what the node hangs on: a point, or a number.
    let mut around = vec![NONE; points.len()];
    let mut innermost = vec![NONE; tree.len()];
    let mut above = if is_new.is_some() { vec![NONE; tree.len()] } else { Vec::new() };
    for k in 0..tree.len() {
        let (node, p) = (tree.node(a, k), tree.parent(k));
        let around_it = if k == 0 { NONE } else { innermost[p] };
        let is_point = number.get(&node.0).copied();
        if let Some(is_new) = is_new {
            // `NONE` is the point itself.
            let parent = tree.node(a, p);
            above[k] = if number.contains_key(&parent.0) {
                NONE
            } else if a.kind(parent) == NodeKind::Array {
                above[p]
            } else {
                p as u32
            };
            if around_it != NONE && data.bytes(a, node) != 0 && is_new(node) {
                let on_point = above[k] == NONE;
                let on_old = !on_point && !is_new(tree.node(a, above[k] as usize));
                let mut point = around_it;
                let mut first = true;
                while point != NONE {
                    if on_old || on_point && first {
                        found[point as usize].push(node);
                    }
                    first = false;
                    point = around[point as usize];
                }
            }
            innermost[k] = is_point.unwrap_or(around_it);
        } else {
            if around_it != NONE && data.bytes(a, node) != 0 {
                found[around_it as usize].push(node);
            }
            // What hangs on a member is not one; past backing stores it goes on.
            innermost[k] = is_point.unwrap_or(if a.kind(node) == NodeKind::Array { around_it } else { NONE });
        }
        if let Some(point) = is_point {
            around[point as usize] = around_it;
        }
    }
    found
}

/// Scopes, functions, modules and what registers them: their parts are not members of a collection, however alike.
fn is_frame(a: &Analysis, node: NodeIx) -> bool {
    if matches!(a.kind(node), NodeKind::Synthetic | NodeKind::Closure | NodeKind::Code) || node == a.root() {
        return true;
    }
    let name = a.raw_name(node);
    name.starts_with("system / Context")
        || name.starts_with("system / NativeContext")
        || name.starts_with("global")
        || matches!(name.as_ref(), "Module" | "BuiltinModule" | "InstanceWrapper" | "ModuleWrap" | "system / SourceTextModule")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;
    use crate::heap::progress::Unwatched;
    use crate::heap::tests::drafts;

    proptest! {
        #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn weights_are_those_of_the_subtrees(draft in drafts(), sign in any::<bool>()) {
            let a = draft.analyse();
            let own = |n: NodeIx| if sign && n.0.is_multiple_of(3) { -(a.raw_size(n) as i64) } else { a.raw_size(n) as i64 };
            let parts = |heavy: &Heavy| heavy.nodes.iter().map(|p| (p.parent, p.node, p.weight)).collect::<BTreeSet<_>>();
            let naive = |nodes: Vec<(u32, u32, i64)>| nodes.into_iter().filter(|n| n.2 >= 7).collect::<BTreeSet<_>>();
            let heavy = Heavy::by_dominators(&a, own, |_| 7);
            let subtree = |n: NodeIx| a.dominator_subtree(n).map(own).sum::<i64>();
            prop_assert_eq!(heavy.whole, subtree(a.root()));
            prop_assert_eq!(parts(&heavy), naive(a.nodes().filter(|&n| n != a.root()).map(|n| (a.dominator(n).0, n.0, subtree(n))).collect()));
            prop_assert!(heavy.nodes.iter().all(|p| a.flat_subtree(p.place).0[0] == p.node));

            let tree = a.path_tree(&Unwatched).expect("nobody cancels");
            let heavy = Heavy::by_paths(&a, &tree, own, |_| 7);
            let on_path = |n: NodeIx, v: NodeIx| n == v || a.path(v).iter().any(|s| s.edge.to == n);
            let below = |n: NodeIx| a.nodes().filter(|&v| on_path(n, v)).map(own).sum::<i64>();
            let holder = |n: NodeIx| a.path(n).last().map(|s| s.edge.from.0);
            prop_assert_eq!(parts(&heavy), naive(a.nodes().filter_map(|n| Some((holder(n)?, n.0, below(n)))).collect()));
        }

        #[test]
        fn what_piles_up_hangs_on_the_place_or_on_what_was_there(draft in drafts(), old in 0u32..4) {
            let a = draft.analyse();
            let data = Data::of(&a);
            let tree = a.path_tree(&Unwatched).expect("nobody cancels");
            let is_new = |n: NodeIx| n.0 % 4 >= old;
            let is_new: Option<&dyn Fn(NodeIx) -> bool> = if old == 0 { None } else { Some(&is_new) };
            // The definition, over any tree.
            let piled = |point: NodeIx, up: &dyn Fn(NodeIx) -> Option<NodeIx>| {
                let member = |v: NodeIx| {
                    let ways: Vec<NodeIx> = std::iter::successors(up(v), |&n| if n == point { None } else { up(n) }).collect();
                    let above = ways.iter().copied().find(|&n| n == point || a.kind(n) != NodeKind::Array);
                    let on_old = above.is_some_and(|n| is_new.is_some_and(|f| !f(n)));
                    v != point && ways.contains(&point) && data.bytes(&a, v) != 0 && is_new.is_none_or(|f| f(v)) && (above == Some(point) || on_old)
                };
                a.nodes().filter(|&v| member(v)).collect::<BTreeSet<_>>()
            };
            for place in 0..a.node_count() as u32 {
                let node = NodeIx(a.flat_subtree(place).0[0]);
                let found = topmost_by_dominators(&a, &data, Point { node, weight: 0, whole: 0, place }, is_new);
                let up = |n: NodeIx| (n != a.root()).then(|| a.dominator(n));
                prop_assert_eq!(found.into_iter().collect::<BTreeSet<_>>(), piled(node, &up), "by dominators below {:?}", node);
            }
            for k in 0..tree.len() {
                let node = tree.node(&a, k);
                let found = topmost_by_paths(&a, &data, &tree, &[node], is_new).remove(0);
                let up = |n: NodeIx| a.path(n).last().map(|s| s.edge.from);
                prop_assert_eq!(found.into_iter().collect::<BTreeSet<_>>(), piled(node, &up), "by paths below {:?}", node);
            }
        }
    }
}
