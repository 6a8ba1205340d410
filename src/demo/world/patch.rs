//! The patch types of the API server: JSON patch (RFC 6902), merge patch (RFC 7386) and strategic merge patch
//! (`k8s.io/apimachinery/pkg/util/strategicpatch`).

use serde_json::{Map, Value};

/// How a patch is written, by its content type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Patch {
    Json,
    Merge,
    Strategic,
}

impl Patch {
    /// `None` for a content type that the demo does not take (server-side apply).
    pub fn of_content_type(content_type: &str) -> Option<Self> {
        match content_type.split(';').next().unwrap_or("").trim() {
            "application/json-patch+json" => Some(Self::Json),
            "application/merge-patch+json" => Some(Self::Merge),
            "application/strategic-merge-patch+json" => Some(Self::Strategic),
            _ => None,
        }
    }
}

/// The object after the patch; the error says which operation failed.
pub(crate) fn apply(kind: Patch, object: &Value, patch: &Value) -> Result<Value, String> {
    let mut out = object.clone();
    match kind {
        Patch::Json => json_patch(&mut out, patch)?,
        Patch::Merge => merge(&mut out, patch),
        Patch::Strategic => strategic(&mut out, patch, ""),
    }
    Ok(out)
}

fn merge(target: &mut Value, patch: &Value) {
    let Some(changes) = patch.as_object() else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let map = target.as_object_mut().expect("made an object above");
    for (key, change) in changes {
        if change.is_null() {
            map.shift_remove(key);
        } else {
            merge(map.entry(key.clone()).or_insert(Value::Null), change);
        }
    }
}

/// Keys by which lists of objects are merged (`patchMergeKey` in `k8s.io/api`).
fn merge_key(field: &str) -> Option<&'static str> {
    Some(match field {
        "containers" | "initContainers" | "ephemeralContainers" | "env" | "volumes" | "imagePullSecrets" => "name",
        "ports" => "containerPort",
        "volumeMounts" => "mountPath",
        "volumeDevices" => "devicePath",
        "conditions" => "type",
        "ownerReferences" => "uid",
        "hostAliases" => "ip",
        "topologySpreadConstraints" => "topologyKey",
        _ => return None,
    })
}

fn strategic(target: &mut Value, patch: &Value, field: &str) {
    match patch {
        Value::Object(changes) => {
            if changes.get("$patch").and_then(Value::as_str) == Some("replace") {
                let kept = changes.iter().filter(|(k, _)| *k != "$patch").map(|(k, v)| (k.clone(), v.clone()));
                *target = Value::Object(kept.collect());
                return;
            }
            if !target.is_object() {
                *target = Value::Object(Map::new());
            }
            let map = target.as_object_mut().expect("made an object above");
            if let Some(retained) = changes.get("$retainKeys").and_then(Value::as_array) {
                map.retain(|key, _| retained.iter().any(|r| r == key));
            }
            for (key, change) in changes {
                if let Some(list) = key.strip_prefix("$deleteFromPrimitiveList/") {
                    if let (Some(items), Some(gone)) = (map.get_mut(list).and_then(Value::as_array_mut), change.as_array()) {
                        items.retain(|i| !gone.contains(i));
                    }
                } else if key.starts_with('$') {
                } else if change.is_null() || change.get("$patch").and_then(Value::as_str) == Some("delete") {
                    map.shift_remove(key);
                } else {
                    strategic(map.entry(key.clone()).or_insert(Value::Null), change, key);
                }
            }
        }
        Value::Array(items) => match merge_key(field) {
            Some(key) if items.iter().all(Value::is_object) => merge_list(target, items, key),
            _ if field == "finalizers" => {
                let mut all = target.as_array().cloned().unwrap_or_default();
                all.extend(items.iter().filter(|i| !all.contains(i)).cloned().collect::<Vec<_>>());
                *target = Value::Array(all);
            }
            _ => *target = patch.clone(),
        },
        other => *target = other.clone(),
    }
}

fn merge_list(target: &mut Value, items: &[Value], key: &str) {
    let mut list = target.as_array().cloned().unwrap_or_default();
    if items.iter().any(|i| i["$patch"] == "replace") {
        list.clear();
    }
    for item in items {
        let known = list.iter().position(|l| l.get(key).is_some() && l.get(key) == item.get(key));
        match (item["$patch"].as_str(), known) {
            (Some("delete"), Some(at)) => {
                list.remove(at);
            }
            (Some(_), _) => {}
            (None, Some(at)) => strategic(&mut list[at], item, ""),
            (None, None) => {
                let mut fresh = Value::Null;
                strategic(&mut fresh, item, "");
                list.push(fresh);
            }
        }
    }
    *target = Value::Array(list);
}

