//! JSON of the command line: the only place that knows its shapes. Each object names its schema; fields are only added.

use serde_json::{Value, json};

use crate::base::Stamp;
use crate::incident::{State, clock_view};
use crate::journal::Listed;
use crate::pressure::{Eta, Row};

/// One row of `cutoff.pods/1`.
pub fn pod(row: &Row) -> Value {
    let (left_seconds, left_to, left_unknown) = match &row.eta {
        Eta::AtMost { left, to } => (Some(left.as_secs()), Some(to.as_str()), None),
        Eta::NotGrowing => (None, None, Some("not growing")),
        Eta::Unknown { why } => (None, None, Some(*why)),
    };
    json!({
        "namespace": row.container.pod.namespace,
        "pod": row.container.pod.name,
        "container": row.container.name,
        "workload": row.workload.as_ref().map(ToString::to_string),
        "state": row.state,
        "ready": row.ready,
        "working_set_bytes": row.working_set.map(|b| b.0),
        "limit_bytes": row.limit.map(|b| b.0),
        "share": row.share,
        "slope_bytes_per_second": row.slope.map(|s| s.0),
        "left_seconds": left_seconds,
        "left_to": left_to,
        "left_unknown": left_unknown,
        "sampled": row.sampled,
        "source": row.source,
        "restarts": row.restarts,
        "last_end": row.last_end,
        "died_of": row.died,
        "act_first": row.first,
    })
}

/// `cutoff.status/1`.
pub fn status(state: &State, now: Stamp) -> Value {
    let clock = clock_view(state, now);
    json!({
        "schema": "cutoff.status/1",
        "incident": state.id.as_str(),
        "title": state.title,
        "service": state.service,
        "severity": state.severity,
        "open": state.is_open(),
        "declared": state.declared.wall,
        "phase": clock.phase.word(),
        "since_seconds": clock.since.as_secs(),
        "cutoff": clock.cutoff,
        "cutoff_in_seconds": clock.left_s,
        "decision_open": clock.undecided,
        "update_in_seconds": clock.update_in_s,
        "events": state.timeline.len(),
        "captures": state.captures.len(),
        "finding": state.findings.last().map(|f| f.finding.headline.as_str()),
    })
}

/// `cutoff.incidents/1`.
pub fn incidents(all: &[Listed]) -> Value {
    let rows: Vec<Value> = all
        .iter()
        .map(|one| {
            json!({
                "incident": one.id.as_str(),
                "title": one.title,
                "service": one.service,
                "severity": one.severity,
                "declared": one.declared,
                "open": one.open,
                "held_by": one.held_by.as_ref().map(ToString::to_string),
            })
        })
        .collect();
    json!({ "schema": "cutoff.incidents/1", "incidents": rows })
}
