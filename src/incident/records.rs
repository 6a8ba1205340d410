//! What the state remembers of each thing that happened: plain records, one for each topic. The fold fills them.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::act::{ActRequest, Leftover, Receipt};
use super::event::{Actor, Decision, How, Outcome, Seq, SlopeChange, StageName};
use super::finding::{CodeAge, Finding, LargeThing};
use super::post::Post;
use super::provenance::Provenance;
use crate::base::{Bytes, ContainerRef, EvidenceId, Masked, PodRef, ProcessKey};

/// When, by whom and in which event something was recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// The event.
    pub seq: Seq,
    /// Its wall-clock time.
    pub at: DateTime<Utc>,
    /// Who did it.
    pub by: Actor,
}

/// A recorded decision at (or before) the cut-off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decided {
    /// When and by whom.
    pub mark: Mark,
    /// What was decided.
    pub decision: Decision,
    /// When the cut-off was due before this decision.
    pub due_before: DateTime<Utc>,
    /// When it is due after it; unchanged by [`Decision::GoDeep`].
    pub due_after: DateTime<Utc>,
}

/// An escalation of the unanswered prompt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Escalation {
    /// When.
    pub mark: Mark,
    /// From 1.
    pub level: u32,
    /// What was done.
    pub what: Masked,
}

/// The cut-off's record: what was planned, what came, what was decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cutoff {
    /// Declaration + plan.
    pub planned: DateTime<Utc>,
    /// When it is due now, after all extensions.
    pub due: DateTime<Utc>,
    /// When its warning is due: the plan's span before it, but at most a quarter of an extension.
    pub warn_at: DateTime<Utc>,
    /// Every announcement: (due, announced at). The last one is the open prompt if [`Cutoff::is_open`].
    pub reached: Vec<(DateTime<Utc>, DateTime<Utc>)>,
    /// Decisions in order.
    pub decisions: Vec<Decided>,
    /// Escalations of all prompts, in order.
    pub escalations: Vec<Escalation>,
    /// Highest level of the prompt that is open now; 0 if none.
    pub level: u32,
    /// Since when deep root-cause analysis is on.
    pub deep_since: Option<DateTime<Utc>>,
}

impl Cutoff {
    /// Whether the cut-off, as due now, was announced.
    pub fn is_announced(&self) -> bool {
        self.reached.iter().any(|(due, _)| *due == self.due)
    }

    /// Whether the prompt waits for a decision.
    pub fn is_open(&self) -> bool {
        self.deep_since.is_none() && self.is_announced()
    }

    /// When the open prompt was announced.
    pub fn open_since(&self) -> Option<DateTime<Utc>> {
        self.reached.iter().rev().find(|(due, _)| self.is_open() && *due == self.due).map(|(_, at)| *at)
    }

    /// The extensions alone: (when and who, minutes, reason).
    pub fn extensions(&self) -> impl Iterator<Item = (&Mark, u32, &Masked)> {
        self.decisions.iter().filter_map(|d| match &d.decision {
            Decision::Extend { minutes, reason } => Some((&d.mark, *minutes, reason)),
            Decision::GoDeep => None,
        })
    }
}

/// A stage that spoke.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StageRecord {
    /// Which.
    pub stage: StageName,
    /// When it was due.
    pub due: DateTime<Utc>,
    /// When it was said.
    pub at: DateTime<Utc>,
}

/// One point of a container's memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryPoint {
    /// When it was recorded.
    pub at: DateTime<Utc>,
    /// Working set.
    pub used: Bytes,
    /// Limit at that time.
    pub limit: Option<Bytes>,
}

/// A container that ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Death {
    /// When it was recorded.
    pub mark: Mark,
    /// Which.
    pub container: ContainerRef,
    /// Restart count after it.
    pub restarts: u32,
    /// The runtime's reason.
    pub reason: Masked,
    /// Exit code.
    pub exit_code: Option<i32>,
    /// What it died of, in words.
    pub cause: Masked,
    /// When it ended, by the cluster's clock.
    pub ended: Option<DateTime<Utc>>,
}

