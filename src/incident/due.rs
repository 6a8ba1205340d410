//! What the clock has to say, on absolute deadlines. Everything due is reported until the caller journals its event
//! ([`Due::kind`]); the fold then remembers it, so it is said exactly once, also across restarts and clock steps.
//!
//! What a later thing covers is not said any more: after hours of sleep one overdue update speaks, not nine, and no
//! warning comes when the cut-off itself is there.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::event::{Kind, StageName};
use super::state::{State, after};
use crate::base::{Masked, Stamp};

/// Something that has come, or will.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// A stage speaks.
    Stage {
        /// Which.
        stage: StageName,
        /// When it is due.
        due: DateTime<Utc>,
    },
    /// The cut-off.
    Cutoff {
        /// When it is due.
        due: DateTime<Utc>,
    },
    /// The cut-off's prompt is unanswered and climbs.
    Escalation {
        /// From 1, one for every `plan.escalate_every_s` without an answer.
        level: u32,
        /// When it is due.
        due: DateTime<Utc>,
    },
}

impl Due {
    /// When it is due.
    pub const fn at(&self) -> DateTime<Utc> {
        match self {
            Self::Stage { due, .. } | Self::Cutoff { due } | Self::Escalation { due, .. } => *due,
        }
    }

    /// The event that has to be journalled, so that it is not reported again.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Stage { stage, due } => Kind::StageReached { stage: *stage, due: *due },
            Self::Cutoff { due } => Kind::CutoffReached { due: *due },
            Self::Escalation { level, .. } => Kind::Escalated { level: *level, what: Masked::own("the cut-off has no answer") },
        }
    }

    /// A short name for the line that says what is next.
    pub const fn label(&self) -> &'static str {
        match self {
            Self::Stage { stage, .. } => match stage {
                StageName::FirstPost => "first post",
                StageName::ScopePost => "scope post",
                StageName::LongCheck => "long-outage check",
                StageName::Warning => "cut-off warning",
                StageName::UpdateDue => "status update",
                StageName::Handover => "state review and handover",
            },
            Self::Cutoff { .. } => "cut-off",
            Self::Escalation { .. } => "escalation",
        }
    }
}

/// All that has come by `now` and was not said yet, in order of its time.
pub fn due(state: &State, now: Stamp) -> Vec<Due> {
    let mut found: Vec<Due> = schedule(state, now.wall).into_iter().filter_map(|slot| slot.come).collect();
    found.sort_by_key(Due::at);
    found
}

/// What comes next after `now`.
pub fn next_due(state: &State, now: Stamp) -> Option<Due> {
    schedule(state, now.wall).into_iter().filter_map(|slot| slot.next).min_by_key(Due::at)
}

/// When the next post to the outside is due; in the past if it is overdue. `None` when the incident is over.
pub fn update_due(state: &State) -> Option<DateTime<Utc>> {
    if !state.is_open() {
        return None;
    }
    Some(match (informing(state), state.plan.first_post_s, state.plan.scope_post_s) {
        (0, first, _) if first > 0 => from_declaration(state, first),
        (0 | 1, _, scope) if scope > 0 && from_declaration(state, scope) > state.last_update.unwrap_or(state.declared.wall) => {
            from_declaration(state, scope).min(first_update(state))
        }
        _ => first_update(state),
    })
}

/// One kind of deadline at a moment: what of it has come unsaid, and what of it lies ahead.
#[derive(Default)]
struct Slot {
    come: Option<Due>,
    next: Option<Due>,
}

/// All deadlines at `now`, the more urgent first where two fall together.
fn schedule(state: &State, now: DateTime<Utc>) -> Vec<Slot> {
    if !state.is_open() {
        return Vec::new();
    }
    let plan = &state.plan;
    let deep = state.cutoff.deep_since.is_some();
    let posts = informing(state);
    let first = from_declaration(state, plan.first_post_s);
    let scope = from_declaration(state, plan.scope_post_s);
    let update = first_update(state);
    let scope_wanted = plan.scope_post_s > 0 && posts < 2 && state.last_update.is_none_or(|last| last < scope);
    vec![
        cutoff(state, now),
        escalation(state, now),
        once(state, now, StageName::Warning, state.cutoff.warn_at, !deep && plan.warning_s > 0 && now < state.cutoff.due),
        once(
            state,
            now,
            StageName::LongCheck,
            from_declaration(state, plan.long_check_s),
            !deep && plan.long_check_s > 0 && now < state.cutoff.due,
        ),
        once(state, now, StageName::FirstPost, first, plan.first_post_s > 0 && posts == 0 && !(scope_wanted && scope <= now)),
        once(state, now, StageName::ScopePost, scope, scope_wanted && update > now),
        repeated(state, now, StageName::UpdateDue, update, update_every(state)),
        repeated(
            state,
            now,
            StageName::Handover,
            from_declaration(state, plan.handover_every_s),
            Duration::from_secs(plan.handover_every_s),
        ),
    ]
}

