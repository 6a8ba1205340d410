//! The clock under random plans, steps, restarts and extensions.

use std::collections::BTreeSet;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;

use super::due::{Due, due, next_due, update_due};
use super::story::{ann, declared_with, minute, start, told};
use super::{Actor, Audience, Decision, Event, Kind, Plan, Post, PostKind, StageName, State};
use crate::base::Stamp;

fn post(kind: PostKind, next_by: Option<DateTime<Utc>>) -> Kind {
    let post = Post { kind, audience: Audience::Users, text: "news".into(), next_by, dedup: "d".into() };
    Kind::PostQueued { post, channels: vec![] }
}

/// Ticks each minute up to `until` and tells what was said when.
fn heard(mut state: State, from: u64, until: u64) -> Vec<(u64, &'static str)> {
    let mut heard = Vec::new();
    for m in from..=until {
        for thing in due(&state, minute(m)) {
            heard.push((m, thing.label()));
            state.fold(&state.event(minute(m), Actor::Tool, thing.kind()));
        }
    }
    heard
}

#[test]
fn left_alone_the_clock_speaks_at_the_planned_minutes() {
    let expected = [
        (5, "first post"),
        (10, "scope post"),
        (30, "status update"),
        (50, "status update"),
        (60, "long-outage check"),
        (70, "status update"),
        (90, "cut-off warning"),
        (90, "status update"),
        (110, "status update"),
        (120, "cut-off"),
        (125, "escalation"),
        (130, "escalation"),
        (130, "status update"),
    ];
    assert_eq!(heard(told(vec![]), 0, 134), expected);
}

#[test]
fn who_posts_is_left_in_peace_until_the_promised_time() {
    let promised = told(vec![(4, post(PostKind::Update, None)), (8, post(PostKind::Update, Some(minute(40).wall)))]);
    assert_eq!(heard(promised.clone(), 0, 59), [(40, "status update")]);
    assert_eq!(update_due(&promised), Some(minute(40).wall));
    let deep = told(vec![(119, post(PostKind::LongNotice, None)), (120, Kind::Decided(Decision::GoDeep))]);
    assert_eq!(heard(deep, 120, 241), [(179, "status update"), (239, "status update"), (240, "state review and handover")]);
    assert!(heard(told(vec![(3, Kind::Resolved { text: "over".into() })]), 3, 500).is_empty());
}

#[test]
fn after_hours_of_sleep_only_what_still_matters_is_said() {
    let state = told(vec![(8, post(PostKind::Update, None)), (9, post(PostKind::Update, None))]);
    let said: Vec<&str> = due(&state, minute(300)).iter().map(Due::label).collect();
    assert_eq!(said, ["cut-off", "state review and handover", "status update"]);
}

#[test]
fn the_next_thing_is_always_ahead() {
    let state = told(vec![]);
    for (at, label) in [(0, "first post"), (5, "scope post"), (10, "status update"), (55, "long-outage check"), (89, "cut-off warning")] {
        assert_eq!(next_due(&state, minute(at)).map(|d| d.label()), Some(label), "minute {at}");
    }
}

#[derive(Clone, Debug)]
enum Happening {
    Advance(u64),
    StepWall(i64),
    Restart,
    Extend(u32),
    GoDeep,
    Post(Option<i64>),
}

fn happening() -> impl Strategy<Value = Happening> {
    prop_oneof![
        8 => (0..4000u64).prop_map(Happening::Advance),
        2 => (-20_000..20_000i64).prop_map(Happening::StepWall),
        2 => Just(Happening::Restart),
        3 => (0..200u32).prop_map(Happening::Extend),
        1 => Just(Happening::GoDeep),
        2 => proptest::option::of(-500..5000i64).prop_map(Happening::Post),
    ]
}

fn plan() -> impl Strategy<Value = Plan> {
    (60..20_000u64, 0..10_000u64, 0..9000u64, 0..900u64, 0..1800u64, 60..4000u64, 60..9000u64, 60..1000u64).prop_map(
        |(cutoff_s, warning_s, long_check_s, first_post_s, scope_post_s, update_every_s, handover_every_s, escalate_every_s)| Plan {
            cutoff_s,
            warning_s: warning_s % cutoff_s,
            long_check_s,
            first_post_s,
            scope_post_s,
            update_every_s,
            long_update_every_s: update_every_s * 2,
            handover_every_s,
            escalate_every_s,
        },
    )
}

