//! A second snapshot of one process, after a growth or a time: growth is what proves a leak. It waits in the journal, so
//! it survives the tool; it is refused with words when the process is another one.

use super::captures;
use super::effect::Effect;
use super::foot::say;
use super::model::{Level, Link, Model};
use super::pairing::{dropped, open};
use super::record::{by_person, by_tool};
use crate::base::{ContainerRef, EvidenceId, ProcessKey};
use crate::incident::{Kind, PairWhen, State};
use crate::preflight::CaptureState;
use crate::pressure::ContainerState;

/// Plans the second snapshot to `first`.
pub(super) fn plan(model: &mut Model, first: EvidenceId, when: PairWhen) -> Vec<Effect> {
    let refuse = |model: &mut Model, why: String| {
        say(model, Level::Bad, format!("no second snapshot: {why}"));
        Vec::new()
    };
    if model.setting.read_only {
        return refuse(model, "read-only".to_owned());
    }
    if !model.incident.as_ref().is_some_and(State::is_open) {
        return refuse(model, "no incident is open".to_owned());
    }
    let Some(capture) = model.capture(first).cloned() else { return refuse(model, format!("there is no {first}")) };
    let whole = matches!(capture.state, CaptureState::Complete { .. }) && capture.is_heap();
    let Some(process) = capture.process.filter(|_| whole) else {
        return refuse(model, format!("{first} is no whole snapshot of a process that is known"));
    };
    if let Some(why) = changed(model, &capture.container, &process) {
        return refuse(model, why);
    }
    if open(model).iter().any(|p| p.container == capture.container) {
        return refuse(model, format!("one of {} is planned already", capture.container.pod.name));
    }
    let base = model.board.find(&capture.container).and_then(|row| row.working_set);
    say(model, Level::Info, format!("second snapshot of {} {}", capture.container.pod.name, when.words()));
    let kind = Kind::PairPlanned { first, container: capture.container, process, when, base };
    let mut effects = by_person(model, kind, Vec::new());
    effects.extend(check(model));
    effects
}

/// Looks at all plans: what is due is asked for, what has become impossible ends.
pub(super) fn check(model: &mut Model) -> Vec<Effect> {
    let mut effects = Vec::new();
    for pair in open(model) {
        if model.pairing.values().any(|first| *first == pair.first) {
            continue;
        }
        let (container, first) = (pair.container.clone(), pair.first);
        if let Some(why) = changed(model, &container, &pair.process) {
            say(model, Level::Warn, format!("no second snapshot to {first}: {why}"));
            effects.extend(by_tool(model, Kind::PairEnded { first, second: None, why: why.into() }));
            effects.push(Effect::Bell);
            continue;
        }
        let working_set = model.board.find(&container).and_then(|row| row.working_set);
        let busy = model.captures.iter().any(|c| c.container.pod == container.pod && c.job.is_some() && !c.is_waiting());
        if busy || !is_known(model) || pair.missing(model.now.wall, working_set).is_some() {
            continue;
        }
        // Memory stays high after a snapshot: preflight is asked anew, and may say no.
        model.surveys.remove(&container);
        model.pairing.insert(container.clone(), first);
        let method = model.capture(first).map(|c| c.method.clone()).filter(|m| matches!(m.as_str(), "cdp" | "signal"));
        effects.extend(captures::begin(model, container, method.as_deref()));
    }
    effects
}

/// Gives up the second snapshot to `first`.
pub(super) fn cancel(model: &mut Model, first: EvidenceId) -> Vec<Effect> {
    let Some(pair) = open(model).into_iter().find(|p| p.first == first) else { return Vec::new() };
    if model.pairing.contains_key(&pair.container) {
        let mut effects = super::queue::remove(model, &pair.container);
        effects.extend(dropped(model, &pair.container, "given up"));
        return effects;
    }
    say(model, Level::Info, format!("no second snapshot to {first}: given up"));
    by_person(model, Kind::PairEnded { first, second: None, why: "given up".into() }, Vec::new())
}

/// All plans end.
pub(super) fn end_all(model: &mut Model, why: &str) -> Vec<Effect> {
    let plans = open(model);
    plans.into_iter().flat_map(|p| by_tool(model, Kind::PairEnded { first: p.first, second: None, why: why.into() })).collect()
}

/// Whether the pods are known: before the first list nothing is said about their lives.
fn is_known(model: &Model) -> bool {
    matches!(model.link, Link::Up)
}

/// Why the process is not the one of the first snapshot any more, as far as the cluster tells.
fn changed(model: &Model, container: &ContainerRef, process: &ProcessKey) -> Option<String> {
    if !is_known(model) {
        return None;
    }
    let name = &container.pod.name;
    let Some(pod) = model.board.pod(&container.pod) else { return Some(format!("{name} is gone")) };
    if pod.uid != process.pod_uid {
        return Some(format!("another pod is called {name} now"));
    }
    let facts = pod.containers.iter().find(|c| c.name == container.name)?;
    if facts.restarts != process.restart || (!facts.id.is_empty() && facts.id != process.container_id) {
        let text = format!("{name} was started again (restart {}): sizes and ids of two lives do not compare", facts.restarts);
        return Some(text);
    }
    matches!(facts.state, ContainerState::Terminated(_)).then(|| format!("{name} has ended"))
}
