//! Everything that is known of an incident, folded from its events and from nothing else.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::act::{ActRequest, Leftover};
use super::event::{Actor, Decision, Event, IncidentId, Kind, Outcome, Seq, Severity};
use super::plan::Plan;
use super::records::{
    AcceptedRisk, ActOutcome, ActRecord, AssessmentRecord, Capture, Cutoff, Death, Decided, Delivery, Escalation, ExportRecord,
    FindingRecord, Hypothesis, HypothesisEnd, Mark, MemoryPoint, Note, NothingRecord, PostRecord, ProcessRecord, Rollout, StageRecord,
    StepTick,
};
use super::shared::Shared;
use super::vigils::{PairRecord, WatchRecord};
use crate::base::{Bytes, ContainerRef, EvidenceId, Masked, Stamp};

/// Memory of one container over time, oldest first.
pub type MemorySeries = Shared<Vec<MemoryPoint>>;

/// An incident. Cheap to clone: what grows long is shared. Serialised as its events, read back by folding them.
#[derive(Clone, Debug, PartialEq)]
pub struct State {
    /// Its id.
    pub id: IncidentId,
    /// One line: what users see.
    pub title: Masked,
    /// Severity now.
    pub severity: Severity,
    /// Service or workload.
    pub service: Masked,
    /// Kubernetes context.
    pub context: Masked,
    /// Namespace.
    pub namespace: Masked,
    /// Version of the tool that declared it.
    pub tool: Masked,
    /// When it was declared; all deadlines count from here.
    pub declared: Stamp,
    /// Who declared it.
    pub declared_by: Actor,
    /// When users began to be hurt, if known.
    pub impact_since: Option<DateTime<Utc>>,
    /// The clock's plan.
    pub plan: Plan,
    /// How it ended; `None` while it is open.
    pub resolved: Option<Note>,
    /// The cut-off's record.
    pub cutoff: Cutoff,
    /// Stages that spoke, in order.
    pub stages: Vec<StageRecord>,
    /// All events, in order.
    pub timeline: Shared<Vec<Arc<Event>>>,
    /// Memory per container.
    pub memory: Shared<BTreeMap<ContainerRef, MemorySeries>>,
    /// Containers that ended, in order.
    pub deaths: Shared<Vec<Death>>,
    /// Rollouts of the workloads, each once, in order of being seen.
    pub rollouts: Shared<Vec<Rollout>>,
    /// Changes of the cluster.
    pub acts: Shared<Vec<ActRecord>>,
    /// What preflight answered.
    pub assessments: Shared<Vec<AssessmentRecord>>,
    /// Risks that were accepted by name.
    pub accepted: Vec<AcceptedRisk>,
    /// Files of evidence, captured and added.
    pub captures: Shared<Vec<Capture>>,
    /// Leaks that were named, in order; the last one leads.
    pub findings: Shared<Vec<FindingRecord>>,
    /// Analyses that named nothing.
    pub nothing: Shared<Vec<NothingRecord>>,
    /// Posts; those with pending deliveries are the outbox.
    pub posts: Shared<Vec<PostRecord>>,
    /// Playbook steps with a tick, each once (the last tick counts), in order of their first tick.
    pub steps: Shared<Vec<StepTick>>,
    /// Hypotheses, in order.
    pub hypotheses: Vec<Hypothesis>,
    /// Notes, in order.
    pub notes: Shared<Vec<Note>>,
    /// Troubles, in order.
    pub troubles: Shared<Vec<Note>>,
    /// Postmortems that were written.
    pub exports: Vec<ExportRecord>,
    /// Lives of processes that were seen.
    pub processes: Shared<Vec<ProcessRecord>>,
    /// Watches for the next death, in order; one that is armed again has a record of its own.
    pub watches: Shared<Vec<WatchRecord>>,
    /// Second snapshots that were planned, in order.
    pub pairs: Shared<Vec<PairRecord>>,
    /// When the last post that informs somebody was queued ([`Post::informs`](super::Post::informs)).
    pub last_update: Option<DateTime<Utc>>,
    /// What that post promised as the time of the next.
    pub next_promised: Option<DateTime<Utc>>,
    /// Steps of the wall clock: (when, seconds).
    pub clock_steps: Vec<(DateTime<Utc>, i64)>,
    /// When the tool came back to this incident.
    pub resumed: Vec<DateTime<Utc>>,
    /// Events of a kind that this version does not know.
    pub unknown: u32,
}

