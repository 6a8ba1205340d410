//! Watches for the next death: armed for hours, they react to the first sign by themselves, keep what a dying container
//! leaves, and survive the tool: they are events, and the journal brings them back.

use chrono::TimeDelta;

use super::captures;
use super::declare::ensure_incident;
use super::effect::{Effect, Gather};
use super::foot::{quiet_job, say};
use super::launch::{Launch, collect, launch};
use super::message::ArmChoice;
use super::model::{JobId, Level, Link, Model, Prompt, Watch};
use super::record::{by_tool, person, record};
use crate::base::{ContainerRef, EvidenceId, Masked};
use crate::incident::{ActRequest, ActTarget, Actor, Arming, Kind, Outcome, Sign, State};
use crate::node::{FileName, dump_args, file_name};
use crate::preflight::Risk;
use crate::pressure::{ContainerFacts, ContainerState, PodFacts, Workload};

/// Heaps that are waited for before a watch gives up on getting one whole.
const TRIES: u32 = 4;
/// Files of a watch (logs, reports): a crash loop all night must not fill the disk.
const FILES: usize = 40;
/// How long a gone pod's successor is looked for, in incident time.
const SEEK: TimeDelta = TimeDelta::minutes(10);

/// How one container would be armed, and why so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// How.
    pub how: Arming,
    /// Where its heap goes, or why it can only be watched.
    pub note: String,
    /// What could go wrong; `Unknown` while it is looked at.
    pub risk: Risk,
    /// Whether the container is still looked at.
    pub looking: bool,
}

/// How `container` would be armed at run time, by what its probe said.
pub fn proposal(model: &Model, container: &ContainerRef) -> Proposal {
    let only = |note: String, risk| Proposal { how: Arming::Only, note, risk, looking: false };
    let Some(survey) = model.surveys.get(container) else { return only("it was not looked at".to_owned(), Risk::Unknown) };
    if survey.job.is_some() {
        return Proposal { looking: true, ..only("is looked at …".to_owned(), Risk::Unknown) };
    }
    if let Some(trouble) = &survey.trouble {
        return only(format!("it could not be looked at: {}", trouble.what), Risk::Unknown);
    }
    let Some(arms) = &survey.arms else { return only("no Node.js process is there to be armed".to_owned(), Risk::Impossible) };
    let place = arms.dir.as_ref().map(|dir| {
        let fate = if arms.outlives { "outlives the container" } else { "goes with the container, so it is copied while it grows" };
        format!("the heap is written to {dir}, which {fate}")
    });
    let verdict = survey.methods.iter().find(|m| m.method == "near-limit");
    let risk = verdict.map_or(Risk::Unknown, |v| v.risk);
    match (arms.by_flags, place) {
        (true, Some(place)) => Proposal { how: Arming::Flags, note: place, risk, looking: false },
        (true, None) => only("its flags have armed it, but nothing can be written there: the write would end the app".to_owned(), risk),
        (false, None) => only("nowhere in the container can a heap be written to".to_owned(), risk),
        (false, Some(place)) => match verdict {
            Some(v) if risk < Risk::WouldKill => {
                let but = if risk > Risk::Ok { v.because.first().map(|r| format!("; {}", r.text)) } else { None };
                Proposal { how: Arming::Inspector, note: format!("{place}{}", but.unwrap_or_default()), risk, looking: false }
            }
            Some(v) => only(v.headline(), risk),
            None => only("nobody can tell whether it can be armed".to_owned(), risk),
        },
    }
}

/// The acts that would redeploy the workloads of `containers` with the flags of a capture, each once.
pub fn redeploys(model: &Model, containers: &[ContainerRef]) -> Vec<ActRequest> {
    let mut all: Vec<ActRequest> = Vec::new();
    for container in containers {
        let arms = model.surveys.get(container).and_then(|s| s.arms.as_ref());
        let (Some(arms), Some(workload)) = (arms, model.workload_of(&container.pod)) else { continue };
        let target = ActTarget { kind: workload.kind.clone(), namespace: container.pod.namespace.clone(), name: workload.name.clone() };
        let request = ActRequest { act: "arm".to_owned(), target, args: dump_args(&container.name, arms.heap_mib) };
        if !all.iter().any(|r| r.target == request.target) {
            all.push(request);
        }
    }
    all
}

