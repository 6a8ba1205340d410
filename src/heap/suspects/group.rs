//! S2, group: many objects of one class that no single owner explains, each too small to be a suspect. Thresholds: 1 % of the heap and
//! 24 KB a group; the place is where the ways to more than half of its weight part.
//!
//! Eclipse MAT's rule (`FindLeaksQuery`: what is left of the top dominators, by class, located by the common part of the shortest paths),
//! over the best paths of all members instead of a sample of 10,000.

use super::Rule;
use super::scene::{Candidate, Scene};
use crate::heap::ids::NodeIx;

pub(super) struct Group;

impl Rule for Group {
    fn name(&self) -> &'static str {
        "group"
    }

    fn find(&self, scene: &Scene<'_>) -> Vec<Candidate> {
        let a = scene.a();
        let singles = scene.singles();
        let rest = |n: NodeIx| if singles.explained.has(n.index()) { 0 } else { scene.data.bytes(a, n) };
        // Of all data, so that the crumbs of a heap that is explained are no group.
        let mut points = scene.weight_by_paths(&rest, |_| singles.least);
        points.retain(|p| !scene.is_structure(p.node));
        scene
            .piled_by_paths(points)
            .into_iter()
            .map(|(p, members)| Candidate {
                rule: self.name(),
                at: p.node,
                members,
                count: None,
                growth: None,
                retained: a.retained_size(p.node).max(u64::try_from(p.weight).unwrap_or(0)),
                named: None,
            })
            .collect()
    }
}
