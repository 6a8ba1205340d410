//! The shape of a playbook's file, as YAML holds it: every key that exists, with its position. Meaning comes later.

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Deserialize;
use serde_saphyr::Spanned;

use super::model::Risk;
use super::problem::Pos;

/// A value with its place in the file.
#[derive(Clone, Debug, Deserialize)]
#[serde(transparent)]
pub(super) struct At<T>(Spanned<T>);

impl<T> At<T> {
    pub(super) fn value(&self) -> &T {
        &self.0.value
    }

    pub(super) fn pos(&self) -> Pos {
        place(&self.0.referenced)
    }
}

/// A location of the YAML reader as a position.
pub(super) fn place(at: &serde_saphyr::Location) -> Pos {
    let number = |n: u64| u32::try_from(n).unwrap_or(u32::MAX);
    Pos { line: number(at.line()), column: number(at.column()) }
}

impl<T: JsonSchema> JsonSchema for At<T> {
    fn inline_schema() -> bool {
        T::inline_schema()
    }

    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
}

/// A playbook: a procedure for one kind of outage.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "cutoff playbook")]
pub(super) struct File {
    /// Version of this format: 1.
    pub version: At<u32>,
    /// Name, unique among the playbooks: letters, digits and `-`.
    pub name: At<String>,
    /// One line for people.
    pub title: At<String>,
    /// When to use it and what it does, markdown.
    #[serde(default)]
    pub summary: String,
    /// Words in logs or reasons of deaths that tell that it fits.
    #[serde(default)]
    pub applies_to: Vec<String>,
    /// Variables by name.
    #[serde(default)]
    pub vars: BTreeMap<String, At<VarFile>>,
    /// Phases, in order.
    pub phases: Vec<PhaseFile>,
}

/// Type of a variable.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum VarType {
    /// Words.
    Text,
    /// A number.
    Number,
    /// Yes or no.
    Bool,
    /// A span of time: 90s, 20m, 2h.
    Span,
}

/// A value of a variable in the file.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(super) enum Scalar {
    /// Yes or no.
    Bool(bool),
    /// A number.
    Number(f64),
    /// Words, or a span.
    Text(String),
}

/// A variable.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct VarFile {
    /// Type of its values.
    #[serde(rename = "type")]
    pub kind: VarType,
    /// Value when nobody sets one.
    #[serde(default)]
    pub default: Option<Scalar>,
    /// The only values allowed.
    #[serde(default)]
    pub choices: Vec<Scalar>,
    /// What it is for.
    #[serde(default)]
    pub help: String,
}

/// Steps that belong together.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PhaseFile {
    /// Id, unique in the playbook.
    pub id: At<String>,
    /// Title.
    pub title: String,
    /// Its steps, in order.
    pub steps: Vec<StepFile>,
}

/// Tries after a failure.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RetryFile {
    /// Tries after the first.
    pub max: u32,
    /// Wait before each: 90s, 20m.
    #[serde(default)]
    pub delay: Option<At<String>>,
}

/// A step. Keys after `on_timeout` belong to certain kinds only.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct StepFile {
    /// Id, unique in the playbook.
    pub id: At<String>,
    /// Imperative, short: fits 40 columns.
    pub title: At<String>,
    /// What kind of step it is.
    pub kind: At<String>,
    /// How to do it and how to judge it, markdown.
    #[serde(default)]
    pub details: String,
    /// The step is needed only if this expression holds.
    #[serde(default)]
    pub when: Option<At<String>>,
    /// The step ticks itself when this expression holds.
    #[serde(default)]
    pub done_when: Option<At<String>>,
    /// What it may do to the cluster.
    #[serde(default)]
    pub risk: Option<At<Risk>>,
    /// Whether a person must say yes first; always so for `write` and `disruptive`.
    #[serde(default)]
    pub confirm: Option<At<bool>>,
    /// How long it should take: 15m.
    #[serde(default)]
    pub timebox: Option<At<String>>,
    /// How long it may take: 15m. Then `on_timeout` is next.
    #[serde(default)]
    pub timeout: Option<At<String>>,
    /// Tries after a failure.
    #[serde(default)]
    pub retry: Option<RetryFile>,
    /// How to take it back, in words.
    #[serde(default)]
    pub undo: String,
    /// What to keep as evidence of it.
    #[serde(default)]
    pub evidence: Vec<String>,
    /// View that shows what the step is about.
    #[serde(default)]
    pub opens: Option<At<String>>,
    /// Step that is next when this one is done.
    #[serde(default)]
    pub on_success: Option<At<String>>,
    /// Step that is next when it failed for good.
    #[serde(default)]
    pub on_failure: Option<At<String>>,
    /// Step that is next when its timeout is over.
    #[serde(default)]
    pub on_timeout: Option<At<String>>,

    /// check: the question to be answered by looking.
    #[serde(default)]
    pub question: Option<At<String>>,
    /// decision: `cutoff`, when it is the clock's decision.
    #[serde(default)]
    pub about: Option<At<String>>,
    /// decision: what may be decided.
    #[serde(default)]
    pub options: Option<At<Vec<String>>>,
    /// gate: what is approved.
    #[serde(default)]
    pub approve: Option<At<String>>,
    /// gate: who may approve, in words.
    #[serde(default)]
    pub by: Option<At<String>>,
    /// wait: for so long.
    #[serde(default, rename = "for")]
    pub lasts: Option<At<String>>,
    /// wait: until this expression holds.
    #[serde(default)]
    pub until: Option<At<String>>,
    /// note: what to write about.
    #[serde(default)]
    pub prompt: Option<At<String>>,
    /// notify: `declared`, `update`, `long_notice`, `escalation`, `resolved`.
    #[serde(default)]
    pub post: Option<At<String>>,
    /// notify: `users` or `team`.
    #[serde(default)]
    pub audience: Option<At<String>>,
    /// act: name of the act on the cluster.
    #[serde(default)]
    pub act: Option<At<String>>,
    /// act: arguments by name; `${var}` stands for a variable.
    #[serde(default)]
    pub args: Option<At<BTreeMap<String, String>>>,
    /// capture: name of the method; `auto` leaves the choice to preflight.
    #[serde(default)]
    pub method: Option<At<String>>,
    /// analyse: whether two or more snapshots must be compared.
    #[serde(default)]
    pub compare: Option<At<bool>>,
    /// command: program and arguments, no shell; `${var}` stands for a variable.
    #[serde(default)]
    pub argv: Option<At<Vec<String>>>,
}

impl StepFile {
    /// The keys that are given and belong to certain kinds only, with their places.
    pub(super) fn given(&self) -> Vec<(&'static str, Pos)> {
        fn of<T>(name: &'static str, key: Option<&At<T>>) -> Option<(&'static str, Pos)> {
            key.map(|at| (name, at.pos()))
        }
        [
            of("question", self.question.as_ref()),
            of("about", self.about.as_ref()),
            of("options", self.options.as_ref()),
            of("approve", self.approve.as_ref()),
            of("by", self.by.as_ref()),
            of("for", self.lasts.as_ref()),
            of("until", self.until.as_ref()),
            of("prompt", self.prompt.as_ref()),
            of("post", self.post.as_ref()),
            of("audience", self.audience.as_ref()),
            of("act", self.act.as_ref()),
            of("args", self.args.as_ref()),
            of("method", self.method.as_ref()),
            of("compare", self.compare.as_ref()),
            of("argv", self.argv.as_ref()),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}
