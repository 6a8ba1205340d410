//! How an event comes to be: folded at once, written by the desk, and what waits for the disk waits in `then`.

use super::effect::Effect;
use super::foot::{end, say};
use super::model::{ActStage, JobId, Level, Model, Prompt};
use crate::base::{Masked, Trouble};
use crate::incident::{Actor, Event, Kind};

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
    effects.extend(super::guide::ticked_by(model, &event));
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
        Kind::Armed { container, .. } => {
            model.watches.retain(|w| w.container != *container);
            say(model, Level::Bad, format!("{} is not armed, since it could not be recorded", container.pod.name));
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
