//! What acts left behind for a while: a limit raised for a capture, a pod that nobody else deletes. They are listed until
//! somebody saw to them, also after a restart (the journal says) and without a journal (labels of the pods say).

use super::effect::Effect;
use super::model::{Model, PutBack};
use super::record::by_tool;
use crate::base::{Masked, PodRef};
use crate::incident::{ActRequest, ActTarget, Kind, LeftoverKind, Seq};
use crate::pressure::{COPY_OF, ISOLATED, LIMIT_BEFORE, PodFacts, limit_before};

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
