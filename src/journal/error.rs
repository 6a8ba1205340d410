//! What can go wrong with a journal.

use std::path::PathBuf;

use crate::base::{Trouble, TroubleKind};
use crate::disk;
use crate::incident::{IncidentId, MergeError, Seq};

/// A journal could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The disk failed, is full, or another process holds the journal.
    #[error(transparent)]
    Disk(#[from] disk::Error),
    /// There is an incident of this id already.
    #[error("there is an incident {id} already")]
    Exists {
        /// Its id.
        id: IncidentId,
        /// Its journal.
        path: PathBuf,
    },
    /// There is no incident of this id.
    #[error("there is no incident {id}")]
    NoSuchIncident {
        /// The id.
        id: IncidentId,
        /// Where it would be.
        path: PathBuf,
    },
    /// No line of the file is an event.
    #[error("no line of it is an event")]
    NotAJournal {
        /// The file.
        path: PathBuf,
    },
    /// The event does not continue the journal.
    #[error("event {got} does not follow event {last}")]
    OutOfOrder {
        /// The journal.
        path: PathBuf,
        /// The last event.
        last: Seq,
        /// The one that was to be written.
        got: Seq,
    },
    /// An event could not be written as JSON.
    #[error("event {seq} cannot be written as JSON: {why}")]
    Unwritable {
        /// The event.
        seq: Seq,
        /// Why.
        why: String,
    },
    /// Two journals do not belong together.
    #[error(transparent)]
    Merge(#[from] MergeError),
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        let what = error.to_string();
        match error {
            Error::Disk(e) => e.into(),
            Error::Exists { path, .. } => {
                Self::new(TroubleKind::Refused, what, path.display().to_string(), "continue it, or declare again in a minute")
            }
            Error::NoSuchIncident { path, .. } => {
                Self::new(TroubleKind::NotFound, what, path.display().to_string(), "`cutoff status` lists the incidents that are there")
            }
            Error::NotAJournal { path } => {
                Self::new(TroubleKind::NotFound, what, path.display().to_string(), "give the journal.jsonl of an incident")
            }
            Error::OutOfOrder { path, .. } => {
                Self::new(TroubleKind::Failed, what, path.display().to_string(), "open the incident again; nothing is lost")
            }
            Error::Unwritable { .. } => Self::new(TroubleKind::Failed, what, "", "please report this"),
            Error::Merge(_) => Self::new(TroubleKind::Usage, what, "", "give a journal of the same incident"),
        }
    }
}
