//! Two journals of one incident become one, whichever is taken first: what both hold is kept once, the order within each
//! is kept, and what one alone holds is put in by its time.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::event::{Actor, Event, How, IncidentId, Kind, Seq};
use crate::base::{EvidenceId, Stamp};

/// Two journals do not belong together.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MergeError {
    /// One of them does not begin with a declaration.
    #[error("a journal that does not begin with its declaration cannot be merged")]
    NoDeclaration,
    /// They are of different incidents.
    #[error("the journals are of different incidents: {ours} and {theirs}")]
    OtherIncident {
        /// One.
        ours: IncidentId,
        /// The other.
        theirs: IncidentId,
    },
}

/// What came of a merge.
#[derive(Clone, Debug, PartialEq)]
pub struct Merged {
    /// All events, numbered anew; numbers and evidence names in them are adjusted.
    pub events: Vec<Event>,
    /// Events that came from the second journal alone.
    pub added: usize,
}

/// Merges two journals of one incident. `merge(a, b)` and `merge(b, a)` hold the same events; merging what was merged
/// before changes nothing.
///
/// # Errors
/// When they are not of one incident.
pub fn merge(ours: &[Event], theirs: &[Event]) -> Result<Merged, MergeError> {
    let (a, b) = (declared(ours)?, declared(theirs)?);
    if a != b {
        return Err(MergeError::OtherIncident { ours: a.clone(), theirs: b.clone() });
    }
    let (a, b) = (identified(ours), identified(theirs));
    let (in_a, in_b): (HashSet<Identity>, HashSet<Identity>) = (a.iter().map(|e| e.id).collect(), b.iter().map(|e| e.id).collect());
    let (mut left, mut right) = (a.iter().peekable(), b.iter().peekable());
    let mut order: Vec<&Known> = Vec::with_capacity(a.len() + b.len());
    let mut taken: HashSet<Identity> = HashSet::with_capacity(a.len() + b.len());
    loop {
        // What was taken from the other side already is behind us here too.
        while left.next_if(|e| taken.contains(&e.id)).is_some() {}
        while right.next_if(|e| taken.contains(&e.id)).is_some() {}
        let next = match (left.peek(), right.peek()) {
            (None, None) => break,
            (Some(one), None) | (None, Some(one)) => *one,
            (Some(l), Some(r)) => earlier(l, in_b.contains(&l.id), r, in_a.contains(&r.id)),
        };
        taken.insert(next.id);
        order.push(next);
    }
    Ok(Merged { events: renumbered(&order), added: b.iter().filter(|e| !in_a.contains(&e.id)).count() })
}

/// An event that both hold waits until the other side has come to it, so that each side's order is kept; of two that
/// only one side holds, the earlier goes first.
fn earlier<'a>(l: &'a Known<'a>, l_shared: bool, r: &'a Known<'a>, r_shared: bool) -> &'a Known<'a> {
    match (l_shared, r_shared) {
        (true, false) => r,
        (false, true) => l,
        _ if (l.event.at.wall, l.id) <= (r.event.at.wall, r.id) => l,
        _ => r,
    }
}

type Identity = [u8; 32];

/// An event with what it is apart from its number in one journal.
struct Known<'a> {
    event: &'a Event,
    id: Identity,
    /// Identities of the events it refers to, in the order of [`numbers`].
    refers: Vec<Option<Identity>>,
    /// Identities of the events that introduced the files it names, in the order of [`files`].
    files: Vec<Option<Identity>>,
}

fn declared(events: &[Event]) -> Result<&IncidentId, MergeError> {
    match events.first().map(|e| &e.kind) {
        Some(Kind::Declared { id, .. }) => Ok(id),
        _ => Err(MergeError::NoDeclaration),
    }
}

