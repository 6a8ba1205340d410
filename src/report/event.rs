//! One line for each event, as the timeline shows it, and the class that gives it its symbol. Every kind is matched, no
//! wildcard: a new kind does not compile until it has its words.

use super::words::{between, count, effect, hour, short};
use crate::base::{Bytes, Masked};
use crate::incident::{Decision, Event, How, Kind, Outcome, StageName};

/// What an event is about; gives its symbol and colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// The incident itself: declared, resolved, exported.
    Incident,
    /// A container died, a rollout was seen.
    Cluster,
    /// A change of the cluster, from intent to effect.
    Act,
    /// Evidence: preflight, captures, files.
    Evidence,
    /// What analysis found.
    Verdict,
    /// The clock spoke.
    Clock,
    /// A person decided.
    Decision,
    /// A post and its fate.
    Post,
    /// A note or a hypothesis.
    Note,
    /// A playbook step.
    Step,
    /// Something failed.
    Trouble,
    /// Readings and book-keeping, of no interest by themselves.
    Quiet,
}

impl Class {
    /// All classes, for legends and filters.
    pub const ALL: [Self; 12] = [
        Self::Incident,
        Self::Cluster,
        Self::Act,
        Self::Evidence,
        Self::Verdict,
        Self::Clock,
        Self::Decision,
        Self::Post,
        Self::Note,
        Self::Step,
        Self::Trouble,
        Self::Quiet,
    ];

    /// The word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Incident => "incident",
            Self::Cluster => "cluster",
            Self::Act => "act",
            Self::Evidence => "evidence",
            Self::Verdict => "verdict",
            Self::Clock => "clock",
            Self::Decision => "decision",
            Self::Post => "post",
            Self::Note => "note",
            Self::Step => "step",
            Self::Trouble => "trouble",
            Self::Quiet => "log",
        }
    }

    /// One column wide, different for each.
    pub const fn symbol(self) -> &'static str {
        match self {
            Self::Incident => "●",
            Self::Cluster => "✗",
            Self::Act => "▶",
            Self::Evidence => "◉",
            Self::Verdict => "◆",
            Self::Clock => "◷",
            Self::Decision => "■",
            Self::Post => "✉",
            Self::Note => "✎",
            Self::Step => "✓",
            Self::Trouble => "▲",
            Self::Quiet => "·",
        }
    }

    /// The symbol where only ASCII can be shown.
    pub const fn ascii(self) -> &'static str {
        match self {
            Self::Incident => "*",
            Self::Cluster => "x",
            Self::Act => ">",
            Self::Evidence => "o",
            Self::Verdict => "#",
            Self::Clock => "@",
            Self::Decision => "=",
            Self::Post => "~",
            Self::Note => "n",
            Self::Step => "v",
            Self::Trouble => "!",
            Self::Quiet => ".",
        }
    }
}

/// An event as one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventLine {
    /// What it is about.
    pub class: Class,
    /// The line, without time and actor.
    pub text: Masked,
}

/// The line of `event`.
pub fn event_line(event: &Event) -> EventLine {
    let (class, text) = words(event);
    EventLine { class, text: Masked::from(text) }
}

/// Arguments of acts that guard them and tell a person nothing.
const HIDDEN: [&str; 4] = ["pin", "uid", "generation", "patch"];

