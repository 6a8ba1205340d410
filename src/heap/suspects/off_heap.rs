//! S8, off heap: bytes of buffers and typed arrays, which lie outside V8's heap and in no count of entries, by who owns them. Thresholds: 64 KB
//! and 5 % of the heap a place; with a past 64 KB and 5 % of what the buffers grew.

use super::Rule;
use super::scene::{Candidate, Scene};
use super::tree::{Tree, net, points};
use crate::heap::analysis::Analysis;
use crate::heap::format::NodeKind;
use crate::heap::ids::NodeIx;

const LEAST: i64 = 64 << 10;
/// Share of the whole (1 of).
const SHARE: i64 = 20;

pub(super) struct OffHeap;

impl Rule for OffHeap {
    fn name(&self) -> &'static str {
        "off-heap"
    }

    fn find(&self, scene: &Scene<'_>) -> Vec<Candidate> {
        let a = scene.a();
        if scene.census().buffers.is_empty() {
            return Vec::new();
        }
        // By best paths: a buffer that two things hold (a pool and its user) has no owner by dominators.
        let paths = scene.paths();
        let (weight, least) = match &scene.past {
            Some(past) => {
                let net = net(past.reader.a, a, &past.growth, &Tree::paths(past.reader.a), paths, &outside, &|_| false);
                let least = LEAST.max(net[a.root().index()] / SHARE);
                (net, least)
            }
            None => {
                let mut weight: Vec<i64> = a.nodes().map(|n| outside(a, n)).collect();
                paths.sum(&mut weight);
                (weight, LEAST.max(a.total_size() as i64 / SHARE))
            }
        };
        points(a, paths, &weight, least)
            .into_iter()
            .map(|mut p| {
                // One big buffer: its owner is the holder, not the bytes.
                while is_part(a, p.node) && paths.parent[p.node.index()] != super::tree::NONE {
                    p.node = NodeIx(paths.parent[p.node.index()]);
                }
                p
            })
            .filter(|p| !scene.is_structure(p.node))
            .map(|p| Candidate {
                rule: self.name(),
                at: p.node,
                members: scene.topmost_new(paths, p.node),
                count: None,
                growth: scene.past.as_ref().map(|_| p.weight),
                retained: a.retained_size(p.node).max(u64::try_from(p.weight).unwrap_or(0)),
                named: None,
            })
            .collect()
    }
}

/// Bytes of an `ArrayBuffer`'s data, wherever they were moved to: V8 counts them on a native node of their own.
fn outside(a: &Analysis, node: NodeIx) -> i64 {
    if a.kind(node) == NodeKind::Native && a.raw_name(node) == "system / JSArrayBufferData" { a.raw_size(node) as i64 } else { 0 }
}

/// The data and the `ArrayBuffer` around it.
fn is_part(a: &Analysis, node: NodeIx) -> bool {
    a.kind(node) == NodeKind::Native
        || a.kind(node) == NodeKind::Object && matches!(a.raw_name(node).as_ref(), "ArrayBuffer" | "SharedArrayBuffer")
}
