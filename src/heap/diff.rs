//! Two snapshots: what came, what went, and where in the dominator tree the growth hangs.
//!
//! Ids are compared only inside one process. Rows are those of DevTools' Comparison view (`calculateSnapshotDiff` of `HeapSnapshot.ts`,
//! chrome-devtools-frontend 1.0.1705227); the growth by dominator subtree is this program's own.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::analysis::Analysis;
use super::bits::Bits;
use super::classes::{Shapes, name_all};
use super::format::NodeKind;
use super::ids::NodeIx;
use super::salvage::Trust;
use super::snapshot::SnapshotKind;

/// Share of common ids that may name different things before two snapshots are taken for those of two processes. Measured: 0.000003 within one
/// process, 0.052 between two runs of one program.
const MOST_DIFFERENT: f64 = 0.005;

/// Why two snapshots cannot be compared by id. [`diff_by_shape`] is what remains.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum NotComparable {
    /// One is normal, one has internals exposed: sizes and names mean different things.
    #[error("one is a {}, the other a {}: their sizes and names mean different things", before.words(), after.words())]
    Kinds {
        /// Kind of the earlier.
        before: SnapshotKind,
        /// Kind of the later.
        after: SnapshotKind,
    },
    /// Too many ids name different things.
    #[error("they come from two processes: {different} of {common} common ids name different objects")]
    OtherProcess {
        /// Ids in both whose name or kind differs.
        different: u64,
        /// Ids of nameable objects in both.
        common: u64,
    },
    /// One of them lacks edges or names.
    #[error("one of them was cut, and lacks what a comparison needs")]
    Cut,
}

/// A row of the comparison.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClassChange {
    /// Key of the class, as in [`super::ClassRow::key`].
    pub key: String,
    /// Name of the class.
    pub name: Arc<str>,
    /// Objects only in the later snapshot.
    pub added: u64,
    /// Objects only in the earlier snapshot.
    pub removed: u64,
    /// Their own sizes, bytes.
    pub added_size: u64,
    /// Their own sizes, bytes.
    pub removed_size: u64,
}

impl ClassChange {
    /// Bytes that the class gained.
    pub fn size_delta(&self) -> i64 {
        self.added_size as i64 - self.removed_size as i64
    }

    /// Objects that the class gained.
    pub fn delta(&self) -> i64 {
        self.added as i64 - self.removed as i64
    }
}

/// What happened between two snapshots of one process.
#[derive(Debug)]
pub struct Growth {
    /// Classes with objects that came or went, most added bytes first.
    pub rows: Vec<ClassChange>,
    /// Bytes of what is only in the later snapshot.
    pub added_size: u64,
    /// Bytes of what is only in the earlier snapshot.
    pub removed_size: u64,
    /// Position in the earlier snapshot of each node of the later, or none.
    counterpart: Vec<u32>,
    gone: Bits,
    added_under: Vec<u64>,
    removed_under: Vec<u64>,
}

const NONE: u32 = u32::MAX;

impl Growth {
    /// The same object in the earlier snapshot; `None` when it is new.
    pub fn counterpart(&self, after: NodeIx) -> Option<NodeIx> {
        let before = self.counterpart[after.index()];
        (before != NONE).then_some(NodeIx(before))
    }

    /// Whether an object of the later snapshot is not in the earlier.
    pub fn is_new(&self, after: NodeIx) -> bool {
        self.counterpart[after.index()] == NONE
    }

    /// Whether an object of the earlier snapshot is not in the later.
    pub fn is_gone(&self, before: NodeIx) -> bool {
        self.gone.has(before.index())
    }

    /// Bytes of new objects in the dominator subtree of a node of the later snapshot.
    pub fn added_under(&self, after: NodeIx) -> u64 {
        self.added_under[after.index()]
    }

    /// Bytes of objects that went from the dominator subtree of a node of the earlier snapshot.
    pub fn removed_under(&self, before: NodeIx) -> u64 {
        self.removed_under[before.index()]
    }

