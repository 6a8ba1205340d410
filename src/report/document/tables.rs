//! The tables of a postmortem.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Claim, claim, is_person};
use crate::base::{Masked, clock};
use crate::incident::{ActOutcome, ActRecord, Actor, Audience, Kind, State};
use crate::report::event::{Class, event_line};
use crate::report::words::{between, effect, effect_word, iso, t_plus};

/// A line of the timeline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct EventRow {
    /// Number in the journal.
    pub seq: u64,
    /// When, UTC.
    pub time: String,
    /// When, from the declaration.
    pub t: String,
    /// Who.
    pub who: String,
    /// What it is about.
    pub class: &'static str,
    /// What happened.
    pub text: String,
}

/// Events as rows: all of them, or the curated ones, without readings, ticks and deliveries that went well.
pub(super) fn timeline(state: &State, curated: bool) -> Vec<EventRow> {
    let rows = state.timeline.iter().map(|event| (event, event_line(event)));
    let wanted = rows.filter(|(event, line)| {
        let dull =
            matches!(line.class, Class::Quiet | Class::Step) || matches!(event.kind, Kind::PostSent { .. } | Kind::StageReached { .. });
        !curated || !dull
    });
    wanted
        .map(|(event, line)| EventRow {
            seq: event.seq,
            time: iso(event.at.wall),
            t: t_plus(state, event.at.wall),
            who: event.actor.to_string(),
            class: line.class.word(),
            text: line.text.to_string(),
        })
        .collect()
}

/// Memory of one container.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MemoryRow {
    /// Container.
    pub container: String,
    /// First, highest and last reading.
    pub first: String,
    /// Highest.
    pub peak: String,
    /// Last.
    pub last: String,
    /// Limit at the end.
    pub limit: String,
    /// Deaths of the container.
    pub deaths: usize,
}

pub(super) fn memory(state: &State) -> Vec<MemoryRow> {
    let row = |(container, series): (&crate::base::ContainerRef, &crate::incident::MemorySeries)| {
        let (first, last) = (series.first()?, series.last()?);
        let peak = series.iter().map(|p| p.used).max()?;
        Some(MemoryRow {
            container: container.to_string(),
            first: first.used.binary(),
            peak: peak.binary(),
            last: last.used.binary(),
            limit: last.limit.map_or_else(|| "none".to_owned(), crate::base::Bytes::binary),
            deaths: state.deaths.iter().filter(|d| d.container == *container).count(),
        })
    };
    state.memory.iter().filter_map(row).collect()
}

/// A hypothesis.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HypothesisRow {
    /// What was believed.
    pub statement: String,
    /// When it was opened.
    pub opened: String,
    /// Minutes it was given, and how long it took.
    pub time: String,
    /// `held`, `disproved`, `open`.
    pub verdict: &'static str,
    /// What showed it.
    pub evidence: String,
    /// Its events.
    pub refs: String,
}

pub(super) fn hypotheses(state: &State) -> Vec<HypothesisRow> {
    let row = |h: &crate::incident::Hypothesis| {
        let took = h.closed.as_ref().map_or_else(String::new, |end| format!(", took {}", between(h.mark.at, end.mark.at)));
        HypothesisRow {
            statement: h.statement.to_string(),
            opened: t_plus(state, h.mark.at),
            time: format!("{} min{took}", h.timebox_minutes),
            verdict: h.closed.as_ref().map_or("open", |end| if end.held { "held" } else { "disproved" }),
            evidence: h.closed.as_ref().map_or_else(String::new, |end| end.evidence.to_string()),
            refs: claim("", std::iter::once(h.mark.seq).chain(h.closed.as_ref().map(|end| end.mark.seq))).refs,
        }
    };
    state.hypotheses.iter().map(row).collect()
}

/// A change of the cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ActRow {
    /// When it was intended.
    pub t: String,
    /// What it is, of what, with which arguments.
    pub what: String,
    /// Who.
    pub who: String,
    /// What came of it.
    pub result: String,
    /// Slopes before and after, in words.
    pub effect: String,
    /// Its events.
    pub refs: String,
}

/// An act in one sentence.
pub(super) fn act_sentence(act: &ActRecord) -> String {
    let result = match &act.outcome {
        ActOutcome::Done { receipt, .. } => receipt.summary.to_string(),
        ActOutcome::Failed { why, .. } => format!("failed: {why}"),
        ActOutcome::Pending => "outcome not recorded".to_owned(),
    };
    let effect = act.effect.map_or_else(|| "effect not measured".to_owned(), |change| effect_word(change.effect).to_owned());
    format!("{}: {result} ({effect})", what(act))
}

fn what(act: &ActRecord) -> String {
    let target = &act.request.target;
    let args = act.request.args.iter().filter(|(name, _)| !name.contains("ersion"));
    let args: Vec<String> = args.map(|(name, value)| format!(" {name} {value}")).collect();
    Masked::from(format!("{} {} {}/{}{}", act.request.act, target.kind, target.namespace, target.name, args.concat())).to_string()
}

