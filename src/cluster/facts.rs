//! A Pod of the API → what the house knows of a pod. Everything else of the object is dropped at once: ten thousand
//! pods as the server sends them are 330 MB.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use k8s_openapi::api::core::v1::{
    Container, ContainerState as ApiState, ContainerStateTerminated, ContainerStatus, Pod, ResourceRequirements,
};
use k8s_openapi::jiff::Timestamp;

use crate::base::{Bytes, PodRef, parse_quantity};
use crate::pressure::{ContainerFacts, ContainerState, End, Liveness, Manager, PodFacts, Workload};

/// Translates `pod`; `local` corrects the server's times.
pub(super) fn pod_facts(pod: &Pod, local: impl Fn(Timestamp) -> DateTime<Utc>) -> PodFacts {
    let meta = &pod.metadata;
    let labels = meta.labels.clone().unwrap_or_default();
    let status = pod.status.as_ref();
    let conditions = status.and_then(|s| s.conditions.as_deref()).unwrap_or_default();
    let grace = pod.spec.as_ref().and_then(|s| s.termination_grace_period_seconds).unwrap_or(30);
    let statuses = status.and_then(|s| s.container_statuses.as_deref()).unwrap_or_default();
    let containers = pod.spec.as_ref().map(|s| s.containers.as_slice()).unwrap_or_default();
    PodFacts {
        pod: PodRef::new(meta.namespace.clone().unwrap_or_default(), meta.name.clone().unwrap_or_default()),
        uid: meta.uid.clone().unwrap_or_default(),
        workload: workload(pod, &labels),
        revision: ["pod-template-hash", "rollouts-pod-template-hash", "controller-revision-hash"]
            .iter()
            .find_map(|label| labels.get(*label).cloned()),
        node: pod.spec.as_ref().and_then(|s| s.node_name.clone()),
        phase: status.and_then(|s| s.phase.clone()).unwrap_or_else(|| "Unknown".to_owned()),
        ready: conditions.iter().any(|c| c.type_ == "Ready" && c.status == "True"),
        deleting: meta.deletion_timestamp.is_some(),
        created: meta.creation_timestamp.as_ref().map(|t| local(t.0)),
        qos: status.and_then(|s| s.qos_class.clone()).unwrap_or_default(),
        manager: manager(&labels, meta.annotations.as_ref()),
        containers: containers.iter().map(|c| container_facts(c, statuses.iter().find(|s| s.name == c.name), grace, &local)).collect(),
        resize: conditions.iter().find(|c| c.type_.starts_with("PodResize") && c.status == "True").map(|c| {
            let reason = c.reason.clone().unwrap_or_else(|| c.type_.clone());
            c.message.as_ref().map_or_else(|| reason.clone(), |m| format!("{reason}: {m}"))
        }),
        labels,
    }
}

fn container_facts(
    spec: &Container,
    status: Option<&ContainerStatus>,
    grace: i64,
    local: &impl Fn(Timestamp) -> DateTime<Utc>,
) -> ContainerFacts {
    // Since in-place resize the limit in force stands in the status; the spec has the wish.
    let in_force = status.and_then(|s| s.resources.as_ref());
    let memory = |of: fn(&ResourceRequirements) -> Option<&BTreeMap<String, k8s_openapi::apimachinery::pkg::api::resource::Quantity>>| {
        [in_force, spec.resources.as_ref()].into_iter().flatten().find_map(|r| memory_of(of(r)))
    };
    ContainerFacts {
        name: spec.name.clone(),
        id: status.and_then(|s| s.container_id.clone()).unwrap_or_default(),
        image: spec.image.clone().unwrap_or_default(),
        image_id: status.map(|s| s.image_id.clone()).unwrap_or_default(),
        limit: memory(|r| r.limits.as_ref()),
        request: memory(|r| r.requests.as_ref()),
        state: state(status.and_then(|s| s.state.as_ref()), local),
        ready: status.is_some_and(|s| s.ready),
        restarts: status.map_or(0, |s| u32::try_from(s.restart_count).unwrap_or(0)),
        last_end: status.and_then(|s| s.last_state.as_ref()).and_then(|s| s.terminated.as_ref()).map(|t| end(t, local)),
        liveness: spec.liveness_probe.as_ref().map(|p| {
            let whole = |n: Option<i32>, default: u32| n.and_then(|n| u32::try_from(n).ok()).filter(|&n| n > 0).unwrap_or(default);
            Liveness {
                failure_threshold: whole(p.failure_threshold, 3),
                period_s: whole(p.period_seconds, 10),
                timeout_s: whole(p.timeout_seconds, 1),
                grace_s: u32::try_from(p.termination_grace_period_seconds.unwrap_or(grace)).unwrap_or(30),
            }
        }),
        resize_restarts: spec.resize_policy.iter().flatten().any(|p| p.resource_name == "memory" && p.restart_policy == "RestartContainer"),
    }
}

