//! What a postmortem says, worked out from the state: plain strings in the order of the page, each with the numbers of the
//! events that it rests on. Formats only lay it out. Nothing here reads a clock: the same state gives the same document.

mod evidence;
mod judgement;
mod tables;

pub(super) use judgement::exit_criteria;

use serde::Serialize;

use super::words::{between, count, hour, iso, t_plus};
use crate::incident::{Actor, Decision, Kind, Severity, State, intervals};

/// A postmortem. What nobody has recorded is `TODO`, so that it can be found.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Document {
    /// Id of the incident.
    pub id: String,
    /// Title.
    pub title: String,
    /// `SEV1`.
    pub severity: String,
    /// Service.
    pub service: String,
    /// Kubernetes context.
    pub context: String,
    /// Namespace.
    pub namespace: String,
    /// Version of the tool that declared it.
    pub tool: String,
    /// Events in the journal.
    pub events: usize,
    /// Hash of the journal's last line, as the caller gave it.
    pub journal: String,
    /// When the review is due, or `TODO`.
    pub review_by: String,
    /// Two sentences and what was found.
    pub summary: Vec<Claim>,
    /// Rows of the impact table.
    pub impact: Vec<(String, String)>,
    /// Rows of the intervals table.
    pub intervals: Vec<IntervalRow>,
    /// The cut-off's record.
    pub cutoff: CutoffRecord,
    /// What happened, in sentences.
    pub story: Vec<Claim>,
    /// The curated timeline.
    pub timeline: Vec<tables::EventRow>,
    /// Gaps in the record and in the communication.
    pub gaps: Vec<Claim>,
    /// File name of the chart, if there is one.
    pub chart: Option<String>,
    /// Memory per container.
    pub memory: Vec<tables::MemoryRow>,
    /// Hypotheses.
    pub hypotheses: Vec<tables::HypothesisRow>,
    /// What the record proves or disproves about classes of causes.
    pub beliefs: Vec<Claim>,
    /// Changes of the cluster and what came of them.
    pub acts: Vec<tables::ActRow>,
    /// Recent rollouts.
    pub rollouts: Vec<tables::RolloutRow>,
    /// Files of evidence.
    pub evidence: Vec<evidence::EvidenceRow>,
    /// What analysis found.
    pub findings: Vec<evidence::FindingBlock>,
    /// Analyses that named nothing.
    pub nothing: Vec<Claim>,
    /// Contributing factors that the record shows.
    pub factors: Vec<Claim>,
    /// What went well, as far as the record shows it.
    pub well: Vec<Claim>,
    /// What did not.
    pub badly: Vec<Claim>,
    /// How it ended; empty while it is open.
    pub resolution: Vec<Claim>,
    /// Exit criteria: met or not.
    pub exit: Vec<judgement::Criterion>,
    /// Action items that follow from the record.
    pub items: Vec<judgement::ActionItem>,
    /// Posts and their fate.
    pub posts: Vec<tables::PostRow>,
    /// Who did what.
    pub responders: Vec<tables::Responder>,
    /// Open questions.
    pub questions: Vec<Claim>,
    /// Every event.
    pub log: Vec<tables::EventRow>,
    /// Exact calls that were made.
    pub calls: Vec<Claim>,
}

/// A sentence and the events that it rests on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Claim {
    /// The sentence.
    pub text: String,
    /// `#3, #7`; empty where it rests on no single event.
    pub refs: String,
}

/// A claim that rests on `events`.
fn claim(text: impl Into<String>, events: impl IntoIterator<Item = u64>) -> Claim {
    let refs: Vec<String> = events.into_iter().map(|seq| format!("#{seq}")).collect();
    Claim { text: text.into(), refs: refs.join(", ") }
}

/// A row of the intervals.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct IntervalRow {
    /// Short name.
    pub name: String,
    /// From what to what.
    pub means: String,
    /// Its length, or `unknown`.
    pub length: String,
    /// Its two ends, or `unknown`.
    pub ends: String,
}

