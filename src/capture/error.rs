//! What can go wrong on the way to a heap, by what can be done about it.

use crate::base::{Masked, Trouble, TroubleKind};
use crate::{evidence, inspector, node};

/// Why a survey or a capture did not come to its end.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The cluster, or the way to the container.
    #[error("{0}")]
    Cluster(Trouble),
    /// The container's probe.
    #[error(transparent)]
    Probe(#[from] node::ProbeError),
    /// Neither a shell nor Node can be run in the container.
    #[error("nothing can be run in this container: it has neither a shell nor a Node that is found")]
    NothingRuns,
    /// There is no such process, or none of Node.
    #[error("there is no Node process to capture in this container")]
    NoTarget,
    /// The process changed between the look and the act.
    #[error("process {pid} is not what it was when it was looked at: nothing was sent to it")]
    Changed {
        /// Its id.
        pid: u32,
    },
    /// The inspector.
    #[error(transparent)]
    Inspector(#[from] inspector::Error),
    /// SIGUSR1 was sent and no inspector came up.
    #[error("the inspector did not open after SIGUSR1: {0}")]
    NotOpened(Masked),
    /// Another process answers on the inspector's port.
    #[error("the inspector on that port belongs to process {found}, not to {wanted}")]
    WrongProcess {
        /// Who answered.
        found: u32,
        /// Who was meant.
        wanted: u32,
    },
    /// The file here.
    #[error(transparent)]
    Evidence(#[from] evidence::Error),
    /// What the pod sent cannot be right.
    #[error("what the pod sent is damaged: {0}")]
    Damaged(Masked),
    /// No method of this name.
    #[error("there is no capture method called {0:?}")]
    NoMethod(String),
    /// Refused by preflight.
    #[error("{0}")]
    Refused(Masked),
    /// A person said stop.
    #[error("stopped")]
    Cancelled,
}

impl From<Trouble> for Error {
    fn from(trouble: Trouble) -> Self {
        Self::Cluster(trouble)
    }
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        let (kind, remedy) = match error {
            Error::Cluster(trouble) => return trouble,
            Error::Probe(probe) => return probe.into(),
            Error::Inspector(inner) => return inner.into(),
            Error::Evidence(inner) => return inner.into(),
            Error::NothingRuns => (TroubleKind::NotFound, "use a debug container with the pod's process namespace"),
            Error::NoTarget => (TroubleKind::NotFound, "name another container of the pod"),
            Error::Changed { .. } => (TroubleKind::Refused, "look again: the container may have restarted"),
            Error::NotOpened(_) => (TroubleKind::Failed, "see the log of the container, or use another method"),
            Error::WrongProcess { .. } => (TroubleKind::Refused, "close the other inspector, or use another method"),
            Error::Damaged(_) => (TroubleKind::Incomplete, "what came before is kept; copy it again"),
            Error::NoMethod(_) => (TroubleKind::Usage, "`cutoff preflight POD` lists the methods"),
            Error::Refused(_) => {
                (TroubleKind::Refused, "memory moves: look again, and accept what it says now, or take one of the ways out")
            }
            Error::Cancelled => (TroubleKind::Cancelled, ""),
        };
        Self::new(kind, error.to_string(), "", remedy)
    }
}