    /// Bytes that came minus bytes that went below a node of the later snapshot. Of what came a cache that turns over has a lot; its
    /// net is about zero.
    pub fn net_under(&self, after: NodeIx) -> i64 {
        let removed = self.counterpart(after).map_or(0, |b| self.removed_under(b));
        self.added_under(after) as i64 - removed as i64
    }
}

/// Compares two snapshots of one process by id, `before` being the earlier.
///
/// # Errors
/// [`NotComparable`] says why ids mean nothing here.
pub fn diff(before: &Analysis, after: &Analysis) -> Result<Growth, NotComparable> {
    if [before, after].iter().any(|a| a.cut().is_some_and(|c| c.classes() == Trust::Unknown)) {
        return Err(NotComparable::Cut);
    }
    let counterpart = counterparts(before, after);
    same_process(before, after, &counterpart)?;
    let mut gone = Bits::new(before.node_count());
    let mut stays = Bits::new(before.node_count());
    for &b in counterpart.iter().filter(|&&b| b != NONE) {
        stays.put(b as usize);
    }
    for i in 0..before.node_count() {
        if !stays.has(i) {
            gone.put(i);
        }
    }
    let added_under = under(after, |n| counterpart[n.index()] == NONE);
    let removed_under = under(before, |n| gone.has(n.index()));
    let rows = rows(before, after, &counterpart);
    let (added_size, removed_size) = (added_under[after.root().index()], removed_under[before.root().index()]);
    Ok(Growth { rows, added_size, removed_size, counterpart, gone, added_under, removed_under })
}

/// For each node of `after` the position in `before` of the node with its id.
pub(super) fn counterparts(before: &Analysis, after: &Analysis) -> Vec<u32> {
    let sorted = |a: &Analysis| {
        let mut ids: Vec<(u32, u32)> = a.ids().zip(0..).map(|(id, n)| (id.0, n)).collect();
        ids.sort_unstable();
        ids
    };
    let (old, new) = (sorted(before), sorted(after));
    let mut found = vec![NONE; after.node_count()];
    let mut at = 0;
    for (id, n) in new {
        while old.get(at).is_some_and(|&(o, _)| o < id) {
            at += 1;
        }
        if let Some(&(o, b)) = old.get(at)
            && o == id
        {
            found[n as usize] = b;
        }
    }
    found
}

/// Refuses two kinds; counts the common ids of objects whose name cannot change while they live and finds how many differ.
pub(super) fn same_process(before: &Analysis, after: &Analysis, counterpart: &[u32]) -> Result<(), NotComparable> {
    if before.snapshot_kind() != after.snapshot_kind() && before.knows_kind() && after.knows_kind() {
        return Err(NotComparable::Kinds { before: before.snapshot_kind(), after: after.snapshot_kind() });
    }
    let (mut common, mut different) = (0u64, 0u64);
    for node in after.nodes() {
        let b = counterpart[node.index()];
        let kind = after.kind(node);
        if b == NONE
            || !matches!(kind, NodeKind::Object | NodeKind::Closure | NodeKind::String | NodeKind::Code)
            || after.id(node).0 & 1 == 0
        {
            continue;
        }
        let b = NodeIx(b);
        common += 1;
        let (old, new) = (before.name_ix(b), after.name_ix(node));
        let named = before.strings().has(old) && after.strings().has(new);
        if before.kind(b) != kind || named && before.strings().raw(old) != after.strings().raw(new) {
            different += 1;
        }
    }
    if common == 0 || different as f64 > common as f64 * MOST_DIFFERENT {
        return Err(NotComparable::OtherProcess { different, common });
    }
    Ok(())
}

fn under(analysis: &Analysis, counts: impl Fn(NodeIx) -> bool) -> Vec<u64> {
    let mut sums = vec![0u64; analysis.node_count()];
    for node in analysis.dominators_first().rev() {
        if counts(node) {
            sums[node.index()] += analysis.shallow_size(node);
        }
        let d = analysis.dominator(node);
        if d != node {
            sums[d.index()] += sums[node.index()];
        }
    }
    sums
}

