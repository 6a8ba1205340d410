//! Two trees over one heap, dominators and best paths, and the net growth that hangs on each node of them.
//!
//! New by id is not growth: a bounded cache that turns over has more new bytes than a leak. So what went is charged to the owner that held
//! it, the nearest one that is still there; what remains is net growth. One pending timer can take all dominators away from a holder,
//! which is then still on the path of nearly all new objects: hence two trees.

use crate::heap::analysis::Analysis;
use crate::heap::diff::Growth;
use crate::heap::format::NodeKind;
use crate::heap::ids::NodeIx;

pub(super) const NONE: u32 = u32::MAX;

/// A tree over the nodes of a snapshot: each node's parent, and an order in which parents come first.
pub(super) struct Tree {
    pub parent: Vec<u32>,
    pub order: Vec<u32>,
}

impl Tree {
    /// Who must let go of a node.
    pub fn dominators(a: &Analysis) -> Self {
        let mut parent = vec![NONE; a.node_count()];
        let mut order = Vec::with_capacity(a.node_count());
        for node in a.dominators_first() {
            order.push(node.0);
            let above = a.dominator(node);
            if above != node {
                parent[node.index()] = above.0;
            }
        }
        Self { parent, order }
    }

    /// Who explains best why a node is there.
    pub fn paths(a: &Analysis) -> Self {
        let n = a.node_count();
        let mut parent = vec![NONE; n];
        let mut waiting = vec![0_u32; n];
        for node in a.nodes() {
            if let Some(edge) = a.path_parent(node) {
                parent[node.index()] = edge.from.0;
                waiting[edge.from.index()] += 1;
            }
        }
        // Leaves first, then turned round.
        let mut order: Vec<u32> = (0..n as u32).filter(|&v| waiting[v as usize] == 0).collect();
        let mut at = 0;
        while let Some(&v) = order.get(at) {
            at += 1;
            let p = parent[v as usize];
            if p != NONE {
                waiting[p as usize] -= 1;
                if waiting[p as usize] == 0 {
                    order.push(p);
                }
            }
        }
        order.reverse();
        Self { parent, order }
    }

    /// Sums up the tree: each node's value becomes that of its whole subtree.
    pub fn sum(&self, values: &mut [i64]) {
        for &v in self.order.iter().rev() {
            let p = self.parent[v as usize];
            if p != NONE {
                values[p as usize] += values[v as usize];
            }
        }
    }
}

/// Bytes of `node` as far as they are the program's data. V8's own are left out (code, feedback, hidden classes, descriptors): they
/// climb while a process warms up and are never the leak. Backing stores count with their owners.
pub(super) fn data(a: &Analysis, node: NodeIx) -> i64 {
    let size = a.shallow_size(node) as i64;
    match a.kind(node) {
        NodeKind::Code | NodeKind::ObjectShape | NodeKind::Synthetic | NodeKind::Array => 0,
        NodeKind::Hidden | NodeKind::Other => {
            let name = a.raw_name(node);
            let program = ["system / Context", "system / PromiseReaction", "system / AsyncGeneratorRequest", "system / CallbackTask"];
            if program.iter().any(|p| name.starts_with(p)) { size } else { 0 }
        }
        NodeKind::Native if a.raw_name(node).starts_with("Node / ") => 0,
        _ => size,
    }
}

