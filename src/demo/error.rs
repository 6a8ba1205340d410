//! Why a demo could not be started.

use crate::base::{Trouble, TroubleKind};

/// What can go wrong with the demo as a whole; that pods cannot be real is no error but [`Mode::Recorded`](super::Mode).
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// A file or directory of the demo could not be made.
    #[error("the demo cannot write {path}: {why}")]
    Files { path: String, why: std::io::Error },
    /// The port on the loopback could not be opened.
    #[error("the demo cannot listen on 127.0.0.1: {0}")]
    Listen(std::io::Error),
    /// The git repository could not be made.
    #[error("the demo cannot make its git repository: {0}")]
    Repository(String),
    /// A thread could not be started.
    #[error("the demo cannot start: {0}")]
    Start(std::io::Error),
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        let place = match &error {
            Error::Files { path, .. } => path.clone(),
            Error::Listen(_) => "127.0.0.1".into(),
            Error::Repository(_) => "git".into(),
            Error::Start(_) => String::new(),
        };
        let remedy = match &error {
            Error::Files { .. } => "give the demo a directory that you may write to (TMPDIR)",
            Error::Listen(_) => "see whether the loopback device is up",
            Error::Repository(_) => "install git",
            Error::Start(_) => "see whether the limit of processes is reached (ulimit -u)",
        };
        Self::new(TroubleKind::Failed, error.to_string(), place, remedy)
    }
}
