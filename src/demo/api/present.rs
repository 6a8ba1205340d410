//! The forms in which an object can be asked for: whole, as metadata only, or as a table with the columns that
//! `kubectl get` prints (`k8s.io/kubernetes/pkg/printers/internalversion/printers.go`).

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use crate::demo::world::{Kind, Resource, text};

/// What `Accept` asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Whole,
    Metadata,
    Table,
}

impl Form {
    /// Takes the first form of the list that the demo knows.
    pub fn of_accept(accept: &str) -> Self {
        for part in accept.split(',') {
            if part.contains("as=Table") && part.contains("json") {
                return Self::Table;
            }
            if part.contains("as=PartialObjectMetadata") && part.contains("json") {
                return Self::Metadata;
            }
            if part.trim().starts_with("application/json") && !part.contains("as=") {
                return Self::Whole;
            }
        }
        Self::Whole
    }

    /// One object in this form.
    pub fn one(self, resource: &Resource, object: &Value) -> Value {
        match self {
            Self::Whole => object.clone(),
            Self::Metadata => metadata(object),
            Self::Table => table(resource, &[object], &json!({})),
        }
    }

    /// A list in this form; `meta` has its version and continuation.
    pub fn list(self, resource: &Resource, items: &[&Value], meta: &Value) -> Value {
        match self {
            Self::Table => table(resource, items, meta),
            Self::Metadata => json!({
                "kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1", "metadata": meta,
                "items": items.iter().map(|i| metadata(i)).collect::<Vec<_>>(),
            }),
            Self::Whole => {
                // Items of a typed list carry neither kind nor apiVersion.
                let bare = |item: &&Value| {
                    let mut item = (*item).clone();
                    if let Some(map) = item.as_object_mut() {
                        map.shift_remove("kind");
                        map.shift_remove("apiVersion");
                    }
                    item
                };
                json!({
                    "kind": format!("{}List", resource.name), "apiVersion": resource.api_version(), "metadata": meta,
                    "items": items.iter().map(bare).collect::<Vec<_>>(),
                })
            }
        }
    }
}

fn metadata(object: &Value) -> Value {
    json!({ "kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": object["metadata"] })
}

fn table(resource: &Resource, items: &[&Value], meta: &Value) -> Value {
    let names: &[&str] = match resource.kind {
        Kind::Pod => &["Name", "Ready", "Status", "Restarts", "Age"],
        Kind::Deployment => &["Name", "Ready", "Up-to-date", "Available", "Age"],
        Kind::ReplicaSet => &["Name", "Desired", "Current", "Ready", "Age"],
        Kind::Event => &["Last Seen", "Type", "Reason", "Object", "Message"],
        _ => &["Name", "Age"],
    };
    let columns: Vec<Value> =
        names.iter().map(|name| json!({ "name": name, "type": "string", "format": if *name == "Name" { "name" } else { "" }, "description": "", "priority": 0 })).collect();
    let rows: Vec<Value> = items.iter().map(|item| json!({ "cells": cells(resource.kind, item), "object": metadata(item) })).collect();
    json!({ "kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": meta, "columnDefinitions": columns, "rows": rows })
}

fn cells(kind: Kind, object: &Value) -> Vec<String> {
    let name = text(object, &["metadata", "name"]).to_string();
    let age = age(text(object, &["metadata", "creationTimestamp"]));
    let number = |value: &Value| value.as_i64().unwrap_or(0).to_string();
    let status = &object["status"];
    match kind {
        Kind::Pod => {
            let containers = status["containerStatuses"].as_array().cloned().unwrap_or_default();
            let ready = containers.iter().filter(|c| c["ready"] == true).count();
            let restarts: i64 = containers.iter().filter_map(|c| c["restartCount"].as_i64()).sum();
            let total = object["spec"]["containers"].as_array().map_or(0, Vec::len);
            vec![name, format!("{ready}/{total}"), pod_word(object, &containers), restarts.to_string(), age]
        }
        Kind::Deployment => vec![
            name,
            format!("{}/{}", number(&status["readyReplicas"]), number(&object["spec"]["replicas"])),
            number(&status["updatedReplicas"]),
            number(&status["availableReplicas"]),
            age,
        ],
        Kind::ReplicaSet => {
            vec![name, number(&object["spec"]["replicas"]), number(&status["replicas"]), number(&status["readyReplicas"]), age]
        }
        Kind::Event => {
            let about = &object["involvedObject"];
            vec![
                self::age(text(object, &["lastTimestamp"])),
                text(object, &["type"]).into(),
                text(object, &["reason"]).into(),
                format!("{}/{}", text(about, &["kind"]).to_lowercase(), text(about, &["name"])),
                text(object, &["message"]).into(),
            ]
        }
        _ => vec![name, age],
    }
}

fn pod_word(pod: &Value, containers: &[Value]) -> String {
    if pod["metadata"].get("deletionTimestamp").is_some() {
        return "Terminating".into();
    }
    let reason = |c: &Value| {
        let state = &c["state"];
        [&state["waiting"]["reason"], &state["terminated"]["reason"]].into_iter().find_map(|r| r.as_str().map(String::from))
    };
    containers.iter().find_map(reason).unwrap_or_else(|| text(pod, &["status", "phase"]).into())
}

fn age(created: &str) -> String {
    let Ok(created) = created.parse::<DateTime<Utc>>() else { return "<unknown>".into() };
    let s = (crate::demo::clock::now() - created).num_seconds().max(0);
    match s {
        0..120 => format!("{s}s"),
        120..7200 => format!("{}m", s / 60),
        7200..172_800 => format!("{}h", s / 3600),
        _ => format!("{}d", s / 86_400),
    }
}
