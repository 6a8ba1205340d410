//! What is in the demo's shop and what goes wrong there: workloads, their history, the feed that brings the new field.

use std::collections::BTreeMap;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde_json::{Value, json};

use super::pods::Line;
use super::world::{Kind, Store, create_pod, events, hash, object_at, text};

pub(crate) use super::world::NODE;

/// The namespace of the demo.
pub(crate) const NAMESPACE: &str = "shop";
/// What the node has: more than this is infeasible.
pub(crate) const NODE_MEMORY: u64 = 16 << 30;

const REGISTRY: &str = "registry.shop.example";
/// Revisions of the leaking service: number, tag, age in minutes, change-cause.
pub(crate) const REVISIONS: [(i64, &str, i64, &str); 3] = [
    (41, "2.30.9", 8750, "release 2.30.9: teaser length from the CMS"),
    (42, "2.31.0", 290, "release 2.31.0: trim titles, count failed updates"),
    (43, "2.31.1", 80, "release 2.31.1: anchors for headings"),
];

/// Content updates a second for each partition of the feed; the first is the hot one.
const PARTITIONS: [f64; 3] = [165.0, 48.0, 24.0];

/// Restarts that the replicas have behind them when the demo starts, and how many minutes ago the last one was.
const HISTORY: [(u64, i64); 3] = [(5, 4), (2, 19), (1, 43)];

/// The folder of `service/` that stands for an image.
pub(crate) fn image_folder(image: &str) -> &'static str {
    let name = image.rsplit('/').next().unwrap_or(image).split(':').next().unwrap_or("");
    ["content-import", "storefront", "mailer", "nightly-prices"].into_iter().find(|folder| *folder == name).unwrap_or("")
}

/// The log line by which a container of this image becomes ready; `None`: at once.
pub(crate) fn ready_line(image: &str) -> Option<&'static str> {
    match image {
        "content-import" => Some("Application is running"),
        "storefront" => Some("listening"),
        _ => None,
    }
}

/// The pod's address, from its uid.
pub(crate) fn address(uid: &str) -> String {
    let n = uid.bytes().fold(7u32, |n, b| n.wrapping_mul(31).wrapping_add(u32::from(b)));
    format!("10.244.0.{}", 2 + n % 250)
}

/// The recorded log of the life before the demo, moved to end when that life ended.
pub(crate) fn previous_log(image: &str, restart: u32, before: DateTime<Utc>) -> Vec<Line> {
    if image != "content-import" || restart == 0 {
        return Vec::new();
    }
    let text = include_str!("recording/previous.log");
    let count = text.lines().count() as i64;
    let line = |(i, l): (usize, &str)| {
        let at = before - TimeDelta::milliseconds(40 * (count - i as i64));
        Line { at, bytes: l.replace("{time}", &at.format("%Y-%m-%d %H:%M:%S").to_string()).into_bytes() }
    };
    text.lines().enumerate().map(line).collect()
}

fn ago(minutes: i64) -> String {
    (crate::demo::clock::now() - TimeDelta::minutes(minutes)).to_rfc3339_opts(SecondsFormat::Secs, true)
}

fn content_import(tag: &str) -> Value {
    json!({
        "metadata": { "labels": { "app": "content-import" } },
        "spec": {
            "containers": [{
                "name": "app",
                "image": format!("{REGISTRY}/content-import:{tag}"),
                "imagePullPolicy": "IfNotPresent",
                "command": ["node"],
                "args": ["--max-old-space-size=112", "src/main.js"],
                "env": [{ "name": "NODE_ENV", "value": "production" }, { "name": "APP_VERSION", "value": tag }],
                "ports": [{ "name": "http", "containerPort": 3000, "protocol": "TCP" }],
                "resources": { "limits": { "cpu": "1", "memory": "640Mi" }, "requests": { "cpu": "100m", "memory": "256Mi" } },
            }],
            "restartPolicy": "Always", "terminationGracePeriodSeconds": 10, "dnsPolicy": "ClusterFirst",
        },
    })
}

fn storefront() -> Value {
    json!({
        "metadata": { "labels": { "app": "storefront" } },
        "spec": {
            "containers": [
                {
                    "name": "app", "image": format!("{REGISTRY}/storefront:5.4.2"), "imagePullPolicy": "IfNotPresent",
                    "command": ["node"], "args": ["server.js"],
                    "ports": [{ "name": "http", "containerPort": 3000, "protocol": "TCP" }],
                    "resources": { "limits": { "memory": "256Mi" }, "requests": { "memory": "128Mi" } },
                },
                {
                    "name": "log-shipper", "image": format!("{REGISTRY}/log-shipper:1.2.0"), "imagePullPolicy": "IfNotPresent",
                    "command": ["sh", "-c", "while :; do echo \"shipped $(wc -l < /var/log/app/access.log 2>/dev/null || echo 0) lines\"; sleep 15; done"],
                    "resources": { "limits": { "memory": "64Mi" }, "requests": { "memory": "16Mi" } },
                },
            ],
            "restartPolicy": "Always", "terminationGracePeriodSeconds": 2, "dnsPolicy": "ClusterFirst",
        },
    })
}

