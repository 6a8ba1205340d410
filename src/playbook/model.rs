//! A playbook that was read: phases of steps, each with what it asks for. Data only.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use super::expr::Expr;
use super::problem::Pos;
use super::value::{Type, Value};

/// A procedure for one kind of outage.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Playbook {
    /// Name, unique among the playbooks: `node-heap-oom`.
    pub name: String,
    /// One line for people.
    pub title: String,
    /// When to use it and what it does, markdown.
    pub summary: String,
    /// Words in logs and reasons of deaths that tell that it fits.
    pub applies_to: Vec<String>,
    /// Variables, in the order of the file.
    pub vars: Vec<Var>,
    /// Phases, in the order in which they are gone through.
    pub phases: Vec<Phase>,
}

/// A variable that a person may set before or during the run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Var {
    /// Name, used in expressions and as `${name}` in arguments.
    pub name: String,
    /// Type of its values.
    pub kind: Type,
    /// Its value when nobody sets one.
    pub default: Value,
    /// The only values allowed, if not empty.
    pub choices: Vec<Value>,
    /// What it is for.
    pub help: String,
    /// Where it is written.
    pub pos: Pos,
}

/// Steps that belong together.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Phase {
    /// Id, unique in the playbook.
    pub id: String,
    /// Title.
    pub title: String,
    /// Its steps.
    pub steps: Vec<Step>,
}

/// What a step may do to the cluster.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Risk {
    /// It only reads.
    #[default]
    Read,
    /// It changes something that goes on running.
    Write,
    /// It may stop a pod or restart the workload.
    Disruptive,
}

/// How often a step is tried again after a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Retry {
    /// Tries after the first.
    pub max: u32,
    /// Wait before each.
    pub delay: Duration,
}

/// One step of a playbook.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Step {
    /// Id, unique in the playbook.
    pub id: String,
    /// Imperative, short: fits 40 columns.
    pub title: String,
    /// How to do it and how to judge it, markdown.
    pub details: String,
    /// What it asks for.
    pub ask: Ask,
    /// The step is needed only if this holds.
    pub when: Option<Expr>,
    /// The step ticks itself when this holds, whatever its kind.
    pub done_when: Option<Expr>,
    /// What it may do.
    pub risk: Risk,
    /// Whether a person must say yes before it is done.
    pub confirm: bool,
    /// How long it should take; over it, the checklist says so.
    pub timebox: Option<Duration>,
    /// How long it may take; over it, `on_timeout` is next.
    pub timeout: Option<Duration>,
    /// Tries after a failure.
    pub retry: Option<Retry>,
    /// How to take it back, in words.
    pub undo: String,
    /// What to keep as evidence of it.
    pub evidence: Vec<String>,
    /// View that shows what the step is about.
    pub opens: Option<String>,
    /// Id of the step that is next when this one is done.
    pub on_success: Option<String>,
    /// Id of the step that is next when it failed for good.
    pub on_failure: Option<String>,
    /// Id of the step that is next when its timeout is over.
    pub on_timeout: Option<String>,
    /// Where it is written.
    pub pos: Pos,
}

/// What a step asks for; a step asks, it never does. One variant for each file of `steps/`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Ask {
    /// Something that a person does outside.
    Manual,
    /// A question to be answered by looking.
    Check {
        /// The question.
        question: String,
    },
    /// A decision among options.
    Decision {
        /// `cutoff`: the decision of the clock. `None`: a decision of this playbook.
        about: Option<String>,
        /// What may be decided.
        options: Vec<String>,
    },
    /// An approval: what follows waits for it.
    Gate {
        /// What is approved.
        approve: String,
        /// Who may approve, in words.
        by: String,
    },
    /// A wait for time or for a condition.
    Wait {
        /// For so long, from when the step is next.
        lasts: Option<Duration>,
        /// Until this holds.
        until: Option<Expr>,
    },
    /// A note for the timeline.
    Note {
        /// What to write about.
        prompt: String,
    },
    /// A post to people outside.
    Notify {
        /// `declared`, `update`, `long_notice`, `escalation`, `resolved`.
        post: String,
        /// `users` or `team`.
        audience: String,
    },
    /// An act on the cluster.
    Act {
        /// Name in the list of acts.
        act: String,
        /// Arguments by name; `${var}` stands for a variable.
        args: BTreeMap<String, String>,
    },
    /// A heap snapshot.
    Capture {
        /// Name in the list of methods; `auto` leaves the choice to preflight.
        method: String,
    },
    /// An analysis of captured snapshots.
    Analyse {
        /// Whether two or more snapshots must be compared.
        compare: bool,
    },
    /// A command on the operator's machine. Off unless the config allows it.
    Command {
        /// Program and arguments; no shell. `${var}` stands for a variable.
        argv: Vec<String>,
    },
}

impl Playbook {
    /// All steps with their phase, in order.
    pub fn steps(&self) -> impl Iterator<Item = (&Phase, &Step)> {
        self.phases.iter().flat_map(|phase| phase.steps.iter().map(move |step| (phase, step)))
    }

    /// The step `id`.
    pub fn step(&self, id: &str) -> Option<&Step> {
        self.steps().map(|(_, step)| step).find(|step| step.id == id)
    }

    /// Whether a log line or the reason of a death says that this playbook fits.
    pub fn fits(&self, text: &str) -> bool {
        self.applies_to.iter().any(|sign| text.contains(sign.as_str()))
    }
}
