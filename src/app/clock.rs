//! The clock speaks: stages, the cut-off that only a decision closes, and the climb of an unanswered prompt.

use super::effect::Effect;
use super::foot::say;
use super::model::{Level, Model, Prompt};
use super::record::{by_person, by_tool};
use crate::base::Stamp;
use crate::incident::{Audience, Decision, Due, Kind, PostKind, clock_step, due};

/// A second passed since `before`.
pub(super) fn tick(model: &mut Model, before: Stamp) -> Vec<Effect> {
    let now = model.now;
    let mut effects = Vec::new();
    if model.incident.as_ref().is_some_and(crate::incident::State::is_open)
        && let Some(seconds) = clock_step(before, now)
    {
        say(model, Level::Warn, format!("the wall clock moved by {seconds} s; deadlines keep to wall time"));
        effects.extend(by_tool(model, Kind::ClockStepped { seconds }));
    }
    let Some(state) = &model.incident else { return effects };
    for thing in due(state, now) {
        effects.extend(by_tool(model, thing.kind()));
        effects.push(Effect::Bell);
        match thing {
            Due::Stage { .. } => say(model, Level::Warn, format!("due: {}", thing.label())),
            Due::Cutoff { due } => raise(model, due, 0),
            Due::Escalation { level, due } => {
                let raised_at = model.incident.as_ref().map_or(due, |s| s.cutoff.due);
                raise(model, raised_at, level);
                effects.extend(escalate(model));
            }
        }
    }
    effects
}

/// Puts the cut-off's prompt on top of everything, with a draft of the LONG notice from the present state.
pub(super) fn raise(model: &mut Model, due: chrono::DateTime<chrono::Utc>, level: u32) {
    let Some(state) = &model.incident else { return };
    let draft = crate::report::draft(state, model.now, PostKind::LongNotice, Audience::Users).text;
    // A draft that is being edited stays as it was first raised.
    let draft = match model.prompts.front() {
        Some(Prompt::Cutoff { draft, .. }) => draft.clone(),
        _ => draft,
    };
    model.prompts.retain(|p| !matches!(p, Prompt::Cutoff { .. }));
    model.prompts.push_front(Prompt::Cutoff { due, level, draft });
}

/// The team hears that the prompt has no answer.
fn escalate(model: &mut Model) -> Vec<Effect> {
    let Some(state) = &model.incident else { return Vec::new() };
    let text = crate::report::draft(state, model.now, PostKind::Escalation, Audience::Team).text;
    super::comms::post(model, PostKind::Escalation, text.as_str())
}

/// A decision, at the cut-off or before it.
pub(super) fn decide(model: &mut Model, decision: Decision) -> Vec<Effect> {
    let open = model.incident.as_ref().is_some_and(|s| s.is_open() && s.cutoff.deep_since.is_none());
    if !open {
        say(model, Level::Warn, "there is nothing to decide");
        return Vec::new();
    }
    model.prompts.retain(|p| !matches!(p, Prompt::Cutoff { .. }));
    by_person(model, Kind::Decided(decision), Vec::new())
}

/// Quick fixes go on for a while, with a reason that will stand in the postmortem.
pub(super) fn extend(model: &mut Model, minutes: u32, reason: &str) -> Vec<Effect> {
    if reason.trim().is_empty() {
        say(model, Level::Warn, "an extension needs a reason; nothing was decided");
        return Vec::new();
    }
    if !(1..=24 * 60).contains(&minutes) {
        say(model, Level::Warn, "extend by 1 to 1440 minutes; nothing was decided");
        return Vec::new();
    }
    decide(model, Decision::Extend { minutes, reason: reason.trim().into() })
}
