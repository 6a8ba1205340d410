//! What the record itself says about how the incident went: gaps, factors, what went well, what is open. No guesses:
//! every sentence rests on events, everything else is left to people as TODO.

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::{Claim, claim};
use crate::incident::{CauseClass, Effectiveness, Kind, Outcome, Standing, State, beliefs};
use crate::report::words::{between, count, hour, t_plus};

/// Phases as sentences.
pub(super) fn story(state: &State) -> Vec<Claim> {
    let mut said = vec![claim(format!("{} declared {} on {}: {}.", state.declared_by, state.severity, state.service, state.title), [1])];
    if let Some(first) = state.deaths.first() {
        said.push(claim(
            format!("{}: {} died of {}, the first of {}.", t_plus(state, first.mark.at), first.container, first.cause, state.deaths.len()),
            [first.mark.seq],
        ));
    }
    for act in state.acts.iter() {
        said.push(claim(format!("{}: {}.", t_plus(state, act.mark.at), super::tables::act_sentence(act)), [act.mark.seq]));
    }
    for belief in beliefs(state).into_iter().filter(|b| b.standing == Standing::Disproved && b.class == CauseClass::RecentChange) {
        said.push(claim(format!("{}.", super::capital(belief.because.as_str())), belief.rests_on));
    }
    if let Some((due, at)) = state.cutoff.reached.first() {
        said.push(claim(
            format!("{}: the cut-off came (due {}).", t_plus(state, *at), hour(*due, *at)),
            super::seq_of(state, *at, |kind| matches!(kind, Kind::CutoffReached { .. })),
        ));
    }
    if let Some(deep) = state.cutoff.deep_since {
        let seq = state.cutoff.decisions.iter().find(|d| d.mark.at == deep).map(|d| d.mark.seq);
        said.push(claim(format!("{}: quick fixes ended, deep root-cause analysis began.", t_plus(state, deep)), seq));
    }
    if let Some(found) = state.findings.last() {
        said.push(claim(format!("{}: {}.", t_plus(state, found.mark.at), found.finding.headline), [found.mark.seq]));
    }
    if let Some(end) = &state.resolved {
        said.push(claim(format!("{}: resolved: {}.", t_plus(state, end.mark.at), end.text), [end.mark.seq]));
    }
    said
}

/// Silences longer than the plan allowed, captures without an end, events that could not be read.
pub(super) fn gaps(state: &State) -> Vec<Claim> {
    let mut said = silences(state);
    for c in state.captures.iter().filter(|c| c.outcome.is_none()) {
        said.push(claim(format!("The capture {} has no recorded end.", c.evidence), [c.mark.seq]));
    }
    for act in state.acts.iter().filter(|a| a.outcome == crate::incident::ActOutcome::Pending) {
        said.push(claim(format!("Whether {} was done is not recorded.", act.request.act), [act.mark.seq]));
    }
    for (act, left) in state.leftovers() {
        said.push(claim(format!("Nobody has seen to what was left behind: {}.", left.what), [act]));
    }
    for (at, seconds) in &state.clock_steps {
        said.push(claim(format!("{}: the wall clock moved by {seconds} s against the monotonic one.", t_plus(state, *at)), []));
    }
    for at in &state.resumed {
        said.push(claim(format!("{}: the tool had been gone and came back.", t_plus(state, *at)), []));
    }
    if state.unknown > 0 {
        said.push(claim(format!("{} of a newer version could not be read.", count(state.unknown as usize, "event", "events")), []));
    }
    said
}

fn silences(state: &State) -> Vec<Claim> {
    let end = state.resolved.as_ref().map(|r| r.mark.at).or_else(|| state.timeline.last().map(|e| e.at.wall));
    let mut said_at: Vec<(DateTime<Utc>, Option<u64>)> =
        state.posts.iter().filter(|p| p.post.informs()).filter_map(|p| Some((p.said_at()?, Some(p.mark.seq)))).collect();
    said_at.push((state.declared.wall, Some(1)));
    said_at.extend(end.map(|at| (at, None)));
    said_at.sort();
    let mut out = Vec::new();
    for pair in said_at.windows(2) {
        let ((from, seq), (to, _)) = (pair[0], pair[1]);
        let deep = state.cutoff.deep_since.is_some_and(|deep| deep <= from);
        let plan_s = match seq {
            Some(1) => state.plan.first_post_s.max(60),
            _ if deep => state.plan.long_update_every_s,
            _ => state.plan.update_every_s,
        };
        // Half as long again is still called punctual.
        if (to - from).num_seconds() > i64::try_from(plan_s + plan_s / 2).unwrap_or(i64::MAX) {
            let minutes = (to - from).num_minutes();
            let text = format!("No status update for {minutes} min from {} on (planned: {} min).", t_plus(state, from), plan_s / 60);
            out.push(claim(text, seq));
        }
    }
    out
}

