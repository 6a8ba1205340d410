//! S3, growth: what grew between two snapshots of one process, located where it fans out.
//!
//! Dominators first: they say what would be free. What they leave at the root (one pending timer reaches the holder from behind, and its
//! dominators are gone) is looked for by the best paths of what is net-new. Thresholds: 3 % of the growth and 12 KB a place.

use super::Rule;
use super::scene::{Candidate, Scene};
use super::tree::Point;
use crate::heap::bits::Bits;
use crate::heap::ids::NodeIx;

/// Smallest net growth that is worth a line, bytes.
const LEAST: i64 = 12 << 10;
/// Smallest part of all growth that is worth a line: one of so many.
const SHARE: i64 = 33;

pub(super) struct GrowthRule;

impl Rule for GrowthRule {
    fn name(&self) -> &'static str {
        "growth"
    }

    fn find(&self, scene: &Scene<'_>) -> Vec<Candidate> {
        let Some(past) = &scene.past else { return Vec::new() };
        let a = scene.a();
        let candidate = |point: Point, members: Vec<NodeIx>| Candidate {
            rule: self.name(),
            at: point.node,
            members,
            count: None,
            growth: Some(point.weight),
            retained: a.retained_size(point.node).max(u64::try_from(point.weight).unwrap_or(0)),
            named: None,
        };
        let (points, whole) = scene.growth_by_dominators(past, LEAST, SHARE);
        let mut found = Vec::new();
        let mut done = Bits::new(a.node_count());
        let mut explained = 0;
        for point in points {
            if scene.is_structure(point.node) || scene.reader.is_context(point.node) && !scene.is_new(point.node) {
                continue;
            }
            explained += point.weight;
            if done.put(point.node.index()) {
                a.flat_subtree(point.place).0.iter().for_each(|&n| {
                    done.put(n as usize);
                });
            }
            found.push(candidate(point, scene.piled_by_dominators(point)));
        }
        if explained * 5 < whole * 4 || found.is_empty() {
            let mut points = scene.data_growth_by_paths(past, (LEAST, SHARE), &done);
            points.retain(|p| !scene.is_structure(p.node));
            found.extend(scene.piled_by_paths(points).into_iter().map(|(point, members)| candidate(point, members)));
        }
        found
    }
}
