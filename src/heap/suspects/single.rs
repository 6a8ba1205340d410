//! S1, single: the places where most of one snapshot's heap accumulates, by dominators. Thresholds: 1 % of the data and 24 KB a place; what is
//! called a suspect and what only large is decided by the evidence of `leaky` (at least 5 % of the heap, 16 MB, 1,000 members, or evidence
//! that speaks for itself).
//!
//! The place is Eclipse MAT's accumulation point: from the root down while the heavy children of a node have together at least 0.6 of it.

use super::Rule;
use super::scene::{Candidate, Scene};
use super::tree::Point;

pub(super) struct Single;

impl Rule for Single {
    fn name(&self) -> &'static str {
        "single"
    }

    fn find(&self, scene: &Scene<'_>) -> Vec<Candidate> {
        let a = scene.a();
        let points = scene.singles().points.iter();
        let candidate = |point: &Point| Candidate {
            rule: self.name(),
            at: point.node,
            members: scene.piled_by_dominators(*point),
            count: None,
            growth: None,
            retained: a.retained_size(point.node).max(u64::try_from(point.weight).unwrap_or(0)),
            named: None,
        };
        points.map(candidate).collect()
    }
}
