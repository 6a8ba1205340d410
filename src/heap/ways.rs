//! One good path to every node: the search that puts off what explains nothing.
//!
//! Source of the idea: memlab's "grey list" (`TraceFinder.ts`).

use std::collections::{BTreeMap, VecDeque};

use super::bits::Bits;
use super::format::{NodeKind, code};
use super::snapshot::{Snapshot, TARGET, TARGET_BITS};

/// No edge leads there.
pub(super) const NONE: u32 = u32::MAX;

/// What a reference explains, best first: a path takes the least detours, and among those the fewest steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Detour {
    /// It says who holds the object.
    None,
    /// It goes through V8's internals: hidden classes, code, feedback, internal caches, the table of a `WeakMap`.
    Internals,
    /// It comes from a group of roots that keeps what somebody else holds as well: handles of native code.
    Handles,
    /// It comes from the stack of what ran when the snapshot was taken.
    Stack,
}

impl Detour {
    /// In the sum of a path one step of a kind weighs as much as this many of the kind before it.
    const fn weight(self) -> u32 {
        match self {
            Self::None => 0,
            Self::Internals => 1,
            Self::Handles => 16,
            Self::Stack => 256,
        }
    }
}

/// For each node the edge by which the best path reaches it.
#[derive(Debug)]
pub(super) struct Ways {
    pub edge: Vec<u32>,
    pub rules: DetourRules,
}

impl Ways {
    /// Looks at every edge of the snapshot.
    pub fn of(snapshot: &Snapshot) -> Self {
        let n = snapshot.node_count();
        let rules = DetourRules::of(snapshot);
        let mut edge = vec![NONE; n];
        let mut done = Bits::new(n);
        // Sum of detours → nodes in order of their number of steps, each with the edge that led there.
        let mut waiting: BTreeMap<u32, VecDeque<(u32, u32)>> = BTreeMap::new();
        waiting.insert(0, VecDeque::from([(snapshot.root, NONE)]));
        while let Some((sum, mut queue)) = waiting.pop_first() {
            while let Some((v, by)) = queue.pop_front() {
                if !done.put(v as usize) {
                    continue;
                }
                edge[v as usize] = by;
                let (from, to) = snapshot.edge_range(v as usize);
                for e in from..to {
                    let packed = snapshot.edges.to[e];
                    let w = packed & TARGET;
                    if matches!(packed >> TARGET_BITS, code::WEAK | code::BROKEN) || done.has(w as usize) {
                        continue;
                    }
                    match rules.detour(snapshot, v, e).weight() {
                        0 => queue.push_back((w, e as u32)),
                        weight => waiting.entry((sum + weight).min(1 << 20)).or_default().push_back((w, e as u32)),
                    }
                }
            }
        }
        Self { edge, rules }
    }
}

/// Which references explain nothing.
#[derive(Debug)]
pub(super) struct DetourRules {
    root: u32,
    /// Edge names that lead into internals.
    internal: Vec<u32>,
    stack: Vec<u32>,
    handles: Vec<u32>,
}

impl DetourRules {
    fn of(snapshot: &Snapshot) -> Self {
        let find = |texts: &[&str]| -> Vec<u32> { snapshot.strings.find_all(texts).into_iter().flatten().map(|s| s.0).collect() };
        Self {
            root: snapshot.root,
            internal: find(&[
                "__proto__",
                "map",
                "feedback_cell",
                "feedback_vector",
                "descriptors",
                "transition",
                "transitions",
                "dependent_code",
                "prototype_info",
                "shared",
                "code",
                "bytecode_array",
                "initial_map",
                "property_cell",
                "optimized_code_list",
            ]),
            stack: find(&["(Stack roots)", "(Handle scope)", "(Micro tasks)", "(Relocatable)"]),
            handles: find(&[
                "(Global handles)",
                "(Eternal handles)",
                "(Traced handles)",
                "(Weak roots)",
                "(Internal string table)",
                "(Strong roots)",
            ]),
        }
    }

    /// What the edge `e` of `from` explains.
    pub fn detour(&self, snapshot: &Snapshot, from: u32, e: usize) -> Detour {
        let packed = snapshot.edges.to[e];
        let to = packed & TARGET;
        let kind = snapshot.kind_at(to);
        if kind == NodeKind::Synthetic {
            let name = snapshot.nodes.name[to as usize];
            return if self.stack.contains(&name) {
                Detour::Stack
            } else if self.handles.contains(&name) {
                Detour::Handles
            } else if from == self.root {
                Detour::Internals
            } else {
                Detour::None
            };
        }
        match packed >> TARGET_BITS {
            code::PAIR_TABLE => Detour::Internals,
            code::INTERNAL | code::PROPERTY if self.internal.contains(&snapshot.edges.name.get(e)) => Detour::Internals,
            code::HIDDEN => Detour::Internals,
            _ if matches!(kind, NodeKind::Code | NodeKind::ObjectShape) => Detour::Internals,
            _ => Detour::None,
        }
    }
}
