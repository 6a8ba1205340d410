//! S9, strings: the same texts over and over. Thresholds: copies waste 5 % of the heap and 64 KB; a place where more than half of its waste
//! accumulates is a candidate, with a past only when the waste there grew by 12 KB.
//!
//! Copies are a reason for a heap's size, seldom the leak itself: the holder of the copies is named, and size alone ranks them at half.

use rustc_hash::FxHashMap;

use super::Rule;
use super::scene::{Candidate, Scene};
use super::tree::{Tree, points};
use crate::heap::analysis::Analysis;
use crate::heap::format::NodeKind;

const LEAST: i64 = 64 << 10;
/// Share of the heap that is wasted (1 of).
const SHARE: i64 = 20;
const GREW: i64 = 12 << 10;

pub(super) struct Duplicates;

impl Rule for Duplicates {
    fn name(&self) -> &'static str {
        "strings"
    }

    fn find(&self, scene: &Scene<'_>) -> Vec<Candidate> {
        let a = scene.a();
        let waste = wasted(a, scene.paths());
        let whole = waste[a.root().index()];
        if whole < LEAST || whole * SHARE < a.total_size() as i64 {
            return Vec::new();
        }
        let before = scene.past.as_ref().map(|p| wasted(p.reader.a, &Tree::paths(p.reader.a)));
        points(a, scene.paths(), &waste, LEAST.max(whole / 10))
            .into_iter()
            .filter(|p| !scene.is_structure(p.node))
            .filter_map(|p| {
                let growth = match (&scene.past, &before) {
                    (Some(past), Some(before)) => {
                        let then = past.growth.counterpart(p.node).map_or(0, |b| before[b.index()]);
                        let grew = waste[p.node.index()] - then;
                        Some(Some(grew).filter(|&g| g >= GREW)?)
                    }
                    _ => None,
                };
                Some(Candidate {
                    rule: self.name(),
                    at: p.node,
                    members: scene.topmost_new(scene.paths(), p.node),
                    count: None,
                    growth,
                    retained: u64::try_from(p.weight).unwrap_or(0),
                    named: None,
                })
            })
            .collect()
    }
}

/// Below each node of the tree the bytes of texts that an equal one, earlier in the file, would do for.
fn wasted(a: &Analysis, tree: &Tree) -> Vec<i64> {
    let mut seen: FxHashMap<u32, ()> = FxHashMap::default();
    let mut waste = vec![0_i64; a.node_count()];
    for node in a.nodes().filter(|&n| a.kind(n) == NodeKind::String && a.shallow_size(n) > 0) {
        if seen.insert(a.name_ix(node).0, ()).is_some() {
            waste[node.index()] = a.shallow_size(node) as i64;
        }
    }
    tree.sum(&mut waste);
    waste
}
