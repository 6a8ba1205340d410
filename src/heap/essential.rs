//! Which edges retain: the only ones that dominators and retained sizes know.
//!
//! Source: `computeIsEssentialEdge`, `markPageOwnedNodes` and `tryParseWeakMapEdgeName` of DevTools' `HeapSnapshot.ts`
//! (chrome-devtools-frontend 1.0.1705227). What is reachable from the global objects is "page-owned"; references to it from handles
//! and internals do not count, so that a leak hangs under the module that holds it and not under the root.

use rustc_hash::FxHashMap;

use super::bits::Bits;
use super::format::{NodeKind, code};
use super::snapshot::{Snapshot, TARGET, TARGET_BITS};
use super::strings::{Strings, decode};

/// What has to be known to tell whether an edge retains.
#[derive(Debug, Default)]
pub(super) struct Rules {
    pub root: u32,
    pub page_owned: Bits,
}

impl Rules {
    /// Whether the edge with this stored target, which goes out from `from`, retains its target.
    #[inline]
    pub fn retains(&self, from: u32, packed: u32) -> bool {
        let to = packed & TARGET;
        let kind = packed >> TARGET_BITS;
        if matches!(kind, code::WEAK | code::PAIR_TABLE | code::BROKEN) || from == to {
            return false;
        }
        from == self.root || !(kind == code::SHORTCUT || self.page_owned.has(to as usize) && !self.page_owned.has(from as usize))
    }
}

/// Position of the name of the node that stands for all DOM trees.
pub(super) fn dom_trees(snapshot: &Snapshot) -> Option<u32> {
    snapshot.strings.find("(Document DOM trees)").map(|s| s.0)
}

/// Whether this edge of the root makes its target page-owned, and all that this reaches.
pub(super) fn starts_ownership(snapshot: &Snapshot, edge: usize, dom_trees: Option<u32>) -> bool {
    let packed = snapshot.edges.to[edge];
    match packed >> TARGET_BITS {
        code::SHORTCUT => true,
        code::ELEMENT => is_dom_trees(snapshot, packed & TARGET, dom_trees),
        _ => false,
    }
}

/// The children of the root that an application would call its own, in the order of the edges.
pub(super) fn user_roots(snapshot: &Snapshot) -> Vec<u32> {
    let dom_trees = dom_trees(snapshot);
    snapshot
        .edges(snapshot.root())
        .filter(|e| snapshot.edges.to[e.ix.index()] >> TARGET_BITS != code::BROKEN)
        .map(|e| e.to.0)
        .filter(|&to| snapshot.kind_at(to) != NodeKind::Synthetic || is_dom_trees(snapshot, to, dom_trees))
        .collect()
}

fn is_dom_trees(snapshot: &Snapshot, node: u32, dom_trees: Option<u32>) -> bool {
    dom_trees == Some(snapshot.nodes.name[node as usize]) && snapshot.kind_at(node) == NodeKind::Synthetic
}

/// The edge names that stand for the entry of a `WeakMap`.
#[derive(Debug, Default)]
pub(super) struct Pairs {
    /// String → (id of the table, number of the pair). Key and table refer to the value by names of the same pair.
    by_name: FxHashMap<u32, (u64, u32)>,
}

impl Pairs {
    /// Finds the names among the strings.
    pub fn of(strings: &Strings) -> Self {
        let mut by_name = FxHashMap::default();
        let mut numbers: FxHashMap<String, u32> = FxHashMap::default();
        let mut last = None;
        for at in memchr::memmem::find_iter(strings.raw_bytes(), b" pair in WeakMap (table @") {
            let string = strings.holding(at);
            if last == Some(string) || !strings.has(string) {
                continue;
            }
            last = Some(string);
            let text = decode(strings.raw(string));
            if let Some((table, pair)) = read_pair(&text) {
                let next = numbers.len() as u32;
                let number = *numbers.entry(pair.to_owned()).or_insert(next);
                by_name.insert(string.0, (table, number));
            }
        }
        Self { by_name }
    }

    /// The number of the pair that this name stands for.
    pub fn number(&self, name: u32) -> Option<u32> {
        self.by_name.get(&name).map(|&(_, number)| number)
    }

