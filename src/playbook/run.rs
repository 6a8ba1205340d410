//! A playbook under way, as a fold over happenings: steps tick themselves when the matching thing happens, wherever it
//! was started from. Nothing here acts; the run only says what is done, what is next, and what that asks for.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;

use super::expr::Expr;
use super::facts::{Facts, Happening, TickedHow, What};
use super::model::{Ask, Phase, Playbook, Step};
use super::steps::{self, Answer};
use super::value::{Type, Value};
use crate::base::parse_span;

/// Where a run of one playbook stands. Small, and the same for the same happenings.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Run {
    playbook: String,
    facts: Facts,
    progress: BTreeMap<String, Progress>,
    /// Index of the step from which the next one is looked for.
    cursor: usize,
    current: Option<Current>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize)]
struct Progress {
    settled: Option<Settled>,
    failures: u32,
    timed_out: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
struct Settled {
    how: DoneBy,
    at: DateTime<Utc>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
struct Current {
    step: String,
    since: DateTime<Utc>,
}

/// What settled a step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "by")]
pub enum DoneBy {
    /// The event of this number.
    Event {
        /// Its number.
        seq: u64,
    },
    /// Time that passed.
    Time,
    /// A person's hand.
    Hand,
    /// A person skipped it.
    Skip {
        /// Why.
        reason: String,
    },
}

/// A step that ticked itself just now: the caller journals it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Ticked {
    /// Id of the step.
    pub step: String,
    /// What did it.
    pub by: DoneBy,
}

/// How a step stands in the checklist.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum StepState {
    /// Still to come.
    Open,
    /// The next one.
    Current,
    /// Done.
    Done {
        /// What did it.
        by: DoneBy,
    },
    /// Skipped.
    Skipped {
        /// Why.
        reason: String,
    },
    /// Its `when` does not hold.
    NotNeeded,
    /// Tried and failed for good; still to be done or skipped.
    Failed {
        /// How often it failed.
        times: u32,
    },
}

/// One line of the checklist.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row<'a> {
    /// Title of the phase.
    pub phase: &'a str,
    /// Id of the step.
    pub id: &'a str,
    /// Title of the step.
    pub title: &'a str,
    /// How it stands.
    pub state: StepState,
    /// Whether it is the next one (a failed step may be next, too).
    pub next: bool,
    /// When its timebox is over, while it is next.
    pub due: Option<DateTime<Utc>>,
    /// What it asks for; variables are not filled in.
    pub ask: &'a Ask,
    /// Everything else.
    pub step: &'a Step,
}

impl Run {
    /// A run of `book` before anything happened, variables at their defaults.
    pub fn new(book: &Playbook) -> Self {
        let mut facts = Facts::default();
        for var in &book.vars {
            facts.set(&var.name, var.default.clone());
        }
        let mut run = Self { playbook: book.name.clone(), facts, progress: BTreeMap::new(), cursor: 0, current: None };
        run.advance(book, DateTime::<Utc>::UNIX_EPOCH);
        run
    }

    /// Name of the playbook.
    pub fn playbook(&self) -> &str {
        &self.playbook
    }

    /// The facts so far.
    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// Sets the variable `name` from text.
    ///
    /// # Errors
    /// When there is no such variable, or the text is no value of it; says what is allowed.
    pub fn set(&mut self, book: &Playbook, name: &str, text: &str) -> Result<(), String> {
        let Some(var) = book.vars.iter().find(|var| var.name == name) else {
            let known: Vec<&str> = book.vars.iter().map(|var| var.name.as_str()).collect();
            return Err(format!("{} has no variable `{name}`; known are {}", book.name, known.join(", ")));
        };
        let value = match var.kind {
            Type::Text => Some(Value::Text(text.to_owned())),
            Type::Number => text.parse().ok().filter(|n: &f64| n.is_finite()).map(Value::Number),
            Type::Bool => text.parse().ok().map(Value::Bool),
            Type::Span => parse_span(text).map(Value::Span),
        };
        let value = value.ok_or_else(|| format!("`{text}` is not {}", var.kind.word()))?;
        if !var.choices.is_empty() && !var.choices.contains(&value) {
            let allowed: Vec<String> = var.choices.iter().map(ToString::to_string).collect();
            return Err(format!("`{text}` is none of {}", allowed.join(", ")));
        }
        self.facts.set(name, value);
        Ok(())
    }