/// Wants watches; what is watched already is asked whether it should end.
pub(super) fn ask(model: &mut Model, mut containers: Vec<ContainerRef>) -> Vec<Effect> {
    model.prompts.retain(|p| !matches!(p, Prompt::Arm { .. } | Prompt::Disarm { .. }));
    if containers.is_empty() {
        return Vec::new();
    }
    if containers.iter().all(|c| model.watch(c).is_some()) {
        model.prompts.push_back(Prompt::Disarm { containers });
        return Vec::new();
    }
    containers.retain(|c| model.watch(c).is_none());
    let mut effects = Vec::new();
    for container in &containers {
        let looked = model.surveys.get(container).is_some_and(|s| s.job.is_some() || (s.arms.is_some() && captures::is_fresh(model, s)));
        if !looked {
            effects.extend(captures::preflight(model, container.clone(), None));
        }
    }
    model.prompts.push_back(Prompt::Arm { containers });
    effects
}

/// No.
pub(super) fn refuse(model: &mut Model) {
    let before = model.prompts.len();
    model.prompts.retain(|p| !matches!(p, Prompt::Arm { .. } | Prompt::Disarm { .. }));
    if model.prompts.len() < before {
        say(model, Level::Info, "nothing was armed or disarmed");
    }
}

/// Yes, and how.
pub(super) fn arm(model: &mut Model, containers: &[ContainerRef], choice: ArmChoice) -> Vec<Effect> {
    if model.setting.read_only && choice != ArmChoice::Only {
        say(model, Level::Warn, "read-only: pods are only watched, nothing in them is changed");
        return Vec::new();
    }
    if choice != ArmChoice::Only && containers.iter().any(|c| proposal(model, c).looking) {
        say(model, Level::Info, "the pods are still looked at: a moment");
        return Vec::new();
    }
    let asked = |p: &Prompt| matches!(p, Prompt::Arm { containers: c } if c == containers);
    if !model.prompts.iter().any(asked) {
        return Vec::new();
    }
    model.prompts.retain(|p| !asked(p));
    let mut effects = ensure_incident(model);
    if choice == ArmChoice::Redeploy {
        let requests = redeploys(model, containers);
        if requests.is_empty() {
            say(model, Level::Warn, "these pods have no workload that could be redeployed");
        }
        effects.extend(requests.into_iter().flat_map(|r| super::acts::begin(model, r, None)));
        return effects;
    }
    for container in containers.iter().filter(|c| model.watch(c).is_none()).cloned().collect::<Vec<_>>() {
        let how = if choice == ArmChoice::Only { Arming::Only } else { proposal(model, &container).how };
        let by = person(model);
        effects.extend(begin(model, &container, how, true, by));
    }
    effects
}

/// A workload was redeployed with the flags: its pods are watched, and those that take their places.
pub(super) fn redeployed(model: &mut Model, request: &ActRequest) -> Vec<Effect> {
    let container = request.args.get("container").cloned().unwrap_or_default();
    let target = Workload { kind: request.target.kind.clone(), name: request.target.name.clone() };
    let of_it = |row: &&crate::pressure::Row| row.workload.as_ref() == Some(&target) && row.container.name == container;
    let all: Vec<ContainerRef> = model.board.rows().iter().filter(of_it).map(|r| r.container.clone()).collect();
    // Their processes go: what they would have to be armed for is the life of the new ones.
    all.into_iter().filter(|c| model.watch(c).is_none()).collect::<Vec<_>>().into_iter().fold(Vec::new(), |mut effects, c| {
        effects.extend(begin(model, &c, Arming::Flags, false, Actor::Tool));
        effects
    })
}

fn begin(model: &mut Model, container: &ContainerRef, how: Arming, with_heap: bool, by: Actor) -> Vec<Effect> {
    let since = model.now.wall;
    let pod = model.board.pod(&container.pod);
    let facts = pod.and_then(|p| p.containers.iter().find(|c| c.name == container.name));
    let deaths = facts.map_or(0, ContainerFacts::deaths);
    let pod_uid = pod.map_or_else(String::new, |p| p.uid.clone());
    let workload = model.workload_of(&container.pod).cloned();
    let waits_for = match how {
        Arming::Flags | Arming::Inspector => "V8's heap limit, an out-of-memory kill, a restart",
        Arming::Only => "a file, a fatal line in its log, an out-of-memory kill, a restart",
    };
    let job = quiet_job(model);
    model.watches.retain(|w| w.container != *container);
    model.watches.push(Watch {
        container: container.clone(),
        how,
        waits_for: waits_for.to_owned(),
        since,
        pod_uid: pod_uid.clone(),
        workload,
        deaths,
        job: Some(job),
        capture: None,
        tries: 0,
        last: None,
        seeking: None,
    });
    say(model, Level::Good, format!("{} is ARMED ({}): waits for {waits_for}", container.pod.name, how.words()));
    let kind = Kind::Armed { container: container.clone(), how, waits_for: Masked::own(waits_for), pod_uid, deaths };
    let mut effects = record(model, by, kind, vec![Effect::Watch { job, container: container.clone(), since }]);
    if with_heap {
        effects.extend(wait_for_heap(model, container));
    }
    effects
}

