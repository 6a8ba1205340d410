//! What a playbook knows of the incident: happenings, folded into named facts that expressions ask for.
//!
//! The room knows nothing of `incident/`; whoever knows both translates an event into a [`Happening`].

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::value::{Type, Value};

/// Something that happened, as far as playbooks care.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Happening {
    /// Number of the event in the journal.
    pub seq: u64,
    /// When, by the wall clock.
    pub at: DateTime<Utc>,
    /// What.
    pub what: What,
}

/// What may happen.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "what")]
pub enum What {
    /// The incident was declared.
    Declared,
    /// A person wrote a note.
    Noted,
    /// A container died.
    Died,
    /// A rollout was seen in the workload's history.
    ChangeSeen,
    /// Preflight gave its answer ("OK", "RISKY", "WILL BE KILLED").
    Assessed {
        /// The risk, in preflight's word.
        risk: String,
    },
    /// An act on the cluster was done.
    ActDone {
        /// Its name in the list of acts.
        act: String,
    },
    /// An act on the cluster failed.
    ActFailed {
        /// Its name in the list of acts.
        act: String,
    },
    /// Memory before and after an act was compared.
    EffectMeasured {
        /// Whether it helped; `None`: too early to say, which proves nothing.
        helped: Option<bool>,
    },
    /// A capture ended.
    CaptureEnded {
        /// Whether the file is whole.
        complete: bool,
        /// The life of the process it shows, however the caller names it; `None` when it is not known.
        process: Option<String>,
    },
    /// Files were analysed.
    Analysed {
        /// Whether a leak was named.
        leak: bool,
        /// How many snapshots were compared.
        snapshots: u32,
    },
    /// The age of the suspect's code is known.
    CodeAged,
    /// The cut-off came.
    CutoffReached,
    /// The cut-off's question was answered.
    Decided {
        /// `deep` or `extend`.
        answer: String,
    },
    /// A post reached a channel.
    PostSent {
        /// `declared`, `update`, `long_notice`, `escalation`, `resolved`.
        post: String,
    },
    /// A hypothesis was opened.
    HypothesisOpened,
    /// A hypothesis was closed.
    HypothesisClosed,
    /// A step got its tick in the journal.
    Ticked {
        /// Name of the playbook.
        playbook: String,
        /// Id of the step.
        step: String,
        /// By hand, by skipping, or by an event that was seen before.
        how: TickedHow,
    },
    /// The incident was resolved.
    Resolved,
    /// A postmortem was exported.
    Exported,
}

/// How a step came to its tick in the journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "how")]
pub enum TickedHow {
    /// The event did what the step asks for.
    ByEvent {
        /// That event.
        seq: u64,
    },
    /// A person ticked it.
    ByHand,
    /// A person skipped it.
    Skipped {
        /// Why.
        reason: String,
    },
}

/// Facts that expressions may ask for: name, type, what it says.
pub const FACTS: &[(&str, Type, &str)] = &[
    ("declared", Type::Bool, "the incident is declared"),
    ("elapsed", Type::Span, "time since the declaration"),
    ("deaths", Type::Number, "containers that died"),
    ("changes_seen", Type::Number, "rollouts seen in the workload's history"),
    ("assessed", Type::Bool, "preflight gave an answer"),
    ("risk", Type::Text, "preflight's last answer: OK, RISKY, WILL BE KILLED"),
    ("acts", Type::Number, "acts done on the cluster"),
    ("acts_failed", Type::Number, "acts that failed"),
    ("reverts", Type::Number, "rollbacks done"),
    ("effects_measured", Type::Number, "acts whose effect on memory was measured"),
    ("helped", Type::Bool, "an act helped, measured"),
    ("captures", Type::Number, "whole heap snapshots"),
    ("captures_failed", Type::Number, "captures that gave no whole file"),
    ("captures_of_one_process", Type::Number, "most whole snapshots of one process (a pair needs 2)"),
    ("analysed", Type::Bool, "an analysis ended"),
    ("leak_found", Type::Bool, "an analysis named a leak"),
    ("compared", Type::Bool, "an analysis compared two or more snapshots"),
    ("code_aged", Type::Bool, "the age of the suspect's code is known"),
    ("cutoff_reached", Type::Bool, "the cut-off came"),
    ("decided", Type::Text, "the last answer at the cut-off: deep, extend, or empty"),
    ("deep", Type::Bool, "quick fixes ended: deep root-cause analysis"),
    ("posts", Type::Number, "posts that reached a channel"),
    ("long_notice_sent", Type::Bool, "the LONG notice reached a channel"),
    ("notes", Type::Number, "notes written"),
    ("hypotheses_open", Type::Number, "hypotheses not yet closed"),
    ("resolved", Type::Bool, "the incident is resolved"),
    ("exported", Type::Bool, "a postmortem was exported"),
];