fn words(event: &Event) -> (Class, String) {
    let at = event.at.wall;
    match &event.kind {
        Kind::Declared { title, severity, service, impact_since, .. } => {
            let since = impact_since.map_or_else(String::new, |from| format!("; users hurt since {}", hour(from, at)));
            (Class::Incident, format!("Declared {severity} on {service}: {title}{since}"))
        }
        Kind::Resumed { tool } => (Class::Quiet, format!("cutoff {tool} came back to this incident")),
        Kind::ClockStepped { seconds } => {
            let way = if *seconds >= 0 { "forward" } else { "back" };
            (Class::Clock, format!("The wall clock went {way} by {} s (sleep, or it was set)", seconds.unsigned_abs()))
        }
        Kind::Noted { text } => (Class::Note, text.to_string()),
        Kind::SeverityChanged { severity } => (Class::Incident, format!("Severity is now {severity}")),
        Kind::MemorySeen { readings } => {
            let worst = readings.iter().max_by(|a, b| share(a.used, a.limit).total_cmp(&share(b.used, b.limit)));
            let worst = worst.map_or_else(String::new, |r| {
                let limit = r.limit.map_or_else(String::new, |l| format!(" of {}", l.binary()));
                format!("; fullest {} with {}{limit}", r.container, r.used.binary())
            });
            (Class::Quiet, format!("Memory of {}{worst}", count(readings.len(), "container", "containers")))
        }
        Kind::ContainerDied { container, restarts, reason, exit_code, cause, .. } => {
            let code = exit_code.map_or_else(String::new, |c| format!(", exit {c}"));
            (Class::Cluster, format!("{container} died: {cause} ({reason}{code}; restart {restarts})"))
        }
        Kind::RolloutSeen { workload, revision, image, made, cause } => {
            let age = made.map_or_else(String::new, |m| format!(", {} old", between(m, at)));
            let why = cause.as_ref().map_or_else(String::new, |c| format!(": {c}"));
            (Class::Cluster, format!("Seen: {workload} revision {revision} ({image}{age}){why}"))
        }
        Kind::Assessed { pod, method, risk, because } => (Class::Evidence, format!("Preflight of {method} on {pod}: {risk}. {because}")),
        Kind::RiskAccepted { pod, what } => (Class::Decision, format!("Risk accepted by name on {pod}: {what}")),
        Kind::ActIntended { request, .. } => {
            let args: Vec<String> = request
                .args
                .iter()
                .filter(|(k, _)| !k.contains("ersion") && !HIDDEN.contains(&k.as_str()))
                .map(|(k, v)| format!("{k} {v}"))
                .collect();
            let args = if args.is_empty() { String::new() } else { format!(" ({})", args.join(", ")) };
            let target = &request.target;
            (Class::Act, format!("Intends {} of {} {}/{}{args}", request.act, target.kind, target.namespace, target.name))
        }
        Kind::ActDone { intent, receipt } => (Class::Act, format!("Done (#{intent}): {}", receipt.summary)),
        Kind::ActFailed { intent, why } => (Class::Trouble, format!("Failed (#{intent}): {why}")),
        Kind::LeftoverGone { act, why } => (Class::Act, format!("Left by #{act}, not there any more: {why}")),
        Kind::EffectMeasured { act, change } => (Class::Act, format!("Effect of #{act}: {}", effect(change))),
        Kind::CaptureStarted { evidence, container, method } => (Class::Evidence, format!("Capture {evidence} of {container} by {method}")),
        Kind::CaptureEnded { evidence, outcome, bytes, sha256, remark, .. } => {
            let class = if *outcome == Outcome::Complete { Class::Evidence } else { Class::Trouble };
            (class, format!("Capture {evidence} {}: {bytes}{}{}", outcome_word(*outcome), hash(sha256.as_deref()), tail(remark)))
        }
        Kind::EvidenceAdded { evidence, file, bytes, sha256 } => {
            (Class::Evidence, format!("Added {evidence}: {file}, {bytes}{}", hash(sha256.as_deref())))
        }
        Kind::EvidenceDeleted { evidence, why } => (Class::Evidence, format!("Deleted {evidence}: {why}")),
        Kind::LeakFound { evidence, finding } => {
            let files: Vec<String> = evidence.iter().map(ToString::to_string).collect();
            (Class::Verdict, format!("{} (from {}, confidence {})", finding.headline, files.join(" and "), finding.confidence))
        }
        Kind::NothingFound { reason, large, .. } => {
            let big = large.first().map_or_else(String::new, |l| format!("; largest: {}, {}", l.what, l.retained));
            (Class::Verdict, format!("No leak named: {reason}{big}"))
        }
        Kind::CodeAged { age, .. } => {
            let younger = format!("older than {} of {}", age.younger_changes, count(age.changes as usize, "change", "changes"));
            (
                Class::Verdict,
                format!("{} was last changed {} ago by {} ({}); {younger}", age.place, between(age.written, at), age.commit, age.subject),
            )
        }
        Kind::StageReached { stage, due } => (Class::Clock, format!("{}, due {}", stage_words(*stage), hour(*due, at))),
        Kind::CutoffReached { due } => (Class::Clock, format!("CUT-OFF, due {}: go deep, or extend with a reason", hour(*due, at))),
        Kind::Escalated { level, what } => (Class::Clock, format!("Escalation {level}: {what}")),
        Kind::Decided(Decision::GoDeep) => (Class::Decision, "Decided: quick fixes end, deep root-cause analysis begins".to_owned()),
        Kind::Decided(Decision::Extend { minutes, reason }) => {
            (Class::Decision, format!("Decided: extend by {minutes} min, because {reason}"))
        }
        Kind::PostQueued { post, channels } => {
            let to = if channels.is_empty() {
                String::new()
            } else {
                format!(" to {}", channels.iter().map(Masked::as_str).collect::<Vec<_>>().join(", "))
            };
            (Class::Post, format!("{}{to}: {}", super::posts::name(post.kind), post.text))
        }
        Kind::PostSent { queued, channel, tries, answer } => {
            let tries = if *tries > 1 { format!(" after {tries} tries") } else { String::new() };
            (Class::Post, format!("Sent #{queued} to {channel}{tries}: {answer}"))
        }
        Kind::PostFailed { queued, channel, tries, why, last } => {
            let then = if *last { "given up" } else { "will be tried again" };
            (Class::Trouble, format!("Post #{queued} did not reach {channel} (try {tries}): {why}; {then}"))
        }
        Kind::StepTicked { step, how, .. } => {
            let how = match how {
                How::ByAct { seq } => format!("done by #{seq}"),
                How::ByHand => "done".to_owned(),
                How::Skipped { reason } => format!("skipped: {reason}"),
            };
            (Class::Step, format!("Step {step} {how}"))
        }
        Kind::HypothesisOpened { statement, timebox_minutes } => {
            (Class::Note, format!("Hypothesis: {statement} (timebox {timebox_minutes} min)"))
        }
        Kind::HypothesisClosed { opened, held, evidence } => {
            let verdict = if *held { "held" } else { "is disproved" };
            (Class::Note, format!("Hypothesis #{opened} {verdict}: {evidence}"))
        }
        Kind::Resolved { text } => (Class::Incident, format!("Resolved: {text}")),
        Kind::Exported { file, sha256 } => (Class::Incident, format!("Postmortem written: {file}{}", hash(Some(sha256)))),
        Kind::Imported { file, sha256, added } => {
            let events = count(usize::try_from(*added).unwrap_or(usize::MAX), "event", "events");
            (Class::Incident, format!("Merged the journal {file}: {events} joined{}", hash(Some(sha256))))
        }
        Kind::TroubleSeen { what } => (Class::Trouble, what.to_string()),
        Kind::ProcessSeen { container, process } => {
            (Class::Quiet, format!("Process {} of {container}, restart {}", process.pid, process.restart))
        }
        Kind::Armed { container, how, waits_for, .. } => (Class::Evidence, format!("ARMED {container}, {}: {waits_for}", how.words())),
        Kind::SignSeen { container, sign, what } => (Class::Cluster, format!("Sign on {container} ({}): {what}", sign.word())),
        Kind::Disarmed { container, why } => (Class::Evidence, format!("DISARMED {container}: {why}")),
        Kind::PairPlanned { first, container, when, .. } => {
            (Class::Evidence, format!("Second snapshot of {container} planned {}, to be compared with {first}", when.words()))
        }
        Kind::PairEnded { first, second: Some(second), why } => (Class::Evidence, format!("{second} is the second of {first}: {why}")),
        Kind::PairEnded { first, second: None, why } => (Class::Evidence, format!("No second snapshot to {first}: {why}")),
        Kind::Unknown(_) => (Class::Quiet, "An event of a newer version, kept as it was written".to_owned()),
    }
}

