//! S9, strings: the same texts over and over. Thresholds: copies waste 5 % of the heap and 64 KB; a place where more than half of its waste
//! accumulates is a candidate, with a past only when the waste there grew by 12 KB.
//!
//! Copies are a reason for a heap's size, seldom the leak itself: the holder of the copies is named, and size alone ranks them at half.

use super::Rule;
use super::scene::{Candidate, Scene};
use crate::heap::analysis::Analysis;
use crate::heap::bits::Bits;
use crate::heap::format::NodeKind;
use crate::heap::ids::NodeIx;

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
        let waste = Waste::of(a);
        let enough = |whole: i64| whole >= LEAST && whole * SHARE >= a.total_size() as i64;
        if !enough(waste.whole) {
            return Vec::new();
        }
        // What nothing reaches is in no tree, so it is asked again.
        let points = scene.weight_by_paths(&|n| waste.bytes(a, n), |whole| if enough(whole) { LEAST.max(whole / 10) } else { i64::MAX });
        let points: Vec<_> = points.into_iter().filter(|p| !scene.is_structure(p.node) && p.weight > 0).collect();
        let growth: Vec<Option<i64>> = match &scene.past {
            None => vec![None; points.len()],
            Some(past) => {
                let before = past.reader.a;
                let waste_then = Waste::of(before);
                let then: Vec<Option<NodeIx>> = points.iter().map(|p| past.growth.counterpart(p.node)).collect();
                let known: Vec<NodeIx> = then.iter().flatten().copied().collect();
                let mut weights = scene.weights_before(past, |n| waste_then.bytes(before, n), &known).into_iter();
                let was = then.iter().map(|t| if t.is_some() { weights.next().unwrap_or(0) } else { 0 });
                points.iter().zip(was).map(|(p, was)| Some(p.whole - was)).collect()
            }
        };
        let (points, growth): (Vec<_>, Vec<_>) = points.into_iter().zip(growth).filter(|(_, g)| g.is_none_or(|g| g >= GREW)).unzip();
        scene
            .piled_by_paths(points)
            .into_iter()
            .zip(growth)
            .map(|((p, members), growth)| Candidate {
                rule: self.name(),
                at: p.node,
                members,
                count: None,
                growth,
                retained: u64::try_from(p.weight).unwrap_or(0),
                named: None,
            })
            .collect()
    }
}

/// The strings that an equal one, earlier in the file, would do for.
struct Waste {
    is: Bits,
    whole: i64,
}

impl Waste {
    fn of(a: &Analysis) -> Self {
        let mut seen = Bits::new(a.strings().len());
        let mut waste = Self { is: Bits::new(a.node_count()), whole: 0 };
        for node in a.nodes().filter(|&n| a.kind(n) == NodeKind::String && a.shallow_size(n) > 0) {
            let name = a.name_ix(node);
            // What the file lacks is equal to nothing.
            if a.strings().has(name) && !seen.put(name.index()) {
                waste.is.put(node.index());
                waste.whole += a.shallow_size(node) as i64;
            }
        }
        waste
    }

    fn bytes(&self, a: &Analysis, node: NodeIx) -> i64 {
        if self.is.has(node.index()) { a.shallow_size(node) as i64 } else { 0 }
    }
}
