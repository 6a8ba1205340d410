//! Events about objects, as controllers and the kubelet record them.

use serde_json::{Value, json};

use super::resource::Kind;
use super::store::{Store, now, text};

/// Records an event about `object`; the same reason and message again raises its count.
pub(crate) fn record(store: &Store, object: &Value, warning: bool, reason: &str, message: &str, component: &str) {
    record_at(store, object, warning, reason, message, component, &now());
}

/// Records an event that happened at `at`.
pub(crate) fn record_at(store: &Store, object: &Value, warning: bool, reason: &str, message: &str, component: &str, at: &str) {
    let namespace = text(object, &["metadata", "namespace"]);
    let uid = &object["metadata"]["uid"];
    let same = |e: &Value| e["involvedObject"]["uid"] == *uid && e["reason"] == reason && e["message"] == message;
    let known = store.list(Kind::Event, namespace).1.into_iter().find(|e| same(e));
    if let Some(known) = known {
        store.touch(Kind::Event, namespace, text(&known, &["metadata", "name"]), |event| {
            event["count"] = (event["count"].as_i64().unwrap_or(1) + 1).into();
            event["lastTimestamp"] = at.into();
        });
        return;
    }
    let name = text(object, &["metadata", "name"]);
    let event = json!({
        "metadata": { "name": format!("{name}.{:016x}", store.random()), "namespace": namespace, "creationTimestamp": at },
        "involvedObject": {
            "apiVersion": object["apiVersion"], "kind": object["kind"], "name": name, "namespace": namespace, "uid": uid,
        },
        "reason": reason, "message": message, "type": if warning { "Warning" } else { "Normal" },
        "count": 1, "firstTimestamp": at, "lastTimestamp": at, "eventTime": null,
        "source": { "component": component }, "reportingComponent": component, "reportingInstance": "",
    });
    // A name of 64 random bits is not taken.
    let _ = store.create(Kind::Event, event);
}
