//! Pods, their memory, their deaths, and whether a change helped.

use std::time::Duration;

use super::effect::Effect;
use super::foot::{job, say};
use super::model::{Level, Link, Model};
use super::record::{by_tool, record};
use crate::base::{ContainerRef, PodRef, Trouble};
use crate::incident::{ActOutcome, Actor, Effectiveness, Kind, MemoryReading, SlopeChange};
use crate::pressure::{ContainerFacts, PodFacts, PodSample, SlopeEffect, Workload};

/// Memory is recorded this often, in incident time: enough for a chart, few enough to read the journal.
const RECORD_EVERY: Duration = Duration::from_secs(30);

/// The full set of pods.
pub(super) fn all(model: &mut Model, pods: Vec<PodFacts>) -> Vec<Effect> {
    model.link = Link::Up;
    let mut effects: Vec<_> = pods.iter().flat_map(|p| deaths(model, p)).collect();
    let there: std::collections::BTreeSet<PodRef> = pods.iter().map(|p| p.pod.clone()).collect();
    model.board.facts(model.now.wall, pods);
    rank(model);
    effects.extend(super::leftovers::gone(model, |pod| !there.contains(pod)));
    effects
}

/// One pod changed.
pub(super) fn one(model: &mut Model, pod: PodFacts) -> Vec<Effect> {
    let deaths = deaths(model, &pod);
    model.board.fact(pod);
    rank(model);
    deaths
}

/// One pod is gone.
pub(super) fn gone(model: &mut Model, pod: &PodRef) -> Vec<Effect> {
    model.board.gone(pod);
    model.seen_deaths.retain(|c, _| &c.pod != pod);
    model.surveys.retain(|c, _| &c.pod != pod);
    model.awaited.retain(|c| &c.pod != pod);
    rank(model);
    super::leftovers::gone(model, |gone| gone == pod)
}

fn rank(model: &mut Model) {
    model.board.rank(model.now.wall);
}

/// The watch is down; rows stay, marked as old.
pub(super) fn link_down(model: &mut Model, trouble: &Trouble) -> Vec<Effect> {
    let since = match &model.link {
        Link::Stale { since, .. } => *since,
        Link::Connecting | Link::Up => model.now.wall,
    };
    let news = !matches!(model.link, Link::Stale { .. });
    model.link = Link::Stale { since, trouble: trouble.clone() };
    if news { super::record::trouble(model, "watch", trouble) } else { Vec::new() }
}

/// The watch is up.
pub(super) fn link_up(model: &mut Model) {
    if matches!(model.link, Link::Stale { .. }) {
        say(model, Level::Good, "the cluster answers again");
    }
    model.link = Link::Up;
}

/// Memory was measured.
pub(super) fn samples(model: &mut Model, samples: &[PodSample]) -> Vec<Effect> {
    model.board.sample(samples);
    if let Some(newest) = samples.iter().max_by_key(|s| s.at) {
        model.metering.last = Some(newest.at);
        model.metering.source = Some(newest.source.clone());
        model.metering.trouble = None;
    }
    rank(model);
    let mut effects = record_memory(model);
    effects.extend(first_history(model));
    effects
}

/// The first question of an incident is what changed: the history of the workload that is worst off is asked for as soon
/// as one stands out.
fn first_history(model: &mut Model) -> Vec<Effect> {
    if model.history.workload.is_some() || !model.incident.as_ref().is_some_and(crate::incident::State::is_open) {
        return Vec::new();
    }
    match model.board.first().and_then(|row| Some((row.workload.clone()?, row.container.pod.namespace.clone()))) {
        Some((workload, namespace)) => history(model, workload, namespace),
        None => Vec::new(),
    }
}

fn record_memory(model: &mut Model) -> Vec<Effect> {
    let now = model.now;
    let due = model.memory_recorded.is_none_or(|last| now.mono.saturating_sub(last.mono) >= RECORD_EVERY);
    if !due || !model.incident.as_ref().is_some_and(crate::incident::State::is_open) {
        return Vec::new();
    }
    let readings: Vec<MemoryReading> = model
        .board
        .rows()
        .iter()
        .filter_map(|row| Some(MemoryReading { container: row.container.clone(), used: row.working_set?, limit: row.limit }))
        .take(20)
        .collect();
    if readings.is_empty() {
        return Vec::new();
    }
    model.memory_recorded = Some(now);
    by_tool(model, Kind::MemorySeen { readings })
}

/// Memory could not be measured.
pub(super) fn meter_trouble(model: &mut Model, trouble: Trouble) {
    if model.metering.trouble.as_ref().is_none_or(|old| old.what != trouble.what) {
        say(model, Level::Warn, format!("memory: {trouble}"));
    }
    model.metering.trouble = Some(trouble);
}

/// An incident was declared: what is known of the pods goes into its journal, and the history of the workload is
/// asked for, since the first question is what changed.
pub(super) fn on_declared(model: &mut Model) -> Vec<Effect> {
    let mut effects = record_memory(model);
    effects.extend(first_history(model));
    let ended: Vec<_> = model
        .board
        .pods()
        .flat_map(|pod| pod.containers.iter().map(move |c| (pod, c)))
        .filter(|(_, c)| c.restarts > 0)
        .filter_map(|(pod, c)| autopsy(pod, c))
        .collect();
    effects.extend(ended);
    effects
}