/// A rollout in the workload's history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rollout {
    /// When it was first seen.
    pub mark: Mark,
    /// `deployment/name`.
    pub workload: Masked,
    /// Revision.
    pub revision: u64,
    /// Image.
    pub image: Masked,
    /// When it was made.
    pub made: Option<DateTime<Utc>>,
    /// `kubernetes.io/change-cause`.
    pub cause: Option<Masked>,
}

/// What came of an intended act.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ActOutcome {
    /// Nothing is recorded yet. After a crash: whether it was done is unknown and has to be looked up.
    Pending,
    /// It was done.
    Done {
        /// When.
        mark: Mark,
        /// What it did.
        receipt: Receipt,
    },
    /// It failed.
    Failed {
        /// When.
        mark: Mark,
        /// Why.
        why: Masked,
    },
}

/// A change of the cluster from intent to effect.
#[derive(Clone, Debug, PartialEq)]
pub struct ActRecord {
    /// The intent: `mark.seq` is what outcomes refer to.
    pub mark: Mark,
    /// What was asked.
    pub request: ActRequest,
    /// The exact call.
    pub call: Masked,
    /// What came of it.
    pub outcome: ActOutcome,
    /// Memory before and after it, the latest measurement.
    pub effect: Option<SlopeChange>,
    /// The later intent whose act took this one back, once it was done.
    pub undone_by: Option<Seq>,
    /// The later event that saw to what this act left behind.
    pub settled_by: Option<Seq>,
}

impl ActRecord {
    /// The receipt, if it was done.
    pub fn receipt(&self) -> Option<&Receipt> {
        match &self.outcome {
            ActOutcome::Done { receipt, .. } => Some(receipt),
            ActOutcome::Pending | ActOutcome::Failed { .. } => None,
        }
    }

    /// The act that would take it back, while it is done and not taken back.
    pub fn undo(&self) -> Option<&ActRequest> {
        if self.undone_by.is_some() { None } else { self.receipt()?.undo.as_ref() }
    }

    /// What it left behind, until somebody saw to it or took the act back.
    pub fn leftover(&self) -> Option<&Leftover> {
        if self.undone_by.is_some() || self.settled_by.is_some() { None } else { self.receipt()?.leaves.as_ref() }
    }

    /// When it was done.
    pub fn done_at(&self) -> Option<DateTime<Utc>> {
        match &self.outcome {
            ActOutcome::Done { mark, .. } => Some(mark.at),
            ActOutcome::Pending | ActOutcome::Failed { .. } => None,
        }
    }
}

/// What preflight answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AssessmentRecord {
    /// When.
    pub mark: Mark,
    /// The pod.
    pub pod: PodRef,
    /// Method.
    pub method: Masked,
    /// The risk, in words.
    pub risk: Masked,
    /// The numbers.
    pub because: Masked,
}

impl Capture {
    /// Whether it is (to be) a heap, not a log, a report or a profile.
    pub fn is_heap(&self) -> bool {
        !matches!(self.method.as_str(), "log" | "file" | "sampling")
    }

    /// Whether it only waited for a death, and nothing came of it: no heap, and no harm.
    pub fn waited_in_vain(&self) -> bool {
        let waits = matches!(self.method.as_str(), "watch" | "near-limit");
        waits && self.bytes == Bytes(0) && matches!(self.outcome, Some(Outcome::Failed | Outcome::Cancelled))
    }
}

/// A file of evidence, from the start of its capture on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capture {
    /// When it began (or was added).
    pub mark: Mark,
    /// The file.
    pub evidence: EvidenceId,
    /// Where it comes from; `None` for a file that was added by hand.
    pub container: Option<ContainerRef>,
    /// How; "added" for a file that was added by hand.
    pub method: Masked,
    /// When it ended; `None` while it runs (or when the tool died with it).
    pub ended: Option<DateTime<Utc>>,
    /// How it ended.
    pub outcome: Option<Outcome>,
    /// Bytes kept.
    pub bytes: Bytes,
    /// Hex sha256.
    pub sha256: Option<String>,
    /// File name in the evidence directory (or as given, when added).
    pub file: Option<Masked>,
    /// Where it came from, in full.
    pub provenance: Option<Box<Provenance>>,
    /// What is missing, or what to do next.
    pub remark: Masked,
    /// When and by whom the file was deleted, and why.
    pub deleted: Option<(Mark, Masked)>,
}

