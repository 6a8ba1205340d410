//! What acts left behind for a while: a limit raised for a capture, a pod that nobody else deletes. They are listed until
//! somebody saw to them, also after a restart (the journal says) and without a journal (labels of the pods say). After the
//! capture the limit is put back by a question; the kubelet does not lower it below what is in use, so it may have to wait.

use std::time::Duration;

use super::acts;
use super::effect::Effect;
use super::foot::say;
use super::model::{Level, Model, PutBack};
use super::record::by_tool;
use crate::base::{Bytes, ContainerRef, Masked, PodRef, parse_quantity};
use crate::incident::{ActRequest, ActTarget, Kind, LeftoverKind, Seq};
use crate::pressure::{COPY_OF, ISOLATED, LIMIT_BEFORE, PodFacts, limit_before};

/// A limit this little above what is in use is not asked of the kubelet: 10 %.
const ROOM: f64 = 1.1;
/// What was refused is not tried again before this.
const AGAIN: Duration = Duration::from_secs(60);

/// Something that is left behind.
#[derive(Clone, Debug, PartialEq)]
pub struct LeftBehind {
    /// The intent of the act that left it; `None`: only the pod's label tells.
    pub act: Option<Seq>,
    /// What kind of thing it is.
    pub kind: LeftoverKind,
    /// One line.
    pub what: Masked,
    /// The act that sees to it.
    pub settle: ActRequest,
}

/// All that is left behind: what the journal knows, oldest first, then what only labels of pods tell.
pub fn left_behind(model: &Model) -> Vec<LeftBehind> {
    let known = model.incident.iter().flat_map(crate::incident::State::leftovers);
    let mut all: Vec<LeftBehind> = known
        .map(|(act, left)| LeftBehind { act: Some(act), kind: left.kind, what: left.what.clone(), settle: left.settle.clone() })
        .collect();
    for pod in model.board.pods().filter(|pod| !pod.deleting) {
        for left in by_labels(pod) {
            if !all.iter().any(|l| l.settle.act == left.settle.act && l.settle.target == left.settle.target) {
                all.push(left);
            }
        }
    }
    all
}

fn by_labels(pod: &PodFacts) -> Vec<LeftBehind> {
    let request = |act: &str, args: &[(&str, &str)]| ActRequest {
        act: act.to_owned(),
        target: ActTarget { kind: "pod".to_owned(), namespace: pod.pod.namespace.clone(), name: pod.pod.name.clone() },
        args: args.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
    };
    let mut found = Vec::new();
    let is_copy = pod.labels.contains_key(COPY_OF);
    if is_copy || pod.labels.contains_key(ISOLATED) {
        let what = if is_copy { "is a copy for debugging" } else { "is isolated and lives on" };
        found.push(LeftBehind {
            act: None,
            kind: LeftoverKind::Pod,
            what: Masked::from(format!("pod {} {what}: nobody else deletes it", pod.pod)),
            settle: request("clean-up", &[]),
        });
    }
    if let Some((container, limit)) = pod.labels.get(LIMIT_BEFORE).and_then(|value| limit_before(value)) {
        found.push(LeftBehind {
            act: None,
            kind: LeftoverKind::Limit,
            what: Masked::from(format!("limit of {} {container} was raised for a capture; it was {limit}", pod.pod)),
            settle: request("resize", &[("container", container), ("memory", limit)]),
        });
    }
    found
}

/// Whether `request` sees to something that is left behind: then it belongs to the incident that left it, also when that
/// is closed.
pub(super) fn settles(model: &Model, request: &ActRequest) -> bool {
    let known = model.incident.iter().flat_map(crate::incident::State::leftovers);
    known.into_iter().any(|(_, left)| left.settle.act == request.act && left.settle.target == request.target)
}

/// Asks whether limits go back that were raised for a capture that has ended.
pub(super) fn tick(model: &mut Model) -> Vec<Effect> {
    if model.setting.read_only || !model.prompts.is_empty() || !model.incident.as_ref().is_some_and(crate::incident::State::is_open) {
        return Vec::new();
    }
    let mut effects = back_by_others(model);
    let Some((act, settle, container)) = due(model) else { return effects };
    let (limit, used) = (limit_of(&settle), model.board.find(&container).and_then(|row| row.working_set));
    if let (Some(limit), Some(used)) = (limit, used)
        && (limit.0 as f64) < used.0 as f64 * ROOM
    {
        if !model.put_backs.contains_key(&act) {
            let text = format!(
                "the limit of {} stays raised for now: {} in use does not fit under {}; you are asked when it does",
                container.pod.name,
                used.binary(),
                limit.binary()
            );
            say(model, Level::Warn, text);
        }
        model.put_backs.insert(act, PutBack::Waits { since: model.now });
        return effects;
    }
    model.put_backs.insert(act, PutBack::Asked);
    let mut request = settle;
    request.args.extend(used.map(|used| ("in_use".to_owned(), used.0.to_string())));
    effects.extend(acts::begin(model, request, None));
    effects
}

