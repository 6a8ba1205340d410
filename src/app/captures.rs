//! From the wish for a capture to the file: preflight first, a question where the pod could die, progress, the end.

use std::time::Duration;

use super::declare::ensure_incident;
use super::effect::Effect;
use super::foot::{end, job, say};
use super::message::CaptureEnd;
use super::model::{Arms, JobId, Level, Model, Offer, Prompt, Survey};
use super::pairing::dropped;
use super::queue;
use super::record::{by_person, by_tool};
use crate::base::{Bytes, ContainerRef, EvidenceId, ProcessKey, Trouble};
use crate::incident::{Kind, Outcome};
use crate::preflight::{Assessment, CaptureState, Risk};
use crate::pressure::Ceiling;

/// An answer of preflight is good for this long: memory moves.
const FRESH: Duration = Duration::from_secs(60);

/// Asks whether a capture is safe, without wanting one yet.
pub(super) fn preflight(model: &mut Model, container: ContainerRef, then_capture: Option<Offer>) -> Vec<Effect> {
    if let Some(survey) = model.surveys.get_mut(&container)
        && survey.job.is_some()
    {
        survey.then_capture = then_capture.or(survey.then_capture.take());
        return Vec::new();
    }
    let id = job(model, format!("preflight {}", container.pod.name));
    let deep = then_capture.is_some();
    let survey = Survey { at: model.now, methods: Vec::new(), arms: None, trouble: None, job: Some(id), then_capture, offer: None };
    model.surveys.insert(container.clone(), survey);
    vec![Effect::Survey { job: id, container, deep }]
}

/// Asks anew after an act that was to make a capture possible; the capture is offered when the answer comes.
pub(super) fn preflight_again(model: &mut Model, container: ContainerRef, offer: Offer) -> Vec<Effect> {
    // The process of a copy may only just be starting: it is looked at, but not signalled.
    let deep = offer == Offer::Best;
    let id = job(model, format!("preflight {}", container.pod.name));
    let survey =
        Survey { at: model.now, methods: Vec::new(), arms: None, trouble: None, job: Some(id), then_capture: None, offer: Some(offer) };
    model.surveys.insert(container.clone(), survey);
    vec![Effect::Survey { job: id, container, deep }]
}

/// Wants a capture.
pub(super) fn begin(model: &mut Model, container: ContainerRef, method: Option<&str>) -> Vec<Effect> {
    if model.setting.read_only {
        say(model, Level::Warn, "read-only: a capture signals the process and stops it for a while; it is not done");
        return Vec::new();
    }
    if model.captures.iter().any(|c| c.container == container && c.job.is_some() && !c.is_waiting()) {
        say(model, Level::Warn, format!("a capture of {} is under way", container.pod.name));
        return Vec::new();
    }
    if model.queue.iter().any(|q| q.container == container) {
        say(model, Level::Warn, format!("a capture of {} is queued already", container.pod.name));
        return Vec::new();
    }
    let mut effects = ensure_incident(model);
    let fresh = model.surveys.get(&container).filter(|s| s.trouble.is_none() && !s.methods.is_empty() && is_fresh(model, s));
    match fresh.map(|s| choose(&s.methods, method).cloned()) {
        Some(Some(assessment)) => effects.extend(decide(model, container, assessment)),
        Some(None) => {
            say(model, Level::Bad, format!("no capture method called {}", method.unwrap_or_default()));
            effects.extend(dropped(model, &container, "its method is not known"));
        }
        None => {
            let wish = method.map_or(Offer::Best, |name| Offer::Method(name.to_owned()));
            effects.extend(preflight(model, container, Some(wish)));
        }
    }
    effects
}

/// Whether an answer of preflight is still good.
pub(super) fn is_fresh(model: &Model, survey: &Survey) -> bool {
    survey.job.is_none() && model.now.mono.saturating_sub(survey.at.mono) < FRESH
}

fn choose<'a>(methods: &'a [Assessment], wanted: Option<&str>) -> Option<&'a Assessment> {
    match wanted {
        Some(name) => methods.iter().find(|a| a.method == name),
        None => methods.first(),
    }
}

/// Starts what is safe; asks where the pod could die or nobody can tell; explains what cannot work.
fn decide(model: &mut Model, container: ContainerRef, assessment: Assessment) -> Vec<Effect> {
    match assessment.risk {
        Risk::Ok => queue::begin(model, container, assessment, Risk::Ok),
        Risk::Unknown | Risk::Risky | Risk::WouldKill => {
            model.prompts.retain(|p| !matches!(p, Prompt::Risk { .. }));
            model.prompts.push_back(Prompt::Risk { container, assessment });
            Vec::new()
        }
        Risk::Impossible => {
            say(model, Level::Bad, format!("{} {}", container.pod.name, assessment.headline()));
            dropped(model, &container, &assessment.headline())
        }
    }
}

