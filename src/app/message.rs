//! What comes in: a person's (or playbook's) intents and the world's news. Plain data, so that a night can be recorded
//! and replayed.

use serde::Serialize;

use super::model::{Arms, JobId, LogLine};
use crate::base::{Bytes, ContainerRef, EvidenceId, PodRef, ProcessKey, Trouble};
use crate::heap::Verdict;
use crate::incident::{ActRequest, CodeAge, Event, Outcome, PairWhen, PostKind, Preview, Provenance, Receipt, Seq, Severity, Sign};
use crate::playbook::Playbook;
use crate::preflight::{Assessment, CaptureState, RemedyKind};
use crate::pressure::{Ceiling, PodFacts, PodSample, Rollout, Workload};

/// A message to [`crate::app::update`].
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "msg")]
pub enum Msg {
    /// A second passed.
    Tick,
    /// Somebody wants something.
    Intent(Intent),
    /// The world reports something.
    News(Box<News>),
}

/// What a person wants.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "intent")]
pub enum Intent {
    /// Declare the incident; the clock starts.
    Declare {
        /// What users see. Empty: a title is made from the board.
        title: String,
        /// How bad.
        severity: Severity,
        /// Service. Empty: the worst workload's name.
        service: String,
    },
    /// Add a note.
    Note {
        /// Its text.
        text: String,
    },
    /// Change the severity.
    Severity {
        /// From now on.
        severity: Severity,
    },
    /// Answer the cut-off: go deep, with the notice as edited.
    GoDeep {
        /// The LONG notice for users.
        notice: String,
    },
    /// Answer the cut-off: extend.
    Extend {
        /// Minutes.
        minutes: u32,
        /// Why; not empty.
        reason: String,
    },
    /// Load the rollout history of a workload.
    History {
        /// Whose.
        workload: Workload,
    },
    /// Begin an act: it is checked, shown and asked for.
    Act {
        /// What is wished.
        request: ActRequest,
    },
    /// Yes to the act on the screen; `typed` is what was typed where a name is asked for.
    Confirm {
        /// The act's job.
        job: JobId,
        /// The typed name.
        typed: String,
    },
    /// No to the act on the screen.
    Refuse {
        /// The act's job.
        job: JobId,
    },
    /// Find out whether a capture is safe.
    Preflight {
        /// The container.
        container: ContainerRef,
    },
    /// Take a capture: preflight first, if there is none fresh.
    Capture {
        /// The container.
        container: ContainerRef,
        /// Method's name; `None`: the best.
        method: Option<String>,
    },
    /// Accept by name that the capture may kill the pod.
    AcceptRisk {
        /// The container.
        container: ContainerRef,
        /// The pod's name as typed.
        typed: String,
    },
    /// No to the risky capture.
    RefuseRisk {
        /// The container.
        container: ContainerRef,
    },
    /// Take a way out of a preflight that says no.
    WayOut {
        /// The container.
        container: ContainerRef,
        /// Which.
        way: RemedyKind,
    },
    /// Begin the capture that an act made possible.
    TakeReady {
        /// The container.
        container: ContainerRef,
    },
    /// Watch containers for their next death: how each can be armed is found out and asked.
    Arm {
        /// Which.
        containers: Vec<ContainerRef>,
    },
    /// The answer to how: arm them.
    ArmAs {
        /// Which.
        containers: Vec<ContainerRef>,
        /// How.
        choice: ArmChoice,
    },
    /// No to arming, or to disarming.
    RefuseArm,
    /// Yes: these watches end.
    Disarm {
        /// Which.
        containers: Vec<ContainerRef>,
    },
    /// Take a second snapshot of the process that `first` came from, when it is due.
    Pair {
        /// The first snapshot.
        first: EvidenceId,
        /// When.
        when: PairWhen,
    },
    /// Give up the second snapshot to `first`.
    CancelPair {
        /// The first snapshot.
        first: EvidenceId,
    },
    /// Take a capture out of the queue.
    Unqueue {
        /// From where it would have been.
        container: ContainerRef,
    },
    /// Analyse files of one process, oldest first.
    Analyse {
        /// The files.
        evidence: Vec<EvidenceId>,
    },
    /// Show a log.
    Logs {
        /// Whose.
        container: ContainerRef,
        /// Of the container before.
        previous: bool,
    },
    /// Stop following the log.
    StopLogs,
    /// Tick a playbook step by hand.
    TickStep {
        /// Its id.
        step: String,
    },
    /// Skip a playbook step.
    SkipStep {
        /// Its id.
        step: String,
        /// Why; not empty.
        reason: String,
    },
    /// Use this playbook.
    UsePlaybook {
        /// It.
        playbook: Box<Playbook>,
    },
    /// Send a post.
    Post {
        /// What it is.
        kind: PostKind,
        /// Its words.
        text: String,
    },
    /// The incident is over.
    Resolve {
        /// What ended it.
        text: String,
    },
    /// Write the postmortem.
    Export,
    /// Stop a job.
    Cancel {
        /// Which.
        job: JobId,
    },
    /// The journal's prompt: try again.
    RetryJournal,
    /// Leave.
    Quit,
}

/// How a capture ended, with all that the journal keeps of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CaptureEnd {
    /// How.
    pub outcome: Outcome,
    /// Bytes kept.
    pub bytes: Bytes,
    /// Hex sha256.
    pub sha256: Option<String>,
    /// File name in the evidence directory.
    pub file: Option<String>,
    /// Where it came from.
    pub provenance: Option<Box<Provenance>>,
    /// What is missing, or what to do next.
    pub remark: String,
}