impl State {
    /// The state after the first event; `None` unless that is a declaration.
    pub fn begin(first: &Event) -> Option<Self> {
        let Kind::Declared { id, title, severity, service, impact_since, plan, context, namespace, tool } = &first.kind else {
            return None;
        };
        let declared = first.at.wall;
        let due = after(declared, plan.cutoff());
        let cutoff = Cutoff {
            planned: due,
            due,
            warn_at: before(due, Duration::from_secs(plan.warning_s)),
            reached: Vec::new(),
            decisions: Vec::new(),
            escalations: Vec::new(),
            level: 0,
            deep_since: None,
        };
        Some(Self {
            id: id.clone(),
            title: title.clone(),
            severity: *severity,
            service: service.clone(),
            context: context.clone(),
            namespace: namespace.clone(),
            tool: tool.clone(),
            declared: first.at,
            declared_by: first.actor.clone(),
            impact_since: *impact_since,
            plan: *plan,
            resolved: None,
            cutoff,
            stages: Vec::new(),
            timeline: Shared::new(vec![Arc::new(first.clone())]),
            memory: Shared::default(),
            deaths: Shared::default(),
            rollouts: Shared::default(),
            acts: Shared::default(),
            assessments: Shared::default(),
            accepted: Vec::new(),
            captures: Shared::default(),
            findings: Shared::default(),
            nothing: Shared::default(),
            posts: Shared::default(),
            steps: Shared::default(),
            hypotheses: Vec::new(),
            notes: Shared::default(),
            troubles: Shared::default(),
            exports: Vec::new(),
            processes: Shared::default(),
            watches: Shared::default(),
            pairs: Shared::default(),
            last_update: None,
            next_promised: None,
            clock_steps: Vec::new(),
            resumed: Vec::new(),
            unknown: 0,
        })
    }

