//! How events move the playbook: each is told to the run as a happening, and the steps it ticks become events.

use super::effect::Effect;
use super::model::Model;
use crate::incident::{Actor, Decision, Effectiveness, Event, How, Kind, Outcome, PostKind, Seq, State};
use crate::playbook::{Happening, Ticked, TickedHow, What};

/// Folds `events` into the run; ticks that the journal has are not journalled again.
pub(super) fn replay(model: &mut Model, events: &[Event]) {
    let (Some(guide), Some(state)) = (model.playbook.as_mut(), model.incident.as_ref()) else { return };
    for happening in events.iter().filter_map(|e| happening(state, e)) {
        guide.run.tick(&guide.book, &happening);
    }
}

/// The steps that `event` ticks, as events of their own.
pub(super) fn ticked_by(model: &mut Model, event: &Event) -> Vec<Effect> {
    let (Some(guide), Some(state)) = (model.playbook.as_mut(), model.incident.as_ref()) else { return Vec::new() };
    let Some(happening) = happening(state, event) else { return Vec::new() };
    let ticked = guide.run.tick(&guide.book, &happening);
    journal(model, ticked, event.seq)
}

/// Steps that time ticks.
pub(super) fn pass(model: &mut Model) -> Vec<Effect> {
    let now = model.now.wall;
    let (Some(guide), Some(state)) = (model.playbook.as_mut(), model.incident.as_ref()) else { return Vec::new() };
    let seq = state.next_seq().saturating_sub(1);
    let ticked = guide.run.pass(&guide.book, now);
    journal(model, ticked, seq)
}

fn journal(model: &mut Model, ticked: Vec<Ticked>, seq: Seq) -> Vec<Effect> {
    let at = model.now;
    let (Some(guide), Some(state)) = (model.playbook.as_ref(), model.incident.as_mut()) else { return Vec::new() };
    let name = guide.book.name.as_str();
    let mut effects = Vec::new();
    for step in ticked {
        let actor = Actor::Playbook(name.into());
        let kind = Kind::StepTicked { playbook: name.into(), step: step.step.as_str().into(), how: How::ByAct { seq } };
        let tick = state.event(at, actor, kind);
        state.fold(&tick);
        effects.push(Effect::Record { event: Box::new(tick), then: Vec::new() });
    }
    effects
}

/// What a playbook needs to know of `event`; `None` if nothing.
fn happening(state: &State, event: &Event) -> Option<Happening> {
    let act_name = |intent| state.act(intent).map_or_else(String::new, |a| a.request.act.clone());
    let what = match &event.kind {
        Kind::Declared { .. } => What::Declared,
        Kind::Noted { .. } => What::Noted,
        Kind::ContainerDied { .. } => What::Died,
        Kind::RolloutSeen { .. } => What::ChangeSeen,
        Kind::Assessed { risk, .. } => What::Assessed { risk: risk.to_string() },
        Kind::ActDone { intent, .. } => What::ActDone { act: act_name(*intent) },
        Kind::ActFailed { intent, .. } => What::ActFailed { act: act_name(*intent) },
        Kind::EffectMeasured { change, .. } => What::EffectMeasured {
            helped: match change.effect {
                Effectiveness::Helped => Some(true),
                Effectiveness::NoChange | Effectiveness::Worse => Some(false),
                Effectiveness::TooEarly => None,
            },
        },
        // A log that was kept is no snapshot.
        Kind::CaptureEnded { evidence, .. } if !state.capture(*evidence).is_some_and(crate::incident::Capture::is_heap) => return None,
        Kind::CaptureEnded { outcome, provenance, .. } => What::CaptureEnded {
            complete: *outcome == Outcome::Complete,
            process: provenance.as_ref().map(|p| format!("{}/{}/{}", p.process.container_id, p.process.restart, p.process.pid)),
        },
        Kind::LeakFound { evidence, .. } => What::Analysed { leak: true, snapshots: u32::try_from(evidence.len()).unwrap_or(u32::MAX) },
        Kind::NothingFound { evidence, .. } => What::Analysed { leak: false, snapshots: u32::try_from(evidence.len()).unwrap_or(u32::MAX) },
        Kind::CodeAged { .. } => What::CodeAged,
        Kind::CutoffReached { .. } => What::CutoffReached,
        Kind::Decided(decision) => What::Decided {
            answer: match decision {
                Decision::GoDeep => "deep".to_owned(),
                Decision::Extend { .. } => "extend".to_owned(),
            },
        },
        Kind::PostSent { queued, .. } => What::PostSent { post: post_word(state.posts.iter().find(|p| p.mark.seq == *queued)?.post.kind) },
        Kind::HypothesisOpened { .. } => What::HypothesisOpened,
        Kind::HypothesisClosed { .. } => What::HypothesisClosed,
        Kind::StepTicked { playbook, step, how } => What::Ticked {
            playbook: playbook.to_string(),
            step: step.to_string(),
            how: match how {
                How::ByAct { seq } => TickedHow::ByEvent { seq: *seq },
                How::ByHand => TickedHow::ByHand,
                How::Skipped { reason } => TickedHow::Skipped { reason: reason.to_string() },
            },
        },
        Kind::Resolved { .. } => What::Resolved,
        Kind::Exported { .. } => What::Exported,
        _ => return None,
    };
    Some(Happening { seq: event.seq, at: event.at.wall, what })
}

fn post_word(kind: PostKind) -> String {
    match kind {
        PostKind::Declared => "declared",
        PostKind::Update => "update",
        PostKind::LongNotice => "long_notice",
        PostKind::Escalation => "escalation",
        PostKind::Resolved => "resolved",
    }
    .to_owned()
}
