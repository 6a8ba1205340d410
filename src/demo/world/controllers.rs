//! The controllers of deployments, ReplicaSets and jobs (`k8s.io/kubernetes/pkg/controller/{deployment,replicaset,job}`),
//! reduced to rolling updates with one pod of surge and none unavailable.

use std::sync::Arc;

use serde_json::{Value, json};

use super::events;
use super::resource::Kind;
use super::selector::Selector;
use super::store::{Store, now, object_at, text};
use super::template::{HASH_LABEL, create_pod, hash, normal};

const REVISION: &str = "deployment.kubernetes.io/revision";
const HISTORY: &str = "deployment.kubernetes.io/revision-history";
const CAUSE: &str = "kubernetes.io/change-cause";

/// Brings the world one step nearer to what its specs say.
pub(crate) fn reconcile(store: &Store) {
    collect(store);
    for deployment in store.list(Kind::Deployment, "").1 {
        deploy(store, &deployment);
    }
    for set in store.list(Kind::ReplicaSet, "").1 {
        let replicas = set["spec"]["replicas"].as_i64().unwrap_or(1);
        keep_pods(store, &set, &set["spec"]["selector"]["matchLabels"], replicas);
    }
    for job in store.list(Kind::Job, "").1 {
        keep_pods(store, &job, &job["spec"]["selector"]["matchLabels"], 1);
    }
}

/// What belonged to something that is gone goes too (the garbage collector's background deletion).
fn collect(store: &Store) {
    for (kind, owners) in [(Kind::ReplicaSet, &[Kind::Deployment][..]), (Kind::Pod, &[Kind::ReplicaSet, Kind::Job])] {
        for object in store.list(kind, "").1 {
            let (namespace, name) = place(&object);
            let Some(owner) = controller(&object) else { continue };
            let known = owners.iter().filter_map(|k| store.get(*k, namespace, text(owner, &["name"])));
            if known.into_iter().any(|k| k["metadata"]["uid"] == owner["uid"]) {
                continue;
            }
            if kind != Kind::Pod {
                store.delete(kind, namespace, name);
            } else if object["metadata"].get("deletionTimestamp").is_none() {
                mark_deleted(store, namespace, name, None);
            }
        }
    }
}

fn owned_by(object: &Value, owner: &Value) -> bool {
    controller(object).is_some_and(|r| r["uid"] == owner["metadata"]["uid"])
}

fn controller(object: &Value) -> Option<&Value> {
    object["metadata"]["ownerReferences"].as_array()?.iter().find(|r| r["controller"] == true)
}

pub(crate) fn is_ready(pod: &Value) -> bool {
    let conditions = pod["status"]["conditions"].as_array();
    conditions.is_some_and(|c| c.iter().any(|c| c["type"] == "Ready" && c["status"] == "True"))
}

fn going(pod: &Value) -> bool {
    pod["metadata"].get("deletionTimestamp").is_some() || matches!(text(pod, &["status", "phase"]), "Succeeded" | "Failed")
}

fn place(object: &Value) -> (&str, &str) {
    (text(object, &["metadata", "namespace"]), text(object, &["metadata", "name"]))
}

fn revision(set: &Value) -> i64 {
    text(set, &["metadata", "annotations", REVISION]).parse().unwrap_or(0)
}

fn deploy(store: &Store, deployment: &Value) {
    let (namespace, name) = place(deployment);
    let mut sets: Vec<Arc<Value>> = store.list(Kind::ReplicaSet, namespace).1;
    sets.retain(|s| owned_by(s, deployment));
    let newest = sets.iter().map(|s| revision(s)).max().unwrap_or(0);
    let wanted = normal(&deployment["spec"]["template"]);
    let current = match sets.iter().find(|s| normal(&s["spec"]["template"]) == wanted) {
        Some(set) => set.clone(),
        None => match create_set(store, deployment, newest + 1) {
            Some(set) => set,
            None => return,
        },
    };
    let cause = deployment["metadata"]["annotations"].get(CAUSE).cloned();
    if revision(&current) < newest {
        let old = revision(&current).to_string();
        store.touch(Kind::ReplicaSet, namespace, place(&current).1, |set| {
            let annotations = object_at(set, &["metadata", "annotations"]);
            let history = annotations.get(HISTORY).and_then(Value::as_str).map_or(old.clone(), |h| format!("{h},{old}"));
            annotations.insert(HISTORY.into(), history.into());
            annotations.insert(REVISION.into(), (newest + 1).to_string().into());
            if let Some(cause) = cause {
                annotations.insert(CAUSE.into(), cause);
            }
        });
    }
    let Some(current) = store.get(Kind::ReplicaSet, namespace, place(&current).1) else { return };
    scale(store, deployment, &current, &sets);
    deployment_status(store, deployment, &current, namespace, name);
}