fn share(used: Bytes, limit: Option<Bytes>) -> f64 {
    limit.map_or(0.0, |limit| used.share_of(limit))
}

fn hash(sha256: Option<&str>) -> String {
    sha256.map_or_else(String::new, |h| format!(", sha256 {}…", short(h)))
}

fn tail(remark: &Masked) -> String {
    if remark.is_empty() { String::new() } else { format!("; {remark}") }
}

/// The word for how a capture ended.
pub(super) const fn outcome_word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Complete => "COMPLETE",
        Outcome::Truncated => "TRUNCATED",
        Outcome::KilledEmpty => "KILLED EMPTY",
        Outcome::Cancelled => "CANCELLED",
        Outcome::Failed => "FAILED",
    }
}

const fn stage_words(stage: StageName) -> &'static str {
    match stage {
        StageName::FirstPost => "First post to users is due",
        StageName::ScopePost => "Post on the scope is due",
        StageName::LongCheck => "Could this be a LONG one?",
        StageName::Warning => "The cut-off comes near: draft the LONG notice",
        StageName::UpdateDue => "Status update is due",
        StageName::Handover => "State review and handover are due",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{BytesPerSecond, ContainerRef, EvidenceId, PodRef};
    use crate::incident::story::{ann, minute, noted};
    use crate::incident::{ActRequest, ActTarget, Effectiveness, Receipt, SlopeChange};

    fn line(kind: Kind) -> String {
        event_line(&Event { seq: 9, at: minute(10), actor: ann(), kind }).text.to_string()
    }

    #[test]
    fn every_line_says_what_happened() {
        let container = || ContainerRef { pod: PodRef::new("shop", "import-7d-x"), name: "app".into() };
        let target = ActTarget { kind: "deployment".into(), namespace: "shop".into(), name: "import".into() };
        let args = [("revision".to_owned(), "41".to_owned()), ("resourceVersion".to_owned(), "1".to_owned())].into();
        let slope = |n: f64| Some(BytesPerSecond(n * 1e6 / 60.0));
        let change = SlopeChange { before: slope(12.0), after: slope(11.8), effect: Effectiveness::NoChange };
        let cases = [
            (noted("two\nlines password=hunter2"), "two lines password=[secret]"),
            (
                Kind::ContainerDied {
                    container: container(),
                    restarts: 3,
                    reason: "Error".into(),
                    exit_code: Some(134),
                    cause: "V8 heap limit".into(),
                    ended: None,
                },
                "shop/import-7d-x:app died: V8 heap limit (Error, exit 134; restart 3)",
            ),
            (
                Kind::ActIntended { request: ActRequest { act: "rollback".into(), target, args }, call: "PATCH".into() },
                "Intends rollback of deployment shop/import (revision 41)",
            ),
            (
                Kind::ActDone { intent: 7, receipt: Receipt { summary: "import is at revision 41".into(), undo: None, leaves: None } },
                "Done (#7): import is at revision 41",
            ),
            (Kind::EffectMeasured { act: 8, change }, "Effect of #8: no change: +12.0 MB/min before, +11.8 MB/min after"),
            (
                Kind::CaptureEnded {
                    evidence: EvidenceId(2),
                    outcome: Outcome::Truncated,
                    bytes: Bytes(61_000_000),
                    sha256: Some("ab".repeat(32)),
                    file: None,
                    provenance: None,
                    remark: "the pod was killed".into(),
                },
                "Capture E2 TRUNCATED: 61.0 MB, sha256 abababababab…; the pod was killed",
            ),
            (
                Kind::Decided(Decision::Extend { minutes: 20, reason: "one revert left".into() }),
                "Decided: extend by 20 min, because one revert left",
            ),
            (Kind::ClockStepped { seconds: -30 }, "The wall clock went back by 30 s (sleep, or it was set)"),
        ];
        for (kind, text) in cases {
            assert_eq!(line(kind), text);
        }
    }

    #[test]
    fn classes_are_told_apart_without_colour() {
        for name in [Class::word, Class::symbol, Class::ascii] {
            let names: std::collections::BTreeSet<&str> = Class::ALL.iter().map(|c| name(*c)).collect();
            assert_eq!(names.len(), Class::ALL.len());
        }
        assert!(Class::ALL.iter().all(|c| c.ascii().is_ascii()));
    }
}
