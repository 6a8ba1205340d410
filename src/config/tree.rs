//! A config file as a tree that knows where each key stands; trees are laid over each other, the stronger wins.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};
use serde_saphyr::Spanned;

/// Where a value came from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Origin {
    /// Nobody set it.
    #[default]
    Default,
    /// A file, at line and column from 1.
    File {
        /// The file.
        path: PathBuf,
        /// Line.
        line: u64,
        /// Column.
        column: u64,
    },
    /// An environment variable.
    Env(String),
    /// A flag of the command line.
    Flag(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File { path, line, column } => write!(f, "{}:{line}:{column}", path.display()),
            Self::Env(name) => write!(f, "${name}"),
            Self::Flag(name) => f.write_str(name),
        }
    }
}

/// A value of YAML whose keys know their place.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Node {
    Map(Vec<(String, (u64, u64), Node)>),
    List(Vec<Node>),
    Scalar(Value),
}

struct NodeVisitor;

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NodeVisitor)
    }
}

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_bool<E>(self, v: bool) -> Result<Node, E> {
        Ok(Node::Scalar(Value::Bool(v)))
    }

    fn visit_i64<E>(self, v: i64) -> Result<Node, E> {
        Ok(Node::Scalar(v.into()))
    }

    fn visit_u64<E>(self, v: u64) -> Result<Node, E> {
        Ok(Node::Scalar(v.into()))
    }

    fn visit_f64<E>(self, v: f64) -> Result<Node, E> {
        Ok(Node::Scalar(v.into()))
    }

    fn visit_str<E>(self, v: &str) -> Result<Node, E> {
        Ok(Node::Scalar(Value::String(v.to_owned())))
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Scalar(Value::Null))
    }

    fn visit_none<E>(self) -> Result<Node, E> {
        Ok(Node::Scalar(Value::Null))
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Node, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = seq.next_element()? {
            list.push(item);
        }
        Ok(Node::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        let mut entries = Vec::new();
        while let Some(key) = map.next_key::<Spanned<String>>()? {
            let at = (key.referenced.line(), key.referenced.column());
            entries.push((key.value, at, map.next_value()?));
        }
        Ok(Node::Map(entries))
    }
}

/// All layers so far: the values, and the origin of every key that somebody set.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Layers {
    pub values: Map<String, Value>,
    pub origins: BTreeMap<String, Origin>,
}

impl Layers {
    /// Lays a file's tree over what is there.
    pub(super) fn lay(&mut self, tree: Node, origin: &dyn Fn(u64, u64) -> Origin) {
        if let Node::Map(entries) = tree {
            lay_map(&mut self.values, &mut self.origins, "", entries, origin);
        }
    }

    /// Sets one key.
    pub(super) fn set(&mut self, key: &str, value: Value, origin: Origin) {
        let mut map = &mut self.values;
        let mut steps: Vec<&str> = key.split('.').collect();
        let last = steps.pop().unwrap_or(key);
        for step in steps {
            let entry = map.entry(step).or_insert_with(|| Value::Object(Map::new()));
            if !entry.is_object() {
                *entry = Value::Object(Map::new());
            }
            let Some(inner) = entry.as_object_mut() else { return };
            map = inner;
        }
        map.insert(last.to_owned(), value);
        forget(&mut self.origins, key);
        self.origins.insert(key.to_owned(), origin);
    }

    /// The origin of `key`, or of what it is part of.
    pub(super) fn origin(&self, key: &str) -> Origin {
        let mut key = key;
        loop {
            if let Some(origin) = self.origins.get(key) {
                return origin.clone();
            }
            match key.rfind(['.', '[']) {
                Some(at) => key = &key[..at],
                None => return Origin::Default,
            }
        }
    }
}

fn lay_map(
    values: &mut Map<String, Value>,
    origins: &mut BTreeMap<String, Origin>,
    prefix: &str,
    entries: Vec<(String, (u64, u64), Node)>,
    origin: &dyn Fn(u64, u64) -> Origin,
) {
    for (name, (line, column), node) in entries {
        let key = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
        match node {
            // A key without a value says nothing.
            Node::Scalar(Value::Null) => {}
            Node::Map(inner) => {
                let entry = values.entry(name).or_insert_with(|| Value::Object(Map::new()));
                if !entry.is_object() {
                    *entry = Value::Object(Map::new());
                }
                if let Some(map) = entry.as_object_mut() {
                    lay_map(map, origins, &key, inner, origin);
                }
            }
            // A list replaces the weaker one as a whole: half of two lists is what nobody wrote.
            other => {
                forget(origins, &key);
                origins.insert(key.clone(), origin(line, column));
                note_places(origins, &key, &other, origin);
                values.insert(name, plain(other));
            }
        }
    }
}

fn forget(origins: &mut BTreeMap<String, Origin>, key: &str) {
    let below = |other: &str| other.strip_prefix(key).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']));
    origins.retain(|other, _| !below(other));
}

/// The places of keys inside a list, so that an error there can be shown.
fn note_places(origins: &mut BTreeMap<String, Origin>, key: &str, node: &Node, origin: &dyn Fn(u64, u64) -> Origin) {
    match node {
        Node::List(items) => {
            for (i, item) in items.iter().enumerate() {
                note_places(origins, &format!("{key}[{i}]"), item, origin);
            }
        }
        Node::Map(entries) => {
            for (n, (name, (line, column), inner)) in entries.iter().enumerate() {
                if n == 0 {
                    origins.insert(key.to_owned(), origin(*line, *column));
                }
                let inner_key = format!("{key}.{name}");
                origins.insert(inner_key.clone(), origin(*line, *column));
                note_places(origins, &inner_key, inner, origin);
            }
        }
        Node::Scalar(_) => {}
    }
}

fn plain(node: Node) -> Value {
    match node {
        Node::Map(entries) => Value::Object(entries.into_iter().map(|(name, _, inner)| (name, plain(inner))).collect()),
        Node::List(items) => Value::Array(items.into_iter().map(plain).collect()),
        Node::Scalar(value) => value,
    }
}

/// Changes every text at `pattern` (`a.b[].c`) of a tree.
pub(super) fn change(node: &mut Node, pattern: &str, with: &dyn Fn(&str) -> String) {
    let (step, rest) = pattern.split_once('.').map_or((pattern, ""), |(step, rest)| (step, rest));
    let (name, each) = step.strip_suffix("[]").map_or((step, false), |name| (name, true));
    let Node::Map(entries) = node else { return };
    for (_, _, inner) in entries.iter_mut().filter(|(key, _, _)| key == name) {
        let mut targets: Vec<&mut Node> = match inner {
            Node::List(items) if each => items.iter_mut().collect(),
            other => vec![other],
        };
        for target in &mut targets {
            match target {
                Node::Scalar(Value::String(text)) if rest.is_empty() => *text = with(text),
                other if !rest.is_empty() => change(other, rest, with),
                _ => {}
            }
        }
    }
}
