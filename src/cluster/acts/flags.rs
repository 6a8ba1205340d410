//! Flags in a container's environment variable and a directory of a volume, added to what is there; and the JSON patch
//! from one object to another.

use serde_json::{Map, Value, json};

use super::tools::{arg, refused};
use crate::cluster::error::Error;
use crate::incident::ActRequest;

/// Name of the volume; a second time it is found there.
const VOLUME: &str = "cutoff-dumps";

/// Adds to the container that the request's argument `container` names: `add` (flags) to the variable `variable`, and a
/// directory of an emptyDir on disk at `mount`. `spec` is that of a pod or template.
pub fn arm(spec: &mut Value, request: &ActRequest) -> Result<(), Error> {
    let (name, variable, added, mount) =
        (arg(request, "container")?, arg(request, "variable")?, arg(request, "add")?, arg(request, "mount")?);
    let mut containers = spec["containers"].as_array_mut().into_iter().flatten();
    let Some(container) = containers.find(|c| c["name"] == name) else {
        return Err(refused(format!("there is no container {name}"), "name one of its containers"));
    };
    let env = list(container, "env");
    match env.iter_mut().find(|e| e["name"] == variable) {
        Some(entry) if entry["valueFrom"].is_object() => {
            return Err(refused(format!("{variable} comes from a ConfigMap or Secret"), "add the flags there"));
        }
        Some(entry) => {
            let old = entry["value"].as_str().unwrap_or_default();
            let new = merged(old, added);
            if new == old {
                return Err(refused(format!("{variable} holds these flags already"), "its pods are armed: wait for the file"));
            }
            entry["value"] = json!(new);
        }
        None => env.push(json!({"name": variable, "value": added})),
    }
    // A flag on the command line would win over the same one in the variable.
    let names: Vec<String> = words(added).iter().filter(|word| word.starts_with("--")).map(|word| flag(word)).collect();
    for line in ["command", "args"] {
        if let Some(line) = container.get_mut(line).and_then(Value::as_array_mut) {
            line.retain(|word| !word.as_str().is_some_and(|word| word.contains('=') && names.contains(&flag(word))));
        }
    }
    let mounts = list(container, "volumeMounts");
    match mounts.iter().find(|m| m["mountPath"] == mount) {
        Some(taken) if taken["name"] != VOLUME => {
            return Err(refused(format!("{mount} is mounted already"), "choose another directory"));
        }
        Some(_) => {}
        None => mounts.push(json!({"name": VOLUME, "mountPath": mount})),
    }
    let volumes = list(spec, "volumes");
    if !volumes.iter().any(|v| v["name"] == VOLUME) {
        volumes.push(json!({"name": VOLUME, "emptyDir": {}}));
    }
    Ok(())
}

/// The list `key` of an object, made where it is missing.
fn list<'a>(object: &'a mut Value, key: &str) -> &'a mut Vec<Value> {
    if !object[key].is_array() {
        object[key] = json!([]);
    }
    object[key].as_array_mut().expect("made a list above")
}

/// `old` with the flags of `added`, which take the place of flags with the same name (dashes and underscores are one, as
/// V8 reads them).
fn merged(old: &str, added: &str) -> String {
    let added = words(added);
    let names: Vec<String> = added.iter().filter(|word| word.starts_with('-')).map(|word| flag(word)).collect();
    let mut kept = Vec::new();
    let mut dropped = false;
    for word in words(old) {
        // A value in a word of its own goes with its flag.
        dropped = if word.starts_with('-') { names.contains(&flag(&word)) } else { dropped };
        if !dropped {
            kept.push(word);
        }
    }
    kept.into_iter().chain(added).collect::<Vec<_>>().join(" ")
}

fn flag(word: &str) -> String {
    word.split('=').next().unwrap_or(word).replace('_', "-")
}

/// Words as Node reads `NODE_OPTIONS`: parted by spaces, but not inside double quotes. The quotes stay.
fn words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = vec![String::new()];
    let (mut quoted, mut escaped) = (false, false);
    for c in text.chars() {
        match c {
            ' ' if !quoted => words.push(String::new()),
            _ => {
                quoted ^= c == '"' && !escaped;
                if let Some(word) = words.last_mut() {
                    word.push(c);
                }
            }
        }
        escaped = c == '\\' && !escaped;
    }
    words.retain(|word| !word.is_empty());
    words
}

/// The operations of a JSON patch (RFC 6902) that make `after` of `before`, both at the pointer `at`. Lists are taken to
/// have grown at their end.
pub fn operations(before: &Value, after: &Value, at: &str, into: &mut Vec<Value>) {
    match (before, after) {
        _ if before == after => {}
        (Value::Object(old), Value::Object(new)) => members(old, new, at, into),
        (Value::Array(old), Value::Array(new)) if old.len() <= new.len() => {
            for (i, (old, new)) in old.iter().zip(new).enumerate() {
                operations(old, new, &format!("{at}/{i}"), into);
            }
            into.extend(new[old.len()..].iter().map(|item| json!({"op": "add", "path": format!("{at}/-"), "value": item})));
        }
        _ => into.push(json!({"op": "replace", "path": at, "value": after})),
    }
}