fn cutoff(state: &State, now: DateTime<Utc>) -> Slot {
    let due = state.cutoff.due;
    if state.cutoff.deep_since.is_some() || state.cutoff.is_announced() {
        return Slot::default();
    }
    slot(now, Due::Cutoff { due })
}

fn escalation(state: &State, now: DateTime<Utc>) -> Slot {
    let Some(since) = state.cutoff.open_since() else { return Slot::default() };
    let every = Duration::from_secs(state.plan.escalate_every_s);
    let passed = elapsed_steps(since, every, now);
    let step = |level: u64| Due::Escalation { level: u32::try_from(level).unwrap_or(u32::MAX), due: nth(since, every, level) };
    let said = u64::from(state.cutoff.level);
    Slot { come: (passed > said).then(|| step(passed)), next: Some(step(passed.max(said) + 1)) }
}

/// A stage that is said once for each due time, if it is `wanted`.
fn once(state: &State, now: DateTime<Utc>, stage: StageName, due: DateTime<Utc>, wanted: bool) -> Slot {
    if !wanted || said(state, stage, due) {
        return Slot::default();
    }
    slot(now, Due::Stage { stage, due })
}

/// A stage that comes at `first` and then every `every`; only the latest that has come is said.
fn repeated(state: &State, now: DateTime<Utc>, stage: StageName, first: DateTime<Utc>, every: Duration) -> Slot {
    if now < first {
        return slot(now, Due::Stage { stage, due: first });
    }
    let passed = elapsed_steps(first, every, now);
    let due = nth(first, every, passed);
    let come = (!said(state, stage, due)).then_some(Due::Stage { stage, due });
    Slot { come, next: Some(Due::Stage { stage, due: nth(first, every, passed + 1) }) }
}

fn slot(now: DateTime<Utc>, due: Due) -> Slot {
    if due.at() <= now { Slot { come: Some(due), next: None } } else { Slot { come: None, next: Some(due) } }
}

fn said(state: &State, stage: StageName, due: DateTime<Utc>) -> bool {
    state.stages.iter().rev().any(|s| s.stage == stage && s.due == due)
}

/// Posts that informed somebody.
fn informing(state: &State) -> usize {
    state.posts.iter().filter(|p| p.post.informs()).count()
}

/// The first regular update after the last post: what that promised, else the plan's rhythm.
fn first_update(state: &State) -> DateTime<Utc> {
    let every = update_every(state);
    match (state.last_update, state.next_promised) {
        (Some(_), Some(promised)) => promised,
        (Some(last), None) => after(last, every),
        (None, _) => after(from_declaration(state, state.plan.scope_post_s), every),
    }
}

fn update_every(state: &State) -> Duration {
    let deep = state.cutoff.deep_since.is_some();
    Duration::from_secs(if deep { state.plan.long_update_every_s } else { state.plan.update_every_s })
}

fn from_declaration(state: &State, seconds: u64) -> DateTime<Utc> {
    after(state.declared.wall, Duration::from_secs(seconds))
}

/// How many whole steps of `every` (at least a second, should the plan be broken) lie between `from` and `now`.
fn elapsed_steps(from: DateTime<Utc>, every: Duration, now: DateTime<Utc>) -> u64 {
    let passed = (now - from).num_seconds();
    u64::try_from(passed).map_or(0, |s| s / every.as_secs().max(1))
}

fn nth(from: DateTime<Utc>, every: Duration, n: u64) -> DateTime<Utc> {
    after(from, Duration::from_secs(every.as_secs().max(1).saturating_mul(n)))
}