/// Loads the rollout history of a workload.
pub(super) fn history(model: &mut Model, workload: Workload, namespace: String) -> Vec<Effect> {
    let id = job(model, format!("history of {workload}"));
    let same = model.history.workload.as_ref() == Some(&workload);
    model.history.workload = Some(workload.clone());
    if !same {
        model.history.rollouts.clear();
    }
    model.history.job = Some(id);
    model.history.trouble = None;
    vec![Effect::History { job: id, workload, namespace }]
}

/// Deaths since the last look, each to be explained by its last words.
fn deaths(model: &mut Model, pod: &PodFacts) -> Vec<Effect> {
    let mut effects = Vec::new();
    for container in &pod.containers {
        let key = ContainerRef { pod: pod.pod.clone(), name: container.name.clone() };
        let deaths = container.deaths();
        let before = model.seen_deaths.insert(key, deaths);
        if before.is_some_and(|n| deaths > n) {
            effects.extend(autopsy(pod, container));
        }
    }
    effects
}

fn autopsy(pod: &PodFacts, container: &ContainerFacts) -> Option<Effect> {
    let end = container.end()?;
    // A job that is done is no death.
    if end.exit_code == 0 && container.deaths() > container.restarts {
        return None;
    }
    Some(Effect::Autopsy {
        container: ContainerRef { pod: pod.pod.clone(), name: container.name.clone() },
        restarts: container.deaths(),
        reason: end.reason.clone(),
        exit_code: Some(end.exit_code),
    })
}

/// The cause of a death is known.
pub(super) fn died(model: &mut Model, container: ContainerRef, restarts: u32, word: &str, cause: &str) -> Vec<Effect> {
    model.board.died(&container, restarts, word.to_owned());
    rank(model);
    let known = model.incident.as_ref().is_some_and(|s| s.deaths.iter().any(|d| d.container == container && d.restarts == restarts));
    if known {
        return Vec::new();
    }
    let end = model.board.pod(&container.pod).and_then(|p| p.containers.iter().find(|c| c.name == container.name)?.end().cloned());
    say(model, Level::Warn, format!("{} died: {cause}", container.pod.name));
    let kind = Kind::ContainerDied {
        container,
        restarts,
        reason: end.as_ref().map_or_else(Default::default, |e| e.reason.as_str().into()),
        exit_code: end.as_ref().map(|e| e.exit_code),
        cause: cause.into(),
        ended: end.and_then(|e| e.ended),
    };
    record(model, Actor::Cluster, kind, Vec::new())
}

/// Judges the changes that were made: did memory climb slower after them?
pub(super) fn judge(model: &mut Model) -> Vec<Effect> {
    let Some(state) = model.incident.as_ref().filter(|s| s.is_open()) else { return Vec::new() };
    let now = model.now.wall;
    let mut judged = Vec::new();
    for act in state.acts.iter().filter(|a| a.effect.is_none()) {
        let ActOutcome::Done { mark, .. } = &act.outcome else { continue };
        if !matches!(act.request.target.kind.as_str(), "deployment" | "statefulset" | "daemonset") {
            continue;
        }
        let workload = Workload { kind: act.request.target.kind.clone(), name: act.request.target.name.clone() };
        let change = model.board.helped(&workload, mark.at, now);
        let effect = match change.effect {
            SlopeEffect::Helped => Effectiveness::Helped,
            SlopeEffect::NoChange => Effectiveness::NoChange,
            SlopeEffect::Worse => Effectiveness::Worse,
            SlopeEffect::TooEarly => Effectiveness::TooEarly,
        };
        let late = (now - mark.at).to_std().is_ok_and(|d| d.as_secs() >= model.setting.judge_by_s);
        if effect != Effectiveness::TooEarly || late {
            judged.push(Kind::EffectMeasured { act: mark.seq, change: SlopeChange { before: change.before, after: change.after, effect } });
        }
    }
    judged
        .into_iter()
        .flat_map(|kind| {
            let effects = by_tool(model, kind);
            if let Some(event) = model.incident.as_ref().and_then(|s| s.timeline.last().cloned()) {
                say(model, Level::Info, crate::report::event_line(&event).text.to_string());
            }
            effects
        })
        .collect()
}

/// The rollout history came: each revision is recorded once.
pub(super) fn history_came(model: &mut Model, id: super::JobId, result: Result<Vec<crate::pressure::Rollout>, Trouble>) -> Vec<Effect> {
    super::foot::end(model, id);
    if model.history.job != Some(id) {
        return Vec::new();
    }
    model.history.job = None;
    let rollouts = match result {
        Ok(rollouts) => rollouts,
        Err(trouble) => {
            model.history.trouble = Some(trouble.clone());
            return super::record::trouble(model, "rollout history", &trouble);
        }
    };
    model.history.rollouts.clone_from(&rollouts);
    let Some(workload) = model.history.workload.as_ref().map(ToString::to_string) else { return Vec::new() };
    let mut effects = Vec::new();
    for rollout in rollouts.into_iter().rev() {
        let known = model
            .incident
            .as_ref()
            .is_none_or(|s| s.rollouts.iter().any(|r| r.revision == rollout.revision && r.workload.as_str() == workload));
        if !known {
            let kind = Kind::RolloutSeen {
                workload: workload.as_str().into(),
                revision: rollout.revision,
                image: rollout.image.into(),
                made: rollout.made,
                cause: rollout.cause.map(Into::into),
            };
            effects.extend(record(model, Actor::Cluster, kind, Vec::new()));
        }
    }
    effects
}
