//! What can go wrong with a file, as far as a caller can act differently on it.

use std::io;
use std::path::{Path, PathBuf};

use super::holder::Holder;
use crate::base::{Bytes, Trouble, TroubleKind};

/// A file operation failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No space (or quota) is left. What was being written has been taken back; trying again later is safe.
    #[error("no space left on the disk while {doing}")]
    Full {
        /// The file or directory.
        path: PathBuf,
        /// What was being done.
        doing: &'static str,
    },
    /// There is no such file or directory.
    #[error("no such file or directory")]
    NotFound {
        /// What was looked for.
        path: PathBuf,
    },
    /// The file system or its rights forbid it.
    #[error("not permitted while {doing}")]
    Denied {
        /// The file or directory.
        path: PathBuf,
        /// What was being done.
        doing: &'static str,
    },
    /// Another process holds the lock.
    #[error("another process holds the lock")]
    Locked {
        /// The lock file.
        path: PathBuf,
        /// Who holds it, if it could be read.
        holder: Option<Holder>,
    },
    /// The file is larger than its reader allows.
    #[error("the file has {size}, the most that is read here is {limit}")]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Its size.
        size: Bytes,
        /// The limit.
        limit: Bytes,
    },
    /// The file is not UTF-8 text.
    #[error("not UTF-8 text: byte {at} does not fit")]
    NotText {
        /// The file.
        path: PathBuf,
        /// Offset of the first byte that does not fit.
        at: usize,
    },
    /// Any other failure.
    #[error("{doing} failed: {source}")]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What was being done.
        doing: &'static str,
        /// The system's error.
        source: io::Error,
    },
}

impl Error {
    /// Sorts the system's error `source` of `doing` something to `path`.
    pub(super) fn from_io(path: &Path, doing: &'static str, source: io::Error) -> Self {
        let path = path.to_owned();
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full { path, doing },
            io::ErrorKind::NotFound => Self::NotFound { path },
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => Self::Denied { path, doing },
            _ => Self::Io { path, doing, source },
        }
    }

    /// The file or directory it is about.
    pub fn path(&self) -> &Path {
        match self {
            Self::Full { path, .. }
            | Self::NotFound { path }
            | Self::Denied { path, .. }
            | Self::Locked { path, .. }
            | Self::TooLarge { path, .. }
            | Self::NotText { path, .. }
            | Self::Io { path, .. } => path,
        }
    }

    /// Whether the disk is full.
    pub fn is_full(&self) -> bool {
        matches!(self, Self::Full { .. })
    }
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        let (kind, remedy): (_, std::borrow::Cow<'static, str>) = match &error {
            Error::Full { .. } => (TroubleKind::Failed, "free some space there; nothing that was written is lost".into()),
            Error::NotFound { .. } => (TroubleKind::NotFound, "check the path".into()),
            Error::Denied { .. } => (TroubleKind::Denied, "check owner and rights (files 0600, directories 0700)".into()),
            Error::Locked { holder, .. } => (
                TroubleKind::Refused,
                holder.as_ref().map_or_else(
                    || "close the other cutoff on this incident".into(),
                    |h| format!("it is {h}; close that one, or work there").into(),
                ),
            ),
            Error::TooLarge { .. } => (TroubleKind::NotFound, "is this the right file?".into()),
            Error::NotText { .. } => (TroubleKind::NotFound, "is this the right file? It has to be UTF-8 text".into()),
            Error::Io { .. } => (TroubleKind::Failed, "look at the disk (dmesg, mount)".into()),
        };
        let mut trouble = Self::new(kind, error.to_string(), error.path().display().to_string(), remedy);
        trouble.retry = error.is_full();
        trouble
    }
}
