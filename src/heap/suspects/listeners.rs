//! S5, listeners: what was added to one event of one emitter and never taken away. With a past: more than 10 came (Node's own limit, which
//! prints `MaxListenersExceededWarning`); with one snapshot: more than 100 are severe, 11 to 100 are listed as large only.

use super::Rule;
use super::scene::{Candidate, Scene};
use crate::heap::analysis::Analysis;
use crate::heap::format::{EdgeKind, NodeKind};
use crate::heap::ids::NodeIx;
use crate::heap::recognise::{Reader, entries};
use crate::heap::snapshot::Edge;

/// Node's own limit (`EventEmitter.defaultMaxListeners`).
const LIMIT: usize = 10;
/// Longest chain of an `EventTarget` that is followed.
const LONGEST: usize = 1 << 20;

pub(super) struct Listeners;

impl Rule for Listeners {
    fn name(&self) -> &'static str {
        "listeners"
    }

    fn find(&self, scene: &Scene<'_>) -> Vec<Candidate> {
        let a = scene.a();
        let census = scene.census();
        let mut found = Vec::new();
        for owner in census.emitters.iter().chain(&census.targets) {
            for (event, at, listeners) in by_event(&scene.reader, owner) {
                if listeners.len() <= LIMIT {
                    continue;
                }
                let growth = match &scene.past {
                    None => None,
                    Some(past) => {
                        let new: Vec<NodeIx> = listeners.iter().copied().filter(|&l| scene.is_new(l)).collect();
                        let before = past.growth.counterpart(owner.from).map_or(0, |then| count_before(&past.reader, then, &event));
                        if listeners.len() <= before + LIMIT || new.len() <= LIMIT {
                            continue;
                        }
                        let own: u64 = new.iter().map(|&l| a.retained_size(l)).sum();
                        // What came in the place of what went is no growth.
                        let share = (listeners.len() - before).min(new.len()) as u64;
                        Some(scene.net_under(past, at).max((own * share / new.len() as u64) as i64))
                    }
                };
                let retained = a.retained_size(at).max(listeners.iter().map(|&l| a.retained_size(l)).sum());
                let count = Some(listeners.len() as u64);
                found.push(Candidate { rule: self.name(), at, members: listeners, count, growth, retained, named: None });
            }
        }
        found
    }
}

/// Events of an emitter (`_events` → event → function or array of functions) or target (`kEvents` → Map → first of a chain), with the
/// place where the listeners hang and the listeners.
fn by_event(reader: &Reader<'_>, owner: &Edge) -> Vec<(String, NodeIx, Vec<NodeIx>)> {
    let a = reader.a;
    if let Some(map) = entries(reader, owner.to).filter(|_| a.raw_name(owner.to) == "Map") {
        return map
            .values
            .iter()
            .filter(|&&root| a.kind(root) == NodeKind::Object)
            .map(|&root| (String::new(), root, chain(a, root)))
            .collect();
    }
    a.edges(owner.to)
        .filter(|e| e.kind == EdgeKind::Property && !reader.is_furniture(e) && a.kind(e.to) == NodeKind::Object)
        .filter_map(|e| {
            let held: Vec<NodeIx> = a.edges(e.to).filter(|e| e.kind == EdgeKind::Element).map(|e| e.to).collect();
            (!held.is_empty()).then(|| (a.edge_text(&e).into_owned(), e.to, held))
        })
        .collect()
}

/// The listeners behind the first of an `EventTarget`'s event.
fn chain(a: &Analysis, root: NodeIx) -> Vec<NodeIx> {
    let next = |n: NodeIx| a.edges(n).find(|e| e.kind == EdgeKind::Property && a.edge_text(e) == "next").map(|e| e.to);
    std::iter::successors(next(root), |&n| next(n)).take_while(|&n| a.kind(n) == NodeKind::Object).take(LONGEST).collect()
}

/// How many listeners the event had in the oldest snapshot.
fn count_before(reader: &Reader<'_>, emitter: NodeIx, event: &str) -> usize {
    let a = reader.a;
    let owner =
        a.edges(emitter).find(|e| e.kind == EdgeKind::Property && matches!(a.edge_text(e).as_ref(), "_events" | "<symbol kEvents>"));
    let Some(owner) = owner else { return 0 };
    by_event(reader, &owner).into_iter().filter(|(e, ..)| e == event).map(|(.., l)| l.len()).max().unwrap_or(0)
}