fn create_set(store: &Store, deployment: &Value, revision: i64) -> Option<Arc<Value>> {
    let (namespace, name) = place(deployment);
    let hash = hash(&deployment["spec"]["template"]);
    let mut template = normal(&deployment["spec"]["template"]);
    object_at(&mut template, &["metadata", "labels"]).insert(HASH_LABEL.into(), hash.clone().into());
    let mut selector = deployment["spec"]["selector"].clone();
    object_at(&mut selector, &["matchLabels"]).insert(HASH_LABEL.into(), hash.clone().into());
    let mut annotations =
        json!({ REVISION: revision.to_string(), "deployment.kubernetes.io/desired-replicas": deployment["spec"]["replicas"].to_string() });
    if let Some(cause) = deployment["metadata"]["annotations"].get(CAUSE) {
        annotations[CAUSE] = cause.clone();
    }
    let set = json!({
        "metadata": {
            "name": format!("{name}-{hash}"), "namespace": namespace, "labels": template["metadata"]["labels"],
            "annotations": annotations,
            "ownerReferences": [{
                "apiVersion": "apps/v1", "kind": "Deployment", "name": name, "uid": deployment["metadata"]["uid"],
                "controller": true, "blockOwnerDeletion": true,
            }],
        },
        "spec": { "replicas": 0, "selector": selector, "template": template },
        "status": { "replicas": 0 },
    });
    store.create(Kind::ReplicaSet, set).ok()
}

/// Rolling update: one pod more than wanted at most, none fewer.
fn scale(store: &Store, deployment: &Value, current: &Value, sets: &[Arc<Value>]) {
    let namespace = place(deployment).0;
    let wanted = deployment["spec"]["replicas"].as_i64().unwrap_or(1);
    let size = |s: &Value| s["spec"]["replicas"].as_i64().unwrap_or(0);
    let old: Vec<&Arc<Value>> = sets.iter().filter(|s| s["metadata"]["uid"] != current["metadata"]["uid"] && size(s) > 0).collect();
    let total = size(current) + old.iter().map(|s| size(s)).sum::<i64>();
    let have = size(current);
    if old.is_empty() {
        if have != wanted {
            resize_set(store, deployment, current, wanted);
        }
        return;
    }
    if have < wanted && total < wanted + 1 {
        resize_set(store, deployment, current, have + (wanted + 1 - total).min(wanted - have));
        return;
    }
    let pods = store.list(Kind::Pod, namespace).1;
    let ready = |s: &Value| pods.iter().filter(|p| owned_by(p, s) && is_ready(p) && !going(p)).count() as i64;
    let mut spare = ready(current) + old.iter().map(|s| ready(s)).sum::<i64>() - wanted;
    for set in old {
        let unready = size(set) - ready(set);
        let down = (unready.max(0) + spare.max(0)).min(size(set));
        if down > 0 && ready(current) > 0 {
            spare -= (down - unready.max(0)).max(0);
            resize_set(store, deployment, set, size(set) - down);
        }
    }
}

fn resize_set(store: &Store, deployment: &Value, set: &Value, replicas: i64) {
    let (namespace, name) = place(set);
    let before = set["spec"]["replicas"].as_i64().unwrap_or(0);
    store.touch(Kind::ReplicaSet, namespace, name, |set| set["spec"]["replicas"] = replicas.into());
    let direction = if replicas > before { "up" } else { "down" };
    let message = format!("Scaled {direction} replica set {name} from {before} to {replicas}");
    events::record(store, deployment, false, "ScalingReplicaSet", &message, "deployment-controller");
}

fn deployment_status(store: &Store, deployment: &Value, current: &Value, namespace: &str, name: &str) {
    let pods = store.list(Kind::Pod, namespace).1;
    let sets = store.list(Kind::ReplicaSet, namespace).1;
    let of = |set: &Value| pods.iter().filter(|p| owned_by(p, set) && !going(p)).cloned().collect::<Vec<_>>();
    let all: Vec<_> = sets.iter().filter(|s| owned_by(s, deployment)).flat_map(|s| of(s)).collect();
    let updated = of(current).len();
    let ready = all.iter().filter(|p| is_ready(p)).count();
    let wanted = deployment["spec"]["replicas"].as_i64().unwrap_or(1);
    let revision = current["metadata"]["annotations"][REVISION].clone();
    store.touch(Kind::Deployment, namespace, name, |deployment| {
        object_at(deployment, &["metadata", "annotations"]).insert(REVISION.into(), revision);
        let generation = deployment["metadata"]["generation"].clone();
        let was: Vec<Value> = deployment["status"]["conditions"].as_array().cloned().unwrap_or_default();
        let complete = updated as i64 == wanted && ready as i64 >= wanted;
        let condition = |kind: &str, holds: bool, reason: &str, message: String| {
            let status = if holds { "True" } else { "False" };
            if let Some(old) = was.iter().find(|c| c["type"] == kind && c["status"] == status && c["reason"] == reason) {
                return old.clone();
            }
            json!({ "type": kind, "status": status, "reason": reason, "message": message, "lastTransitionTime": now(), "lastUpdateTime": now() })
        };
        let enough = ready as i64 >= wanted;
        let available = if enough {
            condition("Available", true, "MinimumReplicasAvailable", "Deployment has minimum availability.".into())
        } else {
            condition("Available", false, "MinimumReplicasUnavailable", "Deployment does not have minimum availability.".into())
        };
        let set = text(current, &["metadata", "name"]);
        let progressing = if complete {
            condition("Progressing", true, "NewReplicaSetAvailable", format!("ReplicaSet \"{set}\" has successfully progressed."))
        } else {
            condition("Progressing", true, "ReplicaSetUpdated", format!("ReplicaSet \"{set}\" is progressing."))
        };
        let mut status = json!({
            "observedGeneration": generation, "replicas": all.len(), "updatedReplicas": updated,
            "readyReplicas": ready, "availableReplicas": ready, "conditions": [available, progressing],
        });
        if (ready as i64) < wanted {
            status["unavailableReplicas"] = (wanted - ready as i64).into();
        }
        deployment["status"] = status;
    });
}

