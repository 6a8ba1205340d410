//! The one line that says what to do now, and the command that does it. The face maps commands to keys.

use std::time::Duration;

use chrono::TimeDelta;

use super::model::{Capture, Link, Model, Prompt};
use crate::base::span;
use crate::incident::{ActOutcome, Effectiveness, State};
use crate::preflight::CaptureState;
use crate::pressure::{Eta, Row};

/// What to do now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Next {
    /// An imperative sentence that fits a line of 80 columns beside its key.
    pub words: String,
    /// The command, by the name the face knows it by; empty: there is nothing to press, wait.
    pub command: &'static str,
}

fn say(words: impl Into<String>, command: &'static str) -> Next {
    Next { words: words.into(), command }
}

/// A rollout younger than this may be what broke it.
const RECENT: TimeDelta = TimeDelta::hours(24);

/// The next right thing to do. Never nothing: at 3 a.m. an empty line is a question.
pub fn next(model: &Model) -> Next {
    if let Some(prompt) = model.prompt() {
        return match prompt {
            Prompt::Cutoff { .. } => say("CUT-OFF: go deep and tell users it will be LONG, or extend with a reason", "decide"),
            Prompt::Act { .. } => say("read what would be done; default is No", "confirm"),
            Prompt::Risk { assessment, .. } => say(format!("{}: read why; default is No", assessment.risk.word()), "accept-risk"),
            Prompt::Ready { assessment, .. } => {
                say(format!("preflight says {} now: begin the capture", assessment.risk.word()), "begin-capture")
            }
            Prompt::Arm { .. } => say("read what would be armed and how; default is No", "confirm"),
            Prompt::Disarm { .. } => say("end the watch? default is No", "confirm"),
            Prompt::Journal { trouble } => say(format!("the journal is not written: {}", trouble.remedy), "retry-journal"),
        };
    }
    let Some(state) = &model.incident else {
        return match (model.board.first(), &model.link) {
            (Some(row), _) if in_danger(row) => say(format!("declare the incident: {} {}", row.container.pod.name, doom(row)), "declare"),
            (_, Link::Stale { trouble, .. }) => say(trouble.to_string(), "refresh"),
            (_, Link::Connecting) => say("connecting to the cluster …", ""),
            (Some(_), Link::Up) => say("no pod is in danger; declare when users are hurt", "declare"),
            (None, Link::Up) => say("no pods in this namespace: choose another with --namespace", ""),
        };
    };
    if !state.is_open() {
        if let Some(left) = super::leftovers::left_behind(model).first() {
            return say(left.what.to_string(), "clean-up");
        }
        return match &model.exported {
            Some(path) => say(format!("done; postmortem: {path}"), "quit"),
            None => say("resolved: write the postmortem", "export"),
        };
    }
    if let Some(capture) = model.captures.iter().find(|c| c.job.is_some() && !c.is_waiting() && c.is_heap()) {
        let name = &capture.container.pod.name;
        let race = super::race::race(model, capture).filter(|r| r.lost);
        let words = race.map_or_else(|| capture.state.brief(), |r| format!("{}; kept: {}", r.words, r.keeps));
        return say(format!("{name}: {words}"), "captures");
    }
    if let Some(row) = model.analyses.iter().find(|a| a.job.is_some()) {
        let share = row.job.and_then(|j| model.jobs.get(&j)?.share).map_or_else(String::new, |s| format!(" {:.0} %", s * 100.0));
        return say(format!("analysing{share} …"), "analysis");
    }
    if state.posts.is_empty()
        && (model.now.wall - state.declared.wall).num_seconds() >= i64::try_from(state.plan.first_post_s).unwrap_or(i64::MAX)
    {
        return say("tell the users: the first post is due", "post");
    }
    with_incident(model, state)
}

/// What is right after a capture that ended without a whole heap: the words, and the command; `None`: it did end whole, or
/// runs.
pub fn after_end(model: &Model, capture: &Capture) -> Option<Next> {
    let name = &capture.container.pod.name;
    let restarts = model.board.pod(&capture.container.pod).is_some_and(|pod| pod.containers.iter().any(|c| c.resize_restarts));
    Some(match &capture.state {
        CaptureState::KilledEmpty { .. } if restarts => {
            say(format!("{name} was killed while V8 built: take the sampling profile of its next life"), "preflight")
        }
        CaptureState::KilledEmpty { .. } => say(format!("{name} was killed while V8 built: raise its limit, then capture"), "resize"),
        CaptureState::Truncated { whole, .. } if whole.nodes => {
            say(format!("{} is cut, {}: read what is whole, then capture again", capture.evidence, whole.words()), "analysis")
        }
        CaptureState::Truncated { .. } => {
            say(format!("{} is cut, with nothing usable: capture the next life of {name}", capture.evidence), "capture")
        }
        CaptureState::Failed { .. } => say(format!("{}: see why, and which other method fits", capture.evidence), "preflight"),
        _ => return None,
    })
}

