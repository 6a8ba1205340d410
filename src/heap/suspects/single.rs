//! S1, single: with one snapshot, the places where most of the heap accumulates. Thresholds: 1 % of the heap and 24 KB a place; what is
//! called a suspect and what only large is decided by the evidence of `leaky`.

use super::Rule;
use super::scene::{Candidate, Scene};
use super::tree::{Tree, data, points};
use crate::heap::bits::Bits;

const LEAST: i64 = 24 << 10;

pub(super) struct Single;

impl Rule for Single {
    fn name(&self) -> &'static str {
        "single"
    }

    fn find(&self, scene: &Scene<'_>) -> Vec<Candidate> {
        let a = scene.a();
        let mut weight: Vec<i64> = a.nodes().map(|n| data(a, n)).collect();
        scene.dominators().sum(&mut weight);
        let least = LEAST.max(weight[a.root().index()] / 100);
        let mut found = Vec::new();
        let mut done = Bits::new(a.node_count());
        let mut take = |tree: &Tree, weight: &[i64], done: &mut Bits| {
            for point in points(a, tree, weight, least) {
                if scene.is_structure(point.node) {
                    continue;
                }
                for node in a.dominator_subtree(point.node) {
                    done.put(node.index());
                }
                let members = scene.topmost_new(tree, point.node);
                let retained = a.retained_size(point.node).max(u64::try_from(point.weight).unwrap_or(0));
                found.push(Candidate { rule: self.name(), at: point.node, members, count: None, growth: None, retained, named: None });
            }
        };
        take(scene.dominators(), &weight, &mut done);
        // What has no dominator but the root: by best paths.
        let mut rest: Vec<i64> = a.nodes().map(|n| if done.has(n.index()) { 0 } else { data(a, n) }).collect();
        scene.paths().sum(&mut rest);
        take(scene.paths(), &rest, &mut done);
        found
    }
}