/// A leak that analysis named.
#[derive(Clone, Debug, PartialEq)]
pub struct FindingRecord {
    /// When.
    pub mark: Mark,
    /// The files, oldest first.
    pub evidence: Vec<EvidenceId>,
    /// The first suspect.
    pub finding: Finding,
    /// How old its code is.
    pub age: Option<CodeAge>,
}

/// An analysis without a suspect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NothingRecord {
    /// When.
    pub mark: Mark,
    /// The files.
    pub evidence: Vec<EvidenceId>,
    /// Why nothing is named.
    pub reason: Masked,
    /// What is big.
    pub large: Vec<LargeThing>,
}

/// A post's fate on one channel.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Delivery {
    /// Tries so far.
    pub tries: u32,
    /// When it was delivered, and what the receiver said.
    pub sent: Option<(DateTime<Utc>, Masked)>,
    /// The last failure.
    pub failed: Option<(DateTime<Utc>, Masked)>,
    /// Given up.
    pub given_up: bool,
}

impl Delivery {
    /// Still to be sent.
    pub fn is_pending(&self) -> bool {
        self.sent.is_none() && !self.given_up
    }
}

/// A post and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PostRecord {
    /// When it was queued: `mark.seq` is what deliveries refer to.
    pub mark: Mark,
    /// The words.
    pub post: Post,
    /// Per channel; channels that it was queued for stand here from the start.
    pub deliveries: BTreeMap<Masked, Delivery>,
}

impl PostRecord {
    /// Channels it still has to reach.
    pub fn pending(&self) -> impl Iterator<Item = (&Masked, &Delivery)> {
        self.deliveries.iter().filter(|(_, d)| d.is_pending())
    }

    /// When it first reached somebody; for a post without channels (said by hand) when it was recorded.
    pub fn said_at(&self) -> Option<DateTime<Utc>> {
        let sent = self.deliveries.values().filter_map(|d| d.sent.as_ref()).map(|(at, _)| *at).min();
        sent.or(self.deliveries.is_empty().then_some(self.mark.at))
    }

    /// Whether it reached at least one channel.
    pub fn is_sent(&self) -> bool {
        self.deliveries.values().any(|d| d.sent.is_some())
    }
}

/// A playbook step with its tick.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepTick {
    /// When and by whom.
    pub mark: Mark,
    /// Playbook.
    pub playbook: Masked,
    /// Step.
    pub step: Masked,
    /// How.
    pub how: How,
}

/// A belief about the cause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hypothesis {
    /// When it was opened: `mark.seq` names it.
    pub mark: Mark,
    /// What is believed.
    pub statement: Masked,
    /// Minutes it may take.
    pub timebox_minutes: u32,
    /// How it ended.
    pub closed: Option<HypothesisEnd>,
}

/// How a hypothesis ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HypothesisEnd {
    /// When and by whom.
    pub mark: Mark,
    /// Whether it held.
    pub held: bool,
    /// What showed it.
    pub evidence: Masked,
}

/// Words that were recorded: a note, a trouble, an accepted risk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// When and by whom.
    pub mark: Mark,
    /// The words.
    pub text: Masked,
}

/// A risk accepted by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AcceptedRisk {
    /// When and by whom.
    pub mark: Mark,
    /// The pod.
    pub pod: PodRef,
    /// What was accepted.
    pub what: Masked,
}

/// A postmortem that was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExportRecord {
    /// When and by whom.
    pub mark: Mark,
    /// File name.
    pub file: Masked,
    /// Hex sha256.
    pub sha256: String,
}

/// A life of a process that was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProcessRecord {
    /// When.
    pub mark: Mark,
    /// The container.
    pub container: ContainerRef,
    /// The life.
    pub process: ProcessKey,
}
