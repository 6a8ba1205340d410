//! S6, pending: what waits and does not come. Timers by the function they will call, suspended functions (`async`, generators) by the function
//! that waits, promises by their reactions. Thresholds: 100 of one kind; with a past 10 more than before and 12 KB.
//!
//! What a variable of the app holds is named after that variable; a function's own name only stands where nothing else does.

use std::collections::BTreeMap;

use super::Rule;
use super::holder::holder;
use super::scene::{Candidate, Known, Scene};
use crate::heap::format::{EdgeKind, NodeKind};
use crate::heap::ids::NodeIx;
use crate::heap::recognise::{Origin, Pending as Timers, Reader};
use crate::heap::verdict::HolderKind;

/// Of one kind, in one snapshot.
pub(super) const MANY: usize = 100;
/// With a past: more than before, and bytes.
pub(super) const MORE: i64 = 10;
pub(super) const BYTES: i64 = 12 << 10;
/// Longest chain of reactions that is followed.
const LONGEST: usize = 1 << 20;

pub(super) struct Pending;

impl Rule for Pending {
    fn name(&self) -> &'static str {
        "pending"
    }

    fn find(&self, scene: &Scene<'_>) -> Vec<Candidate> {
        let mut found = timers(self.name(), scene);
        found.extend(frames(self.name(), scene));
        found.extend(reactions(self.name(), scene));
        found
    }
}

/// Whether a group is worth a line: its growth in bytes and number, or `None`s with one snapshot.
pub(super) fn worth(now: (usize, u64), before: Option<(usize, u64)>) -> Option<(Option<i64>, Option<i64>)> {
    match before {
        Some((old, old_bytes)) => {
            let (more, growth) = (now.0 as i64 - old as i64, now.1 as i64 - old_bytes as i64);
            (more >= MORE && growth >= BYTES).then_some((Some(growth), Some(more)))
        }
        None => (now.0 >= MANY).then_some((None, None)),
    }
}

fn timers(rule: &'static str, scene: &Scene<'_>) -> Vec<Candidate> {
    let before = scene.timers_before();
    let worth_it = |group: &&Timers| {
        let old = before.map(|b| b.iter().find(|g| g.key == group.key).map_or((0, 0), |g| (g.timers.len(), g.bytes)));
        worth((group.timers.len(), group.bytes), old)
    };
    scene
        .timers()
        .iter()
        // Those that keep request data are S7's.
        .filter(|g| g.stores * 2 <= g.bytes)
        .filter_map(|g| Some((g, worth_it(&g)?)))
        .map(|(group, (growth, more))| {
            let name = function_or_place(&scene.reader, group.function, "timer function");
            let known = Known {
                name,
                node: group.timers[0],
                place: scene.reader.place(group.function),
                kind: HolderKind::Timers,
                detail: None,
                count_growth: more,
            };
            Candidate {
                rule,
                at: group.timers[0],
                members: group.timers.clone(),
                count: Some(group.timers.len() as u64),
                growth,
                retained: group.bytes,
                named: Some(known),
            }
        })
        .collect()
}

/// A closure without a name is called after where it is written.
pub(super) fn function_or_place(reader: &Reader<'_>, function: NodeIx, what: &str) -> String {
    let name = reader.function_name(function);
    if name != "(anonymous)" {
        return name;
    }
    match reader.place(function) {
        Some(place) => {
            let file = place.file.as_str().rsplit('/').next().unwrap_or_default().to_owned();
            format!("{what} at {file}:{}", place.line)
        }
        None => what.to_owned(),
    }
}

/// Functions that wait, of the app and its packages, by where they are written.
type Waiting = BTreeMap<(u32, u32, u32), (NodeIx, Vec<NodeIx>)>;

fn waiting(reader: &Reader<'_>, suspended: impl Iterator<Item = NodeIx>) -> Waiting {
    let mut groups = Waiting::new();
    for frame in suspended {
        let Some(function) = reader.internal(frame, reader.w.function) else { continue };
        if matches!(reader.origin(function), Origin::Node | Origin::Unknown) {
            continue;
        }
        let Some(at) = reader.a.location(function) else { continue };
        groups.entry((at.script, at.line, at.column)).or_insert((function, Vec::new())).1.push(frame);
    }
    groups
}

