//! S6, pending: timers by the function they will call, and S7: the `AsyncLocalStorage` store that they keep. Thresholds: 100 timers of one
//! function, or with a past 10 more than before and 12 KB.

use super::Rule;
use super::scene::{Candidate, Known, Scene};
use crate::heap::recognise::{Pending, pending, store_name, stores};
use crate::heap::verdict::HolderKind;

const MANY: usize = 100;
const MORE: i64 = 10;
const BYTES: i64 = 12 << 10;

pub(super) struct PendingRule;

impl Rule for PendingRule {
    fn name(&self) -> &'static str {
        "pending"
    }

    fn find(&self, scene: &Scene<'_>) -> Vec<Candidate> {
        let now = pending(&scene.reader);
        let before = scene.past.as_ref().map(|p| pending(&p.reader));
        now.into_iter()
            .filter_map(|group| {
                let (growth, more) = match &before {
                    Some(before) => {
                        let old = before.iter().find(|g| g.key == group.key);
                        let growth = group.bytes as i64 - old.map_or(0, |g| g.bytes as i64);
                        let more = group.timers.len() as i64 - old.map_or(0, |g| g.timers.len() as i64);
                        if more < MORE || growth < BYTES {
                            return None;
                        }
                        (Some(growth), Some(more))
                    }
                    None if group.timers.len() < MANY => return None,
                    None => (None, None),
                };
                Some(candidate(scene, &group, growth, more))
            })
            .collect()
    }
}

fn candidate(scene: &Scene<'_>, group: &Pending, growth: Option<i64>, more: Option<i64>) -> Candidate {
    let reader = &scene.reader;
    let function = reader.function_name(group.function);
    let by_store = group.stores * 2 > group.bytes;
    let stored = if by_store { store_name(reader) } else { None };
    let place = reader.place(group.function);
    let (rule, named) = match stored {
        Some((name, storage, _)) => (
            "async-context",
            Known {
                name,
                node: storage,
                place,
                kind: HolderKind::AsyncContext,
                detail: Some(format!("kept by timers that will call {function}")),
                count_growth: more,
            },
        ),
        None => (
            "pending",
            Known {
                name: if function == "(anonymous)" { enclosing(scene, group) } else { function },
                node: group.timers[0],
                place,
                kind: HolderKind::Timers,
                detail: None,
                count_growth: more,
            },
        ),
    };
    let members = if by_store { group.timers.iter().flat_map(|&t| stores(reader, t)).collect() } else { group.timers.clone() };
    Candidate {
        rule,
        at: group.timers[0],
        members,
        count: Some(group.timers.len() as u64),
        growth,
        retained: group.bytes,
        named: Some(named),
    }
}

/// A closure without a name is called after where it is written.
fn enclosing(scene: &Scene<'_>, group: &Pending) -> String {
    match scene.reader.place(group.function) {
        Some(place) => {
            let file = place.file.as_str().rsplit('/').next().unwrap_or_default().to_owned();
            format!("timer function at {file}:{}", place.line)
        }
        None => "timer function".to_owned(),
    }
}