    /// Takes in what happened; gives the steps that ticked themselves by it.
    pub fn tick(&mut self, book: &Playbook, happening: &Happening) -> Vec<Ticked> {
        self.facts.fold(happening);
        self.facts.pass(happening.at);
        let mut ticked = Vec::new();
        if let What::Ticked { playbook, step, how } = &happening.what {
            if *playbook == self.playbook && book.step(step).is_some() {
                let by = match how {
                    TickedHow::ByEvent { seq } => DoneBy::Event { seq: *seq },
                    TickedHow::ByHand => DoneBy::Hand,
                    TickedHow::Skipped { reason } => DoneBy::Skip { reason: reason.clone() },
                };
                self.settle(book, step, by, happening.at);
            }
        } else {
            self.answer(book, happening, &mut ticked);
        }
        self.conditions(book, &DoneBy::Event { seq: happening.seq }, happening.at, &mut ticked);
        self.advance(book, happening.at);
        ticked
    }

    /// Takes in that time passed; gives the steps that ticked themselves by it. Waits end here, timeouts come here.
    pub fn pass(&mut self, book: &Playbook, now: DateTime<Utc>) -> Vec<Ticked> {
        self.facts.pass(now);
        let mut ticked = Vec::new();
        self.conditions(book, &DoneBy::Time, now, &mut ticked);
        self.advance(book, now);
        if let Some((step, since)) = self.current_step(book) {
            let passed = |d: Option<std::time::Duration>| d.is_some_and(|d| (now - since).to_std().is_ok_and(|gone| gone >= d));
            let waited = matches!(&step.ask, Ask::Wait { lasts, .. } if passed(*lasts));
            if waited {
                let id = step.id.clone();
                self.settle(book, &id, DoneBy::Time, now);
                ticked.push(Ticked { step: id, by: DoneBy::Time });
                self.advance(book, now);
            } else if passed(step.timeout) {
                let (id, target) = (step.id.clone(), step.on_timeout.clone());
                let progress = self.progress.entry(id).or_default();
                if !progress.timed_out {
                    progress.timed_out = true;
                    self.jump(book, target.as_deref(), now);
                }
            }
        }
        ticked
    }