    /// The state after all `events`; `None` if they do not begin with a declaration.
    pub fn replay<'a>(events: impl IntoIterator<Item = &'a Event>) -> Option<Self> {
        let mut events = events.into_iter();
        let mut state = Self::begin(events.next()?)?;
        for event in events {
            state.fold(event);
        }
        Some(state)
    }

    /// The number that the next event gets.
    pub fn next_seq(&self) -> Seq {
        self.timeline.last().map_or(1, |last| last.seq + 1)
    }

    /// The name that the next file of evidence gets.
    pub fn next_evidence(&self) -> EvidenceId {
        EvidenceId(self.captures.iter().map(|c| c.evidence.0).max().unwrap_or(0) + 1)
    }

    /// An event of `kind` that continues this incident.
    pub fn event(&self, at: Stamp, actor: Actor, kind: Kind) -> Event {
        Event { seq: self.next_seq(), at, actor, kind }
    }

    /// Whether it is not resolved.
    pub fn is_open(&self) -> bool {
        self.resolved.is_none()
    }

    /// The event `seq`.
    pub fn event_at(&self, seq: Seq) -> Option<&Event> {
        // Numbers have no gaps, so the guess hits; a journal with lost lines is searched.
        let guess = usize::try_from(seq.checked_sub(1)?).ok()?;
        match self.timeline.get(guess) {
            Some(event) if event.seq == seq => Some(event),
            _ => self.timeline.iter().find(|e| e.seq == seq).map(Arc::as_ref),
        }
    }

    /// The act whose intent is the event `intent`.
    pub fn act(&self, intent: Seq) -> Option<&ActRecord> {
        self.acts.iter().find(|a| a.mark.seq == intent)
    }

    /// What acts left behind and nobody has seen to yet, oldest first, each with the intent of its act.
    pub fn leftovers(&self) -> impl Iterator<Item = (Seq, &Leftover)> {
        self.acts.iter().filter_map(|a| Some((a.mark.seq, a.leftover()?)))
    }

    /// The file of evidence `id`.
    pub fn capture(&self, id: EvidenceId) -> Option<&Capture> {
        self.captures.iter().find(|c| c.evidence == id)
    }

    /// The tick of a playbook's step.
    pub fn tick(&self, playbook: &str, step: &str) -> Option<&StepTick> {
        self.steps.iter().find(|t| t.playbook.as_str() == playbook && t.step.as_str() == step)
    }

    /// Posts that still have to reach a channel, oldest first.
    pub fn outbox(&self) -> impl Iterator<Item = &PostRecord> {
        self.posts.iter().filter(|p| p.pending().next().is_some())
    }

    /// Folds one more event. One that was folded before (by its number) changes nothing.
    pub fn fold(&mut self, event: &Event) {
        if event.seq < self.next_seq() {
            return;
        }
        self.timeline.edit().push(Arc::new(event.clone()));
        let at = event.at.wall;
        let mark = Mark { seq: event.seq, at, by: event.actor.clone() };
        match &event.kind {
            // A second declaration (of a merged journal) can only tell that users were hurt earlier.
            Kind::Declared { impact_since, .. } => {
                self.impact_since = [self.impact_since, *impact_since].into_iter().flatten().min();
            }
            Kind::Resumed { .. } => self.resumed.push(at),
            Kind::ClockStepped { seconds } => self.clock_steps.push((at, *seconds)),
            Kind::Noted { text } => self.notes.edit().push(Note { mark, text: text.clone() }),
            Kind::SeverityChanged { severity } => self.severity = *severity,
            Kind::MemorySeen { readings } => {
                let memory = self.memory.edit();
                for r in readings {
                    let point = MemoryPoint { at, used: r.used, limit: r.limit };
                    memory.entry(r.container.clone()).or_default().edit().push(point);
                }
            }
            Kind::ContainerDied { container, restarts, reason, exit_code, cause, ended } => self.deaths.edit().push(Death {
                mark,
                container: container.clone(),
                restarts: *restarts,
                reason: reason.clone(),
                exit_code: *exit_code,
                cause: cause.clone(),
                ended: *ended,
            }),
            Kind::RolloutSeen { workload, revision, image, made, cause } => {
                if !self.rollouts.iter().any(|r| r.workload == *workload && r.revision == *revision) {
                    self.rollouts.edit().push(Rollout {
                        mark,
                        workload: workload.clone(),
                        revision: *revision,
                        image: image.clone(),
                        made: *made,
                        cause: cause.clone(),
                    });
                }
            }
            Kind::Assessed { pod, method, risk, because } => self.assessments.edit().push(AssessmentRecord {
                mark,
                pod: pod.clone(),
                method: method.clone(),
                risk: risk.clone(),
                because: because.clone(),
            }),
            Kind::RiskAccepted { pod, what } => self.accepted.push(AcceptedRisk { mark, pod: pod.clone(), what: what.clone() }),
            Kind::ActIntended { request, call } => self.acts.edit().push(ActRecord {
                mark,
                request: request.clone(),
                call: call.clone(),
                outcome: ActOutcome::Pending,
                effect: None,
                undone_by: None,
                settled_by: None,
            }),
            Kind::ActDone { intent, receipt } => self.act_done(*intent, ActOutcome::Done { mark, receipt: receipt.clone() }),
            Kind::ActFailed { intent, why } => {
                if let Some(act) = self.acts.edit().iter_mut().find(|a| a.mark.seq == *intent) {
                    act.outcome = ActOutcome::Failed { mark, why: why.clone() };
                }
            }
            Kind::LeftoverGone { act, .. } => {
                if let Some(act) = self.acts.edit().iter_mut().find(|a| a.mark.seq == *act) {
                    act.settled_by = Some(mark.seq);
                }
            }
            Kind::EffectMeasured { act, change } => {
                let done = |a: &&mut ActRecord| matches!(&a.outcome, ActOutcome::Done { mark, .. } if mark.seq == *act);
                if let Some(act) = self.acts.edit().iter_mut().find(done) {
                    act.effect = Some(*change);
                }
            }
            Kind::CaptureStarted { evidence, container, method } => {
                let capture = Capture::begun(mark, *evidence, Some(container.clone()), method.clone());
                self.captures.edit().push(capture);
            }
            Kind::CaptureEnded { evidence, outcome, bytes, sha256, file, provenance, remark } => {
                let captures = self.captures.edit();
                // Ends without a beginning come from journals with lost lines: what is known is kept.
                if !captures.iter().any(|c| c.evidence == *evidence) {
                    let container = provenance.as_ref().map(|p| p.container.clone());
                    let method = provenance.as_ref().map_or_else(Masked::default, |p| p.method.clone());
                    captures.push(Capture::begun(mark, *evidence, container, method));
                }
                if let Some(c) = captures.iter_mut().find(|c| c.evidence == *evidence) {
                    c.ended = Some(at);
                    c.outcome = Some(*outcome);
                    c.bytes = *bytes;
                    c.sha256.clone_from(sha256);
                    c.file.clone_from(file);
                    c.provenance.clone_from(provenance);
                    c.remark = remark.clone();
                }
            }
            Kind::EvidenceAdded { evidence, file, bytes, sha256 } => {
                let mut c = Capture::begun(mark, *evidence, None, Masked::own("added"));
                c.ended = Some(at);
                c.outcome = Some(Outcome::Complete);
                c.file = Some(file.clone());
                c.bytes = *bytes;
                c.sha256.clone_from(sha256);
                self.captures.edit().push(c);
            }
            Kind::EvidenceDeleted { evidence, why } => {
                if let Some(c) = self.captures.edit().iter_mut().find(|c| c.evidence == *evidence) {
                    c.deleted = Some((mark, why.clone()));
                }
            }
            Kind::LeakFound { evidence, finding } => {
                self.findings.edit().push(FindingRecord { mark, evidence: evidence.clone(), finding: finding.as_ref().clone(), age: None });
            }
            Kind::NothingFound { evidence, reason, large } => {
                self.nothing.edit().push(NothingRecord { mark, evidence: evidence.clone(), reason: reason.clone(), large: large.clone() });
            }
            Kind::CodeAged { evidence, age } => {
                if let Some(f) = self.findings.edit().iter_mut().rev().find(|f| f.evidence == *evidence) {
                    f.age = Some(age.clone());
                }
            }
            Kind::StageReached { stage, due } => self.stages.push(StageRecord { stage: *stage, due: *due, at }),
            Kind::CutoffReached { due } => self.cutoff.reached.push((*due, at)),
            Kind::Escalated { level, what } => {
                self.cutoff.level = self.cutoff.level.max(*level);
                self.cutoff.escalations.push(Escalation { mark, level: *level, what: what.clone() });
            }
            Kind::Decided(decision) => self.decided(mark, decision),
            Kind::PostQueued { post, channels } => {
                if post.informs() {
                    self.last_update = Some(at);
                    self.next_promised = post.next_by.filter(|next| *next > at);
                }
                let deliveries = channels.iter().map(|c| (c.clone(), Delivery::default())).collect();
                self.posts.edit().push(PostRecord { mark, post: post.clone(), deliveries });
            }
            Kind::PostSent { queued, channel, tries, answer } => self.delivery(*queued, channel, |d| {
                d.tries = *tries;
                d.sent = Some((at, answer.clone()));
            }),
            Kind::PostFailed { queued, channel, tries, why, last } => self.delivery(*queued, channel, |d| {
                d.tries = *tries;
                d.failed = Some((at, why.clone()));
                d.given_up = *last;
            }),
            Kind::StepTicked { playbook, step, how } => {
                let tick = StepTick { mark, playbook: playbook.clone(), step: step.clone(), how: how.clone() };
                let steps = self.steps.edit();
                match steps.iter_mut().find(|t| t.playbook == *playbook && t.step == *step) {
                    Some(old) => *old = tick,
                    None => steps.push(tick),
                }
            }
            Kind::HypothesisOpened { statement, timebox_minutes } => {
                self.hypotheses.push(Hypothesis { mark, statement: statement.clone(), timebox_minutes: *timebox_minutes, closed: None });
            }
            Kind::HypothesisClosed { opened, held, evidence } => {
                if let Some(h) = self.hypotheses.iter_mut().find(|h| h.mark.seq == *opened) {
                    h.closed = Some(HypothesisEnd { mark, held: *held, evidence: evidence.clone() });
                }
            }
            Kind::Resolved { text } => self.resolved = Some(Note { mark, text: text.clone() }),
            Kind::Exported { file, sha256 } => {
                self.exports.push(ExportRecord { mark, file: file.clone(), sha256: sha256.clone() });
            }
            // Its events stand in the timeline by themselves.
            Kind::Imported { .. } => {}
            Kind::TroubleSeen { what } => self.troubles.edit().push(Note { mark, text: what.clone() }),
            Kind::ProcessSeen { container, process } => {
                self.processes.edit().push(ProcessRecord { mark, container: container.clone(), process: process.clone() });
            }
            Kind::Armed { container, how, waits_for, pod_uid, deaths } => {
                let watches = self.watches.edit();
                // Armed again in another way: the record before it has ended.
                for open in watches.iter_mut().filter(|w| w.container == *container && w.ended.is_none()) {
                    open.ended = Some((mark.clone(), Masked::own("armed anew")));
                }
                watches.push(WatchRecord {
                    mark,
                    container: container.clone(),
                    how: *how,
                    waits_for: waits_for.clone(),
                    pod_uid: pod_uid.clone(),
                    deaths: *deaths,
                    signs: Vec::new(),
                    ended: None,
                });
            }
            Kind::SignSeen { container, sign, what } => self.watch(container, |w| w.signs.push((mark, *sign, what.clone()))),
            Kind::Disarmed { container, why } => self.watch(container, |w| w.ended = Some((mark, why.clone()))),
            Kind::PairPlanned { first, container, process, when, base } => self.pairs.edit().push(PairRecord {
                mark,
                first: *first,
                container: container.clone(),
                process: process.clone(),
                when: *when,
                base: *base,
                ended: None,
            }),
            Kind::PairEnded { first, second, why } => {
                if let Some(pair) = self.pairs.edit().iter_mut().rev().find(|p| p.first == *first && p.ended.is_none()) {
                    pair.ended = Some((mark.seq, *second, why.clone()));
                }
            }
            Kind::Unknown(_) => self.unknown += 1,
        }
    }

    fn watch(&mut self, container: &ContainerRef, change: impl FnOnce(&mut WatchRecord)) {
        if let Some(watch) = self.watches.edit().iter_mut().rev().find(|w| w.container == *container && w.ended.is_none()) {
            change(watch);
        }
    }

    /// The watch of `container` that is on.
    pub fn watch_of(&self, container: &ContainerRef) -> Option<&WatchRecord> {
        self.watches.iter().rev().find(|w| w.container == *container && w.ended.is_none())
    }

    fn decided(&mut self, mark: Mark, decision: &Decision) {
        let due_before = self.cutoff.due;
        match decision {
            Decision::GoDeep => self.cutoff.deep_since = Some(mark.at),
            Decision::Extend { minutes, .. } => {
                // At least a minute: an extension to this very moment would be one that nobody is asked about again.
                let span = Duration::from_secs(u64::from((*minutes).max(1)) * 60);
                let lead = Duration::from_secs(self.plan.warning_s).min(span / 4);
                self.cutoff.due = after(mark.at.max(due_before), span);
                self.cutoff.warn_at = before(self.cutoff.due, lead);
                self.cutoff.deep_since = None;
            }
        }
        self.cutoff.level = 0;
        self.cutoff.decisions.push(Decided { mark, decision: decision.clone(), due_before, due_after: self.cutoff.due });
    }

    fn act_done(&mut self, intent: Seq, outcome: ActOutcome) {
        let acts = self.acts.edit();
        let Some(index) = acts.iter().position(|a| a.mark.seq == intent) else { return };
        acts[index].outcome = outcome;
        let request = acts[index].request.clone();
        let taken_back = |a: &&mut ActRecord| a.undo().is_some_and(|undo| is_same(undo, &request));
        if let Some(earlier) = acts[..index].iter_mut().rev().find(taken_back) {
            earlier.undone_by = Some(intent);
        }
        let settles = |a: &&mut ActRecord| a.leftover().is_some_and(|left| is_same(&left.settle, &request));
        if let Some(earlier) = acts[..index].iter_mut().rev().find(settles) {
            earlier.settled_by = Some(intent);
        }
    }

    fn delivery(&mut self, queued: Seq, channel: &Masked, change: impl FnOnce(&mut Delivery)) {
        if let Some(post) = self.posts.edit().iter_mut().find(|p| p.mark.seq == queued) {
            change(post.deliveries.entry(channel.clone()).or_default());
        }
    }
}