/// The facts so far.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Facts {
    values: BTreeMap<String, Value>,
    declared_at: Option<DateTime<Utc>>,
    processes: BTreeMap<String, u32>,
}

impl Facts {
    /// The value of the fact or variable `name`.
    pub fn get(&self, name: &str) -> Option<Value> {
        self.values.get(name).cloned()
    }

    /// Sets a variable's value, or a fact that the caller knows better.
    pub fn set(&mut self, name: impl Into<String>, value: Value) {
        self.values.insert(name.into(), value);
    }

    /// Moves `elapsed` on to `now`.
    pub(super) fn pass(&mut self, now: DateTime<Utc>) {
        if let Some(from) = self.declared_at {
            let elapsed = (now - from).to_std().unwrap_or(Duration::ZERO);
            self.set("elapsed", Value::Span(elapsed));
        }
    }

    /// Takes in what happened.
    pub(super) fn fold(&mut self, happening: &Happening) {
        match &happening.what {
            What::Declared => {
                self.declared_at = Some(happening.at);
                self.yes("declared");
            }
            What::Noted => self.count("notes", 1.0),
            What::Died => self.count("deaths", 1.0),
            What::ChangeSeen => self.count("changes_seen", 1.0),
            What::Assessed { risk } => {
                self.yes("assessed");
                self.set("risk", Value::Text(risk.clone()));
            }
            What::ActDone { act } => {
                self.count("acts", 1.0);
                if act == "rollback" {
                    self.count("reverts", 1.0);
                }
            }
            What::ActFailed { .. } => self.count("acts_failed", 1.0),
            What::EffectMeasured { helped } => {
                if let Some(helped) = helped {
                    self.count("effects_measured", 1.0);
                    if *helped {
                        self.yes("helped");
                    }
                }
            }
            What::CaptureEnded { complete, process } => self.captured(*complete, process.as_deref()),
            What::Analysed { leak, snapshots } => {
                self.yes("analysed");
                if *leak {
                    self.yes("leak_found");
                }
                if *snapshots >= 2 {
                    self.yes("compared");
                }
            }
            What::CodeAged => self.yes("code_aged"),
            What::CutoffReached => self.yes("cutoff_reached"),
            What::Decided { answer } => {
                self.set("decided", Value::Text(answer.clone()));
                self.set("deep", Value::Bool(answer == "deep"));
            }
            What::PostSent { post } => {
                self.count("posts", 1.0);
                if post == "long_notice" {
                    self.yes("long_notice_sent");
                }
            }
            What::HypothesisOpened => self.count("hypotheses_open", 1.0),
            What::HypothesisClosed => self.count("hypotheses_open", -1.0),
            What::Ticked { .. } => {}
            What::Resolved => self.yes("resolved"),
            What::Exported => self.yes("exported"),
        }
    }

    fn captured(&mut self, complete: bool, process: Option<&str>) {
        if !complete {
            return self.count("captures_failed", 1.0);
        }
        self.count("captures", 1.0);
        if let Some(process) = process {
            let seen = self.processes.entry(process.to_owned()).or_insert(0);
            *seen += 1;
            let most = self.processes.values().copied().max().unwrap_or(0);
            self.set("captures_of_one_process", Value::Number(f64::from(most)));
        }
    }

    fn yes(&mut self, name: &str) {
        self.set(name, Value::Bool(true));
    }

    fn count(&mut self, name: &str, by: f64) {
        let before = match self.values.get(name) {
            Some(Value::Number(n)) => *n,
            _ => 0.0,
        };
        self.set(name, Value::Number((before + by).max(0.0)));
    }
}
