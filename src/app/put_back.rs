//! A limit that was raised for a capture goes back after it, by a question. The kubelet does not lower it below what is in
//! use, and a process gives little back after a snapshot: so it may have to wait, which is said.

use std::time::Duration;

use super::acts;
use super::effect::Effect;
use super::foot::say;
use super::model::{Level, Model, PutBack};
use super::record::by_tool;
use crate::base::{Bytes, ContainerRef, PodRef, parse_quantity};
use crate::incident::{ActRequest, Kind, LeftoverKind, Seq};

/// A limit this little above what is in use is not asked of the kubelet: 10 %.
const ROOM: f64 = 1.1;
/// What was refused is not tried again before this.
const AGAIN: Duration = Duration::from_secs(60);

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
