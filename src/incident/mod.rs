//! Events → state: clock plan, cut-off, escalation, hypotheses, roles, acts, changes, provenance, posts.
//!
//! The journal's format is [`Event`]; everything else about an incident is folded from events by [`State`].

mod act;
mod event;
mod finding;
mod plan;
mod post;
mod provenance;

pub use act::{ActRequest, ActTarget, Preview, Receipt};
pub use event::{
    Actor, Decision, Effectiveness, Event, How, IncidentId, Kind, MemoryReading, Outcome, Seq, Severity, SlopeChange, StageName,
};
pub use finding::{CodeAge, Finding, LargeThing, Place};
pub use plan::{Plan, PlanError};
pub use post::{Audience, Post, PostKind};
pub use provenance::Provenance;