pub(super) fn belief_claims(state: &State) -> Vec<Claim> {
    let said = beliefs(state).into_iter().filter(|b| b.standing != Standing::Open);
    said.map(|b| {
        let class = match b.class {
            CauseClass::RecentChange => "A recent change",
            CauseClass::Transient => "Something that a restart clears",
        };
        let standing = match b.standing {
            Standing::Open => "open",
            Standing::Weakened => "weakened",
            Standing::Disproved => "disproved",
            Standing::Supported => "supported",
        };
        claim(format!("{class}: {standing}. {}.", super::capital(b.because.as_str())), b.rests_on)
    })
    .collect()
}

pub(super) fn factors(state: &State) -> Vec<Claim> {
    let mut said = Vec::new();
    for found in state.findings.iter() {
        said.push(claim(
            format!("{} keeps {} alive ({}).", found.finding.holder, found.finding.growing, found.finding.retained),
            [found.mark.seq],
        ));
        if let Some(age) = &found.age {
            let old = between(age.written, found.mark.at);
            said.push(claim(
                format!("That code is {old} old: no revert of the {} younger changes could have removed it.", age.younger_changes),
                super::aged(state, found),
            ));
        }
    }
    let mut limits: Vec<String> = state.memory.values().filter_map(|s| s.last()?.limit).map(crate::base::Bytes::binary).collect();
    limits.sort();
    limits.dedup();
    if !limits.is_empty() && !state.deaths.is_empty() {
        said.push(claim(format!("Memory limit of the containers: {}.", limits.join(", ")), state.deaths.first().map(|d| d.mark.seq)));
    }
    said
}

pub(super) fn well(state: &State) -> Vec<Claim> {
    let mut said = Vec::new();
    if let (Some((due, _)), Some(first)) =
        (state.cutoff.reached.first(), state.cutoff.decisions.iter().find(|d| d.mark.at >= state.cutoff.planned))
    {
        let took = first.mark.at - *due;
        if took.num_minutes() <= 15 {
            said.push(claim(format!("The cut-off was decided {} after it was due.", between(*due, first.mark.at)), [first.mark.seq]));
        }
    }
    for act in state.acts.iter().filter(|a| a.effect.is_some_and(|e| e.effect == Effectiveness::Helped)) {
        said.push(claim(format!("{} helped, measured.", act.request.act), [act.mark.seq]));
    }
    if let Some(c) = state.captures.iter().find(|c| c.is_heap() && c.outcome == Some(Outcome::Complete) && c.container.is_some()) {
        said.push(claim(format!("A whole heap snapshot ({}) was kept at {}.", c.evidence, t_plus(state, c.mark.at)), [c.mark.seq]));
    }
    if let Some(found) = state.findings.first() {
        said.push(claim(format!("The leak was named at {}.", t_plus(state, found.mark.at)), [found.mark.seq]));
    }
    said
}

pub(super) fn badly(state: &State) -> Vec<Claim> {
    let mut said = silences(state);
    for act in state.acts.iter() {
        match act.effect.map(|e| e.effect) {
            Some(Effectiveness::NoChange) => said.push(claim(format!("{} changed nothing, measured.", act.request.act), [act.mark.seq])),
            Some(Effectiveness::Worse) => said.push(claim(format!("{} made it worse, measured.", act.request.act), [act.mark.seq])),
            None if act.done_at().is_some() => {
                said.push(claim(format!("The effect of {} was not measured.", act.request.act), [act.mark.seq]));
            }
            Some(Effectiveness::Helped | Effectiveness::TooEarly) | None => {}
        }
    }
    for c in state.captures.iter().filter(|c| !c.waited_in_vain()) {
        if let Some(outcome) = c.outcome.filter(|o| *o != Outcome::Complete) {
            said.push(claim(format!("The capture {} ended {}.", c.evidence, crate::report::event::outcome_word(outcome)), [c.mark.seq]));
        }
    }
    for (mark, minutes, reason) in state.cutoff.extensions() {
        said.push(claim(format!("The cut-off was extended by {minutes} min: {reason}."), [mark.seq]));
    }
    for post in state.posts.iter() {
        for (channel, _) in post.deliveries.iter().filter(|(_, d)| d.given_up) {
            said.push(claim(format!("A post did not reach {channel}."), [post.mark.seq]));
        }
    }
    for trouble in state.troubles.iter() {
        said.push(claim(trouble.text.to_string(), [trouble.mark.seq]));
    }
    said
}

