//! What a change changes, as lines a person reads: `- spec.template.spec.containers[node].image = api:4`.

use std::collections::BTreeMap;

use serde_json::Value;

use super::error::foreign;
use crate::base::Masked;

/// Lines of what differs between `before` and `after` below the paths in `parts` (`/spec`), `-` before `+`. Values that
/// look or are named like secrets are masked.
pub(super) fn diff(before: &Value, after: &Value, parts: &[&str]) -> Vec<Masked> {
    let mut lines = Vec::new();
    for part in parts {
        let name = part.trim_start_matches('/').replace('/', ".");
        let (mut old, mut new) = (BTreeMap::new(), BTreeMap::new());
        flatten(before.pointer(part).unwrap_or(&Value::Null), &name, &mut old);
        flatten(after.pointer(part).unwrap_or(&Value::Null), &name, &mut new);
        let mut paths: Vec<&String> = old.keys().chain(new.keys()).collect();
        paths.sort_unstable();
        paths.dedup();
        for path in paths.into_iter().filter(|p| old.get(*p) != new.get(*p)) {
            lines.extend(old.get(path).map(|v| line('-', path, v)));
            lines.extend(new.get(path).map(|v| line('+', path, v)));
        }
    }
    lines
}

fn line(sign: char, path: &str, value: &str) -> Masked {
    foreign(format!("{sign} {path} = {value}"))
}

/// Leaves by path. Lists of named things (containers, env, volumes) go by name, so that an inserted one does not make
/// all that follow look changed. `env[X].value` becomes `env.X`: a secret's name must stand beside its value to be seen.
fn flatten(value: &Value, path: &str, into: &mut BTreeMap<String, String>) {
    match value {
        Value::Null => {}
        Value::Object(map) => {
            for (key, value) in map {
                flatten(value, &format!("{path}.{key}"), into);
            }
        }
        Value::Array(list) => {
            for (i, item) in list.iter().enumerate() {
                match (item["name"].as_str(), item["value"].as_str()) {
                    (Some(name), Some(text)) => {
                        into.insert(format!("{path}.{name}"), text.to_owned());
                    }
                    (Some(name), None) => flatten(item, &format!("{path}[{name}]"), into),
                    (None, _) => flatten(item, &format!("{path}[{i}]"), into),
                }
            }
        }
        Value::String(text) => {
            into.insert(path.to_owned(), text.clone());
        }
        other => {
            into.insert(path.to_owned(), other.to_string());
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn lines(before: &Value, after: &Value) -> Vec<String> {
        diff(before, after, &["/spec"]).iter().map(|l| l.as_str().to_owned()).collect()
    }

    #[test]
    fn only_what_differs_is_shown_and_secrets_are_not() {
        let before = json!({"spec": {"containers": [{"name": "node", "image": "api:4",
            "env": [{"name": "DB_PASSWORD", "value": "old-one"}, {"name": "LEVEL", "value": "info"}]}]}, "status": {"n": 1}});
        let after = json!({"spec": {"containers": [{"name": "log", "image": "tail:1"}, {"name": "node", "image": "api:3",
            "env": [{"name": "DB_PASSWORD", "value": "new-one"}, {"name": "LEVEL", "value": "info"}]}]}, "status": {"n": 2}});
        assert_eq!(
            lines(&before, &after),
            [
                "+ spec.containers[log].image = tail:1",
                "+ spec.containers[log].name = log",
                "- spec.containers[node].env.DB_PASSWORD = [secret]",
                "+ spec.containers[node].env.DB_PASSWORD = [secret]",
                "- spec.containers[node].image = api:4",
                "+ spec.containers[node].image = api:3",
            ]
        );
    }

    proptest::proptest! {
        #[test]
        fn a_thing_does_not_differ_from_itself(n in 0u64..9, s in "[a-z]{0,8}") {
            let value = json!({"spec": {"a": [n, {"name": s, "x": {}}], "b": s}});
            proptest::prop_assert!(lines(&value, &value).is_empty());
        }
    }
}
