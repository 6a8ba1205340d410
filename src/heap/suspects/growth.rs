//! S3, growth: what grew between two snapshots of one process, located where it fans out.
//!
//! Dominators first: they say what would be free. What they leave at the root (one pending timer reaches the holder from behind, and its
//! dominators are gone) is looked for by the best paths of what is net-new. Thresholds: 3 % of the growth and 12 KB a place.

use super::Rule;
use super::scene::{Candidate, Scene};
use super::tree::{Point, Tree, points};
use crate::heap::bits::Bits;

/// Smallest net growth that is worth a line, bytes.
const LEAST: i64 = 12 << 10;

pub(super) struct GrowthRule;

impl Rule for GrowthRule {
    fn name(&self) -> &'static str {
        "growth"
    }

    fn find(&self, scene: &Scene<'_>) -> Vec<Candidate> {
        let Some(past) = &scene.past else { return Vec::new() };
        let a = scene.a();
        let net = scene.net(past);
        let whole = net[a.root().index()].max(0);
        let least = LEAST.max(whole / 33);
        let mut found = Vec::new();
        let mut done = Bits::new(a.node_count());
        let mut explained = 0;
        for point in points(a, scene.dominators(), net, least) {
            if scene.is_structure(point.node) {
                continue;
            }
            if scene.reader.is_context(point.node) && !scene.is_new(point.node) {
                continue;
            }
            explained += point.weight;
            for node in a.dominator_subtree(point.node) {
                done.put(node.index());
            }
            found.push(self.candidate(scene, scene.dominators(), point));
        }
        if explained * 5 < whole * 4 || found.is_empty() {
            let net = scene.net_by_paths(past, &done);
            let least = LEAST.max(net[a.root().index()].max(0) / 33);
            for point in points(a, scene.paths(), &net, least) {
                if !scene.is_structure(point.node) {
                    found.push(self.candidate(scene, scene.paths(), point));
                }
            }
        }
        found
    }
}

impl GrowthRule {
    fn candidate(&self, scene: &Scene<'_>, tree: &Tree, point: Point) -> Candidate {
        let a = scene.a();
        let members = scene.topmost_new(tree, point.node);
        let weight = u64::try_from(point.weight).unwrap_or(0);
        Candidate {
            rule: self.name(),
            at: point.node,
            members,
            count: None,
            growth: Some(point.weight),
            retained: a.retained_size(point.node).max(weight),
            named: None,
        }
    }
}