/// Preflight answered.
pub(super) fn surveyed(
    model: &mut Model,
    id: JobId,
    container: ContainerRef,
    ceiling: Option<Ceiling>,
    arms: Option<Arms>,
    result: Result<Vec<Assessment>, Trouble>,
) -> Vec<Effect> {
    end(model, id);
    if ceiling.is_some() {
        model.board.ceiling(&container, ceiling);
        model.board.rank(model.now.wall);
    }
    let (then_capture, offer) = model.surveys.get(&container).map_or((None, None), |s| (s.then_capture.clone(), s.offer.clone()));
    let (methods, trouble) = match result {
        Ok(methods) => (methods, None),
        Err(trouble) => (Vec::new(), Some(trouble)),
    };
    let survey =
        Survey { at: model.now, methods: methods.clone(), arms, trouble: trouble.clone(), job: None, then_capture: None, offer: None };
    model.surveys.insert(container.clone(), survey);
    if let Some(trouble) = trouble {
        let mut effects = super::record::trouble(model, &format!("preflight {}", container.pod.name), &trouble);
        effects.extend(dropped(model, &container, &trouble.what));
        return effects;
    }
    let wanted = match &then_capture {
        Some(Offer::Method(name)) => Some(name.as_str()),
        Some(Offer::Best) | None => None,
    };
    let Some(best) = choose(&methods, wanted).cloned() else {
        say(model, Level::Bad, format!("no capture method called {}", wanted.unwrap_or_default()));
        return dropped(model, &container, "its method is not known");
    };
    let because = best.because.iter().map(|r| r.text.as_str()).collect::<Vec<_>>().join("; ");
    let kind = Kind::Assessed {
        pod: container.pod.clone(),
        method: best.method.as_str().into(),
        risk: best.risk.word().into(),
        because: because.into(),
    };
    let mut effects = by_tool(model, kind);
    // A copy's death hurts nobody: what may end it is said, and begun by the same key.
    let is_copy = matches!(offer, Some(Offer::Method(_)));
    let offered = match offer {
        Some(Offer::Method(name)) => methods.iter().find(|a| a.method == name).cloned(),
        Some(Offer::Best) => methods.first().cloned(),
        None => None,
    };
    match offered {
        // Asked for while the answer was under way.
        _ if then_capture.is_some() => effects.extend(decide(model, container, best)),
        Some(assessment) if assessment.risk <= Risk::Unknown || (is_copy && assessment.risk.may_start()) => {
            model.prompts.retain(|p| !matches!(p, Prompt::Ready { .. }));
            model.prompts.push_back(Prompt::Ready { container, assessment });
        }
        Some(assessment) => effects.extend(decide(model, container, assessment)),
        None => {}
    }
    effects
}

/// The capture that an act made possible is begun.
pub(super) fn take_ready(model: &mut Model, container: &ContainerRef) -> Vec<Effect> {
    let Some(i) = model.prompts.iter().position(|p| matches!(p, Prompt::Ready { container: c, .. } if c == container)) else {
        return Vec::new();
    };
    let Some(Prompt::Ready { container, assessment }) = model.prompts.remove(i) else { return Vec::new() };
    let risk = assessment.risk;
    let mut effects = Vec::new();
    if risk.wants_yes() {
        let what = format!("{} by {}: {}", risk.word(), assessment.method, assessment.headline());
        effects.extend(by_person(model, Kind::RiskAccepted { pod: container.pod.clone(), what: what.into() }, Vec::new()));
    }
    effects.extend(queue::begin(model, container, assessment, risk));
    effects
}

/// The person accepted the risk. Where the pod would be killed, its name has to be typed.
pub(super) fn accept(model: &mut Model, container: &ContainerRef, typed: &str) -> Vec<Effect> {
    let Some(i) = model.prompts.iter().position(|p| matches!(p, Prompt::Risk { container: c, .. } if c == container)) else {
        return Vec::new();
    };
    let Some(Prompt::Risk { container, assessment }) = model.prompts.get(i).cloned() else { return Vec::new() };
    if assessment.risk == Risk::WouldKill && typed.trim() != container.pod.name {
        say(model, Level::Warn, format!("type {} to accept; nothing was done", container.pod.name));
        return Vec::new();
    }
    model.prompts.remove(i);
    let what = format!("{} by {}: {}", assessment.risk.word(), assessment.method, assessment.headline());
    let mut effects = by_person(model, Kind::RiskAccepted { pod: container.pod.clone(), what: what.into() }, Vec::new());
    let risk = assessment.risk;
    effects.extend(queue::begin(model, container, assessment, risk));
    effects
}

/// The person said no.
pub(super) fn refuse(model: &mut Model, container: &ContainerRef) -> Vec<Effect> {
    model.prompts.retain(|p| !matches!(p, Prompt::Risk { container: c, .. } | Prompt::Ready { container: c, .. } if c == container));
    say(model, Level::Info, format!("no capture of {}: nothing was done", container.pod.name));
    dropped(model, container, "the person said no to the risk")
}

