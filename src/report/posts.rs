//! Drafts of posts: words for people outside, filled in from the state. A person may change every word before it goes.
//!
//! Users learn what they see, since when, and when the next word comes: no pods, no code. The team learns conditions,
//! actions and needs (PagerDuty's CAN report). The rhythm is the plan's; what is promised is journalled with the post.

use chrono::{DateTime, Utc};

use super::words::{between, count, effect_word, hour, next_minute};
use crate::base::{Stamp, mask_lines};
use crate::incident::{ActRecord, Audience, CauseClass, Decision, Effectiveness, Post, PostKind, Standing, State, beliefs};

/// The name of a kind of post, as a sentence begins.
pub const fn name(kind: PostKind) -> &'static str {
    match kind {
        PostKind::Declared => "First post",
        PostKind::Update => "Status update",
        PostKind::LongNotice => "LONG notice",
        PostKind::Escalation => "Escalation",
        PostKind::Resolved => "All-clear",
    }
}

/// The draft of a post of `kind` for `audience`, from all that is known at `now`.
pub fn draft(state: &State, now: Stamp, kind: PostKind, audience: Audience) -> Post {
    let at = now.wall;
    let next_by = next_update(state, at, kind);
    let mut lines = match (kind, audience) {
        (PostKind::Declared, _) => declared(state, at),
        (PostKind::Update, Audience::Users) => update_for_users(state, at),
        (PostKind::Update, Audience::Team) => update_for_team(state, at),
        (PostKind::LongNotice, _) => long_notice(state, at, audience),
        (PostKind::Escalation, _) => escalation(state, at),
        (PostKind::Resolved, _) => resolved(state, at),
    };
    if let Some(next) = next_by {
        lines.push(format!("Next update by {}.", hour(next, at)));
    }
    if audience == Audience::Team {
        lines.push(format!("({})", state.id));
    }
    Post { kind, audience, text: mask_lines(&lines.join("\n")), next_by, dedup: format!("{}-{}", state.id, state.next_seq()) }
}

/// When the next post is promised: the plan's rhythm, on a full minute.
fn next_update(state: &State, at: DateTime<Utc>, kind: PostKind) -> Option<DateTime<Utc>> {
    let deep = state.cutoff.deep_since.is_some() || kind == PostKind::LongNotice;
    let seconds = match kind {
        PostKind::Resolved | PostKind::Escalation => return None,
        PostKind::Declared | PostKind::Update | PostKind::LongNotice if deep => state.plan.long_update_every_s,
        PostKind::Declared | PostKind::Update | PostKind::LongNotice => state.plan.update_every_s,
    };
    let delta = i64::try_from(seconds).ok().and_then(chrono::TimeDelta::try_seconds)?;
    at.checked_add_signed(delta).map(next_minute)
}

/// Since when users are hurt, as far as it is known.
fn since(state: &State) -> DateTime<Utc> {
    state.impact_since.unwrap_or(state.declared.wall)
}

fn declared(state: &State, at: DateTime<Utc>) -> Vec<String> {
    vec![
        format!("We are investigating: {} ({}, since {}).", state.title, state.service, hour(since(state), at)),
        "We do not know the cause yet.".to_owned(),
    ]
}

fn update_for_users(state: &State, at: DateTime<Utc>) -> Vec<String> {
    let mut lines = vec![format!("{}: still not resolved, since {} ({}).", state.title, hour(since(state), at), between(since(state), at))];
    let tried = reverts(state).count();
    if state.cutoff.deep_since.is_some() {
        lines.push("Quick fixes did not help. We are looking for the root cause.".to_owned());
    } else if tried > 0 {
        lines.push(format!("We took back {} and watch whether that helps.", count(tried, "change", "changes")));
    } else {
        lines.push("We are looking at what changed.".to_owned());
    }
    if !state.findings.is_empty() {
        lines.push("We have found what most likely causes it and prepare a fix.".to_owned());
    }
    lines
}

fn update_for_team(state: &State, at: DateTime<Utc>) -> Vec<String> {
    let mut lines = vec![format!("{} {} at T+{}", state.severity, state.title, between(state.declared.wall, at))];
    lines.push(format!("Conditions: {}.", conditions(state, at)));
    lines.push(format!("Actions: {}.", actions(state)));
    lines.push(format!("Needs: {}.", needs(state, at)));
    lines
}