/// Something that must hold before an incident is over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Criterion {
    /// What.
    pub text: String,
    /// Whether the record shows it.
    pub met: bool,
    /// The events that show it.
    pub refs: String,
}

/// What must hold before the incident is over, as far as the record can tell.
pub(crate) fn exit_criteria(state: &State) -> Vec<Criterion> {
    let mut all = Vec::new();
    let mut add =
        |text: &str, seq: Option<u64>| all.push(Criterion { text: text.to_owned(), met: seq.is_some(), refs: claim("", seq).refs });
    add("A cause is named, or a change helped", cause(state));
    let quiet = state.resolved.as_ref().filter(|end| {
        let since = state.deaths.last().map_or(state.declared.wall, |d| d.mark.at);
        (end.mark.at - since).num_minutes() >= 30
    });
    add("No container died for 30 min before the end", quiet.map(|end| end.mark.seq));
    let told = state.posts.iter().find(|p| p.post.kind == crate::incident::PostKind::Resolved && p.said_at().is_some());
    add("Users were told that it is over", told.map(|p| p.mark.seq));
    let open = state.hypotheses.iter().any(|h| h.closed.is_none());
    add(
        "Every hypothesis is closed",
        (!open).then(|| state.hypotheses.last().and_then(|h| h.closed.as_ref()).map_or(1, |end| end.mark.seq)),
    );
    add("The incident is resolved", state.resolved.as_ref().map(|end| end.mark.seq));
    all
}

fn cause(state: &State) -> Option<u64> {
    let helped = state.acts.iter().find(|a| a.undone_by.is_none() && a.effect.is_some_and(|e| e.effect == Effectiveness::Helped));
    state.findings.last().map(|f| f.mark.seq).or_else(|| helped.map(|a| a.mark.seq))
}

/// A row of the action items. Owner, due date and link are for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ActionItem {
    /// What.
    pub action: String,
    /// `prevent`, `detect`, `mitigate`, `process`.
    pub kind: &'static str,
    /// `P1` to `P3`.
    pub priority: &'static str,
    /// Why: its events.
    pub refs: String,
}

pub(super) fn action_items(state: &State) -> Vec<ActionItem> {
    let mut items = Vec::new();
    let mut add =
        |action: String, kind, priority, seq: Option<u64>| items.push(ActionItem { action, kind, priority, refs: claim("", seq).refs });
    if let Some(found) = state.findings.last() {
        let place = found.finding.place.as_ref().map_or_else(String::new, |p| format!(" ({p})"));
        add(
            format!("Bound or clear {}{place}, with a test that fails without it", found.finding.holder),
            "prevent",
            "P1",
            Some(found.mark.seq),
        );
    }
    if let Some(first) = state.deaths.first() {
        add("Alert on the slope of memory, before a container dies".to_owned(), "detect", "P2", Some(first.mark.seq));
    }
    if let Some(bad) =
        state.captures.iter().find(|c| c.is_heap() && !c.waited_in_vain() && c.outcome.is_some_and(|o| o != Outcome::Complete))
    {
        add("Make room for a heap snapshot (limit, diagnostic directory, probe budget)".to_owned(), "mitigate", "P2", Some(bad.mark.seq));
    }
    if !silences(state).is_empty() {
        add("Keep the promised rhythm of updates: name who posts".to_owned(), "process", "P3", None);
    }
    items
}

pub(super) fn questions(state: &State) -> Vec<Claim> {
    let mut said: Vec<Claim> = state
        .hypotheses
        .iter()
        .filter(|h| h.closed.is_none())
        .map(|h| claim(format!("Open hypothesis: {}", h.statement), [h.mark.seq]))
        .collect();
    for found in state.findings.iter().filter(|f| !f.finding.cannot_prove.is_empty()) {
        said.push(claim(format!("Not proved: {}", found.finding.cannot_prove), [found.mark.seq]));
    }
    if state.cutoff.is_open() {
        said.push(claim("The cut-off has no decision.", []));
    }
    said
}