fn memory_of(of: Option<&BTreeMap<String, k8s_openapi::apimachinery::pkg::api::resource::Quantity>>) -> Option<Bytes> {
    parse_quantity(&of?.get("memory")?.0)
}

fn state(state: Option<&ApiState>, local: &impl Fn(Timestamp) -> DateTime<Utc>) -> ContainerState {
    let Some(state) = state else { return ContainerState::Waiting { reason: String::new() } };
    match (&state.running, &state.terminated, &state.waiting) {
        (Some(running), _, _) => ContainerState::Running { since: running.started_at.as_ref().map(|t| local(t.0)) },
        (_, Some(ended), _) => ContainerState::Terminated(end(ended, local)),
        (_, _, waiting) => ContainerState::Waiting { reason: waiting.as_ref().and_then(|w| w.reason.clone()).unwrap_or_default() },
    }
}

fn end(ended: &ContainerStateTerminated, local: &impl Fn(Timestamp) -> DateTime<Utc>) -> End {
    End {
        reason: ended.reason.clone().unwrap_or_default(),
        exit_code: ended.exit_code,
        started: ended.started_at.as_ref().map(|t| local(t.0)),
        ended: ended.finished_at.as_ref().map(|t| local(t.0)),
    }
}

/// The controller that a person would roll back. A Deployment names its ReplicaSets `NAME-HASH`, with the hash also in
/// the pod's label: so the Deployment is known without reading the ReplicaSet.
fn workload(pod: &Pod, labels: &BTreeMap<String, String>) -> Option<Workload> {
    let owner = pod.metadata.owner_references.iter().flatten().find(|o| o.controller == Some(true))?;
    let of_hash = |label: &str| {
        let hash = labels.get(label)?;
        Some(owner.name.strip_suffix(hash.as_str())?.strip_suffix('-')?.to_owned())
    };
    let (kind, name) = match owner.kind.as_str() {
        "ReplicaSet" => match (of_hash("rollouts-pod-template-hash"), of_hash("pod-template-hash")) {
            (Some(name), _) => ("rollout".to_owned(), name),
            (None, Some(name)) => ("deployment".to_owned(), name),
            (None, None) => ("replicaset".to_owned(), owner.name.clone()),
        },
        kind => (kind.to_ascii_lowercase(), owner.name.clone()),
    };
    Some(Workload { kind, name })
}

/// Labels and annotations by which tools mark what they manage, and the tool. From the tools' documentation.
const SIGNS: [(&str, &str); 7] = [
    ("argocd.argoproj.io/tracking-id", "Argo CD"),
    ("argocd.argoproj.io/instance", "Argo CD"),
    ("rollouts-pod-template-hash", "Argo Rollouts"),
    ("kustomize.toolkit.fluxcd.io/name", "Flux"),
    ("helm.toolkit.fluxcd.io/name", "Flux"),
    ("meta.helm.sh/release-name", "Helm"),
    ("helm.sh/chart", "Helm"),
];