pub(super) fn conditions(state: &State, at: DateTime<Utc>) -> String {
    let mut said = vec![match state.deaths.last() {
        Some(last) => format!(
            "{} died, the last {} ago of {}",
            count(state.deaths.len(), "container", "containers"),
            between(last.mark.at, at),
            last.cause
        ),
        None => "no container has died yet".to_owned(),
    }];
    if let Some(found) = state.findings.last() {
        said.push(format!("{} (confidence {})", found.finding.headline, found.finding.confidence));
    }
    said.join("; ")
}

pub(super) fn actions(state: &State) -> String {
    let mut said: Vec<String> = state.acts.iter().filter_map(act_words).collect();
    let whole = state.captures.iter().filter(|c| c.is_heap() && c.outcome == Some(crate::incident::Outcome::Complete)).count();
    if whole > 0 {
        said.push(format!("{} captured", count(whole, "whole heap snapshot", "whole heap snapshots")));
    }
    let watched = state.watches.iter().filter(|w| w.ended.is_none()).count();
    if watched > 0 {
        said.push(format!("{} watched for the next death", count(watched, "pod is", "pods are")));
    } else if state.captures.iter().any(|c| c.ended.is_none()) {
        said.push("a capture is running".to_owned());
    }
    if said.is_empty() { "none yet".to_owned() } else { said.join("; ") }
}

fn act_words(act: &ActRecord) -> Option<String> {
    let receipt = act.receipt()?;
    Some(match act.effect {
        Some(change) => format!("{} ({})", receipt.summary, effect_word(change.effect)),
        None => format!("{} (effect not measured yet)", receipt.summary),
    })
}

pub(super) fn needs(state: &State, at: DateTime<Utc>) -> String {
    if state.cutoff.is_open() {
        return format!("a decision on the cut-off, due {}", hour(state.cutoff.due, at));
    }
    if let Some(open) = state.hypotheses.iter().find(|h| h.closed.is_none()) {
        return format!("whoever can prove or disprove: {}", open.statement);
    }
    "nothing right now".to_owned()
}

fn reverts(state: &State) -> impl Iterator<Item = &ActRecord> {
    state.acts.iter().filter(|act| act.request.act == "rollback" && act.done_at().is_some())
}

fn long_notice(state: &State, at: DateTime<Utc>, audience: Audience) -> Vec<String> {
    let mut lines = vec![format!(
        "This will be LONG: {} ({}), since {}: {} so far.",
        state.title,
        state.service,
        hour(since(state), at),
        between(since(state), at)
    )];
    let tried: Vec<&ActRecord> = reverts(state).collect();
    lines.push(match tried.len() {
        0 => "No quick fix was found.".to_owned(),
        n => format!("We took back {} ({}).", count(n, "change", "changes"), outcome_of(&tried)),
    });
    if audience == Audience::Team {
        lines.push(format!("{} since the declaration.", count(state.deaths.len(), "container died", "containers died")));
        if let Some(belief) = beliefs(state).into_iter().find(|b| b.class == CauseClass::RecentChange && b.standing == Standing::Disproved)
        {
            lines.push(format!("The record: {}.", belief.because));
        }
    } else if !state.deaths.is_empty() {
        lines.push(format!("The service was restarted {} and comes back only for a while each time.", times(state.deaths.len())));
    }
    let extended: u32 =
        state.cutoff.decisions.iter().map(|d| if let Decision::Extend { minutes, .. } = d.decision { minutes } else { 0 }).sum();
    let limit = u64::from(extended) * 60 + state.plan.cutoff_s;
    lines.push(format!(
        "After {} quick fixes have ended; we now look for the root cause. Expect hours, not minutes.",
        crate::base::span(std::time::Duration::from_secs(limit))
    ));
    lines
}

fn times(n: usize) -> String {
    match n {
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        n => format!("{n} times"),
    }
}

