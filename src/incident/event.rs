//! The journal's format: what may happen in an incident. One event is one line of JSON; [`crate::incident::State`] folds them.
//!
//! Kinds are only ever added. A kind that this version does not know is kept as [`Kind::Unknown`], so that an older
//! tool can read, continue and export a newer journal.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::act::{ActRequest, Receipt};
use super::finding::{CodeAge, Finding, LargeThing};
use super::plan::Plan;
use super::post::Post;
use super::provenance::Provenance;
use super::watching::{Arming, PairWhen, Sign};
use crate::base::{Bytes, BytesPerSecond, ContainerRef, EvidenceId, Masked, PodRef, ProcessKey, Stamp};

/// Position of an event in its incident's journal, from 1.
pub type Seq = u64;

/// `INC-20261123-1519-checkout`: sortable, safe as a file name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct IncidentId(String);

impl IncidentId {
    /// The id of an incident declared at `at` on `service`; whatever is unsafe in a file name becomes `-`.
    pub fn new(at: DateTime<Utc>, service: &str) -> Self {
        let mut slug: String = service.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' }).collect();
        slug.truncate(40);
        let slug = slug.trim_matches('-');
        Self(format!("INC-{}-{}", at.format("%Y%m%d-%H%M"), if slug.is_empty() { "incident" } else { slug }))
    }

    /// Takes an id from outside; `None` if it could not be one (it becomes part of paths).
    pub fn parse(text: &str) -> Option<Self> {
        let fits = text.len() <= 80 && text.starts_with("INC-") && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
        fits.then(|| Self(text.to_owned()))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for IncidentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// Who did it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "who", content = "name")]
pub enum Actor {
    /// A person, by login or configured name.
    Person(Masked),
    /// `cutoff` itself, without being asked.
    Tool,
    /// A playbook step.
    Playbook(Masked),
    /// The cluster: pods that die, rollouts that others start.
    Cluster,
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Person(name) | Self::Playbook(name) => name.as_str(),
            Self::Tool => "cutoff",
            Self::Cluster => "cluster",
        })
    }
}

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Position in the journal, from 1 and without gaps.
    pub seq: Seq,
    /// When it was recorded, in incident time.
    pub at: Stamp,
    /// Who did it.
    pub actor: Actor,
    /// What happened.
    pub kind: Kind,
}

/// How bad it is; 1 is worst.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// All users, or money, are affected.
    #[default]
    Sev1,
    /// Many users are affected.
    Sev2,
    /// Some users are affected.
    Sev3,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Sev1 => "SEV1",
            Self::Sev2 => "SEV2",
            Self::Sev3 => "SEV3",
        })
    }
}

/// What a person decided at the cut-off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "decision")]
pub enum Decision {
    /// Quick fixes end; users are told that it will be LONG; deep root-cause analysis begins.
    GoDeep,
    /// Quick fixes go on for `minutes` more, because of `reason`.
    Extend {
        /// Minutes of incident time, at least 1: from the decision, or from the cut-off where that is still ahead.
        minutes: u32,
        /// Why, in the person's words.
        reason: Masked,
    },
}

/// Stages of the clock that speak up before and after the cut-off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StageName {
    /// The first public post is due (T+5 by default).
    FirstPost,
    /// A post on the scope is due (T+10).
    ScopePost,
    /// "Could this be a long one?" (T+60).
    LongCheck,
    /// Half an hour before the cut-off: draft the LONG notice.
    Warning,
    /// A regular update is due.
    UpdateDue,
    /// State review and handover (every four hours).
    Handover,
}

/// How a capture ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The JSON ends; counts agree.
    Complete,
    /// Bytes came, but not all.
    Truncated,
    /// The pod died before the first byte.
    KilledEmpty,
    /// A person stopped it.
    Cancelled,
    /// It failed without harm to the pod.
    Failed,
}

/// How a playbook step came to its tick.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "how")]
pub enum How {
    /// The event `seq` did what the step asks for.
    ByAct {
        /// That event.
        seq: Seq,
    },
    /// A person ticked it.
    ByHand,
    /// A person skipped it, because of `reason`.
    Skipped {
        /// Why.
        reason: Masked,
    },
}

/// Memory of one container at the time of the event. Enough of them make the postmortem's chart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemoryReading {
    /// The container.
    pub container: ContainerRef,
    /// Working set.
    pub used: Bytes,
    /// Memory limit, if there is one.
    pub limit: Option<Bytes>,
}

/// Did a change help? Judged on slopes, not felt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effectiveness {
    /// The slope fell to less than a quarter of what it was.
    Helped,
    /// No difference that the samples could prove.
    NoChange,
    /// It climbs faster than before.
    Worse,
    /// Too few samples yet.
    TooEarly,
}

