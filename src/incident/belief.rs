//! What the record itself proves or disproves about whole classes of causes, and hypotheses whose time is up.

use chrono::{DateTime, TimeDelta, Utc};

use super::event::{Effectiveness, Seq};
use super::records::{ActRecord, Hypothesis, Rollout};
use super::state::{State, after};
use crate::base::{Masked, Stamp};

/// A class of causes that the record can judge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CauseClass {
    /// A change that was deployed shortly before.
    RecentChange,
    /// Something that a restart clears.
    Transient,
}

/// What the record says about a class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Nothing was tried, or nothing could be measured yet.
    Open,
    /// Part of the changes were taken back, without an effect.
    Weakened,
    /// All that could be taken back was, without an effect.
    Disproved,
    /// Taking a change back helped.
    Supported,
}

/// A class of causes as the record judges it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Belief {
    /// The class.
    pub class: CauseClass,
    /// What the record says.
    pub standing: Standing,
    /// That in one sentence.
    pub because: Masked,
    /// The intents or deaths that it rests on.
    pub rests_on: Vec<Seq>,
}

/// Changes made this long before the impact began count as recent.
const RECENT: TimeDelta = TimeDelta::hours(24);

/// What the record says about each class of causes.
pub fn beliefs(state: &State) -> Vec<Belief> {
    vec![recent_change(state), transient(state)]
}

/// Open hypotheses whose timebox is over at `now`.
pub fn overdue_hypotheses(state: &State, now: Stamp) -> impl Iterator<Item = &Hypothesis> {
    let end = |h: &Hypothesis| after(h.mark.at, std::time::Duration::from_secs(u64::from(h.timebox_minutes) * 60));
    state.hypotheses.iter().filter(move |h| h.closed.is_none() && h.timebox_minutes > 0 && end(h) <= now.wall)
}

/// Rollouts that were made in the day before the impact (or the declaration) and before the incident's own acts.
pub fn recent_rollouts(state: &State) -> impl Iterator<Item = &Rollout> {
    let since = state.impact_since.unwrap_or(state.declared.wall) - RECENT;
    let until = state.declared.wall;
    state.rollouts.iter().filter(move |r| r.made.is_some_and(|made: DateTime<Utc>| since <= made && made <= until))
}

fn recent_change(state: &State) -> Belief {
    let measured: Vec<(&ActRecord, Effectiveness)> = state
        .acts
        .iter()
        .filter(|a| a.request.act == "rollback" && a.done_at().is_some())
        .filter_map(|a| a.effect.map(|e| (a, e.effect)))
        .filter(|(_, effect)| *effect != Effectiveness::TooEarly)
        .collect();
    let class = CauseClass::RecentChange;
    if let Some((act, _)) = measured.iter().find(|(_, e)| *e == Effectiveness::Helped) {
        let because = format!("the rollback to revision {} helped", revision(act).map_or_else(|| "?".to_owned(), |r| r.to_string()));
        return Belief { class, standing: Standing::Supported, because: because.into(), rests_on: vec![act.mark.seq] };
    }
    let recent: Vec<&Rollout> = recent_rollouts(state).collect();
    if measured.is_empty() {
        let because = format!("{} seen, no effect of a rollback measured", changes(recent.len(), "recent "));
        return Belief { class, standing: Standing::Open, because: because.into(), rests_on: Vec::new() };
    }
    let rests_on = measured.iter().map(|(a, _)| a.mark.seq).collect();
    // A rollback to revision R takes back every later one; without known dates each rollback counts as one change.
    let reverted = recent.iter().filter(|r| measured.iter().any(|(a, _)| takes_back(a, r))).count();
    let (standing, because) = if recent.is_empty() {
        (Standing::Disproved, format!("reverted {}, symptom unchanged: recent change is disproved as a class", changes(measured.len(), "")))
    } else if reverted == recent.len() {
        (Standing::Disproved, format!("reverted {}, symptom unchanged: recent change is disproved as a class", changes(reverted, "")))
    } else {
        (Standing::Weakened, format!("reverted {reverted} of {}, symptom unchanged", changes(recent.len(), "recent ")))
    };
    Belief { class, standing, because: because.into(), rests_on }
}

/// A container that died again after it had been restarted during the incident.
fn transient(state: &State) -> Belief {
    let class = CauseClass::Transient;
    let again = state.deaths.iter().enumerate().find_map(|(i, second)| {
        let first = state.deaths[..i].iter().find(|d| d.container == second.container && d.cause == second.cause)?;
        (second.restarts > first.restarts).then_some((first, second))
    });
    match again {
        Some((first, second)) => Belief {
            class,
            standing: Standing::Disproved,
            because: format!("{} died of the same cause again after a restart: a restart clears nothing", second.container).into(),
            rests_on: vec![first.mark.seq, second.mark.seq],
        },
        None => Belief { class, standing: Standing::Open, because: Masked::own("no container has died twice"), rests_on: Vec::new() },
    }
}