/// What came of several changes together, as the numbers say.
fn outcome_of(acts: &[&ActRecord]) -> String {
    let effects: Vec<Effectiveness> = acts.iter().filter_map(|a| a.effect.map(|c| c.effect)).collect();
    let measured = effects.iter().filter(|e| **e != Effectiveness::TooEarly).count();
    let helped = effects.iter().filter(|e| **e == Effectiveness::Helped).count();
    match (measured, helped) {
        (0, _) => "no effect measured yet".to_owned(),
        (m, 0) if m == acts.len() => if m == 1 { "it did not help" } else { "none of them helped" }.to_owned(),
        (m, 0) => format!("{m} of {} measured, none helped", acts.len()),
        (_, h) => format!("{h} of {} helped", acts.len()),
    }
}

fn escalation(state: &State, at: DateTime<Utc>) -> Vec<String> {
    let since = state.cutoff.open_since().unwrap_or(state.cutoff.due);
    vec![
        format!("{} needs a decision: {} on {}.", state.severity, state.title, state.service),
        format!(
            "The cut-off for quick fixes was due {}; nobody has answered for {} (escalation {}).",
            hour(state.cutoff.due, at),
            between(since, at),
            state.cutoff.level.max(1)
        ),
        "Decide: go deep and tell users that it will be LONG, or extend with a reason.".to_owned(),
    ]
}

fn resolved(state: &State, at: DateTime<Utc>) -> Vec<String> {
    let end = state.resolved.as_ref().map_or(at, |note| note.mark.at);
    let mut lines = vec![format!(
        "Resolved: {} ({}). It began {} and ended {}, after {}.",
        state.title,
        state.service,
        hour(since(state), at),
        hour(end, at),
        between(since(state), end)
    )];
    if let Some(note) = state.resolved.as_ref().filter(|note| !note.text.is_empty()) {
        lines.push(format!("What ended it: {}", note.text));
    }
    lines.push("We will publish what happened and what we change.".to_owned());
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incident::story::{minute, told};
    use crate::incident::{Kind, PostKind};
    use crate::report::tests::whole_story;

    fn text(kind: PostKind, audience: Audience, at: u64) -> String {
        draft(&whole_story(at), minute(at), kind, audience).text.to_string()
    }

    #[test]
    fn the_long_notice_has_the_numbers_and_a_promise() {
        let long = draft(&whole_story(128), minute(128), PostKind::LongNotice, Audience::Users);
        let words = long.text.as_str();
        for part in [
            "LONG",
            "content import fails",
            "2 h 20 min so far",
            "took back 1 change (it did not help)",
            "restarted twice",
            "After 2 h quick fixes have ended",
            "Next update by",
        ] {
            assert!(words.contains(part), "{part}: {words}");
        }
        assert_eq!(long.next_by, Some(minute(188).wall), "hourly from now on");
        assert!(!words.contains("import-7d"), "users learn nothing of pods: {words}");
        let team = text(PostKind::LongNotice, Audience::Team, 128);
        assert!(team.contains("2 containers died") && team.contains("INC-"), "{team}");
    }

    #[test]
    fn the_team_learns_conditions_actions_and_needs() {
        let words = text(PostKind::Update, Audience::Team, 125);
        assert!(words.contains("Conditions: 2 containers died, the last 20 min ago of V8 heap limit"), "{words}");
        assert!(words.contains("Actions: import is at revision 41 (no change)"), "{words}");
        assert!(words.contains("Needs: a decision on the cut-off"), "{words}");
        assert!(text(PostKind::Escalation, Audience::Team, 125).contains("nobody has answered for 5 min"));
    }

    #[test]
    fn every_draft_names_the_trouble_and_only_ends_promise_nothing() {
        for kind in [PostKind::Declared, PostKind::Update, PostKind::LongNotice, PostKind::Escalation, PostKind::Resolved] {
            for audience in [Audience::Users, Audience::Team] {
                for state in [told(vec![]), whole_story(300)] {
                    let post = draft(&state, minute(300), kind, audience);
                    assert!(post.text.as_str().contains("content import fails"), "{kind:?}: {}", post.text);
                    assert_eq!(post.next_by.is_some(), !matches!(kind, PostKind::Escalation | PostKind::Resolved));
                }
            }
        }
    }

    #[test]
    fn a_secret_in_the_title_of_an_act_does_not_leave() {
        let state = told(vec![(1, Kind::Resolved { text: "rotated token=abcdef123456".into() })]);
        assert!(draft(&state, minute(2), PostKind::Resolved, Audience::Users).text.as_str().contains("token=[secret]"));
    }
}
