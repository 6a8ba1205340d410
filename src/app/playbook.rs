//! The playbook as a checklist: which one is followed, and the steps that a person ticks or skips.

use super::declare::ensure_incident;
use super::effect::Effect;
use super::foot::say;
use super::guide::replay;
use super::model::{Guide, Level, Model};
use super::record::by_person;
use crate::incident::{Event, How, Kind};
use crate::playbook::{Playbook, Run};

/// Begins to follow `playbook`; what has happened already ticks its steps.
pub(super) fn choose(model: &mut Model, playbook: Playbook) {
    let run = Run::new(&playbook);
    model.playbook = Some(Guide { book: Box::new(playbook), run });
    let events: Vec<Event> = model.incident.iter().flat_map(|s| s.timeline.iter().map(|e| e.as_ref().clone())).collect();
    replay(model, &events);
}

/// A person ticks a step, or skips it with a reason.
pub(super) fn by_hand(model: &mut Model, step: &str, skipped: Option<&str>) -> Vec<Effect> {
    if skipped.is_some_and(|reason| reason.trim().is_empty()) {
        say(model, Level::Warn, "skipping a step needs a reason");
        return Vec::new();
    }
    let Some(guide) = &model.playbook else { return Vec::new() };
    if guide.book.step(step).is_none() {
        say(model, Level::Warn, format!("the playbook has no step {step}"));
        return Vec::new();
    }
    let playbook = guide.book.name.as_str().into();
    let how = skipped.map_or(How::ByHand, |reason| How::Skipped { reason: reason.trim().into() });
    let mut effects = ensure_incident(model);
    effects.extend(by_person(model, Kind::StepTicked { playbook, step: step.into(), how }, Vec::new()));
    effects
}