/// How containers are to be armed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ArmChoice {
    /// At run time, where the flags have not done it.
    RunTime,
    /// Nothing in the pods is changed.
    Only,
    /// Redeploy the workload with the flags, after its dry-run.
    Redeploy,
}

/// What the world reports.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "news")]
pub enum News {
    /// All pods there are.
    Pods {
        /// Full set.
        pods: Vec<PodFacts>,
    },
    /// One pod changed.
    Pod {
        /// It.
        pod: Box<PodFacts>,
    },
    /// One pod is gone.
    PodGone {
        /// Which.
        pod: PodRef,
    },
    /// The watch is down.
    LinkDown {
        /// Why, and the remedy.
        trouble: Trouble,
    },
    /// The watch is up again.
    LinkUp,
    /// Memory was measured.
    Samples {
        /// A batch.
        samples: Vec<PodSample>,
    },
    /// Memory could not be measured.
    MeterTrouble {
        /// Why, and the remedy.
        trouble: Trouble,
    },
    /// An incident was reopened: its events, oldest first.
    Reopened {
        /// All of them.
        events: Vec<Event>,
    },
    /// The journal could not be written; the event is kept in memory.
    JournalFailed {
        /// The event.
        event: Box<Event>,
        /// Why, and the remedy.
        trouble: Trouble,
    },
    /// All that was unwritten is on disk.
    JournalWritten,
    /// An act was previewed.
    Previewed {
        /// The job.
        job: JobId,
        /// What it would do.
        result: Result<Preview, Trouble>,
    },
    /// An act was performed.
    Performed {
        /// The job.
        job: JobId,
        /// The intent.
        intent: Seq,
        /// What it did.
        result: Result<Receipt, Trouble>,
    },
    /// Preflight answered.
    Surveyed {
        /// The job.
        job: JobId,
        /// The container.
        container: ContainerRef,
        /// Working set at which V8 gives up, if it said so.
        ceiling: Option<Ceiling>,
        /// How it can be armed, if its probe came to an end.
        arms: Option<Box<Arms>>,
        /// One assessment a method, best first.
        result: Result<Vec<Assessment>, Trouble>,
    },
    /// A watch saw a sign.
    Sign {
        /// The container.
        container: ContainerRef,
        /// What kind.
        sign: Sign,
        /// What was seen.
        what: String,
        /// The file that appeared.
        path: Option<String>,
    },
    /// A capture goes on.
    Capturing {
        /// The job.
        job: JobId,
        /// The file.
        evidence: EvidenceId,
        /// Where it stands.
        state: CaptureState,
        /// Bytes on disk here.
        bytes: Bytes,
        /// Bytes expected, when known.
        expected: Option<Bytes>,
        /// The life of the process, once known.
        process: Option<ProcessKey>,
    },
    /// A capture ended.
    Captured {
        /// The job.
        job: JobId,
        /// The file.
        evidence: EvidenceId,
        /// Last state.
        state: CaptureState,
        /// All of it.
        end: Box<CaptureEnd>,
    },
    /// An analysis goes on.
    Analysing {
        /// The job.
        job: JobId,
        /// What it does.
        phase: String,
        /// Share done, 0 to 1.
        share: f32,
    },
    /// An analysis ended; the whole result stands on the shelf.
    Analysed {
        /// The job.
        job: JobId,
        /// The files.
        evidence: Vec<EvidenceId>,
        /// The verdict.
        result: Result<Box<Verdict>, Trouble>,
    },
    /// The age of the finding's code is known.
    Aged {
        /// The job.
        job: JobId,
        /// The files of the finding.
        evidence: Vec<EvidenceId>,
        /// What blame said.
        result: Result<CodeAge, Trouble>,
    },
    /// Rollout history came.
    History {
        /// The job.
        job: JobId,
        /// Newest revision first.
        result: Result<Vec<Rollout>, Trouble>,
    },
    /// Lines of the log came.
    LogLines {
        /// The job.
        job: JobId,
        /// The lines.
        lines: Vec<LogLine>,
        /// Left out in between.
        skipped: u64,
    },
    /// The log ended.
    LogEnded {
        /// The job.
        job: JobId,
        /// Why; `None`: it was all.
        trouble: Option<Trouble>,
    },
    /// What a container died of.
    Autopsy {
        /// The container.
        container: ContainerRef,
        /// Restart count after the death.
        restarts: u32,
        /// In a word or two, for a column.
        word: String,
        /// In a sentence.
        cause: String,
    },
    /// A post was delivered, or a try failed.
    Delivered {
        /// The `PostQueued` event.
        queued: Seq,
        /// Channel.
        channel: String,
        /// Tries so far.
        tries: u32,
        /// The receiver's answer, or why not; `.1` of the error: it is given up.
        result: Result<String, (Trouble, bool)>,
    },
    /// The postmortem was written.
    Exported {
        /// The job.
        job: JobId,
        /// Path and hex sha256.
        result: Result<(String, String), Trouble>,
    },
    /// A job ended without more to say (cancelled, panicked).
    JobEnded {
        /// Which.
        job: JobId,
        /// What went wrong, if anything.
        trouble: Option<Trouble>,
    },
}