/// The cut-off's record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CutoffRecord {
    /// When it was planned.
    pub planned: String,
    /// When it was announced; `not reached` if it never was.
    pub announced: String,
    /// Decisions: when, who, what and why.
    pub decisions: Vec<Claim>,
    /// What had been tried before the first decision.
    pub tried: Vec<Claim>,
    /// Escalations.
    pub escalations: Vec<Claim>,
}

/// The document of `state`. `journal` is the hash of the journal's last line, `chart` the file name of the chart.
pub fn document(state: &State, journal: &str, chart: Option<&str>) -> Document {
    Document {
        id: state.id.to_string(),
        title: state.title.to_string(),
        severity: state.severity.to_string(),
        service: state.service.to_string(),
        context: state.context.to_string(),
        namespace: state.namespace.to_string(),
        tool: state.tool.to_string(),
        events: state.timeline.len(),
        journal: journal.to_owned(),
        review_by: review_by(state),
        summary: summary(state),
        impact: impact(state),
        intervals: interval_rows(state),
        cutoff: cutoff(state),
        story: judgement::story(state),
        timeline: tables::timeline(state, true),
        gaps: judgement::gaps(state),
        chart: chart.map(str::to_owned),
        memory: tables::memory(state),
        hypotheses: tables::hypotheses(state),
        beliefs: judgement::belief_claims(state),
        acts: tables::acts(state),
        rollouts: tables::rollouts(state),
        evidence: evidence::rows(state),
        findings: evidence::findings(state),
        nothing: evidence::nothing(state),
        factors: judgement::factors(state),
        well: judgement::well(state),
        badly: judgement::badly(state),
        resolution: resolution(state),
        exit: judgement::exit_criteria(state),
        items: judgement::action_items(state),
        posts: tables::posts(state),
        responders: tables::responders(state),
        questions: judgement::questions(state),
        log: tables::timeline(state, false),
        calls: tables::calls(state),
    }
}

/// Three days for a SEV1, five working days for a SEV2 (PagerDuty), from the end.
fn review_by(state: &State) -> String {
    use chrono::{Datelike, TimeDelta, Weekday};
    let Some(end) = &state.resolved else { return "TODO".to_owned() };
    let mut day = end.mark.at;
    match state.severity {
        Severity::Sev1 => day += TimeDelta::days(3),
        Severity::Sev2 => {
            let mut left = 5;
            while left > 0 {
                day += TimeDelta::days(1);
                left -= i32::from(!matches!(day.weekday(), Weekday::Sat | Weekday::Sun));
            }
        }
        Severity::Sev3 => return "TODO".to_owned(),
    }
    day.format("%Y-%m-%d").to_string()
}

fn summary(state: &State) -> Vec<Claim> {
    let from = state.impact_since.unwrap_or(state.declared.wall);
    let mut said = vec![match &state.resolved {
        Some(end) => {
            let span = between(from, end.mark.at);
            claim(
                format!("{}: {} was affected from {} to {}, {span}.", state.title, state.service, iso(from), iso(end.mark.at)),
                [1, end.mark.seq],
            )
        }
        None => claim(format!("{}: {} is affected since {} and is not resolved.", state.title, state.service, iso(from)), [1]),
    }];
    if let Some(last) = state.deaths.last() {
        let n = state.deaths.len();
        said.push(claim(
            format!("{}, the last of {}.", count(n, "container died", "containers died"), last.cause),
            state.deaths.iter().map(|d| d.mark.seq),
        ));
    }
    if let Some(found) = state.findings.last() {
        let age = found.age.as_ref().map_or_else(String::new, |age| {
            let old = between(age.written, found.mark.at);
            format!("; that code is {old} old, older than {} of {}", age.younger_changes, count(age.changes as usize, "change", "changes"))
        });
        said.push(claim(
            format!("Analysis named the leak: {}{age}.", found.finding.headline),
            std::iter::once(found.mark.seq).chain(aged(state, found)),
        ));
    }
    said
}

