//! Label and field selectors (`k8s.io/apimachinery/pkg/labels`, `…/fields`).

use serde_json::Value;

use super::refusal::Refusal;

/// One condition on a label or field.
#[derive(Clone, Debug, PartialEq)]
enum Term {
    In(String, Vec<String>),
    NotIn(String, Vec<String>),
    Exists(String),
    Missing(String),
}

/// What a list or watch is narrowed to.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Selector {
    labels: Vec<Term>,
    fields: Vec<Term>,
}

impl Selector {
    /// Reads `labelSelector` and `fieldSelector`; empty texts select everything.
    pub fn parse(labels: &str, fields: &str) -> Result<Self, Refusal> {
        let read = |text: &str| split(text).into_iter().map(term).collect::<Option<Vec<_>>>();
        let unable = |what: &str| Refusal::bad_request(format!("unable to parse requirement: {what}"));
        Ok(Self { labels: read(labels).ok_or_else(|| unable(labels))?, fields: read(fields).ok_or_else(|| unable(fields))? })
    }

    /// The selector in a workload's spec (`matchLabels` alone; the demo has no expressions).
    pub fn of_labels(match_labels: &Value) -> Self {
        let pairs = match_labels.as_object().into_iter().flatten();
        let labels = pairs.map(|(k, v)| Term::In(k.clone(), vec![v.as_str().unwrap_or_default().into()])).collect();
        Self { labels, fields: Vec::new() }
    }

    /// Whether the object is selected.
    pub fn matches(&self, object: &Value) -> bool {
        let labels = &object["metadata"]["labels"];
        self.labels.iter().all(|t| t.holds(|key| labels.get(key).and_then(Value::as_str).map(String::from)))
            && self.fields.iter().all(|t| {
                t.holds(|path| {
                    let found = path.split('.').try_fold(object, |at, key| at.get(key));
                    Some(found.map_or(String::new(), |v| v.as_str().map_or_else(|| v.to_string(), String::from)))
                })
            })
    }
}

impl Term {
    fn holds(&self, value: impl Fn(&str) -> Option<String>) -> bool {
        match self {
            Self::In(key, values) => value(key).is_some_and(|v| values.contains(&v)),
            Self::NotIn(key, values) => !value(key).is_some_and(|v| values.contains(&v)),
            Self::Exists(key) => value(key).is_some(),
            Self::Missing(key) => value(key).is_none(),
        }
    }
}

/// Splits at commas outside parentheses.
fn split(text: &str) -> Vec<&str> {
    let (mut parts, mut depth, mut start) = (Vec::new(), 0, 0);
    for (i, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(text[start..i].trim());
                start = i + 1;
            }
            _ => {}
        }
    }
    parts.push(text[start..].trim());
    parts.retain(|p| !p.is_empty());
    parts
}

fn term(text: &str) -> Option<Term> {
    let set = |rest: &str| {
        let inner = rest.trim().strip_prefix('(')?.strip_suffix(')')?;
        Some(inner.split(',').map(|v| v.trim().to_string()).collect::<Vec<_>>())
    };
    if let Some((key, value)) = text.split_once("!=") {
        return Some(Term::NotIn(key.trim().into(), vec![value.trim().into()]));
    }
    if let Some((key, value)) = text.split_once("==").or_else(|| text.split_once('=')) {
        return Some(Term::In(key.trim().into(), vec![value.trim().into()]));
    }
    if let Some((key, rest)) = text.split_once(" notin ") {
        return Some(Term::NotIn(key.trim().into(), set(rest)?));
    }
    if let Some((key, rest)) = text.split_once(" in ") {
        return Some(Term::In(key.trim().into(), set(rest)?));
    }
    if let Some(key) = text.strip_prefix('!') {
        return Some(Term::Missing(key.trim().into()));
    }
    (!text.contains(['(', ')', ' '])).then(|| Term::Exists(text.into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn selectors_select_as_kubernetes_does() {
        let pod = json!({ "metadata": { "name": "a", "labels": { "app": "x", "tier": "web" } }, "status": { "phase": "Running" } });
        let cases = [
            ("", "", true),
            ("app=x", "", true),
            ("app==x,tier!=db", "", true),
            ("app in (x, y),!gone", "", true),
            ("app notin (x)", "", false),
            ("tier", "", true),
            ("gone", "", false),
            ("", "metadata.name=a,status.phase!=Pending", true),
            ("", "spec.nodeName=b", false),
        ];
        for (labels, fields, selected) in cases {
            assert_eq!(Selector::parse(labels, fields).unwrap().matches(&pod), selected, "{labels} {fields}");
        }
        assert!(Selector::parse("app in x", "").is_err());
    }
}
