//! Exit codes, and how an error is told to a person on stderr.

use std::process::ExitCode;

use crate::base::{Trouble, TroubleKind};

/// How the program ended. The numbers are a contract: see `--help`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Done.
    Ok,
    /// Failed.
    Failure,
    /// The call itself was wrong.
    Usage,
    /// A config or playbook has an error.
    Config,
    /// No such incident, pod or file; or the file is not what it should be.
    NotFound,
    /// Credentials expired or rights missing.
    Denied,
    /// Cluster or network not reached.
    Unreachable,
    /// It took too long.
    TimedOut,
    /// Evidence is incomplete or does not match its hash.
    Incomplete,
    /// Refused by a rule.
    Refused,
    /// The cut-off has passed (`status --exit-code`).
    CutoffPassed,
    /// Stopped by the person.
    Interrupted,
    /// Stopped by a signal: 128 + its number.
    Signal(u8),
    /// The reader of stdout went away; nothing to say.
    BrokenPipe,
}

impl Exit {
    /// The number.
    pub const fn code(self) -> u8 {
        match self {
            Self::Ok | Self::BrokenPipe => 0,
            Self::Failure => 1,
            Self::Usage => 2,
            Self::Config => 3,
            Self::NotFound => 4,
            Self::Denied => 5,
            Self::Unreachable => 6,
            Self::TimedOut => 7,
            Self::Incomplete => 8,
            Self::Refused => 9,
            Self::CutoffPassed => 10,
            Self::Interrupted => 130,
            Self::Signal(code) => code,
        }
    }

    /// The code for an error: the first [`Trouble`] in its chain decides.
    pub fn of(error: &anyhow::Error) -> Self {
        for cause in error.chain() {
            if let Some(trouble) = cause.downcast_ref::<Trouble>() {
                return trouble.kind.into();
            }
            if cause.downcast_ref::<std::io::Error>().is_some_and(|e| e.kind() == std::io::ErrorKind::BrokenPipe) {
                return Self::BrokenPipe;
            }
        }
        Self::Failure
    }
}

impl From<TroubleKind> for Exit {
    fn from(kind: TroubleKind) -> Self {
        match kind {
            TroubleKind::Failed => Self::Failure,
            TroubleKind::Usage => Self::Usage,
            TroubleKind::Config => Self::Config,
            TroubleKind::NotFound => Self::NotFound,
            TroubleKind::Denied => Self::Denied,
            TroubleKind::Unreachable => Self::Unreachable,
            TroubleKind::TimedOut => Self::TimedOut,
            TroubleKind::Incomplete => Self::Incomplete,
            TroubleKind::Refused => Self::Refused,
            TroubleKind::Cancelled => Self::Interrupted,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// `cutoff: what (place)` and, below it, what to do.
pub fn explain(error: &anyhow::Error) -> String {
    let mut out = String::from("cutoff: ");
    let mut remedy = None;
    for (i, cause) in error.chain().enumerate() {
        if i > 0 {
            out.push_str(": ");
        }
        match cause.downcast_ref::<Trouble>() {
            Some(trouble) => {
                out.push_str(&trouble.what);
                if !trouble.place.is_empty() {
                    out.push_str(" (");
                    out.push_str(&trouble.place);
                    out.push(')');
                }
                remedy = (!trouble.remedy.is_empty()).then(|| trouble.remedy.clone());
            }
            None => out.push_str(crate::base::Masked::from(cause.to_string()).as_str()),
        }
    }
    out.push('\n');
    if let Some(remedy) = remedy {
        out.push_str("  → ");
        out.push_str(&remedy);
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::Context as _;

    #[test]
    fn the_trouble_in_the_chain_decides_the_code_and_the_remedy_stands_below() {
        let trouble = Trouble::new(TroubleKind::NotFound, "no heap snapshot", "x.json", "give a .heapsnapshot file");
        let error = Err::<(), _>(trouble).context("analyze").unwrap_err();
        assert_eq!(Exit::of(&error).code(), 4);
        assert_eq!(explain(&error), "cutoff: analyze: no heap snapshot (x.json)\n  → give a .heapsnapshot file\n");
    }

    #[test]
    fn a_closed_pipe_is_no_failure() {
        let error = anyhow::Error::from(std::io::Error::from(std::io::ErrorKind::BrokenPipe));
        assert_eq!(Exit::of(&error).code(), 0);
    }
}
