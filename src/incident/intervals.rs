//! How long things took, each with its two ends. What is not known stays unknown; nothing is averaged.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::event::{Effectiveness, Outcome};
use super::records::{ActRecord, PostRecord};
use super::state::State;

/// A span of an incident.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interval {
    /// Short name (`TTD`).
    pub name: &'static str,
    /// From what to what it runs.
    pub means: &'static str,
    /// Its beginning, if known.
    pub from: Option<DateTime<Utc>>,
    /// Its end, if it has come and is known.
    pub to: Option<DateTime<Utc>>,
}

impl Interval {
    /// Its length; `None` while an end is unknown, or where the ends contradict each other.
    pub fn length(&self) -> Option<Duration> {
        (self.to? - self.from?).to_std().ok()
    }
}

/// The intervals of an incident, always the same ones in the same order. Open ends run to the last event, so that the
/// same journal gives the same numbers.
pub fn intervals(state: &State) -> Vec<Interval> {
    let declared = Some(state.declared.wall);
    let impact = state.impact_since;
    let resolved = state.resolved.as_ref().map(|end| end.mark.at);
    let last = state.timeline.last().map(|e| e.at.wall);
    let announced = state.cutoff.reached.first().map(|(_, at)| *at);
    let answered = announced.and_then(|at| state.cutoff.decisions.iter().map(|d| d.mark.at).find(|d| *d >= at));
    let (silent_from, silent_to) = longest_silence(state, resolved.or(last));
    let interval = |name, means, from, to| Interval { name, means, from, to };
    vec![
        interval("TTD", "impact began → declared", impact, declared),
        interval("TTM", "impact began → first change that helped", impact, mitigated(state)),
        interval("TTR", "impact began → resolved", impact, resolved),
        interval("open", "declared → resolved", declared, resolved),
        interval("quick fixes", "declared → deep analysis or resolved", declared, state.cutoff.deep_since.or(resolved).or(last)),
        interval("to decision", "declared → first decision on the cut-off", declared, state.cutoff.decisions.first().map(|d| d.mark.at)),
        interval("unanswered", "cut-off announced → decision", announced, answered),
        interval("to capture", "declared → first complete capture", declared, first_capture(state)),
        interval("to verdict", "declared → first leak named", declared, state.findings.first().map(|f| f.mark.at)),
        interval("silence", "longest time without a post", silent_from, silent_to),
    ]
}

/// When the first change was made that helped and was not taken back.
fn mitigated(state: &State) -> Option<DateTime<Utc>> {
    let helped = |effect: Effectiveness| effect == Effectiveness::Helped;
    state.acts.iter().filter(|a| a.undone_by.is_none() && a.effect.is_some_and(|e| helped(e.effect))).filter_map(ActRecord::done_at).min()
}

fn first_capture(state: &State) -> Option<DateTime<Utc>> {
    let complete = state.captures.iter().filter(|c| c.container.is_some() && c.outcome == Some(Outcome::Complete));
    complete.filter_map(|c| c.ended).min()
}

/// The longest gap between the declaration, all posts that reached somebody, and `end`; the first of several.
fn longest_silence(state: &State, end: Option<DateTime<Utc>>) -> (Option<DateTime<Utc>>, Option<DateTime<Utc>>) {
    let mut moments: Vec<DateTime<Utc>> = vec![state.declared.wall];
    moments.extend(state.posts.iter().filter(|p| p.post.informs()).filter_map(PostRecord::said_at));
    moments.extend(end);
    moments.sort_unstable();
    let gap = moments.windows(2).rev().max_by_key(|pair| pair[1] - pair[0]);
    (gap.map(|pair| pair[0]), gap.map(|pair| pair[1]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{Bytes, ContainerRef, EvidenceId, Masked, PodRef};
    use crate::incident::story::{minute, noted, told};
    use crate::incident::{ActRequest, ActTarget, Audience, Decision, Kind, Post, PostKind, Receipt, SlopeChange};

    fn minutes_of(state: &State, name: &str) -> Option<u64> {
        intervals(state).into_iter().find(|i| i.name == name).and_then(|i| i.length()).map(|d| d.as_secs() / 60)
    }

    #[test]
    fn unknown_stays_unknown() {
        let state = told(vec![(7, noted("x"))]);
        let known: Vec<&str> = intervals(&state).iter().filter(|i| i.length().is_some()).map(|i| i.name).collect();
        assert_eq!(known, ["quick fixes", "silence"]);
        assert_eq!(minutes_of(&state, "silence"), Some(7));
    }

    #[test]
    fn a_whole_night_is_measured() {
        let act = |revision: &str| ActRequest {
            act: "rollback".into(),
            target: ActTarget { kind: "deployment".into(), namespace: "shop".into(), name: "import".into() },
            args: [("revision".to_owned(), revision.to_owned())].into(),
        };
        let receipt = || Receipt { summary: "done".into(), undo: None, leaves: None };
        let effect = |effect| SlopeChange { before: None, after: None, effect };
        let post = |kind| Post { kind, audience: Audience::Team, text: "t".into(), next_by: None, dedup: "d".into() };
        let update = || Kind::PostQueued { post: post(PostKind::Update), channels: vec!["slack".into()] };
        let sent = |queued| Kind::PostSent { queued, channel: "slack".into(), tries: 1, answer: "HTTP 200".into() };
        let evidence = EvidenceId(1);
        let container = ContainerRef { pod: PodRef::new("shop", "a"), name: "app".into() };
        let ended = Kind::CaptureEnded {
            evidence,
            outcome: Outcome::Complete,
            bytes: Bytes(9),
            sha256: None,
            file: None,
            provenance: None,
            remark: Masked::default(),
        };
        let mut state = told(vec![
            (4, update()),
            (4, sent(2)),
            (10, Kind::ActIntended { request: act("2"), call: "PATCH".into() }),
            (11, Kind::ActDone { intent: 4, receipt: receipt() }),
            (20, Kind::EffectMeasured { act: 5, change: effect(Effectiveness::NoChange) }),
            (60, update()),
            (120, Kind::CutoffReached { due: minute(120).wall }),
            (127, Kind::Decided(Decision::GoDeep)),
            (130, Kind::CaptureStarted { evidence, container, method: "cdp".into() }),
            (133, ended),
            (150, Kind::ActIntended { request: act("1"), call: "PATCH".into() }),
            (151, Kind::ActDone { intent: 12, receipt: receipt() }),
            (160, Kind::EffectMeasured { act: 13, change: effect(Effectiveness::Helped) }),
            (170, Kind::Resolved { text: "over".into() }),
        ]);
        state.impact_since = Some(minute(0).wall - chrono::TimeDelta::minutes(12));
        let expected = [
            ("TTD", 12),
            ("TTM", 163),
            ("TTR", 182),
            ("open", 170),
            ("quick fixes", 127),
            ("to decision", 127),
            ("unanswered", 7),
            ("to capture", 133),
            ("silence", 166),
        ];
        for (name, minutes) in expected {
            assert_eq!(minutes_of(&state, name), Some(minutes), "{name}; a post that was never delivered breaks no silence");
        }
        assert_eq!(minutes_of(&state, "to verdict"), None);
    }
}
