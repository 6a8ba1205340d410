//! What can go wrong with evidence.

use std::path::PathBuf;

use crate::base::{Bytes, EvidenceId, Trouble, TroubleKind};
use crate::disk;

/// Something about a file of evidence failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The disk failed or is full.
    #[error(transparent)]
    Disk(#[from] disk::Error),
    /// The disk is not full yet, but what is left is kept for the journal.
    #[error("only {free} are free, {needed} are needed and {kept} are kept for the journal")]
    LowDisk {
        /// The directory.
        path: PathBuf,
        /// Free now.
        free: Bytes,
        /// Still to be written, as far as known.
        needed: Bytes,
        /// What is kept free.
        kept: Bytes,
    },
    /// No file of this name is in the incident.
    #[error("there is no evidence {id}")]
    Unknown {
        /// The name.
        id: EvidenceId,
        /// Where it was looked for.
        path: PathBuf,
    },
    /// The name is taken by another file.
    #[error("{id} is there already")]
    Taken {
        /// The name.
        id: EvidenceId,
        /// Its file.
        path: PathBuf,
    },
    /// Another process is writing the file.
    #[error("{id} is being written")]
    Grows {
        /// The name.
        id: EvidenceId,
        /// Its file.
        path: PathBuf,
    },
    /// The file was deleted, or is gone.
    #[error("the file of {id} is gone")]
    Gone {
        /// The name.
        id: EvidenceId,
        /// Where it was.
        path: PathBuf,
    },
    /// A file name that could lead out of the directory.
    #[error("not a name for a file of evidence: {name:?}")]
    BadName {
        /// The name.
        name: String,
    },
    /// The record beside a file cannot be read.
    #[error("the record cannot be read: {why}")]
    BadRecord {
        /// The record.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// The file is not what was sealed.
    #[error("{id} is not what was sealed: {found} instead of {expected}")]
    Changed {
        /// The name.
        id: EvidenceId,
        /// Its file.
        path: PathBuf,
        /// Hash it was sealed with.
        expected: String,
        /// Hash now.
        found: String,
    },
}

impl Error {
    /// Whether there is too little space for more.
    pub fn is_full(&self) -> bool {
        matches!(self, Self::LowDisk { .. }) || matches!(self, Self::Disk(e) if e.is_full())
    }
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        let what = error.to_string();
        let at = |path: &PathBuf| path.display().to_string();
        match error {
            Error::Disk(e) => e.into(),
            Error::LowDisk { ref path, .. } => {
                let mut trouble = Self::new(TroubleKind::Failed, what, at(path), "free some space there, or delete old evidence");
                trouble.retry = true;
                trouble
            }
            Error::Unknown { ref path, .. } => Self::new(TroubleKind::NotFound, what, at(path), "`cutoff evidence` lists what is there"),
            Error::Taken { ref path, .. } => Self::new(TroubleKind::Refused, what, at(path), "nothing was overwritten"),
            Error::Grows { ref path, .. } => Self::new(TroubleKind::Refused, what, at(path), "wait for the other capture or copy to end"),
            Error::Gone { ref path, .. } => Self::new(TroubleKind::NotFound, what, at(path), "its record and hash are kept"),
            Error::BadName { .. } => Self::new(TroubleKind::Usage, what, "", "use a plain file name"),
            Error::BadRecord { ref path, .. } => Self::new(TroubleKind::Incomplete, what, at(path), "the journal holds the same facts"),
            Error::Changed { ref path, .. } => {
                Self::new(TroubleKind::Incomplete, what, at(path), "do not rely on it; look for an exported copy")
            }
        }
    }
}