fn rows(before: &Analysis, after: &Analysis, counterpart: &[u32]) -> Vec<ClassChange> {
    // The interfaces of the later snapshot name the objects of both.
    let shapes = Shapes::of(before.snapshot());
    let named = name_all(before.snapshot(), &shapes, after.interfaces(), &before.borrowed);
    let mut table: BTreeMap<&str, ClassChange> = BTreeMap::new();
    for row in after.classes() {
        let change =
            ClassChange { key: row.key.clone(), name: Arc::clone(&row.name), added: 0, removed: 0, added_size: 0, removed_size: 0 };
        table.insert(&row.key, change);
    }
    for class in &named.classes {
        table.entry(&class.key).or_insert_with(|| ClassChange {
            key: class.key.clone(),
            name: Arc::clone(&class.name),
            added: 0,
            removed: 0,
            added_size: 0,
            removed_size: 0,
        });
    }
    let mut changes: Vec<ClassChange> = Vec::with_capacity(table.len());
    let mut place: BTreeMap<&str, usize> = BTreeMap::new();
    for (key, change) in table {
        place.insert(key, changes.len());
        changes.push(change);
    }
    let of_after: Vec<usize> = after.classes().iter().map(|r| place[r.key.as_str()]).collect();
    let of_before: Vec<usize> = named.classes.iter().map(|c| place[c.key.as_str()]).collect();
    // An object counts in a class only with a size, so one that changed its class, gained or lost its size came or went there.
    let counted = |a: &Analysis, n: NodeIx| a.shallow_size(n) != 0;
    let mut kept = Bits::new(before.node_count());
    for node in after.nodes().filter(|&n| counted(after, n)) {
        let class = of_after[after.class_of(node).index()];
        let b = counterpart[node.index()];
        if b != NONE && counted(before, NodeIx(b)) && of_before[named.class.get(b as usize) as usize] == class {
            kept.put(b as usize);
        } else {
            changes[class].added += 1;
            changes[class].added_size += after.shallow_size(node);
        }
    }
    for node in before.nodes().filter(|&n| counted(before, n) && !kept.has(n.index())) {
        let change = &mut changes[of_before[named.class.get(node.index()) as usize]];
        change.removed += 1;
        change.removed_size += before.shallow_size(node);
    }
    changes.retain(|c| c.added + c.removed != 0);
    changes.sort_by(|a, b| b.added_size.cmp(&a.added_size).then_with(|| a.key.cmp(&b.key)));
    changes
}

/// A class in two snapshots that may come from different processes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShapeChange {
    /// Name of the class.
    pub name: Arc<str>,
    /// Objects before and after.
    pub count: (u64, u64),
    /// Bytes of the objects alone, before and after.
    pub shallow: (u64, u64),
    /// Bytes retained, before and after.
    pub retained: (u64, u64),
}

/// Compares by the names of classes alone, which mean the same in every process of a program (and nothing about single objects). Largest
/// gain of own bytes first.
pub fn diff_by_shape(before: &Analysis, after: &Analysis) -> Vec<ShapeChange> {
    let mut table: BTreeMap<Arc<str>, ShapeChange> = BTreeMap::new();
    for (analysis, later) in [(before, false), (after, true)] {
        for row in analysis.class_rows() {
            let change = table.entry(Arc::clone(&row.name)).or_insert_with(|| ShapeChange {
                name: Arc::clone(&row.name),
                count: (0, 0),
                shallow: (0, 0),
                retained: (0, 0),
            });
            let add = |pair: &mut (u64, u64), value: u64| *(if later { &mut pair.1 } else { &mut pair.0 }) += value;
            add(&mut change.count, row.count);
            add(&mut change.shallow, row.shallow);
            add(&mut change.retained, row.retained);
        }
    }
    let mut changes: Vec<ShapeChange> = table.into_values().collect();
    changes.sort_by_key(|c| std::cmp::Reverse(c.shallow.1 as i64 - c.shallow.0 as i64));
    changes
}