/// Begins the capture that waits for the heap.
fn wait_for_heap(model: &mut Model, container: &ContainerRef) -> Vec<Effect> {
    let Some(at) = model.watches.iter().position(|w| w.container == *container) else { return Vec::new() };
    let watch = &mut model.watches[at];
    watch.tries += 1;
    let (method, armed) = (if watch.how == Arming::Only { "watch" } else { "near-limit" }, Some(watch.since));
    let assessment = model.surveys.get(container).and_then(|s| s.methods.iter().find(|m| m.method == method)).cloned();
    let evidence = model.incident.as_ref().map(State::next_evidence);
    let effects = launch(
        model,
        Launch { container: container.clone(), method: method.to_owned(), assessment, accepted: Risk::Risky, armed, by: Actor::Tool },
    );
    model.watches[at].capture = evidence.filter(|_| !effects.is_empty());
    effects
}

/// Compares the watches with the pods as they are now.
pub(super) fn look(model: &mut Model) -> Vec<Effect> {
    if !matches!(model.link, Link::Up) {
        return Vec::new();
    }
    let all: Vec<ContainerRef> = model.watches.iter().map(|w| w.container.clone()).collect();
    all.into_iter().fold(Vec::new(), |mut effects, container| {
        effects.extend(look_at(model, &container));
        effects
    })
}

fn look_at(model: &mut Model, container: &ContainerRef) -> Vec<Effect> {
    let Some(watch) = model.watch(container).cloned() else { return Vec::new() };
    if watch.seeking.is_some() {
        return seek(model, &watch);
    }
    let Some(pod) = model.board.pod(&container.pod).cloned() else { return gone(model, &watch, "the pod is gone") };
    let Some(facts) = pod.containers.iter().find(|c| c.name == container.name) else { return Vec::new() };
    if !watch.pod_uid.is_empty() && pod.uid != watch.pod_uid {
        let mut effects = note(model, container, Sign::Replaced, "another pod has its name");
        effects.extend(leave(model, &watch, "another pod has its name"));
        effects.extend(begin(model, container, watch.how, true, Actor::Tool));
        return effects;
    }
    let mut effects = Vec::new();
    let deaths = facts.deaths();
    if deaths > watch.deaths {
        effects.extend(died(model, container, facts, deaths));
    }
    if pod.deleting && !matches!(watch.last, Some((_, Sign::Replaced, _))) {
        effects.extend(note(model, container, Sign::Replaced, "the pod is being deleted"));
        effects.extend(keep(model, container, Gather::LastLog));
    }
    effects
}

/// The container died: its last words are kept before the next death overwrites them.
fn died(model: &mut Model, container: &ContainerRef, facts: &ContainerFacts, deaths: u32) -> Vec<Effect> {
    if let Some(watch) = model.watches.iter_mut().find(|w| w.container == *container) {
        watch.deaths = deaths;
    }
    let (sign, what) = match facts.end() {
        Some(end) if end.reason == "OOMKilled" => (Sign::OomKill, format!("OOMKilled, exit {} (death {deaths})", end.exit_code)),
        Some(end) => (Sign::Death, format!("{}, exit {} (death {deaths})", end.reason, end.exit_code)),
        None => (Sign::Death, format!("started again (restart {})", facts.restarts)),
    };
    let mut effects = note(model, container, sign, &what);
    effects.extend(keep(model, container, Gather::LastLog));
    effects
}