fn json_patch(target: &mut Value, patch: &Value) -> Result<(), String> {
    let operations = patch.as_array().ok_or("a JSON patch is a list of operations")?;
    for operation in operations {
        let path = operation["path"].as_str().ok_or("an operation has no path")?;
        let value = || operation.get("value").cloned().ok_or_else(|| format!("{path}: no value"));
        let from = || operation["from"].as_str().ok_or_else(|| format!("{path}: no from"));
        match operation["op"].as_str().unwrap_or("") {
            "add" => add(target, path, value()?)?,
            "remove" => drop(remove(target, path)?),
            "replace" => {
                let at = target.pointer_mut(path).ok_or_else(|| format!("replace operation does not apply: doc is missing key: {path}"))?;
                *at = value()?;
            }
            "move" => {
                let moved = remove(target, from()?)?;
                add(target, path, moved)?;
            }
            "copy" => {
                let copied = target.pointer(from()?).cloned().ok_or_else(|| format!("copy operation does not apply: {path}"))?;
                add(target, path, copied)?;
            }
            "test" => {
                if target.pointer(path).unwrap_or(&Value::Null) != &value()? {
                    return Err(format!("testing value {path} failed"));
                }
            }
            other => return Err(format!("unexpected operation: {other}")),
        }
    }
    Ok(())
}

fn parent<'a>(target: &'a mut Value, path: &str) -> Result<(&'a mut Value, String), String> {
    let (above, last) = path.rsplit_once('/').ok_or_else(|| format!("not a pointer: {path}"))?;
    let above = target.pointer_mut(above).ok_or_else(|| format!("doc is missing path: {path}"))?;
    Ok((above, last.replace("~1", "/").replace("~0", "~")))
}

fn add(target: &mut Value, path: &str, value: Value) -> Result<(), String> {
    if path.is_empty() {
        *target = value;
        return Ok(());
    }
    let (above, last) = parent(target, path)?;
    match above {
        Value::Object(map) => {
            map.insert(last, value);
        }
        Value::Array(list) if last == "-" => list.push(value),
        Value::Array(list) => {
            let at: usize = last.parse().map_err(|_| format!("bad index: {path}"))?;
            if at > list.len() {
                return Err(format!("index out of bounds: {path}"));
            }
            list.insert(at, value);
        }
        _ => return Err(format!("add operation does not apply: doc is missing path: {path}")),
    }
    Ok(())
}

fn remove(target: &mut Value, path: &str) -> Result<Value, String> {
    let (above, last) = parent(target, path)?;
    let missing = || format!("remove operation does not apply: doc is missing path: {path}");
    match above {
        Value::Object(map) => map.shift_remove(&last).ok_or_else(missing),
        Value::Array(list) => {
            let at: usize = last.parse().map_err(|_| missing())?;
            if at < list.len() { Ok(list.remove(at)) } else { Err(missing()) }
        }
        _ => Err(missing()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn each_patch_type_changes_what_it_says() {
        let object = json!({ "labels": { "a": "1", "b": "2" }, "containers": [{ "name": "x", "image": "old", "env": [{ "name": "E", "value": "1" }] }, { "name": "y" }] });
        let cases = [
            (Patch::Merge, json!({ "labels": { "a": null } }), "/labels", json!({ "b": "2" })),
            (Patch::Strategic, json!({ "containers": [{ "name": "x", "image": "new" }] }), "/containers/0/image", json!("new")),
            (Patch::Strategic, json!({ "containers": [{ "name": "x", "image": "new" }] }), "/containers/1", json!({ "name": "y" })),
            (
                Patch::Strategic,
                json!({ "containers": [{ "name": "x", "env": [{ "name": "F", "value": "2" }] }] }),
                "/containers/0/env",
                json!([{ "name": "E", "value": "1" }, { "name": "F", "value": "2" }]),
            ),
            (Patch::Strategic, json!({ "containers": [{ "name": "x", "$patch": "delete" }] }), "/containers", json!([{ "name": "y" }])),
            (Patch::Strategic, json!({ "labels": { "$patch": "replace", "c": "3" } }), "/labels", json!({ "c": "3" })),
            (
                Patch::Json,
                json!([{ "op": "test", "path": "/labels/a", "value": "1" }, { "op": "remove", "path": "/labels/a" }]),
                "/labels",
                json!({ "b": "2" }),
            ),
            (Patch::Json, json!([{ "op": "add", "path": "/labels/x~1y", "value": "3" }]), "/labels/x~1y", json!("3")),
            (Patch::Json, json!([{ "op": "move", "from": "/labels/a", "path": "/c" }]), "/c", json!("1")),
        ];
        for (kind, patch, at, expected) in cases {
            assert_eq!(apply(kind, &object, &patch).unwrap().pointer(at), Some(&expected), "{patch}");
        }
        for failing in [
            json!([{ "op": "test", "path": "/labels/a", "value": "2" }]),
            json!([{ "op": "replace", "path": "/none", "value": 1 }]),
            json!({}),
        ] {
            assert!(apply(Patch::Json, &object, &failing).is_err(), "{failing}");
        }
    }
}
