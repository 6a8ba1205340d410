//! Where the things of an incident lie: `<data directory>/incidents/<id>/…`.

use std::path::{Path, PathBuf};

use crate::incident::IncidentId;

/// The paths of one incident.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paths {
    /// Its directory.
    pub dir: PathBuf,
}

impl Paths {
    /// The paths of the incident `id` under the data directory.
    pub fn of(data_dir: &Path, id: &IncidentId) -> Self {
        Self { dir: Self::all(data_dir).join(id.as_str()) }
    }

    /// The directory that holds all incidents.
    pub fn all(data_dir: &Path) -> PathBuf {
        data_dir.join("incidents")
    }

    /// The journal.
    pub fn journal(&self) -> PathBuf {
        self.dir.join("journal.jsonl")
    }

    /// The lock of the one that writes.
    pub fn lock(&self) -> PathBuf {
        self.dir.join("lock")
    }

    /// Torn lines that were set aside, in order.
    pub fn torn(&self) -> PathBuf {
        self.dir.join("journal.torn")
    }

    /// Files of evidence.
    pub fn evidence(&self) -> PathBuf {
        self.dir.join("evidence")
    }

    /// Postmortems and other exports.
    pub fn exports(&self) -> PathBuf {
        self.dir.join("exports")
    }
}