fn mailer() -> Value {
    json!({
        "metadata": { "labels": { "app": "mailer" } },
        "spec": {
            "containers": [{
                "name": "app", "image": format!("{REGISTRY}/mailer:1.8.0"), "imagePullPolicy": "IfNotPresent",
                "command": ["sh", "-c", "node mailer.js; exit $?"],
                "resources": { "limits": { "memory": "256Mi" }, "requests": { "memory": "96Mi" } },
            }],
            "restartPolicy": "Always", "terminationGracePeriodSeconds": 2, "dnsPolicy": "ClusterFirst",
        },
    })
}

fn nightly_prices() -> Value {
    json!({
        "metadata": { "labels": { "app": "nightly-prices", "batch.kubernetes.io/job-name": "nightly-prices-29402280" } },
        "spec": {
            "containers": [{
                "name": "job", "image": format!("{REGISTRY}/nightly-prices:3.0.1"), "imagePullPolicy": "IfNotPresent",
                "command": ["node", "job.js"],
                "resources": { "limits": { "memory": "256Mi" }, "requests": { "memory": "96Mi" } },
            }],
            "restartPolicy": "OnFailure", "terminationGracePeriodSeconds": 2, "dnsPolicy": "ClusterFirst",
        },
    })
}

/// Fills the world as it is 80 minutes into the outage.
pub(crate) fn populate(store: &Store) {
    for (name, labels) in [("default", json!({})), ("kube-system", json!({})), (NAMESPACE, json!({ "team": "content" }))] {
        let namespace =
            json!({ "metadata": { "name": name, "labels": labels, "creationTimestamp": ago(600_000) }, "status": { "phase": "Active" } });
        let _ = store.create(Kind::Namespace, namespace);
    }
    let capacity = json!({ "cpu": "4", "memory": format!("{}Ki", NODE_MEMORY / 1024), "pods": "110" });
    let node = json!({
        "metadata": { "name": NODE, "creationTimestamp": ago(600_000), "labels": { "kubernetes.io/os": "linux", "kubernetes.io/hostname": NODE } },
        "spec": {},
        "status": {
            "capacity": capacity, "allocatable": capacity,
            "conditions": [{ "type": "Ready", "status": "True", "reason": "KubeletReady", "message": "kubelet is posting ready status" }],
            "nodeInfo": {
                "architecture": "amd64", "bootID": "", "containerRuntimeVersion": "containerd://2.1.9", "kernelVersion": "6.12.0",
                "kubeProxyVersion": "", "kubeletVersion": "v1.35.4", "machineID": "", "operatingSystem": "linux", "osImage": "demo", "systemUUID": "",
            },
        },
    });
    let _ = store.create(Kind::Node, node);
    deployment(store, "content-import", 3, &REVISIONS.map(|(revision, tag, age, cause)| (revision, content_import(tag), age, cause)));
    deployment(store, "storefront", 1, &[(7, storefront(), 30_000, "release 5.4.2")]);
    deployment(store, "mailer", 1, &[(3, mailer(), 90_000, "release 1.8.0")]);
    job(store);
}

fn deployment(store: &Store, name: &str, replicas: i64, revisions: &[(i64, Value, i64, &str)]) {
    let Some((newest, template, _, cause)) = revisions.last() else { return };
    let made = store.create(
        Kind::Deployment,
        json!({
            "metadata": {
                "name": name, "namespace": NAMESPACE, "labels": { "app": name }, "generation": newest, "creationTimestamp": ago(300_000),
                "annotations": { "deployment.kubernetes.io/revision": newest.to_string(), "kubernetes.io/change-cause": cause },
            },
            "spec": {
                "replicas": replicas, "selector": { "matchLabels": { "app": name } }, "template": template,
                "strategy": { "type": "RollingUpdate", "rollingUpdate": { "maxSurge": "25%", "maxUnavailable": "25%" } },
                "revisionHistoryLimit": 10, "progressDeadlineSeconds": 600,
            },
            "status": { "observedGeneration": newest },
        }),
    );
    let Ok(made) = made else { return };
    for (revision, template, age, cause) in revisions {
        let hash = hash(template);
        let mut labelled = template.clone();
        object_at(&mut labelled, &["metadata", "labels"]).insert("pod-template-hash".into(), hash.clone().into());
        let count = if revision == newest { replicas } else { 0 };
        let set = store.create(
            Kind::ReplicaSet,
            json!({
                "metadata": {
                    "name": format!("{name}-{hash}"), "namespace": NAMESPACE, "creationTimestamp": ago(*age),
                    "labels": { "app": name, "pod-template-hash": hash },
                    "annotations": {
                        "deployment.kubernetes.io/revision": revision.to_string(), "kubernetes.io/change-cause": cause,
                        "deployment.kubernetes.io/desired-replicas": replicas.to_string(),
                    },
                    "ownerReferences": [{
                        "apiVersion": "apps/v1", "kind": "Deployment", "name": name, "uid": made["metadata"]["uid"],
                        "controller": true, "blockOwnerDeletion": true,
                    }],
                },
                "spec": { "replicas": count, "selector": { "matchLabels": { "app": name, "pod-template-hash": hash } }, "template": labelled },
                "status": { "replicas": count },
            }),
        );
        let Ok(set) = set else { continue };
        for i in 0..count {
            if let Some(pod) = create_pod(store, &set, Some(&ago(*age)))
                && name == "content-import"
            {
                remember_deaths(store, &pod, HISTORY[i as usize % HISTORY.len()]);
            }
        }
    }
}

