//! Everything decided so far: data only, small, cloneable, comparable, serialisable. It imports no topic; topics change
//! it through [`crate::app::update`], views only read it.

use std::collections::{BTreeMap, VecDeque};

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::base::{Bytes, ContainerRef, EvidenceId, Masked, PodRef, ProcessKey, Stamp, Trouble};
use crate::heap::Verdict;
use crate::incident::{ActRequest, Arming, Audience, Event, Plan, Preview, Seq, Sign, State};
use crate::playbook::{Playbook, Run};
use crate::preflight::{Assessment, CaptureState, Risk};
use crate::pressure::{Board, Rollout, Workload};

/// Names one running job; all its news carry it, cancelling goes by it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct JobId(pub u64);

/// What does not change while the program runs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Setting {
    /// Kubernetes context.
    pub context: String,
    /// Namespace under watch.
    pub namespace: String,
    /// Who sits here: login or configured name.
    pub who: Masked,
    /// Version of the tool.
    pub tool: Masked,
    /// Nothing that changes a pod or the cluster is done.
    pub read_only: bool,
    /// A sentence that stays on the screen (what world this is, why something is missing). May be empty.
    pub notice: String,
    /// The clock's plan for a new incident.
    pub plan: Plan,
    /// Seconds of incident time after which a change is judged, also on too few samples.
    pub judge_by_s: u64,
    /// Repository for `git blame`, if one was given.
    pub repository: Option<String>,
    /// Directories of source maps.
    pub source_maps: Vec<String>,
    /// Ids of incidents that exist already.
    pub taken: Vec<String>,
    /// Channels that posts go to.
    pub channels: Vec<ChannelInfo>,
    /// Captures that may run at the same time; those that wait for a death do not count.
    pub parallel: usize,
}

/// A channel of the config, as far as deciding needs it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ChannelInfo {
    /// Its name in the config.
    pub name: String,
    /// Who reads it.
    pub audiences: Vec<Audience>,
}

/// How the cluster answers.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "link")]
pub enum Link {
    /// Nothing heard yet.
    #[default]
    Connecting,
    /// The watch is up.
    Up,
    /// The watch is down; what is shown is as old as `since`.
    Stale {
        /// Since when.
        since: DateTime<Utc>,
        /// Why, and what to do.
        trouble: Trouble,
    },
}

/// How memory is measured.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Metering {
    /// Newest sample.
    pub last: Option<DateTime<Utc>>,
    /// Source of it.
    pub source: Option<String>,
    /// Why there is none.
    pub trouble: Option<Trouble>,
}

/// A job that runs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Job {
    /// What it does, for the status line.
    pub what: String,
    /// When it began.
    pub since: Stamp,
    /// Share done, 0 to 1, if known.
    pub share: Option<f32>,
    /// What it is at.
    pub note: String,
    /// Whether cancelling was asked for.
    pub cancelling: bool,
}

/// A capture, running or ended.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Capture {
    /// The job, while it runs.
    pub job: Option<JobId>,
    /// The file.
    pub evidence: EvidenceId,
    /// From where.
    pub container: ContainerRef,
    /// Method's name in the list.
    pub method: String,
    /// Where it stands.
    pub state: CaptureState,
    /// Bytes on disk here.
    pub bytes: Bytes,
    /// Bytes expected, when known.
    pub expected: Option<Bytes>,
    /// When it began.
    pub began: Stamp,
    /// When the last byte came.
    pub last: Stamp,
    /// The life of the process, once known.
    pub process: Option<ProcessKey>,
    /// What is missing, or what to do next.
    pub remark: String,
    /// The preflight it was started on.
    pub assessment: Option<Assessment>,
}

impl Capture {
    /// Whether it is to bring a heap, not a log, a report or a profile.
    pub fn is_heap(&self) -> bool {
        !matches!(self.method.as_str(), "log" | "file" | "sampling")
    }