    /// Marks the edges with such names: those from the table, which are given back, and their twins from the key.
    pub fn mark(&self, snapshot: &mut Snapshot) -> Vec<u32> {
        let mut tables = Vec::new();
        if self.by_name.is_empty() {
            return tables;
        }
        let mut names = Bits::new(snapshot.strings.len());
        for &name in self.by_name.keys() {
            names.put(name as usize);
        }
        for e in 0..snapshot.edges.to.len() {
            let packed = snapshot.edges.to[e];
            if packed >> TARGET_BITS != code::INTERNAL {
                continue;
            }
            let name = snapshot.edges.name.get(e);
            if name as usize >= snapshot.strings.len() || !names.has(name as usize) {
                continue;
            }
            let from = snapshot.edge_owner(e as u32);
            let table = self.by_name[&name].0;
            let code = if u64::from(snapshot.id(from).0) == table {
                tables.push(e as u32);
                code::PAIR_TABLE
            } else {
                code::PAIR_KEY
            };
            snapshot.edges.to[e] = packed & TARGET | code << TARGET_BITS;
        }
        tables
    }
}

/// The edges from tables of `WeakMap`s to values, as far as they can be told before the names are known, marked: V8 gives a table a weak
/// edge to each value beside the one that is meant (`ExtractEphemeronHashTableReferences` in `heap-snapshot-generator.cc`).
pub(super) fn guess_pairs(snapshot: &mut Snapshot) -> Vec<u32> {
    let mut guessed = Vec::new();
    let mut weak: Vec<u32> = Vec::new();
    for node in 0..snapshot.node_count() {
        if snapshot.kind_at(node as u32) != NodeKind::Array {
            continue;
        }
        let (from, to) = snapshot.edge_range(node);
        weak.clear();
        weak.extend(snapshot.edges.to[from..to].iter().filter(|&&p| p >> TARGET_BITS == code::WEAK).map(|p| p & TARGET));
        if weak.is_empty() {
            continue;
        }
        weak.sort_unstable();
        for e in from..to {
            let packed = snapshot.edges.to[e];
            if packed >> TARGET_BITS == code::INTERNAL && weak.binary_search(&(packed & TARGET)).is_ok() {
                snapshot.edges.to[e] = packed & TARGET | code::PAIR_TABLE << TARGET_BITS;
                guessed.push(e as u32);
            }
        }
    }
    guessed
}

/// Takes the marks of [`guess_pairs`] back.
pub(super) fn forget_guess(snapshot: &mut Snapshot, guessed: &[u32]) {
    for &e in guessed {
        let packed = &mut snapshot.edges.to[e as usize];
        *packed = *packed & TARGET | code::INTERNAL << TARGET_BITS;
    }
}

/// Whether the root has an edge of a kind that only names tell from others: to the DOM trees of a page.
pub(super) fn has_dom_trees(snapshot: &Snapshot) -> bool {
    let dom_trees = dom_trees(snapshot);
    let (from, to) = snapshot.edge_range(snapshot.root as usize);
    dom_trees.is_some() && (from..to).any(|e| is_dom_trees(snapshot, snapshot.edges.to[e] & TARGET, dom_trees))
}

/// Matches `^\d+( / part of key \(.*? @\d+\) -> value \(.*? @\d+\) pair in WeakMap \(table @(\d+)\))$` and gives the id of the
/// table and the part that both names of a pair have in common.
fn read_pair(text: &str) -> Option<(u64, &str)> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let pair = &text[digits..];
    let middle = pair.strip_prefix(" / part of key (")?;
    let (middle, table) = middle.strip_suffix(')')?.rsplit_once(") pair in WeakMap (table @")?;
    let number = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
    let ends_in_id = |s: &str| s.rsplit_once(" @").is_some_and(|(_, id)| number(id));
    let no_break = |s: &str| !s.contains(['\n', '\r', '\u{2028}', '\u{2029}']);
    let matches = digits > 0
        && number(table)
        && no_break(middle)
        && middle.match_indices(") -> value (").any(|(at, arrow)| ends_in_id(&middle[..at]) && ends_in_id(&middle[at + arrow.len()..]));
    if matches { Some((table.parse().ok()?, pair)) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_weak_map_entries_are_told_from_what_looks_like_them() {
        let good = "12 / part of key (Object @7) -> value (a) -> value (b @3) pair in WeakMap (table @99)";
        assert_eq!(read_pair(good), Some((99, &good[2..])));
        for bad in [
            " / part of key (Object @7) -> value (x @3) pair in WeakMap (table @99)",
            "1 / part of key (Object @7) -> value (x @3) pair in WeakMap (table @%u)",
            "1 / part of key (%s @%u) -> value (%s @%u) pair in WeakMap (table @9)",
            "1 / part of key (Object @7) -> value (x\n @3) pair in WeakMap (table @99)",
            "1 / part of key (Object @7) -> value (x @3) pair in WeakMap (table @99) ",
            "1 / part of key (Object) -> value (x @3) pair in WeakMap (table @99)",
        ] {
            assert_eq!(read_pair(bad), None, "{bad}");
        }
    }
}
