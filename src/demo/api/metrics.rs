//! `metrics.k8s.io/v1beta1`: what metrics-server says of pods and of the node.

use chrono::SecondsFormat;
use serde_json::{Value, json};

use super::context::Context;
use super::reply::{self, Reply};
use super::request::Query;
use crate::demo::world::{Kind, NODE, Refusal, Selector};

/// Answers the paths behind the group and version.
pub(crate) fn answer(context: &Context, path: &[&str], query: &Query) -> Result<Reply, Refusal> {
    match path {
        ["pods"] => pods(context, "", query),
        ["namespaces", namespace, "pods"] => pods(context, namespace, query),
        ["namespaces", namespace, "pods", name] => {
            let pod = context.store.get(Kind::Pod, namespace, name);
            let metrics = pod.and_then(|pod| context.kubelet.worker_of(&pod)?.metrics(&pod));
            let mut metrics = metrics
                .ok_or_else(|| Refusal::new(404, "NotFound", format!("podmetrics.metrics.k8s.io \"{namespace}/{name}\" not found")))?;
            metrics["kind"] = "PodMetrics".into();
            metrics["apiVersion"] = "metrics.k8s.io/v1beta1".into();
            Ok(reply::json(200, &metrics))
        }
        ["nodes"] => {
            let list =
                json!({ "kind": "NodeMetricsList", "apiVersion": "metrics.k8s.io/v1beta1", "metadata": {}, "items": [node(context)] });
            Ok(reply::json(200, &list))
        }
        ["nodes", name] if *name == NODE => Ok(reply::json(200, &node(context))),
        _ => Err(Refusal::no_such_path()),
    }
}

/// Pods without a sample yet are missing, as on a real server.
fn pods(context: &Context, namespace: &str, query: &Query) -> Result<Reply, Refusal> {
    let selector = Selector::parse(query.get("labelSelector"), query.get("fieldSelector"))?;
    let (_, pods) = context.store.list(Kind::Pod, namespace);
    let selected = pods.iter().filter(|p| selector.matches(p));
    let items: Vec<Value> = selected.filter_map(|pod| context.kubelet.worker_of(pod)?.metrics(pod)).collect();
    Ok(reply::json(200, &json!({ "kind": "PodMetricsList", "apiVersion": "metrics.k8s.io/v1beta1", "metadata": {}, "items": items })))
}

fn node(context: &Context) -> Value {
    let workers = context.kubelet.workers();
    let memory: u64 = workers.iter().map(|w| w.working_set()).sum();
    let now = crate::demo::clock::now().to_rfc3339_opts(SecondsFormat::Secs, true);
    json!({
        "kind": "NodeMetrics", "apiVersion": "metrics.k8s.io/v1beta1", "metadata": { "name": NODE, "creationTimestamp": now },
        "timestamp": now, "window": "10.000s", "usage": { "cpu": "0", "memory": format!("{}Ki", memory / 1024) },
    })
}