fn members(old: &Map<String, Value>, new: &Map<String, Value>, at: &str, into: &mut Vec<Value>) {
    let path = |key: &str| format!("{at}/{}", key.replace('~', "~0").replace('/', "~1"));
    for (key, value) in new {
        match old.get(key) {
            Some(before) => operations(before, value, &path(key), into),
            None => into.push(json!({"op": "add", "path": path(key), "value": value})),
        }
    }
    let gone = old.keys().filter(|key| !new.contains_key(*key));
    into.extend(gone.map(|key| json!({"op": "remove", "path": path(key)})));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incident::ActTarget;

    fn request() -> ActRequest {
        let args = [("container", "app"), ("variable", "NODE_OPTIONS"), ("add", "--x=1"), ("mount", "/dumps")];
        ActRequest {
            act: "arm".into(),
            target: ActTarget { kind: "deployment".into(), namespace: "shop".into(), name: "web".into() },
            args: args.map(|(k, v)| (k.to_owned(), v.to_owned())).into(),
        }
    }

    fn armed(container: &Value) -> Result<Vec<Value>, Error> {
        let before = json!({"containers": [{"name": "side"}, container]});
        let mut after = before.clone();
        arm(&mut after, &request())?;
        let mut patch = Vec::new();
        operations(&before, &after, "", &mut patch);
        Ok(patch)
    }

    #[test]
    fn what_is_there_is_kept_and_what_is_missing_is_made() {
        let bare = armed(&json!({"name": "app"})).expect("a patch");
        assert_eq!(
            bare,
            [
                json!({"op": "add", "path": "/containers/1/env", "value": [{"name": "NODE_OPTIONS", "value": "--x=1"}]}),
                json!({"op": "add", "path": "/containers/1/volumeMounts", "value": [{"name": VOLUME, "mountPath": "/dumps"}]}),
                json!({"op": "add", "path": "/volumes", "value": [{"name": VOLUME, "emptyDir": {}}]}),
            ]
        );
        let set = json!({"name": "app", "env": [{"name": "A", "value": "b"}, {"name": "NODE_OPTIONS", "value": "--y"}],
            "volumeMounts": [{"name": "v", "mountPath": "/v"}]});
        let added = armed(&set).expect("a patch");
        assert_eq!(added[0], json!({"op": "replace", "path": "/containers/1/env/1/value", "value": "--y --x=1"}));
        assert_eq!(added[1]["path"], "/containers/1/volumeMounts/-");
    }

    #[test]
    fn a_flag_takes_the_place_of_its_like() {
        for (old, added, new) in [
            ("", "--a=1", "--a=1"),
            ("--max_old_space_size=4096 --require ./apm.js", "--max-old-space-size=200", "--require ./apm.js --max-old-space-size=200"),
            ("--diagnostic-dir /old --y", "--diagnostic-dir=/new", "--y --diagnostic-dir=/new"),
            (r#"--title="my app" --y"#, "--y", r#"--title="my app" --y"#),
        ] {
            assert_eq!(merged(old, added), new, "{old}");
        }
    }

    #[test]
    fn the_command_line_does_not_win_over_the_variable() {
        let patch = armed(&json!({"name": "app", "args": ["--x=7", "--y=1", "main.js"], "env": [], "volumeMounts": []})).expect("a patch");
        assert!(patch.contains(&json!({"op": "replace", "path": "/containers/1/args", "value": ["--y=1", "main.js"]})), "{patch:?}");
    }

    #[test]
    fn what_it_would_break_is_refused() {
        for container in [
            json!({"name": "other"}),
            json!({"name": "app", "env": [{"name": "NODE_OPTIONS", "valueFrom": {"secretKeyRef": {}}}]}),
            json!({"name": "app", "env": [{"name": "NODE_OPTIONS", "value": "--a --x=1"}]}),
            json!({"name": "app", "volumeMounts": [{"name": "data", "mountPath": "/dumps"}]}),
        ] {
            assert!(matches!(armed(&container), Err(Error::Refused { .. })), "{container}");
        }
    }

    #[test]
    fn a_patch_names_odd_keys_and_takes_away() {
        let mut patch = Vec::new();
        operations(&json!({"a/b": 1, "gone": 2, "l": [1, 2]}), &json!({"a/b": 2, "l": [1]}), "/spec", &mut patch);
        assert_eq!(
            patch,
            [
                json!({"op": "replace", "path": "/spec/a~1b", "value": 2}),
                json!({"op": "replace", "path": "/spec/l", "value": [1]}),
                json!({"op": "remove", "path": "/spec/gone"}),
            ]
        );
    }
}