/// The replicas died before the demo began: what the kubelet and the events know of it.
fn remember_deaths(store: &Store, pod: &Value, (restarts, minutes): (u64, i64)) {
    let name = text(pod, &["metadata", "name"]);
    let id = format!("{:016x}{:016x}{:016x}{:016x}", store.random(), store.random(), store.random(), store.random());
    store.touch(Kind::Pod, NAMESPACE, name, |pod| {
        pod["status"]["containerStatuses"] = json!([{
            "name": "app", "image": pod["spec"]["containers"][0]["image"], "imageID": "", "ready": false, "started": false,
            "restartCount": restarts, "state": { "waiting": { "reason": "ContainerCreating" } },
            "lastState": { "terminated": {
                "exitCode": 139, "reason": "Error", "containerID": format!("containerd://{id}"),
                "startedAt": ago(minutes + 14), "finishedAt": ago(minutes),
            } },
        }]);
    });
    let message = format!("Back-off restarting failed container app in pod {name}_{NAMESPACE}({})", text(pod, &["metadata", "uid"]));
    events::record_at(store, pod, true, "BackOff", &message, "kubelet", &ago(minutes));
}

fn job(store: &Store) {
    let template = nightly_prices();
    let labels = json!({ "batch.kubernetes.io/job-name": "nightly-prices-29402280" });
    let job = json!({
        "metadata": { "name": "nightly-prices-29402280", "namespace": NAMESPACE, "creationTimestamp": ago(35), "labels": template["metadata"]["labels"] },
        "spec": { "parallelism": 1, "completions": 1, "backoffLimit": 6, "selector": { "matchLabels": labels }, "template": template },
        "status": { "active": 1, "startTime": ago(35) },
    });
    if let Ok(job) = store.create(Kind::Job, job) {
        create_pod(store, &job, Some(&ago(35)));
    }
}

/// Which replica consumes which partition of the feed; a replica keeps its partition as long as it lives.
#[derive(Debug, Default)]
pub(crate) struct Feed {
    owners: BTreeMap<usize, String>,
}

impl Feed {
    /// Gives free partitions to replicas without one. Returns every pod of the service with its assignment.
    pub fn assign(&mut self, store: &Store, pace: f64) -> Vec<(String, String)> {
        let mut pods = store.list(Kind::Pod, NAMESPACE).1;
        pods.retain(|p| image_folder(text(&p["spec"]["containers"][0], &["image"])) == "content-import");
        // The replica that died most often is the one with the hot partition.
        pods.sort_by_key(|p| std::cmp::Reverse(p["status"]["containerStatuses"][0]["restartCount"].as_u64()));
        // What was taken out of its ReplicaSet or is going has left the consumer group.
        let member = |p: &Value| p["metadata"].get("ownerReferences").is_some() && p["metadata"].get("deletionTimestamp").is_none();
        let uid = |p: &Value| text(p, &["metadata", "uid"]).to_string();
        let members: Vec<String> = pods.iter().filter(|p| member(p)).map(|p| uid(p)).collect();
        self.owners.retain(|_, owner| members.contains(owner));
        for partition in 0..PARTITIONS.len() {
            let free = members.iter().find(|m| !self.owners.values().any(|o| o == *m));
            if !self.owners.contains_key(&partition)
                && let Some(free) = free
            {
                self.owners.insert(partition, free.clone());
            }
        }
        pods.iter()
            .map(|pod| {
                let own = self.owners.iter().find(|(_, owner)| **owner == uid(pod)).map(|(partition, _)| *partition);
                let rate = own.map_or(0.0, |p| PARTITIONS[p] * pace);
                let assignment =
                    json!({ "partition": own.map_or(-1, |p| p as i64), "updatesPerSecond": rate, "fields": ["personalization"] });
                (uid(pod), assignment.to_string())
            })
            .collect()
    }
}