    /// Whether it waits for a death, for hours if need be: then it takes no place and hinders no other.
    pub fn is_waiting(&self) -> bool {
        matches!(self.state, CaptureState::Armed { .. }) && matches!(self.method.as_str(), "near-limit" | "watch")
    }
}

/// A capture that waits until another has ended: this machine's disk and link bear only so many.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Queued {
    /// From where.
    pub container: ContainerRef,
    /// Since when.
    pub since: Stamp,
    /// The preflight it will be started on; memory is looked at anew then.
    pub assessment: Assessment,
    /// The worst risk that a person accepted.
    pub accepted: Risk,
}

/// How a container can be made to leave its heap at its next death, as its probe says.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Arms {
    /// It was started with the flags of a capture.
    pub by_flags: bool,
    /// Where its snapshot goes; `None`: nowhere can be written to.
    pub dir: Option<String>,
    /// Whether what is there outlives the container.
    pub outlives: bool,
    /// `--max-old-space-size` in MiB with which its snapshot would fit, for a redeploy; `None`: it stays as it is.
    pub heap_mib: Option<u64>,
}

/// A container that is watched for its next death.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Watch {
    /// Which.
    pub container: ContainerRef,
    /// How it is made to leave its heap.
    pub how: Arming,
    /// What is waited for.
    pub waits_for: String,
    /// Since when.
    pub since: DateTime<Utc>,
    /// Uid of the pod: another one of its name is another pod. Empty while it is not known.
    pub pod_uid: String,
    /// Its controller: who takes its place is of the same one.
    pub workload: Option<Workload>,
    /// Deaths of the container that are known: its restarts, and one more while it is dead.
    pub deaths: u32,
    /// The job that follows log and directory.
    pub job: Option<JobId>,
    /// The capture that waits for the heap.
    pub capture: Option<EvidenceId>,
    /// Captures that it began so far.
    pub tries: u32,
    /// The last sign.
    pub last: Option<(DateTime<Utc>, Sign, String)>,
    /// Since when the pod is gone, and the one that takes its place is looked for.
    pub seeking: Option<DateTime<Utc>>,
}

/// What preflight said of a container.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Survey {
    /// When.
    pub at: Stamp,
    /// One assessment a method, best first; the first is what `C` would do.
    pub methods: Vec<Assessment>,
    /// How it can be armed.
    pub arms: Option<Arms>,
    /// Why it could not be found out.
    pub trouble: Option<Trouble>,
    /// The job, while it runs.
    pub job: Option<JobId>,
    /// A capture was asked for and waits for this answer: by which method.
    pub then_capture: Option<Offer>,
    /// An act was done to make a capture possible: it is offered when the answer comes.
    pub offer: Option<Offer>,
}

/// Which capture is wanted, or offered after an act made it possible.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Offer {
    /// By the best method.
    Best,
    /// By this one.
    Method(String),
}

/// How far the question is whether a limit goes back that was raised for a capture.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "put_back")]
pub enum PutBack {
    /// It could not be done: too much memory is in use. It is asked again later.
    Waits {
        /// When it was looked at last.
        since: Stamp,
    },
    /// The person is asked.
    Asked,
    /// The person said no: it stays listed, but is not asked again.
    Refused,
}

/// One analysis.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AnalysisRow {
    /// The files, oldest first.
    pub evidence: Vec<EvidenceId>,
    /// The job, while it runs.
    pub job: Option<JobId>,
    /// The verdict; the whole result stands on the shelf.
    pub verdict: Option<Verdict>,
    /// What failed.
    pub trouble: Option<Trouble>,
}

/// Where an act stands.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "stage")]
pub enum ActStage {
    /// RBAC and server-side dry-run are asked.
    Checking,
    /// The person is asked; default No.
    Asking {
        /// What it would do.
        preview: Preview,
    },
    /// Intent is on disk; the call is made.
    Performing {
        /// The `ActIntended` event.
        intent: Seq,
    },
}