fn impact(state: &State) -> Vec<(String, String)> {
    let from = state.impact_since;
    let end = state.resolved.as_ref().map(|end| end.mark.at);
    let todo = || "TODO".to_owned();
    let row = |name: &str, value: String| (name.to_owned(), value);
    vec![
        row("Start", from.map_or_else(|| format!("TODO (declared {})", iso(state.declared.wall)), iso)),
        row("End", end.map_or_else(|| "open".to_owned(), iso)),
        row("Duration", end.map_or_else(|| "open".to_owned(), |end| between(from.unwrap_or(state.declared.wall), end))),
        row("Container deaths", state.deaths.len().to_string()),
        row("Users affected", todo()),
        row("Requests failed", todo()),
        row("Money", todo()),
        row("Support tickets", todo()),
        row("Data lost", todo()),
    ]
}

fn interval_rows(state: &State) -> Vec<IntervalRow> {
    let unknown = || "unknown".to_owned();
    let row = |one: crate::incident::Interval| IntervalRow {
        name: one.name.to_owned(),
        means: one.means.to_owned(),
        length: one.length().map_or_else(unknown, crate::base::span),
        ends: format!("{} – {}", one.from.map_or_else(unknown, iso), one.to.map_or_else(unknown, iso)),
    };
    intervals(state).into_iter().map(row).collect()
}

fn cutoff(state: &State) -> CutoffRecord {
    let record = &state.cutoff;
    let first = record.decisions.first().map(|d| d.mark.at);
    let decision = |d: &crate::incident::Decided| {
        let what = match &d.decision {
            Decision::GoDeep => "go deep: quick fixes end".to_owned(),
            Decision::Extend { minutes, reason } => {
                format!("extend by {minutes} min to {}, because {reason}", hour(d.due_after, d.mark.at))
            }
        };
        let late = d.mark.at - d.due_before;
        let when = if late.num_seconds() >= 0 {
            format!("{} after it was due", between(d.due_before, d.mark.at))
        } else {
            format!("{} before it was due", between(d.mark.at, d.due_before))
        };
        claim(format!("{} ({}): {} decided to {what}; {when}.", iso(d.mark.at), t_plus(state, d.mark.at), d.mark.by), [d.mark.seq])
    };
    let before = |act: &&crate::incident::ActRecord| first.is_none_or(|at| act.mark.at <= at);
    CutoffRecord {
        planned: iso(record.planned),
        announced: record
            .reached
            .first()
            .map_or_else(|| "not reached".to_owned(), |(_, at)| format!("{} ({})", iso(*at), t_plus(state, *at))),
        decisions: record.decisions.iter().map(decision).collect(),
        tried: state.acts.iter().filter(before).map(|act| claim(tables::act_sentence(act), [act.mark.seq])).collect(),
        escalations: record.escalations.iter().map(|e| claim(format!("Level {}: {}", e.level, e.what), [e.mark.seq])).collect(),
    }
}

fn resolution(state: &State) -> Vec<Claim> {
    let end = state.resolved.iter();
    end.map(|note| claim(format!("{} ({}): {}", iso(note.mark.at), note.mark.by, note.text), [note.mark.seq])).collect()
}

/// The event at `at` whose kind is `wanted`.
fn seq_of(state: &State, at: chrono::DateTime<chrono::Utc>, wanted: impl Fn(&Kind) -> bool) -> Option<u64> {
    state.timeline.iter().find(|event| event.at.wall == at && wanted(&event.kind)).map(|event| event.seq)
}

/// The event that told how old the code of a finding is.
fn aged(state: &State, found: &crate::incident::FindingRecord) -> Option<u64> {
    found.age.as_ref()?;
    let told = |kind: &Kind| matches!(kind, Kind::CodeAged { evidence, .. } if *evidence == found.evidence);
    state.timeline.iter().rev().find(|event| told(&event.kind)).map(|event| event.seq)
}

/// `text` with a capital at its beginning, unless it begins with a name (`shop/api-0`), which is written as it is.
fn capital(text: &str) -> String {
    let first = text.split(' ').next().unwrap_or("");
    let mut chars = text.chars();
    match chars.next() {
        Some(c) if first.chars().all(|c| c.is_ascii_lowercase()) => c.to_uppercase().chain(chars).collect(),
        _ => text.to_owned(),
    }
}

/// A person, as opposed to the tool, a playbook or the cluster.
fn is_person(actor: &Actor) -> bool {
    matches!(actor, Actor::Person(_))
}