impl Capture {
    fn begun(mark: Mark, evidence: EvidenceId, container: Option<ContainerRef>, method: Masked) -> Self {
        Self {
            mark,
            evidence,
            container,
            method,
            ended: None,
            outcome: None,
            bytes: Bytes(0),
            sha256: None,
            file: None,
            provenance: None,
            remark: Masked::default(),
            deleted: None,
        }
    }
}

/// Whether `done` is the act that `undo` names. The preview may have pinned more arguments to it since.
fn is_same(undo: &ActRequest, done: &ActRequest) -> bool {
    undo.act == done.act && undo.target == done.target && undo.args.iter().all(|(name, value)| done.args.get(name) == Some(value))
}

/// `at + span`, or the end of time.
pub(super) fn after(at: DateTime<Utc>, span: Duration) -> DateTime<Utc> {
    TimeDelta::from_std(span).ok().and_then(|d| at.checked_add_signed(d)).unwrap_or(DateTime::<Utc>::MAX_UTC)
}

/// `at - span`, or the beginning of time.
pub(super) fn before(at: DateTime<Utc>, span: Duration) -> DateTime<Utc> {
    TimeDelta::from_std(span).ok().and_then(|d| at.checked_sub_signed(d)).unwrap_or(DateTime::<Utc>::MIN_UTC)
}