fn takes_back(act: &ActRecord, rollout: &Rollout) -> bool {
    let target = &act.request.target;
    rollout.workload.as_str() == format!("{}/{}", target.kind, target.name) && revision(act).is_some_and(|to| to < rollout.revision)
}

fn revision(act: &ActRecord) -> Option<u64> {
    act.request.args.get("revision")?.parse().ok()
}

fn changes(n: usize, which: &str) -> String {
    if n == 1 { format!("1 {which}change") } else { format!("{n} {which}changes") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{ContainerRef, PodRef};
    use crate::incident::story::{minute, start, told};
    use crate::incident::{ActRequest, ActTarget, Kind, Receipt, SlopeChange};

    fn rollout(revision: u64, hours_before: i64) -> (u64, Kind) {
        let made = Some(start() - TimeDelta::hours(hours_before));
        (1, Kind::RolloutSeen { workload: "deployment/import".into(), revision, image: "import:1".into(), made, cause: None })
    }

    /// Intent, done and effect of a rollback whose intent gets the number `seq`.
    fn rollback(seq: Seq, to: u64, effect: Effectiveness) -> Vec<(u64, Kind)> {
        let target = ActTarget { kind: "deployment".into(), namespace: "shop".into(), name: "import".into() };
        let request = ActRequest { act: "rollback".into(), target, args: [("revision".to_owned(), to.to_string())].into() };
        vec![
            (20, Kind::ActIntended { request, call: "PATCH".into() }),
            (21, Kind::ActDone { intent: seq, receipt: Receipt { summary: "done".into(), undo: None, leaves: None } }),
            (30, Kind::EffectMeasured { act: seq + 1, change: SlopeChange { before: None, after: None, effect } }),
        ]
    }

    fn judged(story: &[Vec<(u64, Kind)>]) -> (Standing, String) {
        let belief = beliefs(&told(story.concat())).remove(0);
        (belief.standing, belief.because.to_string())
    }

    #[test]
    fn reverting_all_recent_changes_in_vain_disproves_the_class() {
        let three = vec![rollout(4, 5), rollout(5, 3), rollout(6, 1), rollout(3, 5000)];
        let all = judged(&[three.clone(), rollback(6, 3, Effectiveness::NoChange)]);
        assert_eq!(all, (Standing::Disproved, "reverted 3 changes, symptom unchanged: recent change is disproved as a class".into()));
        let some = judged(&[three.clone(), rollback(6, 5, Effectiveness::Worse)]);
        assert_eq!(some, (Standing::Weakened, "reverted 1 of 3 recent changes, symptom unchanged".into()));
        let early = judged(&[three.clone(), rollback(6, 3, Effectiveness::TooEarly)]);
        assert_eq!(early.0, Standing::Open);
        let helped = judged(&[three.clone(), rollback(6, 5, Effectiveness::NoChange), rollback(9, 4, Effectiveness::Helped)]);
        assert_eq!(helped, (Standing::Supported, "the rollback to revision 4 helped".into()));
        assert_eq!(judged(&[three]).1, "3 recent changes seen, no effect of a rollback measured");
    }

    #[test]
    fn dying_twice_of_one_cause_shows_that_restarts_do_not_help() {
        let died = |m, restarts, cause: &str| {
            let container = ContainerRef { pod: PodRef::new("shop", "a"), name: "app".into() };
            let kind = Kind::ContainerDied {
                container,
                restarts,
                reason: "OOMKilled".into(),
                exit_code: Some(137),
                cause: cause.into(),
                ended: None,
            };
            (m, kind)
        };
        let standing = |story| beliefs(&told(story)).remove(1).standing;
        assert_eq!(standing(vec![died(5, 1, "limit"), died(9, 2, "limit")]), Standing::Disproved);
        assert_eq!(standing(vec![died(5, 1, "limit"), died(9, 2, "deployed")]), Standing::Open);
    }

    #[test]
    fn a_hypothesis_is_overdue_when_its_timebox_ends() {
        let opened = |minutes| Kind::HypothesisOpened { statement: "cache".into(), timebox_minutes: minutes };
        let closed = Kind::HypothesisClosed { opened: 3, held: false, evidence: "no".into() };
        let state = told(vec![(10, opened(15)), (10, opened(15)), (12, opened(0)), (20, closed)]);
        assert_eq!(overdue_hypotheses(&state, minute(24)).count(), 0);
        assert_eq!(overdue_hypotheses(&state, minute(25)).map(|h| h.mark.seq).collect::<Vec<_>>(), [2]);
    }
}
