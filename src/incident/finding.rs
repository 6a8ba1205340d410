//! The leak as the incident remembers it: small, masked, without heap types.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::base::{Bytes, Masked};

/// A place in source code, 1-based.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Place {
    /// Path as the script or the source map gives it.
    pub file: Masked,
    /// Line, from 1.
    pub line: u32,
    /// Column, from 1.
    pub column: u32,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// The first suspect of an analysis.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// The verdict in one sentence.
    pub headline: Masked,
    /// The variable, field or module that holds it.
    pub holder: Masked,
    /// What grows.
    pub growing: Masked,
    /// Where the holder is written.
    pub place: Option<Place>,
    /// Retained size.
    pub retained: Bytes,
    /// Share of the heap, 0 to 1.
    pub share: f64,
    /// Growth between the snapshots, if two were compared.
    pub growth: Option<Bytes>,
    /// "proven growth", "likely", "unproven": the words of the verdict.
    pub confidence: Masked,
    /// Path from the root to the holder, internals folded.
    pub path: Vec<Masked>,
    /// What this evidence cannot prove, and what would.
    pub cannot_prove: Masked,
}

/// Something big that is not called a leak.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LargeThing {
    /// What it is and who holds it.
    pub what: Masked,
    /// Retained size.
    pub retained: Bytes,
}

/// How old the code at a place is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodeAge {
    /// The place, in the repository.
    pub place: Place,
    /// Commit that wrote the line, abbreviated.
    pub commit: Masked,
    /// When it was written (author time).
    pub written: DateTime<Utc>,
    /// Its subject line.
    pub subject: Masked,
    /// Changes of today (or of the revert window) that are younger than it.
    pub younger_changes: u32,
    /// All changes of today that were looked at.
    pub changes: u32,
}
