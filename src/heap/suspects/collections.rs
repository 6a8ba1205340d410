//! S4, collections: what fills a Map, Set or array. With a past: at least 1,000 entries now, and in every interval 1 % more and 50 more
//! entries; with one snapshot: 1,000 entries and 1 % of the heap.
//!
//! Growth finds the big ones by their bytes; this rule finds the slow one beside a big one, and the one whose members somebody else holds as
//! well. Never named: weak collections (their table frees its entries by itself) and ring buffers (arrays of a fixed length).

use super::Rule;
use super::scene::{Candidate, Scene};
use crate::heap::ids::NodeIx;
use crate::heap::recognise::{Entries, entries};
use crate::heap::verdict::HolderKind;

/// Fewer entries are no pile.
const MANY: u64 = 1000;
/// Entries that have to come in an interval, and their share of those that are there (1 of).
const MORE: u64 = 50;
const SHARE: u64 = 100;
/// Smallest net growth that is worth a line, bytes.
const LEAST: i64 = 12 << 10;

pub(super) struct Collections;

impl Rule for Collections {
    fn name(&self) -> &'static str {
        "collection"
    }

    fn find(&self, scene: &Scene<'_>) -> Vec<Candidate> {
        let a = scene.a();
        let mut found = Vec::new();
        for edge in &scene.census().tables {
            let node = edge.from;
            if scene.is_structure(node) {
                continue;
            }
            let retained = a.retained_size(node);
            // A cheap look first: the entries of a table are read one by one.
            if scene.past.is_none() && retained * 100 < a.total_size() {
                continue;
            }
            let Some(now) = entries(&scene.reader, node).filter(|e| e.count >= MANY && can_grow(e)) else { continue };
            let growth = match &scene.past {
                None => None,
                Some(past) => {
                    if !grew_each_time(scene, node, now.count) {
                        continue;
                    }
                    let growth = scene.net_under(past, node);
                    if growth < LEAST {
                        continue;
                    }
                    Some(growth)
                }
            };
            let members = if now.values.is_empty() { &now.keys } else { &now.values };
            let members = members.iter().copied().filter(|&m| scene.is_new(m)).collect();
            found.push(Candidate { rule: self.name(), at: node, members, count: Some(now.count), growth, retained, named: None });
        }
        found
    }
}

/// Neither weak nor of a fixed length.
fn can_grow(held: &Entries) -> bool {
    held.kind != HolderKind::WeakMap && held.pushed != Some(false)
}

/// Whether the collection gained in every interval between the snapshots.
fn grew_each_time(scene: &Scene<'_>, node: NodeIx, now: u64) -> bool {
    let id = scene.a().id(node);
    let mut later = now;
    for before in scene.older().rev() {
        let Some(then) = before.a.by_id(id) else { return false };
        let count = entries(before, then).map_or(0, |e| e.count);
        if later < count + MORE.max(count / SHARE) {
            return false;
        }
        later = count;
    }
    true
}
