//! Source maps, positions, and reading what `git blame` says. It does not run git, nor open a file.

mod blame;
mod map;
mod span;
mod suffix;
mod vlq;

pub use blame::{BlamedLine, Change, LastChange, last_change, parse_blame, parse_log};
pub use map::{MapUrl, Original, Position, SourceMap, mapping_url};
pub use span::function_span;
pub use suffix::{PathMatch, longest_suffix, script_path};

use crate::base::{Trouble, TroubleKind};

/// Why a source map or an answer of git could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The text is no source map of version 3.
    #[error("not a source map: {0}")]
    NotAMap(String),
    /// The `mappings` of a map are damaged.
    #[error("source map mappings are damaged at character {at}: {why}")]
    Mappings {
        /// Offset into `mappings`.
        at: usize,
        /// What is wrong there.
        why: &'static str,
    },
    /// The answer of git is not in the porcelain format.
    #[error("git blame's answer is not in porcelain format at line {0}")]
    Blame(usize),
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        let remedy = match &error {
            Error::NotAMap(_) | Error::Mappings { .. } => {
                "the place in the compiled file is given instead; rebuild the source map to get the original"
            }
            Error::Blame(_) => "check that `git blame --porcelain` works in this repository",
        };
        Self::new(TroubleKind::Failed, error.to_string(), "", remedy)
    }
}