/// An act under way.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ActRun {
    /// The job.
    pub job: JobId,
    /// What is wished.
    pub request: ActRequest,
    /// Where it stands.
    pub stage: ActStage,
    /// The container whose capture it is to make possible: preflight is asked anew when it was done.
    pub for_capture: Option<ContainerRef>,
}

/// Rollout history of the workload in question.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct History {
    /// Whose.
    pub workload: Option<Workload>,
    /// Newest revision first.
    pub rollouts: Vec<Rollout>,
    /// The job, while it loads.
    pub job: Option<JobId>,
    /// What failed.
    pub trouble: Option<Trouble>,
}

/// One line of a log, safe to draw.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LogLine {
    /// Timestamp of the kubelet.
    pub at: Option<DateTime<Utc>>,
    /// Cleaned text.
    pub text: String,
}

/// The log under view.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Logs {
    /// Whose.
    pub of: Option<ContainerRef>,
    /// Of the container before the last restart.
    pub previous: bool,
    /// The last lines, oldest first, at most [`Logs::KEPT`].
    pub lines: VecDeque<LogLine>,
    /// Lines left out, because they came too fast or are older than what is kept.
    pub skipped: u64,
    /// The job, while it follows.
    pub job: Option<JobId>,
    /// Why it ended.
    pub ended: Option<String>,
}

impl Logs {
    /// Lines kept.
    pub const KEPT: usize = 2000;
}

/// What may not be dismissed by a view: the model holds it, `ui/prompts` shows it. One at a time, the first is on top.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "prompt")]
pub enum Prompt {
    /// The cut-off has come: go deep, or extend with a reason. Nothing else closes it.
    Cutoff {
        /// When it was due.
        due: DateTime<Utc>,
        /// Times it was raised again.
        level: u32,
        /// The LONG notice, drafted from the state; the person edits a copy.
        draft: Masked,
    },
    /// An act shows what it would do and waits; default No.
    Act {
        /// The act's job.
        job: JobId,
    },
    /// The capture would or might kill the pod: its name has to be typed.
    Risk {
        /// The container.
        container: ContainerRef,
        /// The preflight.
        assessment: Assessment,
    },
    /// What stood in the way of a capture was done away with: it can be begun.
    Ready {
        /// The container.
        container: ContainerRef,
        /// The preflight, asked anew.
        assessment: Assessment,
    },
    /// Containers are to be watched for their next death: how? Default No.
    Arm {
        /// Which.
        containers: Vec<ContainerRef>,
    },
    /// Watches are to end; default No.
    Disarm {
        /// Which.
        containers: Vec<ContainerRef>,
    },
    /// The journal cannot be written.
    Journal {
        /// Why, and the remedy.
        trouble: Trouble,
    },
}

/// The playbook in use and how far it is.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Guide {
    /// What it says.
    pub book: Box<Playbook>,
    /// How far it is.
    pub run: Run,
}

/// How loud a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Good to know.
    Info,
    /// Done.
    Good,
    /// Look here.
    Warn,
    /// Failed.
    Bad,
}

/// A message at the foot of the screen.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Toast {
    /// When it came.
    pub at: Stamp,
    /// How loud.
    pub level: Level,
    /// What it says.
    pub text: String,
}

/// JSON has no maps by structs.
fn pairs<K: Serialize, V: Serialize, S: serde::Serializer>(map: &BTreeMap<K, V>, to: S) -> Result<S::Ok, S::Error> {
    to.collect_seq(map.iter())
}

