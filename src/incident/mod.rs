//! Events → state: clock plan, cut-off, escalation, hypotheses, roles, acts, changes, provenance, posts.
//!
//! The journal's format is [`Event`]; everything else about an incident is folded from events by [`State`].

mod act;
mod belief;
mod clock;
mod due;
#[cfg(test)]
mod due_tests;
mod event;
mod finding;
mod intervals;
mod merge;
mod plan;
mod post;
mod provenance;
mod records;
mod shared;
mod state;
#[cfg(test)]
pub(crate) mod story;
mod vigils;
mod watching;

pub use act::{ActRequest, ActTarget, Leftover, LeftoverKind, Preview, Receipt};
pub use belief::{Belief, CauseClass, Standing, beliefs, overdue_hypotheses, recent_rollouts};
pub use clock::{ClockView, Phase, clock_step, clock_view};
pub use due::{Due, due, next_due, update_due};
pub use event::{
    Actor, Decision, Effectiveness, Event, How, IncidentId, Kind, MemoryReading, Outcome, Seq, Severity, SlopeChange, StageName,
};
pub use finding::{CodeAge, Finding, LargeThing, Place};
pub use intervals::{Interval, intervals};
pub use merge::{MergeError, Merged, merge};
pub use plan::{Plan, PlanError};
pub use post::{Audience, Post, PostKind};
pub use provenance::Provenance;
pub use records::{
    AcceptedRisk, ActOutcome, ActRecord, AssessmentRecord, Capture, Cutoff, Death, Decided, Delivery, Escalation, ExportRecord,
    FindingRecord, Hypothesis, HypothesisEnd, Mark, MemoryPoint, Note, NothingRecord, PostRecord, ProcessRecord, Rollout, StageRecord,
    StepTick,
};
pub use shared::Shared;
pub use state::{MemorySeries, State};
pub use vigils::{PairRecord, WatchRecord};
pub use watching::{Arming, PairWhen, Sign};
