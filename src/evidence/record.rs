//! The record beside a file.

use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::error::Error;
use super::names::is_plain;
use crate::base::{Bytes, EvidenceId, Masked};
use crate::disk::{read_bytes, write_private};
use crate::incident::{Outcome, Provenance};

/// What ends the name of a record.
pub(super) const SUFFIX: &str = ".json";

/// What is known of a file of evidence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Its name in the journal.
    pub evidence: EvidenceId,
    /// Its file name.
    pub file: String,
    /// Bytes when it was sealed.
    #[serde(default)]
    pub bytes: Bytes,
    /// Hex sha256; `None` until it is sealed.
    #[serde(default)]
    pub sha256: Option<String>,
    /// How its capture ended; `None` until it is sealed, and for a file that was added.
    #[serde(default)]
    pub outcome: Option<Outcome>,
    /// Where it came from.
    #[serde(default)]
    pub provenance: Option<Provenance>,
    /// When and why it was deleted.
    #[serde(default)]
    pub deleted: Option<Deleted>,
}

/// When and why a file was deleted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deleted {
    /// When.
    pub at: DateTime<Utc>,
    /// Why.
    pub why: Masked,
}

impl Record {
    pub(super) fn path_in(&self, dir: &Path) -> PathBuf {
        dir.join(format!("{}{SUFFIX}", self.file))
    }

    pub(super) fn write(&self, dir: &Path) -> Result<(), Error> {
        let path = self.path_in(dir);
        let mut json = serde_json::to_vec_pretty(self).map_err(|e| Error::BadRecord { path: path.clone(), why: e.to_string() })?;
        json.push(b'\n');
        Ok(write_private(&path, &json)?)
    }

    pub(super) fn read(path: &Path) -> Result<Self, Error> {
        let bad = |why: String| Error::BadRecord { path: path.to_owned(), why };
        let record: Self = serde_json::from_slice(&read_bytes(path, Bytes(1 << 20))?).map_err(|e| bad(e.to_string()))?;
        // It becomes part of a path.
        if is_plain(&record.file) { Ok(record) } else { Err(bad(format!("{:?} is not a plain file name", record.file))) }
    }
}