/// Everything decided so far.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Model {
    /// The last moment a message brought.
    pub now: Stamp,
    /// What does not change.
    pub setting: Setting,
    /// The incident, once declared: the fold of its events.
    pub incident: Option<State>,
    /// Pods by memory pressure.
    pub board: Board,
    /// How the cluster answers.
    pub link: Link,
    /// How memory is measured.
    pub metering: Metering,
    /// Prompts that wait, the first on top.
    pub prompts: VecDeque<Prompt>,
    /// Jobs that run.
    pub jobs: BTreeMap<JobId, Job>,
    /// Captures, oldest first.
    pub captures: Vec<Capture>,
    /// Captures that wait for a free place, in order.
    pub queue: VecDeque<Queued>,
    /// Containers that are watched for their next death.
    pub watches: Vec<Watch>,
    /// Second snapshots that are due and asked for, with the first.
    #[serde(serialize_with = "pairs")]
    pub pairing: BTreeMap<ContainerRef, EvidenceId>,
    /// Preflights by container.
    #[serde(serialize_with = "pairs")]
    pub surveys: BTreeMap<ContainerRef, Survey>,
    /// Analyses, oldest first.
    pub analyses: Vec<AnalysisRow>,
    /// Acts under way.
    pub acts: Vec<ActRun>,
    /// Rollout history under view.
    pub history: History,
    /// The log under view.
    pub logs: Logs,
    /// The playbook in use.
    pub playbook: Option<Guide>,
    /// Events that are not on disk, because the journal cannot be written.
    pub unwritten: Vec<Event>,
    /// The last messages, newest last.
    pub toasts: VecDeque<Toast>,
    /// Last postmortem written: its path.
    pub exported: Option<String>,
    /// Exit was asked for.
    pub leaving: bool,
    /// Counter of jobs.
    pub next_job: u64,
    /// Deaths of each container that are known: its restarts, and one more while it is dead.
    #[serde(serialize_with = "pairs")]
    pub seen_deaths: BTreeMap<ContainerRef, u32>,
    /// When memory was last recorded.
    pub memory_recorded: Option<Stamp>,
    /// Copies for debugging that do not run yet.
    pub awaited: Vec<ContainerRef>,
    /// Raised limits, by the intent that raised them: how far the question is whether they go back.
    pub put_backs: BTreeMap<Seq, PutBack>,
}

impl Model {
    /// An empty model in `setting` at `now`.
    pub fn new(setting: Setting, board: Board, now: Stamp) -> Self {
        Self {
            now,
            setting,
            incident: None,
            board,
            link: Link::default(),
            metering: Metering::default(),
            prompts: VecDeque::new(),
            jobs: BTreeMap::new(),
            captures: Vec::new(),
            queue: VecDeque::new(),
            watches: Vec::new(),
            pairing: BTreeMap::new(),
            surveys: BTreeMap::new(),
            analyses: Vec::new(),
            acts: Vec::new(),
            history: History::default(),
            logs: Logs::default(),
            playbook: None,
            unwritten: Vec::new(),
            toasts: VecDeque::new(),
            exported: None,
            leaving: false,
            next_job: 1,
            seen_deaths: BTreeMap::new(),
            memory_recorded: None,
            awaited: Vec::new(),
            put_backs: BTreeMap::new(),
        }
    }

    /// The prompt on top.
    pub fn prompt(&self) -> Option<&Prompt> {
        self.prompts.front()
    }

    /// The act of `job`.
    pub fn act(&self, job: JobId) -> Option<&ActRun> {
        self.acts.iter().find(|a| a.job == job)
    }

    /// The capture of `evidence`.
    pub fn capture(&self, evidence: EvidenceId) -> Option<&Capture> {
        self.captures.iter().find(|c| c.evidence == evidence)
    }

    /// The watch of `container`.
    pub fn watch(&self, container: &ContainerRef) -> Option<&Watch> {
        self.watches.iter().find(|w| w.container == *container)
    }

    /// The newest verdict.
    pub fn verdict(&self) -> Option<&Verdict> {
        self.analyses.iter().rev().find_map(|a| a.verdict.as_ref())
    }

    /// The workload of `pod`, as the board knows it.
    pub fn workload_of(&self, pod: &PodRef) -> Option<&Workload> {
        self.board.rows().iter().find(|r| &r.container.pod == pod).and_then(|r| r.workload.as_ref())
    }
}
