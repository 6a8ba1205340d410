//! How a wish for a change of the cluster is put into words that the acts understand.

use std::collections::BTreeMap;

use super::view::Cx;
use crate::app::Intent;
use crate::base::{Bytes, ContainerRef};
use crate::incident::{ActRequest, ActTarget};
use crate::pressure::Workload;

/// The workload that is rolled back: the subject's, else the one whose history is shown.
pub fn workload(cx: &Cx<'_>, container: &ContainerRef) -> Option<Workload> {
    cx.model.workload_of(&container.pod).cloned().or_else(|| cx.model.history.workload.clone())
}

/// An act on `workload` in the namespace of `container`.
pub fn on_workload(act: &str, container: &ContainerRef, workload: &Workload, args: BTreeMap<String, String>) -> Intent {
    let target = ActTarget { kind: workload.kind.clone(), namespace: container.pod.namespace.clone(), name: workload.name.clone() };
    Intent::Act { request: ActRequest { act: act.to_owned(), target, args } }
}

/// An act on the pod of `container`.
pub fn on_its_pod(act: &str, container: &ContainerRef, args: BTreeMap<String, String>) -> Intent {
    let target = ActTarget { kind: "pod".to_owned(), namespace: container.pod.namespace.clone(), name: container.pod.name.clone() };
    Intent::Act { request: ActRequest { act: act.to_owned(), target, args } }
}

/// The arguments of a resize of `container` to `memory`.
pub fn resize_args(container: &ContainerRef, memory: Bytes) -> BTreeMap<String, String> {
    // Whole MiB, rounded up: that is how limits are written.
    let mib = memory.0.div_ceil(1 << 20);
    [("container".to_owned(), container.name.clone()), ("memory".to_owned(), format!("{mib}Mi"))].into()
}