fn with_incident(model: &Model, state: &State) -> Next {
    let vain = |c: &&Capture| matches!(c.method.as_str(), "watch" | "near-limit") && matches!(c.state, CaptureState::Failed { .. });
    let last = model.captures.iter().rev().find(|c| c.is_heap() && !c.is_waiting() && !vain(c));
    if let Some(next) = last.filter(|c| c.job.is_none() && state.findings.is_empty()).and_then(|c| after_end(model, c)) {
        return next;
    }
    if let Some(found) = state.findings.last() {
        let at = found.finding.place.as_ref().map_or_else(String::new, |p| format!(" at {p}"));
        if let Some(verdict) = model.verdict().filter(|v| !v.next_capture.is_empty() && v.first().is_some_and(|s| s.growth_bytes.is_none()))
        {
            if let Some(pair) = state.pairs.iter().rev().find(|p| p.ended.is_none()) {
                let working_set = model.board.find(&pair.container).and_then(|row| row.working_set);
                let missing = pair.missing(model.now.wall, working_set).unwrap_or_else(|| "due".to_owned());
                return say(format!("the second snapshot to {} comes by itself: {missing}", pair.first), "captures");
            }
            let paired = model.captures.iter().filter(|c| c.job.is_none() && c.is_heap()).count() > 1;
            if !paired {
                return say(format!("prove growth: {}", verdict.next_capture), "pair");
            }
        }
        return say(format!("fix {}{at}, deploy, then resolve", found.finding.holder), "analysis");
    }
    let measured = state.acts.iter().rev().find_map(|a| match &a.outcome {
        ActOutcome::Done { .. } if a.request.act == "rollback" => Some(a.effect.map(|c| c.effect)),
        _ => None,
    });
    let row = model.board.first();
    match measured {
        Some(None) => return say("rolled back: the slope is being measured; meanwhile run a preflight", "preflight"),
        Some(Some(Effectiveness::Helped)) => return say("the rollback helped: watch it, then resolve", "resolve"),
        Some(Some(Effectiveness::NoChange | Effectiveness::Worse | Effectiveness::TooEarly)) => {
            return match row {
                Some(row) => say(format!("the rollback did not help: capture {}", row.container.pod.name), "capture"),
                None => say("the rollback did not help: capture a heap snapshot", "capture"),
            };
        }
        None => {}
    }
    if let Some(row) = row.filter(|r| soon(r)) {
        return say(format!("capture {} before it dies: {}", row.container.pod.name, doom(row)), "capture");
    }
    let recent = model.history.rollouts.iter().any(|r| r.current && r.made.is_some_and(|at| model.now.wall - at < RECENT));
    if recent && state.cutoff.deep_since.is_none() {
        return say("a rollout is younger than a day: try to roll it back", "changes");
    }
    match row {
        Some(row) if model.watch(&row.container).is_some() => {
            say(format!("{} is ARMED: its death is collected by itself; or capture it now", row.container.pod.name), "capture")
        }
        Some(row) => say(format!("capture a heap snapshot of {}", row.container.pod.name), "capture"),
        None => say("no pod to capture from: look at the changes", "changes"),
    }
}

fn in_danger(row: &Row) -> bool {
    matches!(row.eta, Eta::AtMost { .. }) || row.share.is_some_and(|s| s > 0.8) || (row.restarts > 0 && row.last_end.is_some())
}

/// Less than this is left: capture first, everything else afterwards.
const SOON: Duration = Duration::from_secs(300);

fn soon(row: &Row) -> bool {
    matches!(&row.eta, Eta::AtMost { left, .. } if *left < SOON)
}

fn doom(row: &Row) -> String {
    match &row.eta {
        Eta::AtMost { left, to } => format!("{to} in about {}", span(*left)),
        Eta::NotGrowing | Eta::Unknown { .. } if row.restarts > 0 => format!("restarted {} times", row.restarts),
        Eta::NotGrowing | Eta::Unknown { .. } => {
            row.share.map_or_else(|| "memory unknown".to_owned(), |s| format!("at {:.0} % of its limit", s * 100.0))
        }
    }
}
