//! S7, async context: an `AsyncLocalStorage` store that outlives its request, since a long-lived resource (timer, socket, pending promise)
//! keeps it. Thresholds: 100 resources of one kind whose stores are 1 % of the heap; with a past 10 more than before and 12 KB.
//!
//! Node 16 to 22 keep the store itself under `kResourceStore`, Node 24+ an `AsyncContextFrame`; a store that others hold as well is the others'.

use std::collections::BTreeMap;

use rustc_hash::FxHashSet;

use super::Rule;
use super::pending::worth;
use super::scene::{Candidate, Known, Scene};
use crate::heap::declare::Named;
use crate::heap::ids::NodeIx;
use crate::heap::recognise::{Pending as Timers, Reader, frame_keepers, keepers, store_name, stores};
use crate::heap::verdict::HolderKind;

/// Stores below this share of the heap are no leak in one snapshot (1 of).
const SHARE: u64 = 100;

pub(super) struct AsyncContext;

impl Rule for AsyncContext {
    fn name(&self) -> &'static str {
        "async-context"
    }

    fn find(&self, scene: &Scene<'_>) -> Vec<Candidate> {
        let Some((name, storage, scope)) = store_name(&scene.reader) else { return Vec::new() };
        let mut found: Vec<Candidate> = Vec::new();
        let known = |detail: String, more, place| Known {
            name: name.clone(),
            node: storage,
            place,
            kind: HolderKind::AsyncContext,
            detail: Some(detail),
            count_growth: more,
        };
        let before = scene.timers_before();
        for group in scene.timers().iter().filter(|g| g.stores * 2 > g.bytes) {
            let old = before.map(|b| b.iter().find(|g| g.key == group.key).map_or((0, 0), |g: &Timers| (g.timers.len(), g.bytes)));
            let Some((growth, more)) = worth((group.timers.len(), group.bytes), old) else { continue };
            let function = scene.reader.function_name(group.function);
            let detail = format!("kept by timers that will call {function}");
            found.push(Candidate {
                rule: self.name(),
                at: group.timers[0],
                members: group.timers.iter().flat_map(|&t| stores(&scene.reader, t)).collect(),
                count: Some(group.timers.len() as u64),
                growth,
                retained: group.bytes,
                named: Some(known(detail, more, scene.reader.place(group.function))),
            });
        }
        let old = scene.past.as_ref().map(|p| by_kind(&p.reader, &[keepers(&p.reader), frame_keepers(&p.reader)].concat()));
        let resources: Vec<NodeIx> = scene.census().stores.iter().map(|e| e.from).chain(frame_keepers(&scene.reader)).collect();
        let written = scene.reader.declared(scope, &name, Named::Variable).or_else(|| scene.reader.context_place(scope));
        for (kind, (resources, kept)) in by_kind(&scene.reader, &resources) {
            let before = old
                .as_ref()
                .map(|o| o.get(&kind).map_or((0, 0), |(r, s)| (r.len(), bytes(&scene.past.as_ref().expect("it made `old`").reader, s))));
            let size = bytes(&scene.reader, &kept);
            let Some((growth, more)) = worth((resources.len(), size), before) else { continue };
            if growth.is_none() && size * SHARE < scene.a().total_size() {
                continue;
            }
            found.push(Candidate {
                rule: self.name(),
                at: resources[0],
                count: Some(kept.len() as u64),
                growth,
                retained: size,
                named: Some(known(format!("kept by {} objects of class {kind}", resources.len()), more, written.clone())),
                members: kept,
            });
        }
        found
    }
}

/// Resources that alone keep a store, and those stores, by the class of the resource; without timers, which are grouped by function.
fn by_kind(reader: &Reader<'_>, resources: &[NodeIx]) -> BTreeMap<String, (Vec<NodeIx>, Vec<NodeIx>)> {
    let a = reader.a;
    let mut found: BTreeMap<String, (Vec<NodeIx>, Vec<NodeIx>)> = BTreeMap::new();
    for &resource in resources.iter().filter(|&&r| !reader.is_named(r, reader.w.timeout)) {
        let kept: Vec<NodeIx> = stores(reader, resource).into_iter().filter(|&s| a.dominates(resource, s)).collect();
        if !kept.is_empty() {
            let row = found.entry(a.class_name(resource).to_owned()).or_default();
            row.0.push(resource);
            row.1.extend(kept);
        }
    }
    found
}

fn bytes(reader: &Reader<'_>, stores: &[NodeIx]) -> u64 {
    let mut seen = FxHashSet::default();
    stores.iter().filter(|s| seen.insert(s.0)).map(|&s| reader.a.retained_size(s)).sum()
}