/// Net growth in bytes below each node of `after`, of what `bytes` says a node weighs ([`data`], or a part of it).
pub(super) fn net(
    before: &Analysis,
    after: &Analysis,
    growth: &Growth,
    old: &Tree,
    new: &Tree,
    bytes: &dyn Fn(&Analysis, NodeIx) -> i64,
    skip: &dyn Fn(NodeIx) -> bool,
) -> Vec<i64> {
    let mut net = vec![0_i64; after.node_count()];
    let mut back = vec![NONE; before.node_count()];
    for node in after.nodes() {
        match growth.counterpart(node) {
            None if !skip(node) => net[node.index()] += bytes(after, node),
            None => {}
            Some(b) => {
                back[b.index()] = node.0;
                // Objects that stayed and changed their size: arrays of numbers grow so.
                if after.kind(node) == NodeKind::Object && !skip(node) {
                    net[node.index()] += bytes(after, node) - bytes(before, b);
                }
            }
        }
    }
    // The owner that is still there, of each node that went: parents come first, so each step looks one up.
    let mut owner = vec![NONE; before.node_count()];
    for &v in &old.order {
        let (v, p) = (v as usize, old.parent[v as usize]);
        if back[v] != NONE {
            owner[v] = back[v];
        } else if p != NONE {
            owner[v] = owner[p as usize];
        }
        if back[v] == NONE && owner[v] != NONE {
            net[owner[v] as usize] -= bytes(before, NodeIx(v as u32));
        }
    }
    new.sum(&mut net);
    net
}

/// A place where weight fans out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Point {
    pub node: NodeIx,
    /// Weight of its subtree, less that of the points below it.
    pub weight: i64,
}

/// Where the weight of a tree accumulates: from the root down, through every child that has at least `least`, to where the heavy children
/// of a node have together less than 0.6 of it, or three or more of them are alike (a fan of few). MAT's accumulation point
/// (`big_drop_ratio`), made to find several.
pub(super) fn points(a: &Analysis, tree: &Tree, weight: &[i64], least: i64) -> Vec<Point> {
    let mut heavy: Vec<(u32, u32)> = (0..weight.len() as u32)
        .filter(|&v| weight[v as usize] >= least && tree.parent[v as usize] != NONE)
        .map(|v| (tree.parent[v as usize], v))
        .collect();
    heavy.sort_unstable();
    let children = |v: u32| {
        let from = heavy.partition_point(|&(p, _)| p < v);
        heavy[from..].iter().take_while(move |&&(p, _)| p == v).map(|&(_, c)| c)
    };
    let mut found = Vec::new();
    // With each node the weight at the top of the stretch it ends: a chain sheds a little at every step and so has its weight nowhere.
    let mut stack = vec![(a.root().0, weight[a.root().index()])];
    while let Some((v, top)) = stack.pop() {
        let whole = weight[v as usize];
        let mut below = 0;
        let heavy_children = children(v).count();
        let mut classes: Vec<(u32, i64)> = Vec::new();
        for c in children(v) {
            below += weight[c as usize];
            if !is_frame(a, NodeIx(c)) {
                classes.push((a.class_of(NodeIx(c)).0, weight[c as usize]));
            }
        }
        classes.sort_unstable();
        // Few big members of one collection, none of them most of it: the collection is the place.
        let alike = !is_frame(a, NodeIx(v))
            && classes.chunk_by(|x, y| x.0 == y.0).any(|run| {
                let sum: i64 = run.iter().map(|r| r.1).sum();
                let most = run.iter().map(|r| r.1).max().unwrap_or(0);
                run.len() >= 3 && sum * 2 >= whole && most * 10 <= sum * 7
            });
        if alike {
            found.push(Point { node: NodeIx(v), weight: whole });
            continue;
        }
        if whole - below >= least && (below * 10 < whole * 6 || whole - below >= 4 * least) {
            let weight = if heavy_children == 0 { top } else { whole - below };
            found.push(Point { node: NodeIx(v), weight });
        }
        for c in children(v) {
            let here = weight[c as usize];
            let goes_on = heavy_children == 1 && (whole - here) * 50 <= top;
            stack.push((c, if goes_on { top } else { here }));
        }
    }
    found.sort_by_key(|p| (std::cmp::Reverse(p.weight), p.node));
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
    use super::*;

    #[test]
    fn subtrees_are_summed_from_the_leaves() {
        // 0 → 1 → 2, 0 → 3
        let tree = Tree { parent: vec![NONE, 0, 1, 0], order: vec![0, 1, 3, 2] };
        let mut values = vec![1, 10, 100, 1000];
        tree.sum(&mut values);
        assert_eq!(values, [1111, 110, 100, 1000]);
    }
}