/// Adopts, releases, creates and deletes pods until `replicas` of them belong to `owner`.
fn keep_pods(store: &Store, owner: &Value, match_labels: &Value, replicas: i64) {
    let (namespace, name) = place(owner);
    let selector = Selector::of_labels(match_labels);
    let mut mine = Vec::new();
    for pod in store.list(Kind::Pod, namespace).1 {
        let (owned, selected) = (owned_by(&pod, owner), selector.matches(&pod));
        if owned && !selected && !going(&pod) {
            // Released: it runs on, and nobody will delete it.
            store.touch(Kind::Pod, namespace, place(&pod).1, |pod| {
                object_at(pod, &["metadata"]).remove("ownerReferences");
            });
        } else if !owned && selected && controller(&pod).is_none() && !going(&pod) {
            let reference = json!({
                "apiVersion": owner["apiVersion"], "kind": owner["kind"], "name": name, "uid": owner["metadata"]["uid"],
                "controller": true, "blockOwnerDeletion": true,
            });
            store.touch(Kind::Pod, namespace, place(&pod).1, |pod| {
                object_at(pod, &["metadata"]).insert("ownerReferences".into(), json!([reference]));
            });
            mine.push(pod);
        } else if owned && !going(&pod) {
            mine.push(pod);
        }
    }
    let component = if owner["kind"] == "Job" { "job-controller" } else { "replicaset-controller" };
    for _ in (mine.len() as i64)..replicas {
        if let Some(pod) = create_pod(store, owner, None) {
            let message = format!("Created pod: {}", place(&pod).1);
            events::record(store, owner, false, "SuccessfulCreate", &message, component);
        }
    }
    // The unready and then the youngest go first.
    mine.sort_by_key(|p| (is_ready(p), std::cmp::Reverse(text(p, &["metadata", "creationTimestamp"]).to_string())));
    for pod in mine.iter().take((mine.len() as i64 - replicas).max(0) as usize) {
        mark_deleted(store, namespace, place(pod).1, None);
        let message = format!("Deleted pod: {}", place(pod).1);
        events::record(store, owner, false, "SuccessfulDelete", &message, component);
    }
    if owner["kind"] == "ReplicaSet" {
        let ready = mine.iter().filter(|p| is_ready(p)).count();
        let count = mine.len().min(replicas.max(0) as usize);
        store.touch(Kind::ReplicaSet, namespace, name, |set| {
            let generation = set["metadata"]["generation"].clone();
            set["status"] = json!({
                "replicas": count, "fullyLabeledReplicas": count, "readyReplicas": ready, "availableReplicas": ready,
                "observedGeneration": generation,
            });
        });
    }
}

/// Asks the kubelet to end a pod after its grace period (seconds).
pub(crate) fn mark_deleted(store: &Store, namespace: &str, name: &str, grace: Option<i64>) -> Option<Arc<Value>> {
    let pod = store.get(Kind::Pod, namespace, name)?;
    let grace = grace.unwrap_or_else(|| pod["spec"]["terminationGracePeriodSeconds"].as_i64().unwrap_or(30));
    store.touch(Kind::Pod, namespace, name, |pod| {
        let meta = object_at(pod, &["metadata"]);
        if !meta.contains_key("deletionTimestamp") {
            let end = crate::demo::clock::now() + chrono::TimeDelta::seconds(grace.clamp(0, 86_400));
            meta.insert("deletionTimestamp".into(), end.to_rfc3339_opts(chrono::SecondsFormat::Secs, true).into());
        }
        meta.insert("deletionGracePeriodSeconds".into(), grace.into());
    })
}