fn identified(events: &[Event]) -> Vec<Known<'_>> {
    #[derive(Serialize)]
    struct Essence<'a> {
        at: Stamp,
        actor: &'a Actor,
        kind: &'a Kind,
        refers: &'a [Option<Identity>],
        files: &'a [Option<Identity>],
        occurrence: u32,
    }
    let mut by_number: HashMap<Seq, Identity> = HashMap::new();
    let mut by_file: HashMap<EvidenceId, Identity> = HashMap::new();
    let mut seen: HashSet<Identity> = HashSet::new();
    let mut known = Vec::with_capacity(events.len());
    for event in events {
        let mut kind = event.kind.clone();
        let refers: Vec<_> = numbers(&mut kind).into_iter().map(|seq| by_number.get(&std::mem::take(seq)).copied()).collect();
        let introduces = introduced(&event.kind).filter(|file| !by_file.contains_key(file));
        let files: Vec<_> =
            files(&mut kind).into_iter().map(|file| by_file.get(&std::mem::replace(file, EvidenceId(0))).copied()).collect();
        // The same thing twice in one journal (two equal notes at one instant) is two things.
        let id = (0u32..).map(|occurrence| {
            let essence = Essence { at: event.at, actor: &event.actor, kind: &kind, refers: &refers, files: &files, occurrence };
            let json = serde_json::to_vec(&essence).expect("an event has no maps with keys that are no text");
            Identity::from(Sha256::digest(&json))
        });
        let id = id.into_iter().find(|id| seen.insert(*id)).expect("a journal has fewer than 2^32 equal events");
        by_number.insert(event.seq, id);
        if let Some(file) = introduces {
            by_file.insert(file, id);
        }
        known.push(Known { event, id, refers, files });
    }
    known
}

fn renumbered(order: &[&Known]) -> Vec<Event> {
    let number: HashMap<Identity, Seq> = order.iter().zip(1..).map(|(known, seq)| (known.id, seq)).collect();
    let file_names = file_names(order);
    let rename = |known: &Known| {
        let mut event = known.event.clone();
        event.seq = number[&known.id];
        for (seq, target) in numbers(&mut event.kind).into_iter().zip(&known.refers) {
            // A reference to a line that was lost points nowhere.
            *seq = target.and_then(|id| number.get(&id).copied()).unwrap_or(0);
        }
        for (file, introducer) in files(&mut event.kind).into_iter().zip(&known.files) {
            if let Some(name) = file_names.get(&introducer.unwrap_or(known.id)) {
                *file = *name;
            }
        }
        event
    };
    order.iter().map(|known| rename(known)).collect()
}

/// A file keeps its name unless an earlier one has it; then it gets the next that is free in both.
fn file_names(order: &[&Known]) -> HashMap<Identity, EvidenceId> {
    let mut given: BTreeMap<EvidenceId, Identity> = BTreeMap::new();
    let mut names = HashMap::new();
    let introducers: Vec<(&Known, EvidenceId)> =
        order.iter().filter(|k| k.files.first() == Some(&None)).filter_map(|k| Some((*k, introduced(&k.event.kind)?))).collect();
    let mut next = introducers.iter().map(|(_, file)| file.0).max().unwrap_or(0) + 1;
    for (known, wanted) in introducers {
        let name = if given.contains_key(&wanted) {
            next += 1;
            EvidenceId(next - 1)
        } else {
            wanted
        };
        given.insert(name, known.id);
        names.insert(known.id, name);
    }
    names
}

/// The file that an event of this kind introduces, unless an earlier event did.
fn introduced(kind: &Kind) -> Option<EvidenceId> {
    match kind {
        Kind::CaptureStarted { evidence, .. } | Kind::EvidenceAdded { evidence, .. } | Kind::CaptureEnded { evidence, .. } => {
            Some(*evidence)
        }
        _ => None,
    }
}

/// The files that an event names.
fn files(kind: &mut Kind) -> Vec<&mut EvidenceId> {
    match kind {
        Kind::CaptureStarted { evidence, .. }
        | Kind::CaptureEnded { evidence, .. }
        | Kind::EvidenceAdded { evidence, .. }
        | Kind::EvidenceDeleted { evidence, .. }
        | Kind::PairPlanned { first: evidence, .. }
        | Kind::PairEnded { first: evidence, second: None, .. } => vec![evidence],
        Kind::PairEnded { first, second: Some(second), .. } => vec![first, second],
        Kind::LeakFound { evidence, .. } | Kind::NothingFound { evidence, .. } | Kind::CodeAged { evidence, .. } => {
            evidence.iter_mut().collect()
        }
        Kind::Declared { .. }
        | Kind::Resumed { .. }
        | Kind::ClockStepped { .. }
        | Kind::Noted { .. }
        | Kind::SeverityChanged { .. }
        | Kind::MemorySeen { .. }
        | Kind::ContainerDied { .. }
        | Kind::RolloutSeen { .. }
        | Kind::Assessed { .. }
        | Kind::RiskAccepted { .. }
        | Kind::ActIntended { .. }
        | Kind::ActDone { .. }
        | Kind::ActFailed { .. }
        | Kind::EffectMeasured { .. }
        | Kind::LeftoverGone { .. }
        | Kind::StageReached { .. }
        | Kind::CutoffReached { .. }
        | Kind::Escalated { .. }
        | Kind::Decided(_)
        | Kind::PostQueued { .. }
        | Kind::PostSent { .. }
        | Kind::PostFailed { .. }
        | Kind::StepTicked { .. }
        | Kind::HypothesisOpened { .. }
        | Kind::HypothesisClosed { .. }
        | Kind::Resolved { .. }
        | Kind::Exported { .. }
        | Kind::Imported { .. }
        | Kind::TroubleSeen { .. }
        | Kind::ProcessSeen { .. }
        | Kind::Armed { .. }
        | Kind::SignSeen { .. }
        | Kind::Disarmed { .. }
        | Kind::Unknown(_) => Vec::new(),
    }
}

