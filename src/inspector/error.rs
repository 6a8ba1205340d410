//! What can go wrong on the way to an inspector and on it.

use std::time::Duration;

use crate::base::{Masked, Trouble, TroubleKind, span};

/// Errors of the inspector, by what the caller can do differently.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No stream to the port.
    #[error("{0}")]
    Dial(Trouble),
    /// Something else than Node's inspector answered.
    #[error("no inspector answers there: {0}")]
    NotAnInspector(Masked),
    /// The connection ended while something was awaited: the process may have died.
    #[error("the connection to the inspector ended during {during}")]
    Closed {
        /// What was awaited.
        during: String,
    },
    /// Nothing came in time. The process may be blocked, stopped or out of memory.
    #[error("no answer to {during} within {}", span(*.after))]
    TimedOut {
        /// What was awaited.
        during: String,
        /// How long.
        after: Duration,
    },
    /// The inspector refused a command.
    #[error("the inspector refused {method}: {message}")]
    Refused {
        /// The command.
        method: String,
        /// Its reason.
        message: Masked,
    },
    /// An expression threw in the process.
    #[error("the process threw: {0}")]
    Thrown(Masked),
    /// The caller's callback said stop.
    #[error("stopped")]
    Cancelled,
    /// An answer that is none of the protocol's.
    #[error("an answer to {0} that cannot be read")]
    Unreadable(String),
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        let (kind, remedy) = match error {
            Error::Dial(trouble) => return trouble,
            Error::NotAnInspector(_) => (TroubleKind::NotFound, "look at who listens on that port in the probe"),
            Error::Closed { .. } => (TroubleKind::Unreachable, "see whether the process still lives, then try again"),
            Error::TimedOut { .. } => (TroubleKind::TimedOut, "the process may be blocked: look at its CPU, then try again"),
            Error::Refused { .. } => (TroubleKind::Failed, "another client may hold the debugger: close it"),
            Error::Thrown(_) => (TroubleKind::Failed, "the process runs on unharmed; try another method"),
            Error::Cancelled => (TroubleKind::Cancelled, ""),
            Error::Unreadable(_) => (TroubleKind::Failed, "report this with the Node version"),
        };
        Self::new(kind, error.to_string(), "", remedy)
    }
}