fn frames(rule: &'static str, scene: &Scene<'_>) -> Vec<Candidate> {
    let reader = &scene.reader;
    let now = waiting(reader, scene.census().frames.iter().map(|e| e.from));
    if now.values().all(|(_, frames)| frames.len() < MORE as usize) {
        return Vec::new();
    }
    let bytes = |reader: &Reader<'_>, frames: &[NodeIx]| frames.iter().map(|&f| reader.a.retained_size(f)).sum::<u64>();
    let before = scene.past.as_ref().map(|p| waiting(&p.reader, suspended(&p.reader)));
    let mut found = Vec::new();
    for (key, (function, frames)) in now {
        let old = before
            .as_ref()
            .map(|b| b.get(&key).map_or((0, 0), |(_, f)| (f.len(), bytes(&scene.past.as_ref().expect("it made `before`").reader, f))));
        let kept = bytes(reader, &frames);
        let Some((growth, more)) = worth((frames.len(), kept), old) else { continue };
        let at = scene.common_holder(&frames);
        let trail = at.and_then(|at| scene.trails(&[at]).pop());
        let held = trail.is_some_and(|trail| holder(reader, &trail).is_some_and(|h| h.origin == Origin::App));
        let known = || Known {
            name: function_or_place(reader, function, "function"),
            node: frames[0],
            place: reader.place(function),
            kind: HolderKind::AsyncFrames,
            detail: Some("nothing of the app holds them: they wait for Node or for each other".to_owned()),
            count_growth: more,
        };
        let named = if held { None } else { Some(known()) };
        let at = at.filter(|_| held).unwrap_or(frames[0]);
        found.push(Candidate { rule, at, count: Some(frames.len() as u64), growth, retained: kept, named, members: frames });
    }
    found
}

/// Suspended functions of a snapshot that has no census.
fn suspended<'a>(reader: &'a Reader<'_>) -> impl Iterator<Item = NodeIx> + 'a {
    let a = reader.a;
    let made = move |n: &NodeIx| {
        a.kind(*n) == NodeKind::Object
            && (reader.is_named(*n, reader.w.generator) || a.raw_name(*n).contains("Generator") || a.raw_name(*n) == "AsyncFunctionObject")
    };
    a.nodes().filter(made).filter(|&n| reader.internal(n, reader.w.parameters_and_registers).is_some())
}

/// One promise that many wait for.
fn reactions(rule: &'static str, scene: &Scene<'_>) -> Vec<Candidate> {
    let a = scene.a();
    let mut found = Vec::new();
    for edge in &scene.census().promises {
        if !is_reaction(&scene.reader, edge.to) {
            continue;
        }
        let waiting = chain(&scene.reader, edge.to);
        if waiting.len() < MORE as usize {
            continue;
        }
        let bytes = |reader: &Reader<'_>, reactions: &[NodeIx]| reactions.first().map_or(0, |&first| reader.a.retained_size(first));
        let old = scene.past.as_ref().map(|past| {
            let then = past.growth.counterpart(edge.from).and_then(|p| past.reader.internal(p, past.reader.w.reactions_or_result));
            let old = then.filter(|&r| is_reaction(&past.reader, r)).map(|r| chain(&past.reader, r)).unwrap_or_default();
            (old.len(), bytes(&past.reader, &old))
        });
        let kept = bytes(&scene.reader, &waiting).max(a.retained_size(edge.from));
        let Some((growth, _)) = worth((waiting.len(), kept), old) else { continue };
        found.push(Candidate {
            rule,
            at: edge.from,
            count: Some(waiting.len() as u64),
            growth,
            retained: kept,
            named: None,
            members: waiting,
        });
    }
    found
}

fn is_reaction(reader: &Reader<'_>, node: NodeIx) -> bool {
    reader.a.raw_name(node).starts_with("system / PromiseReaction")
}

/// The reactions from `first` on: each refers to the next of its kind.
fn chain(reader: &Reader<'_>, first: NodeIx) -> Vec<NodeIx> {
    let next = |n: NodeIx| reader.a.edges(n).filter(|e| e.kind == EdgeKind::Hidden).map(|e| e.to).find(|&t| is_reaction(reader, t));
    std::iter::successors(Some(first), |&n| next(n)).take(LONGEST).collect()
}