/// Slope of the workload's memory before and after a change.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct SlopeChange {
    /// Median slope per pod before, if it was known.
    pub before: Option<BytesPerSecond>,
    /// Median slope per pod after.
    pub after: Option<BytesPerSecond>,
    /// What follows from the two.
    pub effect: Effectiveness,
}

/// What may happen. See each variant; all texts are [`Masked`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "type")]
pub enum Kind {
    /// The incident begins for the tool.
    Declared {
        /// Its id.
        id: IncidentId,
        /// One line: what users see.
        title: Masked,
        /// How bad.
        severity: Severity,
        /// Service or workload it is about.
        service: Masked,
        /// When users began to be hurt, if that is known to be earlier than the declaration.
        impact_since: Option<DateTime<Utc>>,
        /// The clock's plan.
        plan: Plan,
        /// Kubernetes context and namespace.
        context: Masked,
        /// Namespace.
        namespace: Masked,
        /// Version of the tool.
        tool: Masked,
    },
    /// The tool runs again on this incident after it had been gone.
    Resumed {
        /// Version of the tool.
        tool: Masked,
    },
    /// The wall clock moved by `seconds` against the monotonic one: sleep, or it was set. Deadlines keep to wall time.
    ClockStepped {
        /// Positive: wall time jumped forward.
        seconds: i64,
    },
    /// A person's note.
    Noted {
        /// Markdown, masked.
        text: Masked,
    },
    /// Another severity.
    SeverityChanged {
        /// From now on.
        severity: Severity,
    },
    /// Memory of all containers under watch, about twice a minute of incident time.
    MemorySeen {
        /// Each container once.
        readings: Vec<MemoryReading>,
    },
    /// A container ended.
    ContainerDied {
        /// Which.
        container: ContainerRef,
        /// Restart count after it.
        restarts: u32,
        /// The runtime's reason (`OOMKilled`, `Error`).
        reason: Masked,
        /// Exit code.
        exit_code: Option<i32>,
        /// What it died of, in words ("V8 heap limit", "container memory limit").
        cause: Masked,
        /// When it ended, by the cluster's clock.
        ended: Option<DateTime<Utc>>,
    },
    /// A rollout was seen in the history of the workload.
    RolloutSeen {
        /// `deployment/name`.
        workload: Masked,
        /// Revision number.
        revision: u64,
        /// Image of its first container.
        image: Masked,
        /// When it was made.
        made: Option<DateTime<Utc>>,
        /// `kubernetes.io/change-cause`.
        cause: Option<Masked>,
    },
    /// Preflight answered.
    Assessed {
        /// The pod.
        pod: PodRef,
        /// Capture method.
        method: Masked,
        /// "OK", "RISKY", "WILL BE KILLED".
        risk: Masked,
        /// The numbers, in one line.
        because: Masked,
    },
    /// A person accepted by name that an act may kill a pod.
    RiskAccepted {
        /// The pod.
        pod: PodRef,
        /// What was accepted.
        what: Masked,
    },
    /// A change of the cluster is about to be made. Written before it is done.
    ActIntended {
        /// What is asked.
        request: ActRequest,
        /// The exact call, as shown to the person.
        call: Masked,
    },
    /// The change intended in `intent` was made.
    ActDone {
        /// The intent.
        intent: Seq,
        /// What came of it.
        receipt: Receipt,
    },
    /// The change intended in `intent` failed.
    ActFailed {
        /// The intent.
        intent: Seq,
        /// Why.
        why: Masked,
    },
    /// What the act intended in `act` had left behind is no more, without an act of ours (the pod is gone).
    LeftoverGone {
        /// The intent of the act that left it.
        act: Seq,
        /// Why.
        why: Masked,
    },
    /// Memory before and after the change made in `act` was compared.
    EffectMeasured {
        /// The `ActDone` event.
        act: Seq,
        /// The two slopes.
        change: SlopeChange,
    },
    /// A capture begins.
    CaptureStarted {
        /// The file to be.
        evidence: EvidenceId,
        /// From where.
        container: ContainerRef,
        /// How.
        method: Masked,
    },
    /// A capture ended.
    CaptureEnded {
        /// The file.
        evidence: EvidenceId,
        /// How it ended.
        outcome: Outcome,
        /// Bytes kept.
        bytes: Bytes,
        /// Hex sha256 of the file, if there is one.
        sha256: Option<String>,
        /// File name inside the incident's evidence directory.
        file: Option<Masked>,
        /// Where it came from.
        provenance: Option<Box<Provenance>>,
        /// What is missing, or what to do next.
        remark: Masked,
    },
    /// A snapshot file that was not captured here joined the evidence.
    EvidenceAdded {
        /// The file.
        evidence: EvidenceId,
        /// File name as given.
        file: Masked,
        /// Bytes.
        bytes: Bytes,
        /// Hex sha256.
        sha256: Option<String>,
    },
    /// Analysis named a leak.
    LeakFound {
        /// The files, oldest first.
        evidence: Vec<EvidenceId>,
        /// The first suspect.
        finding: Box<Finding>,
    },
    /// Analysis ended without a suspect.
    NothingFound {
        /// The files.
        evidence: Vec<EvidenceId>,
        /// Why nothing is named.
        reason: Masked,
        /// What is big.
        large: Vec<LargeThing>,
    },
    /// How old the code of the finding is.
    CodeAged {
        /// The files of the finding.
        evidence: Vec<EvidenceId>,
        /// What `git blame` said.
        age: CodeAge,
    },
    /// The clock spoke.
    StageReached {
        /// Which stage.
        stage: StageName,
        /// When it was due.
        due: DateTime<Utc>,
    },
    /// The cut-off has come.
    CutoffReached {
        /// When it was due.
        due: DateTime<Utc>,
    },
    /// A prompt was not answered and climbs.
    Escalated {
        /// How often it was raised before.
        level: u32,
        /// What was done.
        what: Masked,
    },
    /// The cut-off's question was answered.
    Decided(Decision),
    /// A post waits to be sent. Queued without sent is the outbox.
    PostQueued {
        /// The post.
        post: Post,
        /// Names of the channels it has to reach; what is neither sent nor given up on one of them is the outbox.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        channels: Vec<Masked>,
    },
    /// The post queued in `queued` was delivered.
    PostSent {
        /// The `PostQueued` event.
        queued: Seq,
        /// Channel name of the config.
        channel: Masked,
        /// Tries it took.
        tries: u32,
        /// What the receiver said ("HTTP 202").
        answer: Masked,
    },
    /// A try to deliver failed.
    PostFailed {
        /// The `PostQueued` event.
        queued: Seq,
        /// Channel name.
        channel: Masked,
        /// Tries so far.
        tries: u32,
        /// Why.
        why: Masked,
        /// Whether it is given up.
        last: bool,
    },
    /// A playbook step got its tick.
    StepTicked {
        /// Playbook name.
        playbook: Masked,
        /// Step id.
        step: Masked,
        /// How.
        how: How,
    },
    /// A hypothesis was opened.
    HypothesisOpened {
        /// What is believed.
        statement: Masked,
        /// Minutes it may take.
        timebox_minutes: u32,
    },
    /// A hypothesis ended.
    HypothesisClosed {
        /// The `HypothesisOpened` event.
        opened: Seq,
        /// Whether it held.
        held: bool,
        /// What showed it.
        evidence: Masked,
    },
    /// The incident is over.
    Resolved {
        /// What ended it.
        text: Masked,
    },
    /// A postmortem was written.
    Exported {
        /// File name.
        file: Masked,
        /// Hex sha256 of the markdown.
        sha256: String,
    },
    /// Another journal of this incident was merged into this one.
    Imported {
        /// Its file name.
        file: Masked,
        /// Hex sha256 of the file.
        sha256: String,
        /// Events that this journal did not have.
        added: u64,
    },
    /// Something failed that the person should find in the timeline.
    TroubleSeen {
        /// What, where and the remedy.
        what: Masked,
    },
    /// A process was seen to be one to capture from; ties captures of one process together.
    ProcessSeen {
        /// The container.
        container: ContainerRef,
        /// Its life.
        process: ProcessKey,
    },
    /// A file of evidence was deleted; its record stays.
    EvidenceDeleted {
        /// The file.
        evidence: EvidenceId,
        /// Why.
        why: Masked,
    },
    /// A container is watched for its next death: for hours, and across restarts of the tool.
    Armed {
        /// The container.
        container: ContainerRef,
        /// How it is made to leave its heap.
        how: Arming,
        /// What is waited for, in words.
        waits_for: Masked,
        /// Uid of the pod.
        pod_uid: String,
        /// Deaths of the container that were known then.
        deaths: u32,
    },
    /// A watch saw the first of something.
    SignSeen {
        /// The container.
        container: ContainerRef,
        /// What kind of sign.
        sign: Sign,
        /// What was seen.
        what: Masked,
    },
    /// A watch is over.
    Disarmed {
        /// The container.
        container: ContainerRef,
        /// Why.
        why: Masked,
    },
    /// A second snapshot of the process that `first` came from is planned.
    PairPlanned {
        /// The first snapshot.
        first: EvidenceId,
        /// The container.
        container: ContainerRef,
        /// The life of the process.
        process: ProcessKey,
        /// When it is due.
        when: PairWhen,
        /// Working set at this moment.
        base: Option<Bytes>,
    },
    /// The plan of a second snapshot is over.
    PairEnded {
        /// The first snapshot.
        first: EvidenceId,
        /// The second, if it was begun.
        second: Option<EvidenceId>,
        /// Why.
        why: Masked,
    },
    /// A kind (or a known kind in a shape) that this version does not know, kept as it was written.
    #[serde(untagged)]
    Unknown(serde_json::Value),
}