/// The numbers of other events that an event holds.
fn numbers(kind: &mut Kind) -> Vec<&mut Seq> {
    match kind {
        Kind::ActDone { intent, .. } | Kind::ActFailed { intent, .. } => vec![intent],
        Kind::EffectMeasured { act, .. } | Kind::LeftoverGone { act, .. } => vec![act],
        Kind::PostSent { queued, .. } | Kind::PostFailed { queued, .. } => vec![queued],
        Kind::HypothesisClosed { opened, .. } => vec![opened],
        Kind::StepTicked { how: How::ByAct { seq }, .. } => vec![seq],
        Kind::StepTicked { how: How::ByHand | How::Skipped { .. }, .. }
        | Kind::Declared { .. }
        | Kind::Resumed { .. }
        | Kind::ClockStepped { .. }
        | Kind::Noted { .. }
        | Kind::SeverityChanged { .. }
        | Kind::MemorySeen { .. }
        | Kind::ContainerDied { .. }
        | Kind::RolloutSeen { .. }
        | Kind::Assessed { .. }
        | Kind::RiskAccepted { .. }
        | Kind::ActIntended { .. }
        | Kind::CaptureStarted { .. }
        | Kind::CaptureEnded { .. }
        | Kind::EvidenceAdded { .. }
        | Kind::EvidenceDeleted { .. }
        | Kind::LeakFound { .. }
        | Kind::NothingFound { .. }
        | Kind::CodeAged { .. }
        | Kind::StageReached { .. }
        | Kind::CutoffReached { .. }
        | Kind::Escalated { .. }
        | Kind::Decided(_)
        | Kind::PostQueued { .. }
        | Kind::HypothesisOpened { .. }
        | Kind::Resolved { .. }
        | Kind::Exported { .. }
        | Kind::Imported { .. }
        | Kind::TroubleSeen { .. }
        | Kind::ProcessSeen { .. }
        | Kind::Armed { .. }
        | Kind::SignSeen { .. }
        | Kind::Disarmed { .. }
        | Kind::PairPlanned { .. }
        | Kind::PairEnded { .. }
        | Kind::Unknown(_) => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::base::{Bytes, ContainerRef, Masked, PodRef};
    use crate::incident::story::{ann, declared_with, minute, noted, second};
    use crate::incident::{ActRequest, ActTarget, Outcome, Plan, Receipt, State};

    /// A step of a random night: what happens, and how many seconds later (or, after a clock step, earlier).
    #[derive(Clone, Debug)]
    struct Step(u8, i64);

    fn night(length: std::ops::Range<usize>) -> impl Strategy<Value = Vec<Step>> {
        proptest::collection::vec(
            (0..4u8, prop_oneof![9 => 0..300i64, 1 => -900..0i64]).prop_map(|(what, later)| Step(what, later)),
            length,
        )
    }

    /// Continues `events` by the steps, on the machine `name`; acts and captures are told by texts that name each other.
    fn continued(mut events: Vec<Event>, name: &str, steps: &[Step]) -> Vec<Event> {
        let mut at = events.last().map_or(0, |e| (e.at.wall - minute(0).wall).num_seconds());
        for (n, Step(what, later)) in steps.iter().enumerate() {
            at = (at + later).max(0);
            let tag = format!("{name}{n}");
            let state = State::replay(&events).expect("declared");
            let intent = state.acts.iter().find(|a| a.done_at().is_none()).map(|a| (a.mark.seq, a.call.clone()));
            let running = state.captures.iter().find(|c| c.ended.is_none()).map(|c| (c.evidence, c.method.clone()));
            let kind = match (what, intent, running) {
                (0, ..) => noted(&tag),
                (1, None, _) => Kind::ActIntended {
                    request: ActRequest {
                        act: "rollback".into(),
                        target: ActTarget { kind: "deployment".into(), namespace: "shop".into(), name: "a".into() },
                        args: [].into(),
                    },
                    call: tag.into(),
                },
                (1, Some((intent, call)), _) => Kind::ActDone { intent, receipt: Receipt { summary: call, undo: None, leaves: None } },
                (_, _, None) => Kind::CaptureStarted {
                    evidence: state.next_evidence(),
                    container: ContainerRef { pod: PodRef::new("shop", "a"), name: "app".into() },
                    method: tag.into(),
                },
                (_, _, Some((evidence, remark))) => Kind::CaptureEnded {
                    evidence,
                    outcome: Outcome::Complete,
                    bytes: Bytes(1),
                    sha256: None,
                    file: None,
                    provenance: None,
                    remark,
                },
            };
            events.push(Event { seq: state.next_seq(), at: second(at.cast_unsigned()), actor: Actor::Person(name.into()), kind });
        }
        events
    }

    fn begun() -> Vec<Event> {
        vec![Event { seq: 1, at: minute(0), actor: ann(), kind: declared_with(Plan::default()) }]
    }

    fn is_part_in_order(part: &[Event], whole: &[Event]) -> bool {
        let part: Vec<Identity> = identified(part).iter().map(|k| k.id).collect();
        let mut whole = identified(whole).into_iter().map(|k| k.id);
        part.iter().all(|id| whole.any(|w| w == *id))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]

        #[test]
        fn two_journals_become_one_whichever_comes_first(common in night(0..8), left in night(0..12), right in night(0..12)) {
            let common = continued(begun(), "c", &common);
            let (a, b) = (continued(common.clone(), "a", &left), continued(common.clone(), "b", &right));
            let merged = merge(&a, &b).expect("one incident");
            let both = &merged.events;
            prop_assert_eq!(both, &merge(&b, &a).expect("one incident").events);
            prop_assert_eq!(both.len(), a.len() + b.len() - common.len());
            prop_assert_eq!(merged.added, b.len() - common.len());
            prop_assert!(is_part_in_order(&a, both) && is_part_in_order(&b, both), "nothing is lost, each order is kept");
            for side in [&a, &b, &common, both] {
                let again = merge(both, side).expect("one incident");
                prop_assert_eq!((&again.events, again.added), (both, 0));
            }
            prop_assert_eq!(merge(&a, &a).expect("one incident").events, a.clone());
            // Acts still meet their outcome, captures their end.
            let state = State::replay(both).expect("declared");
            for act in state.acts.iter() {
                prop_assert!(act.receipt().is_none_or(|r| r.summary == act.call));
            }
            for capture in state.captures.iter() {
                prop_assert!(capture.ended.is_none() || capture.remark == capture.method);
            }
            let files: std::collections::BTreeSet<EvidenceId> = state.captures.iter().map(|c| c.evidence).collect();
            prop_assert_eq!(files.len(), state.captures.len());
            let done = |s: &[Event]| s.iter().filter(|e| matches!(e.kind, Kind::ActDone { .. } | Kind::CaptureEnded { .. })).count();
            let met = state.acts.iter().filter(|a| a.receipt().is_some()).count() + state.captures.iter().filter(|c| c.ended.is_some()).count();
            // What was begun before the two parted may have been ended by both.
            prop_assert!(met <= done(both) && met >= done(&a).max(done(&b)));
        }
    }

    #[test]
    fn what_happened_in_between_is_put_in_by_its_time() {
        let told = |name: &str, at: &[u64]| {
            let mut events = begun();
            for m in at {
                let seq = events.len() as u64 + 1;
                events.push(Event { seq, at: minute(*m), actor: ann(), kind: noted(&format!("{name}{m}")) });
            }
            events
        };
        let merged = merge(&told("a", &[1, 5, 9]), &told("b", &[2, 6])).expect("one incident");
        let state = State::replay(&merged.events).expect("declared");
        assert_eq!(state.notes.iter().map(|n| n.text.as_str()).collect::<Vec<_>>(), ["a1", "b2", "a5", "b6", "a9"]);
        assert_eq!(merged.events.iter().map(|e| e.seq).collect::<Vec<_>>(), [1, 2, 3, 4, 5, 6]);
    }

    #[test]
    fn strangers_are_not_merged() {
        let mut other = begun();
        if let Kind::Declared { id, service, .. } = &mut other[0].kind {
            *id = IncidentId::new(minute(0).wall, "checkout");
            *service = Masked::from("checkout");
        }
        assert!(matches!(merge(&begun(), &other), Err(MergeError::OtherIncident { .. })));
        assert_eq!(merge(&[], &begun()), Err(MergeError::NoDeclaration));
    }
}
