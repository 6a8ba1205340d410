//! For tests: an incident told as a list of (minutes after the declaration, what happened).

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::{Actor, Event, IncidentId, Kind, Plan, Severity, State};
use crate::base::{Masked, Stamp};

pub(crate) fn start() -> DateTime<Utc> {
    DateTime::from_timestamp(1_795_500_000, 0).expect("a valid second")
}

pub(crate) fn minute(n: u64) -> Stamp {
    second(n * 60)
}

pub(crate) fn second(n: u64) -> Stamp {
    Stamp::at(start()).plus(Duration::from_secs(n))
}

pub(crate) fn ann() -> Actor {
    Actor::Person(Masked::from("ann"))
}

pub(crate) fn declared_with(plan: Plan) -> Kind {
    Kind::Declared {
        id: IncidentId::new(start(), "content-import"),
        title: "content import fails".into(),
        severity: Severity::Sev1,
        service: "content-import".into(),
        impact_since: None,
        plan,
        context: "prod".into(),
        namespace: "shop".into(),
        tool: "0.1.0".into(),
    }
}

/// The incident declared at minute 0, and then `happened`.
pub(crate) fn told(happened: Vec<(u64, Kind)>) -> State {
    let mut state = State::begin(&Event { seq: 1, at: minute(0), actor: ann(), kind: declared_with(Plan::default()) }).expect("declared");
    for (at, kind) in happened {
        let event = state.event(minute(at), ann(), kind);
        state.fold(&event);
    }
    state
}

pub(crate) fn noted(text: &str) -> Kind {
    Kind::Noted { text: text.into() }
}
