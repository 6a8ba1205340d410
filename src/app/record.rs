//! How an event comes to be: folded at once, written by the desk, and what waits for the disk waits in `then`.
//! Jobs and messages at the foot of the screen, since every topic needs them.

use super::effect::Effect;
use super::model::{ActStage, Job, JobId, Level, Model, Prompt, Toast};
use crate::base::{Masked, Trouble};
use crate::incident::{Actor, Event, IncidentId, Kind, Severity, State};

/// Messages kept.
const TOASTS: usize = 50;

/// The person at the keyboard.
pub(super) fn person(model: &Model) -> Actor {
    Actor::Person(model.setting.who.clone())
}

/// Folds `kind` into the incident and asks for it to be written; `then` is done only when it is on disk. Without an
/// incident there is no journal: nothing is recorded, and what would wait for it is not done.
pub(super) fn record(model: &mut Model, actor: Actor, kind: Kind, then: Vec<Effect>) -> Vec<Effect> {
    let at = model.now;
    let Some(state) = model.incident.as_mut() else {
        return Vec::new();
    };
    let event = state.event(at, actor, kind);
    state.fold(&event);
    let mut effects = vec![Effect::Record { event: Box::new(event.clone()), then }];
    effects.extend(super::playbook::ticked_by(model, &event));
    effects
}

/// [`record`] by the person.
pub(super) fn by_person(model: &mut Model, kind: Kind, then: Vec<Effect>) -> Vec<Effect> {
    let actor = person(model);
    record(model, actor, kind, then)
}

/// [`record`] by the tool.
pub(super) fn by_tool(model: &mut Model, kind: Kind) -> Vec<Effect> {
    record(model, Actor::Tool, kind, Vec::new())
}

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
    effects.extend(super::playbook::ticked_by(model, &event));
    effects.extend(super::pods::on_declared(model));
    effects
}

/// `wanted`, or `wanted-2` … when there is one of that name (declared in the same minute).
fn free_id(taken: &[String], wanted: IncidentId) -> IncidentId {
    let is_free = |id: &IncidentId| !taken.iter().any(|t| t == id.as_str());
    let numbered = (2..1000).filter_map(|n| IncidentId::parse(&format!("{wanted}-{n}")));
    std::iter::once(wanted.clone()).chain(numbered).find(is_free).unwrap_or(wanted)
}

/// A new job, shown while it runs.
pub(super) fn job(model: &mut Model, what: impl Into<String>) -> JobId {
    let id = JobId(model.next_job);
    model.next_job += 1;
    let job = Job { what: what.into(), since: model.now, share: None, note: String::new(), cancelling: false };
    model.jobs.insert(id, job);
    id
}

/// A job ended.
pub(super) fn end(model: &mut Model, job: JobId) {
    model.jobs.remove(&job);
}

/// A message at the foot of the screen.
pub(super) fn say(model: &mut Model, level: Level, text: impl Into<String>) {
    if model.toasts.len() == TOASTS {
        model.toasts.pop_front();
    }
    model.toasts.push_back(Toast { at: model.now, level, text: text.into() });
}

/// A trouble: at the foot of the screen, and in the timeline if an incident is open.
pub(super) fn trouble(model: &mut Model, doing: &str, trouble: &Trouble) -> Vec<Effect> {
    say(model, Level::Bad, format!("{doing}: {trouble}"));
    by_tool(model, Kind::TroubleSeen { what: Masked::from(format!("{doing}: {trouble}")) })
}

/// The journal could not be written: events are kept, and the person is told.
pub(super) fn journal_failed(model: &mut Model, event: Event, trouble: Trouble) {
    // What waited for the disk was not done, and is not done later behind the person's back.
    match &event.kind {
        Kind::ActIntended { request, .. } => {
            let seq = event.seq;
            let text = format!("{} {}: not done, since it could not be recorded", request.act, request.target.name);
            let jobs: Vec<JobId> =
                model.acts.iter().filter(|a| matches!(a.stage, ActStage::Performing { intent } if intent == seq)).map(|a| a.job).collect();
            model.acts.retain(|a| !jobs.contains(&a.job));
            jobs.into_iter().for_each(|job| end(model, job));
            say(model, Level::Bad, text);
        }
        Kind::CaptureStarted { evidence, .. } => {
            let job = model.captures.iter().find(|c| c.evidence == *evidence).and_then(|c| c.job);
            model.captures.retain(|c| c.evidence != *evidence);
            job.into_iter().for_each(|job| end(model, job));
            say(model, Level::Bad, "capture: not started, since it could not be recorded");
        }
        _ => {}
    }
    model.unwritten.push(event);
    model.prompts.retain(|p| !matches!(p, Prompt::Journal { .. }));
    // The cut-off stays on top of everything.
    let at = usize::from(matches!(model.prompts.front(), Some(Prompt::Cutoff { .. })));
    model.prompts.insert(at, Prompt::Journal { trouble });
}

/// Tries the kept events again.
pub(super) fn retry_journal(model: &mut Model) -> Vec<Effect> {
    model.prompts.retain(|p| !matches!(p, Prompt::Journal { .. }));
    let kept = std::mem::take(&mut model.unwritten);
    kept.into_iter().map(|event| Effect::Record { event: Box::new(event), then: Vec::new() }).collect()
}
