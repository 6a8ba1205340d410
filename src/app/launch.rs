//! A capture begins: a row, an event, and the effect behind it.

use chrono::{DateTime, Utc};

use super::effect::{Effect, Gather};
use super::foot::{job, quiet_job};
use super::model::{Capture, JobId, Model};
use super::record::record;
use crate::base::{Bytes, ContainerRef, EvidenceId};
use crate::incident::{Actor, Kind, State};
use crate::preflight::{Assessment, CaptureState, Risk};

/// What is to begin.
pub(super) struct Launch {
    pub container: ContainerRef,
    pub method: String,
    pub assessment: Option<Assessment>,
    /// The worst risk that a person accepted.
    pub accepted: Risk,
    /// It belongs to a watch that is on since then.
    pub armed: Option<DateTime<Utc>>,
    pub by: Actor,
}

/// Begins it. Without an incident nothing is recorded, and so nothing is done.
pub(super) fn launch(model: &mut Model, launch: Launch) -> Vec<Effect> {
    let Launch { container, method, assessment, accepted, armed, by } = launch;
    let first = model.pairing.get(&container).copied();
    let same = first.and_then(|first| model.capture(first)?.process.clone()).map(Box::new);
    let expected = assessment.as_ref().and_then(|a| a.predicted.file).map(|f| f.high);
    let row = Row { container: container.clone(), method: method.clone(), expected, assessment, quiet: armed.is_some() };
    let Some((id, evidence)) = begin(model, row) else { return Vec::new() };
    // A capture changes what preflight said; one that only waits does not.
    if armed.is_none() {
        model.surveys.remove(&container);
    }
    let kind = Kind::CaptureStarted { evidence, container: container.clone(), method: method.as_str().into() };
    let who = model.setting.who.clone();
    let effect = Effect::Capture { job: id, evidence, container: container.clone(), method, who, accepted, same, armed };
    let mut effects = record(model, by, kind, vec![effect]);
    effects.extend(super::pairing::taken(model, &container, evidence));
    effects
}

/// Keeps what a container leaves: by the tool, since a watch asks for it.
pub(super) fn collect(model: &mut Model, container: &ContainerRef, what: Gather) -> Vec<Effect> {
    let row = Row { container: container.clone(), method: what.method().to_owned(), expected: None, assessment: None, quiet: false };
    let Some((job, evidence)) = begin(model, row) else { return Vec::new() };
    let kind = Kind::CaptureStarted { evidence, container: container.clone(), method: what.method().into() };
    let who = model.setting.who.clone();
    record(model, Actor::Tool, kind, vec![Effect::Collect { job, evidence, container: container.clone(), what, who }])
}

struct Row {
    container: ContainerRef,
    method: String,
    expected: Option<Bytes>,
    assessment: Option<Assessment>,
    quiet: bool,
}

fn begin(model: &mut Model, row: Row) -> Option<(JobId, EvidenceId)> {
    let evidence = model.incident.as_ref().map(State::next_evidence)?;
    let id = if row.quiet { quiet_job(model) } else { job(model, what(&row.container, &row.method)) };
    model.captures.push(Capture {
        job: Some(id),
        evidence,
        container: row.container,
        method: row.method,
        state: CaptureState::Preparing { step: "starts".into() },
        bytes: Bytes(0),
        expected: row.expected,
        began: model.now,
        last: model.now,
        process: None,
        remark: String::new(),
        assessment: row.assessment,
    });
    Some((id, evidence))
}

/// The name of a capture's job.
pub(super) fn what(container: &ContainerRef, method: &str) -> String {
    match method {
        "log" => format!("keep the log of {}", container.pod.name),
        "file" => format!("copy a file of {}", container.pod.name),
        _ => format!("capture {} by {method}", container.pod.name),
    }
}