/// The oldest raised limit whose capture has ended and that was not asked about, or had to wait.
fn due(model: &Model) -> Option<(Seq, ActRequest, ContainerRef)> {
    let state = model.incident.as_ref()?;
    let waits = |act: Seq| match model.put_backs.get(&act) {
        None => true,
        Some(PutBack::Waits { since }) => model.now.mono.saturating_sub(since.mono) >= AGAIN,
        Some(PutBack::Asked | PutBack::Refused) => false,
    };
    state.leftovers().filter(|(_, left)| left.kind == LeftoverKind::Limit).filter(|(act, _)| waits(*act)).find_map(|(act, left)| {
        let container = container_of(&left.settle)?;
        let busy = model.captures.iter().any(|c| c.container == container && c.job.is_some())
            || model.surveys.get(&container).is_some_and(|s| s.job.is_some())
            || model.acts.iter().any(|a| a.request.target == left.settle.target);
        let ended = state.captures.iter().any(|c| c.mark.seq > act && c.container.as_ref() == Some(&container) && c.ended.is_some());
        (ended && !busy).then(|| (act, left.settle.clone(), container))
    })
}

/// Limits that are in force as they were before: somebody else put them back, or the pod was made anew under its name.
fn back_by_others(model: &mut Model) -> Vec<Effect> {
    let now = model.now.wall;
    let Some(state) = &model.incident else { return Vec::new() };
    let back: Vec<(Seq, String)> = state
        .leftovers()
        .filter(|(_, left)| left.kind == LeftoverKind::Limit)
        .filter(|(act, _)| {
            // The watch may be behind what the act did.
            state.act(*act).and_then(crate::incident::ActRecord::done_at).is_some_and(|at| (now - at).to_std().is_ok_and(|d| d >= AGAIN))
        })
        .filter_map(|(act, left)| {
            let row = model.board.find(&container_of(&left.settle)?)?;
            let limit = limit_of(&left.settle)?;
            (row.limit == Some(limit) && model.acts.iter().all(|a| a.request.target != left.settle.target))
                .then(|| (act, format!("the limit in force is {} again", limit.binary())))
        })
        .collect();
    back.into_iter().flat_map(|(act, why)| by_tool(model, Kind::LeftoverGone { act, why: why.into() })).collect()
}

fn container_of(settle: &ActRequest) -> Option<ContainerRef> {
    let pod = PodRef::new(settle.target.namespace.clone(), settle.target.name.clone());
    Some(ContainerRef { pod, name: settle.args.get("container")?.clone() })
}

fn limit_of(settle: &ActRequest) -> Option<Bytes> {
    parse_quantity(settle.args.get("memory")?)
}

/// A question about `request` ended without it being done: a person said no (`by_hand`), or the cluster did.
pub(super) fn not_done(model: &mut Model, request: &ActRequest, by_hand: bool) {
    let Some(state) = &model.incident else { return };
    let about = |settle: &ActRequest| settle.act == request.act && settle.target == request.target;
    let Some((act, _)) = state.leftovers().find(|(_, left)| left.kind == LeftoverKind::Limit && about(&left.settle)) else { return };
    model.put_backs.insert(act, if by_hand { PutBack::Refused } else { PutBack::Waits { since: model.now } });
}

/// Pods for which `is_gone` holds are no more: what was left with them is settled.
pub(super) fn gone(model: &mut Model, is_gone: impl Fn(&PodRef) -> bool) -> Vec<Effect> {
    let Some(state) = &model.incident else { return Vec::new() };
    let here = |left: &crate::incident::Leftover| left.settle.target.namespace == model.setting.namespace;
    let of = |left: &crate::incident::Leftover| PodRef::new(left.settle.target.namespace.clone(), left.settle.target.name.clone());
    let acts: Vec<Seq> = state.leftovers().filter(|(_, left)| here(left) && is_gone(&of(left))).map(|(act, _)| act).collect();
    acts.into_iter().flat_map(|act| by_tool(model, Kind::LeftoverGone { act, why: Masked::own("the pod is gone") })).collect()
}
