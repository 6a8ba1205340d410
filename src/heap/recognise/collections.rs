//! Maps, sets, arrays and objects used as dictionaries: how many entries, and whether entries ever leave.
//!
//! Source: V8's `OrderedHashMap` (`src/objects/ordered-hash-table.h`): slots = 3 + buckets + entries of 3 (Map: key, value, chain) or 2
//! (Set) with two entries a bucket; what was deleted leaves a hole until the table is rebuilt. Measured on Node 18 to 26.

use std::sync::Arc;

use super::entries::Entries;
use super::reader::Reader;
use super::{Recogniser, Sight, Site};
use crate::heap::format::{EdgeKind, NodeKind};
use crate::heap::ids::NodeIx;
use crate::heap::snapshot::Label;
use crate::heap::verdict::HolderKind;

/// Fewer properties than this make an object with fields, not a dictionary.
const DICTIONARY: usize = 64;

/// What `node` holds when it is a collection; `None` when it is something else.
pub(in crate::heap) fn entries(reader: &Reader<'_>, node: NodeIx) -> Option<Arc<Entries>> {
    if let Some(held) = reader.known_collection(node) {
        return Some(held);
    }
    let held = Arc::new(read(reader, node)?);
    reader.keep_collection(node, &held);
    Some(held)
}

/// Reads a collection.
fn read(reader: &Reader<'_>, node: NodeIx) -> Option<Entries> {
    let a = reader.a;
    if a.kind(node) != NodeKind::Object {
        return None;
    }
    let w = &reader.w;
    let table = reader.internal(node, w.table);
    if let Some(table) = table {
        let map = !(reader.is_named(node, w.set) || reader.is_named(node, w.weak_set));
        let weak = reader.is_named(node, w.weak_map) || reader.is_named(node, w.weak_set);
        return Some(table_entries(reader, table, map, weak));
    }
    if let Some(elements) = reader.internal(node, w.elements) {
        let values: Vec<NodeIx> = a.edges(node).filter(|e| e.kind == EdgeKind::Element).map(|e| e.to).collect();
        if reader.is_named(node, w.array) || values.len() >= DICTIONARY {
            let slots = a.raw_size(elements).saturating_sub(16) / 8;
            let count = if values.is_empty() { slots } else { values.len() as u64 };
            // The store of `new Array(n)` fits exactly; that of a pushed array has room for half as many again.
            let pushed = Some(slots > count || values.is_empty());
            return Some(Entries { kind: HolderKind::Array, count, keys: Vec::new(), values, holes: None, pushed, dictionary: false });
        }
    }
    if reader.is_named(node, w.array) {
        return Some(Entries {
            kind: HolderKind::Array,
            count: 0,
            keys: Vec::new(),
            values: Vec::new(),
            holes: None,
            pushed: None,
            dictionary: false,
        });
    }
    let fields = a.edges(node).filter(|e| e.kind == EdgeKind::Property && !reader.is_furniture(e));
    let count = fields.clone().count();
    (count >= DICTIONARY).then(|| Entries {
        kind: HolderKind::Dictionary,
        count: count as u64,
        keys: Vec::new(),
        values: fields.map(|e| e.to).collect(),
        holes: None,
        pushed: None,
        dictionary: reader.internal(node, w.properties).is_some(),
    })
}

fn table_entries(reader: &Reader<'_>, table: NodeIx, map: bool, weak: bool) -> Entries {
    let a = reader.a;
    let slots = a.raw_size(table).saturating_sub(16) / 8;
    let (per_bucket, width) = if map { (7, 3) } else { (5, 2) };
    let buckets = slots.saturating_sub(3) / per_bucket;
    let first = 3 + buckets;
    let mut keys = Vec::new();
    let mut values = Vec::new();
    let mut lowest: Option<u64> = None;
    let mut highest = 0;
    let mut used: Vec<u64> = Vec::new();
    for edge in a.edges(table) {
        let Label::Name(name) = edge.label else { continue };
        if edge.kind != EdgeKind::Internal || is_nothing(reader, edge.to) {
            continue;
        }
        // WeakMap tables name a pair's number first, and behind it the pair.
        let Some(slot) = number(a.strings().raw(name)) else { continue };
        if weak {
            used.push(slot);
            values.push(edge.to);
            continue;
        }
        let Some(at) = slot.checked_sub(first) else { continue };
        let entry = at / width;
        used.push(entry);
        lowest = Some(lowest.map_or(entry, |l| l.min(entry)));
        highest = highest.max(entry);
        match at % width {
            0 => keys.push(edge.to),
            1 if map => values.push(edge.to),
            _ => {}
        }
    }
    let kind = match (map, weak) {
        (_, true) => HolderKind::WeakMap,
        (true, false) => HolderKind::Map,
        (false, false) => HolderKind::Set,
    };
    // Edges mostly stand in order of their slots.
    used.sort_unstable();
    used.dedup();
    let count = used.len() as u64;
    // Maps from number to number show neither keys nor values: then the gap says nothing.
    let holes = (!weak && count > 0).then(|| highest + 1 - count);
    if !map {
        values.clone_from(&keys);
    }
    Entries { kind, count, keys, values, holes, pushed: None, dictionary: false }
}

/// The number that a name begins with, if nothing but a space follows.
fn number(name: &[u8]) -> Option<u64> {
    let digits = name.iter().position(|b| !b.is_ascii_digit()).unwrap_or(name.len());
    if digits == 0 || digits > 18 || name.get(digits).is_some_and(|&b| b != b' ') {
        return None;
    }
    Some(name[..digits].iter().fold(0, |n, b| n * 10 + u64::from(b - b'0')))
}

/// V8's hole, `undefined` and the like: shared by everything, owned by nothing.
fn is_nothing(reader: &Reader<'_>, node: NodeIx) -> bool {
    reader.a.kind(node) == NodeKind::Hidden && !reader.is_context(node) || reader.a.kind(node) == NodeKind::ObjectShape
}

/// Any collection: the one nearest to what piles up.
pub(super) struct Collections;

impl Recogniser for Collections {
    fn see(&self, site: &Site<'_>) -> Option<Sight> {
        // Under several lists in one map the map is the holder: the first collection that the name leads to.
        let (node, found) = site.inside().take(16).find_map(|n| entries(site.reader, n).map(|e| (n, e)))?;
        let _ = node;
        Some(Sight { kind: found.kind, detail: None, count: Some(found.count) })
    }
}