pub(super) fn acts(state: &State) -> Vec<ActRow> {
    let row = |act: &ActRecord| {
        let (result, end) = match &act.outcome {
            ActOutcome::Done { mark, receipt } => (receipt.summary.to_string(), Some(mark.seq)),
            ActOutcome::Failed { mark, why } => (format!("failed: {why}"), Some(mark.seq)),
            ActOutcome::Pending => ("TODO: outcome not recorded".to_owned(), None),
        };
        let undone = act.undone_by.map_or_else(String::new, |by| format!("; taken back by #{by}"));
        ActRow {
            t: t_plus(state, act.mark.at),
            what: what(act),
            who: act.mark.by.to_string(),
            result: format!("{result}{undone}"),
            effect: act.effect.as_ref().map_or_else(|| "not measured".to_owned(), effect),
            refs: claim("", std::iter::once(act.mark.seq).chain(end)).refs,
        }
    };
    state.acts.iter().map(row).collect()
}

/// A rollout that was seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RolloutRow {
    /// Workload and revision.
    pub what: String,
    /// Image.
    pub image: String,
    /// Age at the declaration, or `unknown`.
    pub age: String,
    /// Change cause.
    pub cause: String,
    /// Its event.
    pub refs: String,
}

pub(super) fn rollouts(state: &State) -> Vec<RolloutRow> {
    let row = |r: &crate::incident::Rollout| RolloutRow {
        what: format!("{} revision {}", r.workload, r.revision),
        image: r.image.to_string(),
        age: r.made.map_or_else(
            || "unknown".to_owned(),
            |made| {
                if made <= state.declared.wall {
                    format!("{} before the declaration", between(made, state.declared.wall))
                } else {
                    t_plus(state, made)
                }
            },
        ),
        cause: r.cause.as_ref().map(ToString::to_string).unwrap_or_default(),
        refs: claim("", [r.mark.seq]).refs,
    };
    state.rollouts.iter().map(row).collect()
}

/// A post.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PostRow {
    /// When it was queued.
    pub time: String,
    /// From the declaration.
    pub t: String,
    /// What it is.
    pub kind: &'static str,
    /// Who it is for.
    pub audience: &'static str,
    /// Channels and what became of it on each.
    pub result: String,
    /// The words.
    pub text: String,
    /// Its event.
    pub refs: String,
}

pub(super) fn posts(state: &State) -> Vec<PostRow> {
    let row = |record: &crate::incident::PostRecord| {
        let fate = |(channel, d): (&Masked, &crate::incident::Delivery)| match (&d.sent, &d.failed, d.given_up) {
            (Some((_, answer)), _, _) => format!("{channel}: {answer}"),
            (None, Some((_, why)), true) => format!("{channel}: GIVEN UP after {} tries, {why}", d.tries),
            (None, Some((_, why)), false) => format!("{channel}: not yet, {why}"),
            (None, None, _) => format!("{channel}: not sent"),
        };
        let fates: Vec<String> = record.deliveries.iter().map(fate).collect();
        PostRow {
            time: iso(record.mark.at),
            t: t_plus(state, record.mark.at),
            kind: crate::report::posts::name(record.post.kind),
            audience: if record.post.audience == Audience::Users { "users" } else { "team" },
            result: if fates.is_empty() { "said by hand".to_owned() } else { fates.join("; ") },
            text: record.post.text.to_string(),
            refs: claim("", [record.mark.seq]).refs,
        }
    };
    state.posts.iter().map(row).collect()
}

/// Somebody who took part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Responder {
    /// Name.
    pub who: String,
    /// Events by them.
    pub events: usize,
    /// First and last.
    pub span: String,
}

pub(super) fn responders(state: &State) -> Vec<Responder> {
    let mut seen: BTreeMap<&Actor, (usize, chrono::DateTime<chrono::Utc>, chrono::DateTime<chrono::Utc>)> = BTreeMap::new();
    for event in state.timeline.iter().filter(|e| is_person(&e.actor)) {
        let at = event.at.wall;
        let entry = seen.entry(&event.actor).or_insert((0, at, at));
        *entry = (entry.0 + 1, entry.1.min(at), entry.2.max(at));
    }
    let span = |from, to| format!("{} – {}", t_plus(state, from), t_plus(state, to));
    seen.into_iter().map(|(who, (events, from, to))| Responder { who: who.to_string(), events, span: span(from, to) }).collect()
}

pub(super) fn calls(state: &State) -> Vec<Claim> {
    let acts = state.acts.iter().map(|act| (act.mark.at, claim(act.call.to_string(), [act.mark.seq])));
    let captures = state.captures.iter().filter_map(|c| {
        let run = c.provenance.as_ref().map(|p| p.command.to_string()).filter(|command| !command.is_empty())?;
        Some((c.mark.at, claim(format!("in the pod: {run}"), [c.mark.seq])))
    });
    let mut all: Vec<(chrono::DateTime<chrono::Utc>, Claim)> = acts.chain(captures).collect();
    all.sort_by_key(|(at, _)| *at);
    let t = |at: chrono::DateTime<chrono::Utc>| clock((at - state.declared.wall).to_std().unwrap_or_default());
    all.into_iter().map(|(at, c)| Claim { text: format!("T+{}  {}", t(at), c.text), refs: c.refs }).collect()
}
