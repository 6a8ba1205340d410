//! Several captures at a time, with a cap: this machine's disk and link bear only so many. What waits is shown as such.

use super::effect::Effect;
use super::foot::say;
use super::launch::{Launch, launch};
use super::model::{Capture, Level, Model, Queued};
use super::record::person;
use crate::base::ContainerRef;
use crate::preflight::{Assessment, CaptureState, Risk};

/// Begins the capture, or puts it behind those that run.
pub(super) fn begin(model: &mut Model, container: ContainerRef, assessment: Assessment, accepted: Risk) -> Vec<Effect> {
    // What waits for a death takes no place: when it comes, nothing may stand in its way.
    if waits(&assessment) || is_free(model, &container) {
        return go(model, Queued { container, since: model.now, assessment, accepted });
    }
    let ahead = model.queue.len();
    let behind = if ahead == 0 { String::new() } else { format!(", {ahead} before it") };
    say(model, Level::Info, format!("{}: queued behind {} that run{behind}", container.pod.name, running(model)));
    model.queue.retain(|q| q.container != container);
    model.queue.push_back(Queued { container, since: model.now, assessment, accepted });
    Vec::new()
}

/// A place may have become free: begins what fits, in order.
pub(super) fn next(model: &mut Model) -> Vec<Effect> {
    let mut effects = Vec::new();
    while let Some(at) = (0..model.queue.len()).find(|i| model.queue.get(*i).is_some_and(|q| is_free(model, &q.container))) {
        let Some(queued) = model.queue.remove(at) else { break };
        effects.extend(go(model, queued));
    }
    effects
}

/// Takes a capture out of the queue.
pub(super) fn remove(model: &mut Model, container: &ContainerRef) -> Vec<Effect> {
    let before = model.queue.len();
    model.queue.retain(|q| q.container != *container);
    if model.queue.len() < before {
        say(model, Level::Info, format!("{}: out of the queue, nothing was done", container.pod.name));
    }
    super::pairing::dropped(model, container, "taken out of the queue")
}

fn go(model: &mut Model, queued: Queued) -> Vec<Effect> {
    let Queued { container, assessment, accepted, .. } = queued;
    let by = person(model);
    launch(model, Launch { container, method: assessment.method.clone(), assessment: Some(assessment), accepted, armed: None, by })
}

fn waits(assessment: &Assessment) -> bool {
    matches!(assessment.method.as_str(), "near-limit" | "oom-freeze" | "watch")
}

/// Captures that take a place. Logs and reports are small.
fn running(model: &Model) -> usize {
    let counts = |method: &str| !matches!(method, "log" | "file");
    let waits = |c: &&Capture| matches!(c.state, CaptureState::Armed { .. });
    model.captures.iter().filter(|c| c.job.is_some() && !waits(c) && counts(&c.method)).count()
}

/// Whether one from `container` may begin: a place is free, and nothing is taken from its pod now.
fn is_free(model: &Model, container: &ContainerRef) -> bool {
    let busy = model.captures.iter().any(|c| c.container.pod == container.pod && c.job.is_some() && !c.is_waiting());
    !busy && running(model) < model.setting.parallel.max(1)
}