    /// The checklist: every step, in order.
    pub fn checklist<'a>(&self, book: &'a Playbook) -> Vec<Row<'a>> {
        let next = self.current.as_ref().map(|c| c.step.as_str());
        let row = |(phase, step): (&'a Phase, &'a Step)| {
            let is_next = next == Some(step.id.as_str());
            let since = self.current.as_ref().filter(|_| is_next).map(|c| c.since);
            let timebox = step.timebox.and_then(|d| TimeDelta::from_std(d).ok());
            let due = since.filter(|at| *at > DateTime::<Utc>::UNIX_EPOCH).zip(timebox).map(|(at, d)| at + d);
            Row { phase: &phase.title, id: &step.id, title: &step.title, state: self.state(step), next: is_next, due, ask: &step.ask, step }
        };
        book.steps().map(row).collect()
    }

    /// The step to do now; `None` when all is done.
    pub fn next<'a>(&self, book: &'a Playbook) -> Option<&'a Step> {
        self.current.as_ref().and_then(|c| book.step(&c.step))
    }

    /// Steps settled and steps needed, for "7 of 19".
    pub fn done(&self, book: &Playbook) -> (usize, usize) {
        let needed = book.steps().filter(|(_, step)| self.settled(step).is_some() || self.needed(step));
        needed.fold((0, 0), |(done, all), (_, step)| (done + usize::from(self.settled(step).is_some()), all + 1))
    }

    /// What `step` asks for, variables filled in.
    pub fn ask(&self, step: &Step) -> Ask {
        match &step.ask {
            Ask::Act { act, args } => Ask::Act { act: act.clone(), args: args.iter().map(|(k, v)| (k.clone(), self.filled(v))).collect() },
            Ask::Command { argv } => Ask::Command { argv: argv.iter().map(|a| self.filled(a)).collect() },
            other => other.clone(),
        }
    }

    fn filled(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${") {
            out.push_str(before);
            let Some((name, tail)) = after.split_once('}') else {
                rest = &rest[before.len()..];
                break;
            };
            if let Some(value) = self.facts.get(name) {
                out.push_str(&value.to_string());
            }
            rest = tail;
        }
        out.push_str(rest);
        out
    }

    fn state(&self, step: &Step) -> StepState {
        let progress = self.progress.get(&step.id);
        match progress.and_then(|p| p.settled.as_ref()) {
            Some(Settled { how: DoneBy::Skip { reason }, .. }) => StepState::Skipped { reason: reason.clone() },
            Some(Settled { how, .. }) => StepState::Done { by: how.clone() },
            None if !self.needed(step) => StepState::NotNeeded,
            None => match progress.map(|p| p.failures) {
                Some(times) if times > step.retry.map_or(0, |r| r.max) => StepState::Failed { times },
                _ if self.current.as_ref().is_some_and(|c| c.step == step.id) => StepState::Current,
                _ => StepState::Open,
            },
        }
    }

    fn settled(&self, step: &Step) -> Option<&Settled> {
        self.progress.get(&step.id)?.settled.as_ref()
    }

    fn needed(&self, step: &Step) -> bool {
        step.when.as_ref().is_none_or(|expr| self.holds(expr))
    }

    fn holds(&self, expr: &Expr) -> bool {
        expr.holds(&|name| self.facts.get(name))
    }

    fn open(&self, step: &Step) -> bool {
        self.settled(step).is_none() && self.needed(step)
    }

    fn current_step<'a>(&self, book: &'a Playbook) -> Option<(&'a Step, DateTime<Utc>)> {
        let current = self.current.as_ref()?;
        Some((book.step(&current.step)?, current.since))
    }

    /// One happening ticks one step of a kind at most: the current one if it fits, else the first open one. A note ticks
    /// only a step that is next, since notes are written all the time.
    fn answer(&mut self, book: &Playbook, happening: &Happening, ticked: &mut Vec<Ticked>) {
        let current = self.current_step(book).map(|(step, _)| step);
        let in_order = current.into_iter().chain(book.steps().map(|(_, step)| step));
        let mut hit: Option<(&Step, Answer)> = None;
        for step in in_order.filter(|step| step.done_when.is_none() && self.open(step)) {
            if matches!(step.ask, Ask::Note { .. }) && current != Some(step) {
                continue;
            }
            let answer = (steps::of(&step.ask).ticks)(&step.ask, &happening.what);
            if answer != Answer::No {
                hit = Some((step, answer));
                break;
            }
        }
        match hit {
            Some((step, Answer::Done)) => {
                let by = DoneBy::Event { seq: happening.seq };
                self.settle(book, &step.id, by.clone(), happening.at);
                ticked.push(Ticked { step: step.id.clone(), by });
            }
            Some((step, Answer::Failed)) => {
                let progress = self.progress.entry(step.id.clone()).or_default();
                progress.failures += 1;
                if progress.failures > step.retry.map_or(0, |r| r.max) {
                    self.jump(book, step.on_failure.as_deref(), happening.at);
                }
            }
            Some((_, Answer::No)) | None => {}
        }
    }

    fn conditions(&mut self, book: &Playbook, by: &DoneBy, at: DateTime<Utc>, ticked: &mut Vec<Ticked>) {
        for (_, step) in book.steps() {
            let until = match &step.ask {
                Ask::Wait { until, .. } => until.as_ref(),
                _ => None,
            };
            let holds = [step.done_when.as_ref(), until].into_iter().flatten().any(|expr| self.holds(expr));
            if holds && self.open(step) {
                self.settle(book, &step.id, by.clone(), at);
                ticked.push(Ticked { step: step.id.clone(), by: by.clone() });
            }
        }
    }

    fn settle(&mut self, book: &Playbook, id: &str, how: DoneBy, at: DateTime<Utc>) {
        let was_current = self.current.as_ref().is_some_and(|c| c.step == id);
        let skipped = matches!(how, DoneBy::Skip { .. });
        let progress = self.progress.entry(id.to_owned()).or_default();
        if progress.settled.is_some() {
            return;
        }
        progress.settled = Some(Settled { how, at });
        if was_current && !skipped {
            let target = book.step(id).and_then(|step| step.on_success.as_deref());
            self.jump(book, target, at);
        }
    }

    /// The next step is looked for from `target` on; a step that is jumped to is open again.
    fn jump(&mut self, book: &Playbook, target: Option<&str>, now: DateTime<Utc>) {
        let Some(target) = target else { return };
        if let Some(index) = book.steps().position(|(_, step)| step.id == target) {
            self.progress.remove(target);
            self.cursor = index;
            self.advance(book, now);
        }
    }

    fn advance(&mut self, book: &Playbook, now: DateTime<Utc>) {
        let next = book.steps().skip(self.cursor).chain(book.steps()).map(|(_, step)| step).find(|step| self.open(step));
        let Some(next) = next else {
            self.current = None;
            return;
        };
        if self.current.as_ref().is_none_or(|c| c.step != next.id) {
            self.current = Some(Current { step: next.id.clone(), since: now });
        }
    }
}
