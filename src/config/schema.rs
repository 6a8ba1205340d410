//! The JSON schema of the config, and the example file made from it.

use std::fmt::Write as _;

use serde_json::Value;

use super::model::Config;

/// The schema, draft 2020-12.
pub fn schema() -> Value {
    schemars::schema_for!(Config).to_value()
}

/// `config.example.yaml`: every key with what it means and its default. What has no default is commented out.
pub fn example() -> String {
    let schema = schema();
    // A config is plain data: it always becomes JSON.
    let defaults = serde_json::to_value(Config::default()).unwrap_or_default();
    let mut out = String::from(
        "# yaml-language-server: $schema=.config.schema.json\n\
         # Every key of cutoff's config with its default. Copy what you change to ~/.config/cutoff/config.yaml, or to\n\
         # cutoff.yaml in the working directory. Flags beat the environment, that beats ./cutoff.yaml, that beats the user's file.\n\
         # Every key can also be given as --set key.key=value. Secrets are named by file or command, never written here.\n\
         # This file is generated: UPDATE=1 cargo test --lib config::\n",
    );
    write_keys(&mut out, &schema, &schema, &defaults, 0, false);
    out
}

fn write_keys(out: &mut String, root: &Value, schema: &Value, defaults: &Value, depth: usize, commented: bool) {
    let Some(properties) = resolved(root, schema).get("properties").and_then(Value::as_object) else { return };
    let pad = "  ".repeat(depth);
    for (name, property) in properties {
        if depth == 0 {
            out.push('\n');
        }
        let value = defaults.get(name).unwrap_or(&Value::Null);
        let hash = if commented { "# " } else { "" };
        for line in wrapped(description(root, property), 108 - 2 * depth) {
            let _ = writeln!(out, "{pad}# {hash}{line}");
        }
        match value {
            Value::Object(map) if has_properties(root, property) => {
                let _ = writeln!(out, "{pad}{hash}{name}:");
                write_keys(out, root, property, &Value::Object(map.clone()), depth + 1, commented);
            }
            Value::Null => {
                let _ = writeln!(out, "{pad}# {name}: {}", placeholder(root, property));
            }
            other => {
                let _ = writeln!(out, "{pad}{hash}{name}: {other}");
                list_example(out, root, property, &pad);
            }
        }
    }
}

/// A list of things with keys of their own is shown by one commented entry.
fn list_example(out: &mut String, root: &Value, property: &Value, pad: &str) {
    let Some(items) = resolved(root, property).get("items").map(|items| resolved(root, items)) else { return };
    let Some(properties) = items.get("properties").and_then(Value::as_object) else { return };
    let _ = writeln!(out, "{pad}# One entry has these keys:");
    for (i, (name, property)) in properties.iter().enumerate() {
        for line in wrapped(description(root, property), 100) {
            let _ = writeln!(out, "{pad}#     # {line}");
        }
        let dash = if i == 0 { "  - " } else { "    " };
        let _ = writeln!(out, "{pad}# {dash}{name}: {}", placeholder(root, property));
    }
}

fn resolved<'a>(root: &'a Value, schema: &'a Value) -> &'a Value {
    let direct = schema
        .get("$ref")
        .or_else(|| schema.get("anyOf").and_then(Value::as_array).and_then(|all| all.iter().find_map(|one| one.get("$ref"))));
    match direct.and_then(Value::as_str).and_then(|path| root.pointer(path.trim_start_matches('#'))) {
        Some(target) => target,
        None => schema,
    }
}

fn has_properties(root: &Value, schema: &Value) -> bool {
    resolved(root, schema).get("properties").and_then(Value::as_object).is_some_and(|map| !map.is_empty())
}

fn description<'a>(root: &'a Value, schema: &'a Value) -> &'a str {
    let own = schema.get("description").and_then(Value::as_str);
    own.or_else(|| resolved(root, schema).get("description").and_then(Value::as_str)).unwrap_or("")
}

fn placeholder(root: &Value, schema: &Value) -> &'static str {
    let schema = resolved(root, schema);
    let kinds: Vec<&str> = match schema.get("type") {
        Some(Value::String(one)) => vec![one.as_str()],
        Some(Value::Array(many)) => many.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    match kinds.first() {
        Some(&"array") => "[]",
        Some(&"integer" | &"number") => "0",
        Some(&"boolean") => "false",
        Some(&"object") => "{}",
        _ => "\"\"",
    }
}

fn wrapped(text: &str, columns: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.len() + 1 + word.len() <= columns => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// Keys of the schema without a description: none may be.
#[cfg(test)]
pub(super) fn undocumented(root: &Value) -> Vec<String> {
    fn walk(root: &Value, schema: &Value, prefix: &str, missing: &mut Vec<String>) {
        let schema = resolved(root, schema);
        let none = serde_json::Map::new();
        for (name, property) in schema.get("properties").and_then(Value::as_object).unwrap_or(&none) {
            let key = format!("{prefix}{name}");
            if description(root, property).is_empty() {
                missing.push(key.clone());
            }
            walk(root, property, &format!("{key}."), missing);
            if let Some(items) = resolved(root, property).get("items") {
                walk(root, items, &format!("{key}[]."), missing);
            }
        }
    }
    let mut missing = Vec::new();
    walk(root, root, "", &mut missing);
    missing
}
