//! S8, off heap: bytes of buffers and typed arrays, which lie outside V8's heap and in no count of entries, by who owns them. Thresholds: 64 KB
//! and 5 % of the heap a place; with a past 64 KB and 5 % of what the buffers grew.

use super::Rule;
use super::scene::{Candidate, Scene};
use crate::heap::analysis::Analysis;
use crate::heap::bits::Bits;
use crate::heap::format::NodeKind;
use crate::heap::ids::NodeIx;
use crate::heap::recognise::Reader;

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
        // No place can hold more than there is.
        let least = LEAST.max(a.total_size() as i64 / SHARE);
        if scene.past.is_none() && scene.census().buffers.iter().map(|e| a.raw_size(e.to) as i64).sum::<i64>() < least {
            return Vec::new();
        }
        // By best paths: a buffer that two things hold (a pool and its user) has no owner by dominators.
        let now = |n: NodeIx| outside(&scene.reader, n);
        let mut points = match &scene.past {
            Some(past) => {
                let then = |n: NodeIx| outside(&past.reader, n);
                scene.growth_by_paths(past, (&then, &now), (LEAST, SHARE), &Bits::new(a.node_count()))
            }
            None => scene.weight_by_paths(&now, |_| least),
        };
        // One big buffer: its owner is the holder, not the bytes.
        for point in &mut points {
            *point = scene.first_above(*point, |n| !is_part(a, n));
        }
        points.retain(|p| !scene.is_structure(p.node));
        scene
            .piled_by_paths(points)
            .into_iter()
            .map(|(p, members)| Candidate {
                rule: self.name(),
                at: p.node,
                members,
                count: None,
                growth: scene.past.as_ref().map(|_| p.weight),
                retained: a.retained_size(p.node).max(u64::try_from(p.weight).unwrap_or(0)),
                named: None,
            })
            .collect()
    }
}

/// Bytes of an `ArrayBuffer`'s data, wherever they were moved to: V8 counts them on a native node of their own.
fn outside(reader: &Reader<'_>, node: NodeIx) -> i64 {
    let a = reader.a;
    if a.kind(node) == NodeKind::Native && reader.is_named(node, reader.w.array_buffer_data) { a.raw_size(node) as i64 } else { 0 }
}

/// The data and the `ArrayBuffer` around it.
fn is_part(a: &Analysis, node: NodeIx) -> bool {
    a.kind(node) == NodeKind::Native
        || a.kind(node) == NodeKind::Object && matches!(a.raw_name(node).as_ref(), "ArrayBuffer" | "SharedArrayBuffer")
}