impl Serialize for State {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.timeline.iter().map(Arc::as_ref))
    }
}

impl<'de> Deserialize<'de> for State {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let events = Vec::<Event>::deserialize(deserializer)?;
        Self::replay(&events).ok_or_else(|| serde::de::Error::custom("an incident begins with its declaration"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{PodRef, Stamp};
    use crate::incident::story::{ann, minute, noted, start, told};
    use crate::incident::{ActTarget, Audience, Effectiveness, LeftoverKind, MemoryReading, Post, PostKind, Receipt, SlopeChange};

    fn extend(minutes: u32) -> Kind {
        Kind::Decided(Decision::Extend { minutes, reason: "one more idea".into() })
    }

    fn rollback(revision: &str) -> ActRequest {
        let target = ActTarget { kind: "deployment".into(), namespace: "shop".into(), name: "import".into() };
        ActRequest { act: "rollback".into(), target, args: [("revision".to_owned(), revision.to_owned())].into() }
    }

    #[test]
    fn an_extension_moves_the_cutoff_from_the_later_of_decision_and_due_time() {
        let at = |minutes: u64| minute(minutes).wall;
        assert_eq!(told(vec![]).cutoff.due, at(120));
        assert_eq!(told(vec![(30, extend(15))]).cutoff.due, at(135), "decided early, it counts from the cut-off");
        let late = told(vec![(121, Kind::CutoffReached { due: at(120) }), (127, extend(30))]);
        assert_eq!(late.cutoff.due, at(157), "decided late, it counts from the decision");
        assert_eq!(late.cutoff.warn_at, at(157) - TimeDelta::seconds(450));
        assert!(!late.cutoff.is_open());
        assert_eq!(late.cutoff.extensions().map(|(_, m, r)| (m, r.as_str())).collect::<Vec<_>>(), [(30, "one more idea")]);
        assert_eq!(late.cutoff.decisions[0].due_before, at(120));
        let deep = told(vec![(120, Kind::CutoffReached { due: at(120) }), (123, Kind::Decided(Decision::GoDeep))]);
        assert_eq!((deep.cutoff.deep_since, deep.cutoff.is_open()), (Some(at(123)), false));
    }

    #[test]
    fn an_act_is_followed_from_intent_to_effect_and_undo() {
        let receipt = |undo: Option<ActRequest>| Receipt { summary: "rolled back".into(), undo, leaves: None };
        let change = SlopeChange { before: None, after: None, effect: Effectiveness::NoChange };
        let state = told(vec![
            (20, Kind::ActIntended { request: rollback("2"), call: "PATCH …".into() }),
            (20, Kind::ActDone { intent: 2, receipt: receipt(Some(rollback("3"))) }),
            (28, Kind::EffectMeasured { act: 3, change }),
            (40, Kind::ActIntended { request: rollback("3"), call: "PATCH …".into() }),
        ]);
        assert_eq!(state.act(2).and_then(|a| a.effect), Some(change));
        assert_eq!(state.act(2).and_then(ActRecord::undo), Some(&rollback("3")), "an undo that is only intended has not undone");
        assert_eq!(state.act(5).map(|a| &a.outcome), Some(&ActOutcome::Pending));
        let mut undone = state.clone();
        undone.fold(&undone.event(minute(41), ann(), Kind::ActDone { intent: 5, receipt: receipt(None) }));
        assert_eq!(undone.act(2).and_then(|a| a.undone_by), Some(5));
        assert_eq!(undone.act(2).and_then(ActRecord::undo), None);
    }

    #[test]
    fn what_is_left_behind_is_listed_until_somebody_saw_to_it() {
        let act = |name: &str, args: &[(&str, &str)]| {
            let target = ActTarget { kind: "pod".into(), namespace: "shop".into(), name: "import-x".into() };
            ActRequest { act: name.into(), target, args: args.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect() }
        };
        let (lower, clean) = (act("resize", &[("memory", "512Mi")]), act("clean-up", &[]));
        let done = |intent, leaves: Option<(LeftoverKind, &ActRequest)>| {
            let leaves = leaves.map(|(kind, settle)| Leftover { kind, what: "left".into(), settle: settle.clone() });
            Kind::ActDone { intent, receipt: Receipt { summary: "done".into(), undo: None, leaves } }
        };
        let intended = |request: &ActRequest| Kind::ActIntended { request: request.clone(), call: "PATCH …".into() };
        let mut story = vec![
            (1, intended(&act("resize", &[("memory", "1Gi"), ("for", "capture")]))),
            (2, done(2, Some((LeftoverKind::Limit, &lower)))),
            (3, intended(&act("isolate", &[]))),
            (4, done(4, Some((LeftoverKind::Pod, &clean)))),
        ];
        let left = |state: &State| state.leftovers().map(|(seq, left)| (seq, left.kind)).collect::<Vec<_>>();
        assert_eq!(left(&told(story.clone())), [(2, LeftoverKind::Limit), (4, LeftoverKind::Pod)]);
        // A try that failed has not put it back.
        story.push((5, intended(&act("resize", &[("memory", "512Mi"), ("from", "1Gi")]))));
        story.push((6, Kind::ActFailed { intent: 6, why: "uses 900 MiB".into() }));
        assert_eq!(left(&told(story.clone())).len(), 2);
        story.push((7, intended(&act("resize", &[("memory", "512Mi"), ("from", "1Gi")]))));
        story.push((8, done(8, None)));
        assert_eq!(left(&told(story.clone())), [(4, LeftoverKind::Pod)]);
        story.push((9, Kind::LeftoverGone { act: 4, why: "the pod is gone".into() }));
        assert!(left(&told(story)).is_empty());
    }

    #[test]
    fn the_outbox_is_what_is_queued_and_neither_sent_nor_given_up() {
        let post = Post { kind: PostKind::LongNotice, audience: Audience::Users, text: "long".into(), next_by: None, dedup: "d".into() };
        let queued = Kind::PostQueued { post, channels: vec!["slack".into(), "page".into()] };
        let failed = |last| Kind::PostFailed { queued: 2, channel: "page".into(), tries: 3, why: "HTTP 500".into(), last };
        let sent = Kind::PostSent { queued: 2, channel: "slack".into(), tries: 1, answer: "HTTP 200".into() };
        let waiting = |s: &State| s.outbox().flat_map(|p| p.pending().map(|(c, _)| c.to_string())).collect::<Vec<_>>();
        let one = told(vec![(121, queued.clone()), (122, sent.clone()), (122, failed(false))]);
        assert_eq!(waiting(&one), ["page"]);
        assert_eq!(one.last_update, Some(minute(121).wall));
        assert!(waiting(&told(vec![(121, queued), (122, sent), (125, failed(true))])).is_empty());
    }

    #[test]
    fn a_state_comes_back_from_its_own_json_and_from_its_events() {
        let container = ContainerRef { pod: PodRef::new("shop", "a"), name: "app".into() };
        let reading = MemoryReading { container: container.clone(), used: Bytes::mib(300), limit: Some(Bytes::mib(512)) };
        let state = told(vec![
            (1, noted("héllo | pipe")),
            (2, Kind::MemorySeen { readings: vec![reading.clone()] }),
            (3, Kind::MemorySeen { readings: vec![reading] }),
            (4, extend(5)),
        ]);
        let json = serde_json::to_string(&state).expect("json");
        assert_eq!(serde_json::from_str::<State>(&json).expect("state"), state);
        assert_eq!(state.memory[&container].len(), 2);
        assert_eq!(state.declared, Stamp::at(start()));
        assert!(serde_json::from_str::<State>("[]").is_err());
    }

    #[test]
    fn an_event_folded_twice_counts_once_and_clones_do_not_see_what_comes_later() {
        let mut state = told(vec![(1, noted("a"))]);
        let early = state.clone();
        let event = state.event(minute(2), ann(), noted("b"));
        state.fold(&event);
        state.fold(&event);
        assert_eq!((state.notes.len(), early.notes.len(), early.timeline.len()), (2, 1, 2));
        assert_eq!(state.event_at(3), Some(&event));
    }

    #[test]
    fn a_kind_of_a_newer_version_is_kept_as_it_was_written() {
        let line = r#"{"seq":2,"at":{"wall":"2026-11-24T10:00:00Z","mono":{"secs":1,"nanos":0}},"actor":{"who":"tool"},"kind":{"type":"teleported","to":["b"],"n":1.5}}"#;
        let event: Event = serde_json::from_str(line).expect("an event");
        assert!(matches!(event.kind, Kind::Unknown(_)));
        assert_eq!(serde_json::to_string(&event).expect("json"), line);
        let mut state = told(vec![]);
        state.fold(&event);
        assert_eq!(state.unknown, 1);
    }
}