/// A sign: once in the journal, and loud.
fn note(model: &mut Model, container: &ContainerRef, sign: Sign, what: &str) -> Vec<Effect> {
    let now = model.now.wall;
    let Some(watch) = model.watches.iter_mut().find(|w| w.container == *container) else { return Vec::new() };
    if watch.last.as_ref().is_some_and(|(_, before, words)| *before == sign && words == what) {
        return Vec::new();
    }
    watch.last = Some((now, sign, what.to_owned()));
    say(model, Level::Warn, format!("{}: {} · {what}", container.pod.name, sign.word()));
    let mut effects = by_tool(model, Kind::SignSeen { container: container.clone(), sign, what: what.into() });
    effects.push(Effect::Bell);
    effects
}

/// Keeps a file, unless the night has brought too many.
fn keep(model: &mut Model, container: &ContainerRef, what: Gather) -> Vec<Effect> {
    let since = model.watch(container).map(|w| w.since);
    let kept = |c: &&super::model::Capture| {
        c.container == *container && matches!(c.method.as_str(), "log" | "file") && since.is_some_and(|s| c.began.wall >= s)
    };
    let count = model.captures.iter().filter(kept).count();
    if count >= FILES {
        say(model, Level::Warn, format!("{}: {FILES} logs and reports are kept, no more of this watch", container.pod.name));
        return Vec::new();
    }
    collect(model, container, what)
}

/// The runtime saw a sign in log or directory.
pub(super) fn sign(model: &mut Model, container: &ContainerRef, sign: Sign, what: &str, path: Option<String>) -> Vec<Effect> {
    let Some(watch) = model.watch(container).cloned() else { return Vec::new() };
    let mut effects = note(model, container, sign, what);
    let Some(path) = path else { return effects };
    // The capture that waits for a heap has its own eyes; a heap that came when none waited is not left behind.
    let wanted = match file_name(&path) {
        Some(FileName::Report { .. } | FileName::Profile { .. }) => true,
        Some(FileName::Snapshot { .. } | FileName::OnOom { .. } | FileName::Named) => watch.capture.is_none(),
        None => false,
    };
    if wanted {
        effects.extend(keep(model, container, Gather::File { path }));
    }
    effects
}

/// The job that looked for signs in log and directory has ended.
pub(super) fn blind(model: &mut Model, job: JobId) {
    model.watches.iter_mut().filter(|w| w.job == Some(job)).for_each(|w| w.job = None);
}

/// A capture ended: whether the watch goes on waiting for a heap.
pub(super) fn captured(model: &mut Model, evidence: EvidenceId, outcome: Outcome) -> Vec<Effect> {
    let Some(watch) = model.watches.iter_mut().find(|w| w.capture == Some(evidence)) else { return Vec::new() };
    watch.capture = None;
    let again = watch.tries < TRIES && matches!(outcome, Outcome::Truncated | Outcome::KilledEmpty) && watch.seeking.is_none();
    let container = watch.container.clone();
    if again {
        return wait_for_heap(model, &container);
    }
    let rest = match outcome {
        Outcome::Complete => "its heap is here; logs, reports and ends are still watched",
        Outcome::Cancelled => "the wait for its heap was stopped; logs, reports and ends are still watched",
        Outcome::Truncated | Outcome::KilledEmpty | Outcome::Failed => "no heap is waited for any more; logs, reports and ends are",
    };
    rest.clone_into(&mut watch.waits_for);
    Vec::new()
}

/// The pod is gone: the one that takes its place is looked for.
fn gone(model: &mut Model, watch: &Watch, why: &str) -> Vec<Effect> {
    let mut effects = note(model, &watch.container, Sign::Replaced, why);
    if watch.workload.is_none() {
        effects.extend(end(model, &watch.container, "the pod is gone, and no controller makes another", Actor::Tool));
        return effects;
    }
    let now = model.now.wall;
    if let Some(watch) = model.watches.iter_mut().find(|w| w.container == watch.container) {
        watch.seeking = Some(now);
        watch.waits_for = "the pod that takes its place".to_owned();
    }
    effects.extend(seek(model, &model.watch(&watch.container).cloned().unwrap_or_else(|| watch.clone())));
    effects
}

