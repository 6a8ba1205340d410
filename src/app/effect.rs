//! What the world is asked to do. An effect carries all that the hands need; of them only the desk sees the model.

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::model::JobId;
use crate::base::{ContainerRef, EvidenceId, Masked, ProcessKey};
use crate::incident::{ActRequest, Event, Place, Post, Preview, Seq, State};
use crate::preflight::Risk;
use crate::pressure::Workload;

/// What is kept of a container after a sign.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "gather")]
pub enum Gather {
    /// The whole log of the life that ended last, or of the present one where the pod is going.
    LastLog,
    /// A file in the container.
    File {
        /// Its path there.
        path: String,
    },
}

impl Gather {
    /// Its name in the list of methods.
    pub const fn method(&self) -> &'static str {
        match self {
            Self::LastLog => "log",
            Self::File { .. } => "file",
        }
    }
}

/// One wish to the world.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "effect")]
pub enum Effect {
    /// Write `event` to the journal; do `then` only when it is on disk. The event is folded already.
    Record {
        /// The event.
        event: Box<Event>,
        /// What waits for it.
        then: Vec<Effect>,
    },
    /// Ask what an act would do.
    Preview {
        /// The job.
        job: JobId,
        /// The act.
        request: ActRequest,
    },
    /// Do what was previewed. Only ever inside the `then` of its `ActIntended`.
    Perform {
        /// The job.
        job: JobId,
        /// The intent.
        intent: Seq,
        /// What was shown.
        preview: Preview,
    },
    /// Find out whether a capture is safe.
    Survey {
        /// The job.
        job: JobId,
        /// The container.
        container: ContainerRef,
        /// A capture is wanted: ask V8 for its own numbers too.
        deep: bool,
    },
    /// Take a capture. Only ever inside the `then` of its `CaptureStarted`.
    Capture {
        /// The job.
        job: JobId,
        /// The file to be.
        evidence: EvidenceId,
        /// From where.
        container: ContainerRef,
        /// Method's name.
        method: String,
        /// Who asked.
        who: Masked,
        /// The worst risk that a person accepted; [`Risk::Ok`] where nobody was asked. Memory moves: what is worse when the
        /// capture begins is not begun.
        accepted: Risk,
        /// Only this life of the process: the second snapshot of a pair.
        same: Option<Box<ProcessKey>>,
        /// It belongs to a watch that is on since then: it waits through restarts, and what appeared since is new.
        armed: Option<DateTime<Utc>>,
    },
    /// Keep a file that a dead or dying container leaves. Only ever inside the `then` of its `CaptureStarted`.
    Collect {
        /// The job.
        job: JobId,
        /// The file to be.
        evidence: EvidenceId,
        /// From where.
        container: ContainerRef,
        /// What.
        what: Gather,
        /// Who asked.
        who: Masked,
    },
    /// Follow log and directory of a container for signs of its death: reads only.
    Watch {
        /// The job.
        job: JobId,
        /// The container.
        container: ContainerRef,
        /// Lines and files from this moment on count.
        since: DateTime<Utc>,
    },
    /// Analyse files of one process, oldest first.
    Analyse {
        /// The job.
        job: JobId,
        /// The files.
        evidence: Vec<EvidenceId>,
        /// Seconds of incident time between the first and the last capture, if known.
        seconds: Option<f64>,
    },
    /// Ask how old the code at `place` is.
    Blame {
        /// The job.
        job: JobId,
        /// The files of the finding.
        evidence: Vec<EvidenceId>,
        /// The place.
        place: Place,
        /// The repository.
        repository: String,
    },
    /// Load the rollout history.
    History {
        /// The job.
        job: JobId,
        /// Whose.
        workload: Workload,
        /// Namespace.
        namespace: String,
    },
    /// Follow a log, or read the previous one.
    Logs {
        /// The job.
        job: JobId,
        /// Whose.
        container: ContainerRef,
        /// Of the container before.
        previous: bool,
    },
    /// Find out from the previous log what the container died of.
    Autopsy {
        /// The container.
        container: ContainerRef,
        /// Restart count after the death.
        restarts: u32,
        /// The runtime's reason.
        reason: String,
        /// Exit code.
        exit_code: Option<i32>,
    },
    /// Deliver a post. Only ever inside the `then` of its `PostQueued`, or after a restart from the outbox.
    Send {
        /// The `PostQueued` event.
        queued: Seq,
        /// The post.
        post: Post,
        /// Id of the incident.
        incident: String,
        /// Channels that still have to get it.
        channels: Vec<String>,
    },
    /// Write the postmortem.
    Export {
        /// The job.
        job: JobId,
        /// All of it.
        state: Box<State>,
    },
    /// Stop a job.
    Cancel {
        /// Which.
        job: JobId,
    },
    /// Ring the terminal's bell.
    Bell,
    /// Stop the program in order.
    Quit,
}