/// A naive reading of the rule, beside the fold: when is the cut-off due, and for which due times was it announced?
struct Naive {
    due: DateTime<Utc>,
    announced: BTreeSet<DateTime<Utc>>,
    deep: bool,
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn the_cutoff_is_never_missed_never_said_twice_and_moved_exactly(plan in plan(), night in proptest::collection::vec(happening(), 1..60)) {
        prop_assert_eq!(plan.check(), Ok(()));
        let mut now = Stamp::at(start());
        let mut state = State::begin(&Event { seq: 1, at: now, actor: ann(), kind: declared_with(plan) }).expect("declared");
        let mut naive = Naive { due: start() + TimeDelta::seconds(plan.cutoff_s.cast_signed()), announced: BTreeSet::new(), deep: false };
        let mut stages: BTreeSet<(StageName, DateTime<Utc>)> = BTreeSet::new();
        for happening in night {
            let record = |state: &mut State, kind| state.fold(&state.event(now, ann(), kind));
            match happening {
                Happening::Advance(s) => now = now.plus(Duration::from_secs(s)),
                Happening::StepWall(s) => now.wall += TimeDelta::seconds(s),
                Happening::Restart => {
                    let journal = serde_json::to_string(&state).expect("json");
                    state = serde_json::from_str(&journal).expect("state");
                    now.mono = Duration::ZERO;
                }
                Happening::Extend(minutes) => {
                    record(&mut state, Kind::Decided(Decision::Extend { minutes, reason: "r".into() }));
                    naive.due = naive.due.max(now.wall) + TimeDelta::minutes(i64::from(minutes.max(1)));
                    naive.deep = false;
                }
                Happening::GoDeep => {
                    record(&mut state, Kind::Decided(Decision::GoDeep));
                    naive.deep = true;
                }
                Happening::Post(next) => record(&mut state, post(PostKind::Update, next.map(|s| now.wall + TimeDelta::seconds(s)))),
            }
            prop_assert_eq!(state.cutoff.due, naive.due);
            let came = due(&state, now);
            let expected = !naive.deep && now.wall >= naive.due && !naive.announced.contains(&naive.due);
            prop_assert_eq!(came.iter().filter(|d| matches!(d, Due::Cutoff { .. })).count(), usize::from(expected));
            let mut level = state.cutoff.level;
            for thing in came {
                prop_assert!(thing.at() <= now.wall, "nothing is said before its time");
                match thing {
                    Due::Cutoff { due } => prop_assert!(naive.announced.insert(due)),
                    Due::Stage { stage, due } => prop_assert!(stages.insert((stage, due)), "{:?} said twice", stage),
                    Due::Escalation { level: next, .. } => {
                        prop_assert!(next > level);
                        level = next;
                    }
                }
                state.fold(&state.event(now, Actor::Tool, thing.kind()));
            }
            prop_assert!(due(&state, now).is_empty(), "all that was due has been said");
            prop_assert_eq!(state.cutoff.is_open(), !naive.deep && naive.announced.contains(&naive.due));
            if let Some(next) = next_due(&state, now) {
                prop_assert!(next.at() > now.wall);
            }
        }
    }

    /// However rarely the clock is asked, the cut-off is said at the first question after it.
    #[test]
    fn the_cutoff_is_said_at_the_first_tick_after_it(plan in plan(), tick in 1..5000u64) {
        let mut state = State::begin(&Event { seq: 1, at: minute(0), actor: ann(), kind: declared_with(plan) }).expect("declared");
        let mut now = minute(0);
        while now.wall < state.cutoff.due {
            now = now.plus(Duration::from_secs(tick));
            for thing in due(&state, now) {
                state.fold(&state.event(now, Actor::Tool, thing.kind()));
            }
        }
        prop_assert_eq!(state.cutoff.reached.clone(), vec![(state.cutoff.planned, now.wall)]);
    }
}
