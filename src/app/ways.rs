//! The ways out of a preflight that says no: each begins the act (its dry-run first) or the method behind it. When the act
//! was done, preflight is asked anew, and the capture that was wanted is one key away.

use std::collections::BTreeMap;

use super::acts;
use super::captures;
use super::effect::Effect;
use super::foot::say;
use super::model::{Level, Model, Offer, Prompt};
use crate::base::{Bytes, ContainerRef, PodRef};
use crate::incident::{ActRequest, ActTarget};
use crate::node::{dump_args, with_heap_prof};
use crate::preflight::RemedyKind;

/// Takes `way` for `container`.
pub(super) fn take(model: &mut Model, container: ContainerRef, way: &RemedyKind) -> Vec<Effect> {
    model.prompts.retain(|p| !matches!(p, Prompt::Risk { container: c, .. } | Prompt::Ready { container: c, .. } if *c == container));
    let request = match way {
        RemedyKind::Sampling => return captures::begin(model, container, Some("sampling")),
        RemedyKind::Method { name } => return captures::begin(model, container, Some(name)),
        RemedyKind::Resize { to, .. } => {
            let args = [("container", container.name.clone()), ("memory", mebibytes(*to)), ("for", "capture".to_owned())];
            on_pod("resize", &container, args.map(|(k, v)| (k.to_owned(), v)).into())
        }
        RemedyKind::Isolate => on_pod("isolate", &container, BTreeMap::new()),
        RemedyKind::DebugCopy { old_space_mib, memory } => {
            let mut args = dump_args(&container.name, Some(*old_space_mib));
            args.extend(memory.map(|limit| ("memory".to_owned(), mebibytes(limit))));
            on_pod("debug-copy", &container, args)
        }
        RemedyKind::Redeploy { old_space_mib, heap_prof } => {
            let Some(workload) = model.workload_of(&container.pod).cloned() else {
                say(model, Level::Warn, format!("{} has no controller to redeploy", container.pod.name));
                return Vec::new();
            };
            let target = ActTarget { kind: workload.kind, namespace: container.pod.namespace.clone(), name: workload.name };
            let args = dump_args(&container.name, *old_space_mib);
            let args = heap_prof.and_then(|major| with_heap_prof(args.clone(), major)).unwrap_or(args);
            ActRequest { act: "arm".to_owned(), target, args }
        }
    };
    acts::begin(model, request, Some(container))
}

/// Whole MiB, rounded up: that is how limits are written.
fn mebibytes(bytes: Bytes) -> String {
    format!("{}Mi", bytes.0.div_ceil(1 << 20))
}

fn on_pod(act: &str, container: &ContainerRef, args: BTreeMap<String, String>) -> ActRequest {
    let target = ActTarget { kind: "pod".to_owned(), namespace: container.pod.namespace.clone(), name: container.pod.name.clone() };
    ActRequest { act: act.to_owned(), target, args }
}

/// The act that was to make a capture of `container` possible was done.
pub(super) fn done(model: &mut Model, container: &ContainerRef, request: &ActRequest) -> Vec<Effect> {
    match request.act.as_str() {
        // The container is no more; the new pods are watched as they come up.
        "arm" => Vec::new(),
        "debug-copy" => {
            let Some(name) = request.args.get("name") else { return Vec::new() };
            let pod = PodRef::new(request.target.namespace.clone(), name.clone());
            model.awaited.push(ContainerRef { pod, name: container.name.clone() });
            Vec::new()
        }
        _ => captures::preflight_again(model, container.clone(), Offer::Best),
    }
}

/// A copy that was waited for runs: its heap is small and armed by flags, so the file is waited for.
pub(super) fn awaited(model: &mut Model) -> Vec<Effect> {
    let runs = |model: &Model, c: &ContainerRef| model.board.find(c).is_some_and(|row| row.running);
    let (up, waiting): (Vec<_>, Vec<_>) = std::mem::take(&mut model.awaited).into_iter().partition(|c| runs(model, c));
    model.awaited = waiting;
    up.into_iter().flat_map(|c| captures::preflight_again(model, c, Offer::Method("near-limit".to_owned()))).collect()
}