/// A capture goes on.
pub(super) fn goes_on(
    model: &mut Model,
    id: JobId,
    evidence: EvidenceId,
    state: CaptureState,
    bytes: Bytes,
    expected: Option<Bytes>,
    process: Option<ProcessKey>,
) -> Vec<Effect> {
    let now = model.now;
    // A wait of hours is no job that is shown; what comes of it is.
    let begun = !matches!(state, CaptureState::Armed { .. } | CaptureState::Preparing { .. }) && !model.jobs.contains_key(&id);
    if let Some(capture) = model.captures.iter().find(|c| c.evidence == evidence && c.job == Some(id)).filter(|_| begun) {
        let what = super::launch::what(&capture.container, &capture.method);
        model.jobs.insert(id, super::model::Job { what, since: now, share: None, note: String::new(), cancelling: false });
    }
    if let Some(running) = model.jobs.get_mut(&id) {
        running.share = state.percent().map(|p| f32::from(p) / 100.0);
        running.note = state.line();
    }
    let Some(capture) = model.captures.iter_mut().find(|c| c.evidence == evidence && c.job == Some(id)) else { return Vec::new() };
    if matches!(state, CaptureState::Building { .. } | CaptureState::Writing { .. } | CaptureState::Copying { .. }) {
        model.board.step_begins(&capture.container, now.wall);
    }
    capture.state = state;
    capture.bytes = bytes;
    capture.expected = expected.or(capture.expected);
    capture.last = now;
    match process {
        Some(process) if capture.process.is_none() => {
            capture.process = Some(process.clone());
            let container = capture.container.clone();
            by_tool(model, Kind::ProcessSeen { container, process })
        }
        _ => Vec::new(),
    }
}

/// A capture ended: recorded, and what came is analysed at once, together with earlier files of the same process.
pub(super) fn ended(model: &mut Model, id: JobId, evidence: EvidenceId, state: &CaptureState, done: CaptureEnd) -> Vec<Effect> {
    end(model, id);
    let mut level = Level::Good;
    if let Some(capture) = model.captures.iter_mut().find(|c| c.evidence == evidence) {
        capture.job = None;
        capture.state = state.clone();
        capture.bytes = done.bytes;
        capture.last = model.now;
        model.board.step_ends(&capture.container, model.now.wall);
        capture.remark.clone_from(&done.remark);
        if let Some(provenance) = &done.provenance {
            capture.process = Some(provenance.process.clone());
        }
    }
    if !matches!(done.outcome, Outcome::Complete) {
        level = Level::Warn;
    }
    say(model, level, format!("{evidence} {}", state.line()));
    let snapshot = model.capture(evidence).is_some_and(super::model::Capture::is_heap);
    let usable = snapshot && matches!(done.outcome, Outcome::Complete | Outcome::Truncated) && done.bytes.0 > 0;
    let kind = Kind::CaptureEnded {
        evidence,
        outcome: done.outcome,
        bytes: done.bytes,
        sha256: done.sha256,
        file: done.file.map(Into::into),
        provenance: done.provenance,
        remark: done.remark.into(),
    };
    let mut effects = by_tool(model, kind);
    if usable {
        let files = same_process(model, evidence);
        effects.extend(super::analysis::begin(model, files));
    }
    effects
}

/// A job broke down. Where it was a capture, that has an end all the same.
pub(super) fn lost(model: &mut Model, job: JobId) -> Vec<Effect> {
    let Some(capture) = model.captures.iter_mut().find(|c| c.job == Some(job)) else { return Vec::new() };
    let remark = crate::base::Masked::own("the capture broke down here; what came is in the evidence directory");
    capture.job = None;
    capture.state = CaptureState::Failed { why: remark.clone() };
    let (evidence, bytes) = (capture.evidence, capture.bytes);
    let kind = Kind::CaptureEnded { evidence, outcome: Outcome::Failed, bytes, sha256: None, file: None, provenance: None, remark };
    by_tool(model, kind)
}

/// `evidence` and the complete captures of the same life of the same process before it, oldest first, at most three:
/// the first, and the two newest.
fn same_process(model: &Model, evidence: EvidenceId) -> Vec<EvidenceId> {
    let Some(process) = model.capture(evidence).and_then(|c| c.process.clone()) else { return vec![evidence] };
    // A worker thread has a heap of its own: its ids mean nothing in the main thread's.
    let method = model.capture(evidence).map_or("", |c| c.method.as_str());
    let mut files: Vec<EvidenceId> = model
        .captures
        .iter()
        .filter(|c| {
            let same = c.process.as_ref().is_some_and(|p| p.is_life_of(&process));
            c.evidence == evidence || (same && matches!(c.state, CaptureState::Complete { .. }))
        })
        .filter(|c| c.evidence == evidence || (c.is_heap() && (c.method == "worker") == (method == "worker")))
        .map(|c| c.evidence)
        .collect();
    if files.len() > 3 {
        let newest = files.split_off(files.len() - 2);
        files.truncate(1);
        files.extend(newest);
    }
    files
}