/// Who would undo a manual change, by labels and annotations.
pub(super) fn manager(labels: &BTreeMap<String, String>, annotations: Option<&BTreeMap<String, String>>) -> Option<Manager> {
    let marked = |key: &str| labels.contains_key(key) || annotations.is_some_and(|a| a.contains_key(key));
    let by_sign =
        SIGNS.iter().find(|(key, _)| marked(key)).map(|(key, tool)| Manager { tool: (*tool).to_owned(), sign: (*key).to_owned() });
    by_sign.or_else(|| {
        let by = labels.get("app.kubernetes.io/managed-by").filter(|by| by.as_str() == "Helm")?;
        Some(Manager { tool: by.clone(), sign: "app.kubernetes.io/managed-by".to_owned() })
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn facts(pod: serde_json::Value) -> PodFacts {
        let pod: Pod = serde_json::from_value(pod).expect("a pod");
        pod_facts(&pod, |t| DateTime::from_timestamp(t.as_second(), 0).expect("in range"))
    }

    #[test]
    fn a_crash_looping_pod_of_a_deployment() {
        let pod = facts(json!({
            "metadata": {"name": "api-6d5f-x1", "namespace": "shop", "uid": "u1", "creationTimestamp": "2026-11-24T03:00:00Z",
                "labels": {"app": "api", "pod-template-hash": "6d5f", "helm.sh/chart": "api-1.2"},
                "ownerReferences": [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "api-6d5f", "uid": "r", "controller": true}]},
            "spec": {"nodeName": "n1", "terminationGracePeriodSeconds": 20, "containers": [{"name": "node", "image": "api:3",
                "resources": {"limits": {"memory": "512Mi"}, "requests": {"memory": "256Mi"}},
                "resizePolicy": [{"resourceName": "memory", "restartPolicy": "RestartContainer"}],
                "livenessProbe": {"httpGet": {"path": "/", "port": 3000}, "periodSeconds": 5}}]},
            "status": {"phase": "Running", "qosClass": "Burstable", "conditions": [
                    {"type": "Ready", "status": "False"},
                    {"type": "PodResizePending", "status": "True", "reason": "Infeasible", "message": "Node didn't have enough capacity"}],
                "containerStatuses": [{"name": "node", "image": "api:3", "imageID": "api@sha256:1", "ready": false, "restartCount": 4,
                    "containerID": "containerd://c4", "resources": {"limits": {"memory": "640Mi"}},
                    "state": {"waiting": {"reason": "CrashLoopBackOff"}},
                    "lastState": {"terminated": {"exitCode": 137, "reason": "OOMKilled", "startedAt": "2026-11-24T03:01:00Z",
                        "finishedAt": "2026-11-24T03:05:00Z"}}}]}
        }));
        assert_eq!(pod.workload, Some(Workload { kind: "deployment".into(), name: "api".into() }));
        assert_eq!(pod.revision.as_deref(), Some("6d5f"));
        assert_eq!(pod.manager.expect("Helm").tool, "Helm");
        assert_eq!(pod.resize.as_deref(), Some("Infeasible: Node didn't have enough capacity"));
        let c = &pod.containers[0];
        assert_eq!((c.limit, c.request), (Some(Bytes::mib(640)), Some(Bytes::mib(256))), "in force before wished");
        assert_eq!(c.state, ContainerState::Waiting { reason: "CrashLoopBackOff".into() });
        assert_eq!(c.last_end.as_ref().expect("an end").exit_code, 137);
        assert_eq!(c.liveness, Some(Liveness { failure_threshold: 3, period_s: 5, timeout_s: 1, grace_s: 20 }));
        assert!(c.resize_restarts);
    }

    #[test]
    fn owners_of_every_kind() {
        let owned = |kind: &str, name: &str, labels: serde_json::Value| {
            facts(json!({"metadata": {"name": "p", "labels": labels,
                "ownerReferences": [{"apiVersion": "v1", "kind": kind, "name": name, "uid": "r", "controller": true}]}}))
            .workload
            .map(|w| w.to_string())
        };
        assert_eq!(owned("StatefulSet", "db", json!({})).as_deref(), Some("statefulset/db"));
        assert_eq!(owned("ReplicaSet", "lone", json!({})).as_deref(), Some("replicaset/lone"));
        assert_eq!(owned("ReplicaSet", "web-77", json!({"rollouts-pod-template-hash": "77"})).as_deref(), Some("rollout/web"));
        // An orphan whose label was changed for isolation keeps no owner at all.
        assert_eq!(facts(json!({"metadata": {"name": "p"}})).workload, None);
    }

    #[test]
    fn a_pod_that_has_just_been_made_has_no_status() {
        let pod = facts(json!({"metadata": {"name": "p", "namespace": "n"}, "spec": {"containers": [{"name": "node"}]}}));
        assert_eq!(pod.containers[0].state, ContainerState::Waiting { reason: String::new() });
        assert_eq!((pod.phase.as_str(), pod.containers[0].limit), ("Unknown", None));
    }
}
