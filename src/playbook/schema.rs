//! The JSON schema of a playbook's file, for completion in editors (`# yaml-language-server: $schema=…`).

use serde_json::{Value, json};

use super::facts::FACTS;
use super::file::File;
use super::steps::KINDS;

/// The schema as JSON: draft 2020-12, with the keys of each kind of step, and the facts under `x-facts`.
pub fn schema() -> Value {
    let mut schema = schemars::schema_for!(File).to_value();
    let mut own: Vec<&str> = KINDS.iter().flat_map(|kind| kind.keys.iter().copied()).collect();
    own.sort_unstable();
    own.dedup();
    let rules: Vec<Value> = KINDS
        .iter()
        .map(|kind| {
            let foreign = own.iter().filter(|key| !kind.keys.contains(key));
            let forbidden: serde_json::Map<String, Value> = foreign.map(|key| ((*key).to_owned(), Value::Bool(false))).collect();
            json!({
                "if": { "properties": { "kind": { "const": kind.name } } },
                "then": { "required": kind.required, "properties": forbidden },
            })
        })
        .collect();
    let kinds: Vec<Value> = KINDS.iter().map(|kind| json!({ "const": kind.name, "description": kind.help })).collect();
    if let Some(step) = schema.pointer_mut("/$defs/StepFile").and_then(Value::as_object_mut) {
        step.insert("allOf".to_owned(), Value::Array(rules));
        if let Some(kind) = step.get_mut("properties").and_then(|p| p.get_mut("kind")).and_then(Value::as_object_mut) {
            kind.insert("oneOf".to_owned(), Value::Array(kinds));
        }
    }
    let facts: serde_json::Map<String, Value> =
        FACTS.iter().map(|(name, kind, says)| ((*name).to_owned(), json!({ "type": kind.word(), "description": says }))).collect();
    if let Some(root) = schema.as_object_mut() {
        root.insert("x-facts".to_owned(), Value::Object(facts));
    }
    schema
}