fn seek(model: &mut Model, watch: &Watch) -> Vec<Effect> {
    let fits = |pod: &&PodFacts| {
        let young = pod.created.is_some_and(|at| at >= watch.since);
        let runs = pod.containers.iter().any(|c| c.name == watch.container.name && matches!(c.state, ContainerState::Running { .. }));
        let free = !model.watches.iter().any(|w| w.container.pod == pod.pod && w.seeking.is_none());
        pod.workload == watch.workload && young && runs && free && !pod.deleting
    };
    let found = model.board.pods().filter(fits).max_by_key(|pod| pod.created).map(|pod| pod.pod.clone());
    if let Some(pod) = found {
        let container = ContainerRef { pod, name: watch.container.name.clone() };
        let mut effects = end(model, &watch.container, &format!("{} has taken its place", container.pod.name), Actor::Tool);
        effects.extend(begin(model, &container, watch.how, true, Actor::Tool));
        return effects;
    }
    let waited = watch.seeking.is_some_and(|since| model.now.wall - since > SEEK);
    if waited { end(model, &watch.container, "the pod is gone, and none has taken its place", Actor::Tool) } else { Vec::new() }
}

/// Yes: the watches of `containers` end.
pub(super) fn disarm(model: &mut Model, containers: &[ContainerRef]) -> Vec<Effect> {
    model.prompts.retain(|p| !matches!(p, Prompt::Disarm { .. }));
    containers.iter().fold(Vec::new(), |mut effects, container| {
        let by = person(model);
        effects.extend(end(model, container, "asked for", by));
        effects
    })
}

/// All watches end.
pub(super) fn end_all(model: &mut Model, why: &str) -> Vec<Effect> {
    let all: Vec<ContainerRef> = model.watches.iter().map(|w| w.container.clone()).collect();
    all.iter().fold(Vec::new(), |mut effects, container| {
        effects.extend(end(model, container, why, Actor::Tool));
        effects
    })
}

fn end(model: &mut Model, container: &ContainerRef, why: &str, by: Actor) -> Vec<Effect> {
    let Some(watch) = model.watch(container).cloned() else { return Vec::new() };
    let mut effects = leave(model, &watch, why);
    say(model, Level::Info, format!("{} is disarmed: {why}", container.pod.name));
    effects.extend(record(model, by, Kind::Disarmed { container: container.clone(), why: why.into() }, Vec::new()));
    effects
}

/// Stops what a watch has running; a heap that is being copied is not let go.
fn leave(model: &mut Model, watch: &Watch, _why: &str) -> Vec<Effect> {
    model.watches.retain(|w| w.container != watch.container);
    let waiting = watch.capture.and_then(|e| model.capture(e)).filter(|c| !c.state.is_over() && !has_begun(c)).and_then(|c| c.job);
    [watch.job, waiting].into_iter().flatten().map(|job| Effect::Cancel { job }).collect()
}

fn has_begun(capture: &super::model::Capture) -> bool {
    use crate::preflight::CaptureState;
    matches!(capture.state, CaptureState::Building { .. } | CaptureState::Writing { .. } | CaptureState::Copying { .. })
}

/// Brings back the watches of a reopened incident; they are armed again with the first list of pods.
pub(super) fn resume(model: &mut Model) -> Vec<Effect> {
    let Some(state) = model.incident.clone() else { return Vec::new() };
    let mut effects = Vec::new();
    for record in state.watches.iter().filter(|w| w.ended.is_none()) {
        let known = state.deaths.iter().filter(|d| d.container == record.container).map(|d| d.restarts).max();
        let deaths = record.deaths.max(known.unwrap_or(0));
        // A death while nobody looked is seen with the first list: its log is read then.
        model.seen_deaths.insert(record.container.clone(), deaths);
        let job = quiet_job(model);
        model.watches.push(Watch {
            container: record.container.clone(),
            how: record.how,
            waits_for: record.waits_for.to_string(),
            since: record.mark.at,
            pod_uid: record.pod_uid.clone(),
            workload: None,
            deaths,
            job: Some(job),
            capture: None,
            tries: 0,
            last: record.signs.last().map(|(mark, sign, what)| (mark.at, *sign, what.to_string())),
            seeking: None,
        });
        effects.push(Effect::Watch { job, container: record.container.clone(), since: record.mark.at });
        let has_heap = state.captures.iter().any(|c| {
            c.container.as_ref() == Some(&record.container)
                && matches!(c.method.as_str(), "near-limit" | "watch")
                && c.outcome == Some(Outcome::Complete)
                && c.mark.at >= record.mark.at
        });
        if !has_heap {
            effects.extend(wait_for_heap(model, &record.container));
        }
    }
    let count = model.watches.len();
    if count > 0 {
        let pods = if count == 1 { "1 pod is".to_owned() } else { format!("{count} pods are") };
        say(model, Level::Info, format!("{pods} ARMED again, as before"));
    }
    effects
}
