//! Pod templates: comparing them and making pods of them.

use serde_json::{Value, json};

use super::resource::Kind;
use super::store::{Store, object_at, text};

/// Label that tells the pods of one ReplicaSet from another's.
pub(crate) const HASH_LABEL: &str = "pod-template-hash";

/// The template without what clients add in passing (nulls, empty objects, the hash label): equal templates are equal here.
pub(crate) fn normal(template: &Value) -> Value {
    let mut template = pruned(template);
    if let Some(labels) = template.pointer_mut("/metadata/labels").and_then(Value::as_object_mut) {
        labels.remove(HASH_LABEL);
    }
    template
}

fn pruned(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let kept = map.iter().map(|(k, v)| (k.clone(), pruned(v)));
            let mut kept: Vec<_> = kept.filter(|(_, v)| !v.is_null() && !v.as_object().is_some_and(serde_json::Map::is_empty)).collect();
            kept.sort_by(|a, b| a.0.cmp(&b.0));
            Value::Object(kept.into_iter().collect())
        }
        Value::Array(items) => Value::Array(items.iter().map(pruned).collect()),
        other => other.clone(),
    }
}

/// The `pod-template-hash` of a template (FNV-1a written with the alphabet that Kubernetes uses for names).
pub(crate) fn hash(template: &Value) -> String {
    const ALPHABET: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
    let text = normal(template).to_string();
    let mut n = text.bytes().fold(0xcbf2_9ce4_8422_2325u64, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3));
    let mut out = String::new();
    for _ in 0..9 {
        out.push(char::from(ALPHABET[(n % ALPHABET.len() as u64) as usize]));
        n /= ALPHABET.len() as u64;
    }
    out
}

/// Creates a pod of `owner`'s template.
pub(crate) fn create_pod(store: &Store, owner: &Value, created: Option<&str>) -> Option<std::sync::Arc<Value>> {
    let template = &owner["spec"]["template"];
    let mut pod = json!({ "metadata": template["metadata"].clone(), "spec": template["spec"].clone() });
    let owner_name = text(owner, &["metadata", "name"]).to_string();
    let meta = object_at(&mut pod, &["metadata"]);
    meta.remove("creationTimestamp");
    meta.insert("generateName".into(), format!("{owner_name}-").into());
    meta.insert("namespace".into(), owner["metadata"]["namespace"].clone());
    meta.insert(
        "ownerReferences".into(),
        json!([{
            "apiVersion": owner["apiVersion"], "kind": owner["kind"], "name": owner_name, "uid": owner["metadata"]["uid"],
            "controller": true, "blockOwnerDeletion": true,
        }]),
    );
    if let Some(created) = created {
        meta.insert("creationTimestamp".into(), created.into());
    }
    placed(&mut pod);
    store.create(Kind::Pod, pod).ok()
}

/// What defaulting, admission and the scheduler of the one node make of a new pod.
pub(crate) fn placed(pod: &mut Value) {
    let spec = object_at(pod, &["spec"]);
    spec.insert("nodeName".into(), NODE.into());
    for (key, value) in
        [("restartPolicy", json!("Always")), ("terminationGracePeriodSeconds", json!(30)), ("dnsPolicy", json!("ClusterFirst"))]
    {
        spec.entry(key).or_insert(value);
    }
    pod["status"] = json!({ "phase": "Pending", "qosClass": "Burstable" });
}

/// The one node of the demo.
pub(crate) const NODE: &str = "demo-node";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_typed_client_adds_does_not_make_another_template() {
        let stored = json!({ "metadata": { "labels": { "app": "x" } }, "spec": { "containers": [{ "name": "a" }] } });
        let sent = json!({
            "spec": { "containers": [{ "resources": {}, "name": "a" }], "securityContext": {} },
            "metadata": { "creationTimestamp": null, "labels": { "pod-template-hash": "abc", "app": "x" } },
        });
        assert_eq!(hash(&stored), hash(&sent));
        assert_ne!(hash(&stored), hash(&json!({ "spec": { "containers": [{ "name": "b" }] } })));
    }
}
