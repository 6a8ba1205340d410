//! The declaration: the clock starts.

use super::effect::Effect;
use super::foot::say;
use super::model::{Level, Model};
use super::record::person;
use crate::incident::{Event, IncidentId, Kind, Severity, State};

/// Declares the incident, if there is none that is open. What is done to a cluster or a pod is always recorded, so
/// the first such wish starts the clock too.
pub(super) fn ensure_incident(model: &mut Model) -> Vec<Effect> {
    if model.incident.as_ref().is_some_and(State::is_open) {
        return Vec::new();
    }
    declare(model, "", Severity::default(), "")
}

/// Declares an incident now.
pub(super) fn declare(model: &mut Model, title: &str, severity: Severity, service: &str) -> Vec<Effect> {
    if model.incident.as_ref().is_some_and(State::is_open) {
        say(model, Level::Warn, "an incident is open already; resolve it first".to_owned());
        return Vec::new();
    }
    let worst =
        model.board.rows().first().map(|row| row.workload.as_ref().map_or_else(|| row.container.pod.name.clone(), |w| w.name.clone()));
    let service = match (service.trim(), worst) {
        ("", Some(name)) => name,
        ("", None) => model.setting.namespace.clone(),
        (given, _) => given.to_owned(),
    };
    let title = if title.trim().is_empty() { format!("{service}: JavaScript heap out of memory") } else { title.trim().to_owned() };
    let at = model.now;
    let kind = Kind::Declared {
        id: free_id(&model.setting.taken, IncidentId::new(at.wall, &service)),
        title: title.into(),
        severity,
        service: service.into(),
        impact_since: None,
        plan: model.setting.plan,
        context: model.setting.context.as_str().into(),
        namespace: model.setting.namespace.as_str().into(),
        tool: model.setting.tool.clone(),
    };
    let event = Event { seq: 1, at, actor: person(model), kind };
    model.incident = State::begin(&event);
    model.setting.taken.extend(model.incident.as_ref().map(|s| s.id.as_str().to_owned()));
    model.memory_recorded = None;
    model.exported = None;
    let mut effects = vec![Effect::Record { event: Box::new(event.clone()), then: Vec::new() }];
    effects.extend(super::guide::ticked_by(model, &event));
    effects.extend(super::pods::on_declared(model));
    effects
}

/// `wanted`, or `wanted-2` … when there is one of that name (declared in the same minute).
fn free_id(taken: &[String], wanted: IncidentId) -> IncidentId {
    let is_free = |id: &IncidentId| !taken.iter().any(|t| t == id.as_str());
    let numbered = (2..1000).filter_map(|n| IncidentId::parse(&format!("{wanted}-{n}")));
    std::iter::once(wanted.clone()).chain(numbered).find(is_free).unwrap_or(wanted)
}
