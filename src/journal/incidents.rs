//! The incidents of a data directory.

use std::path::Path;

use chrono::{DateTime, Utc};

use super::error::Error;
use super::line::decode;
use super::paths::Paths;
use crate::base::{Bytes, Masked};
use crate::disk::{Holder, Lock, entry, list, read_bytes};
use crate::incident::{IncidentId, Kind, Severity};

/// An incident in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Its id.
    pub id: IncidentId,
    /// Its title; empty if the journal cannot be read.
    pub title: Masked,
    /// Severity at the declaration.
    pub severity: Severity,
    /// Service or workload.
    pub service: Masked,
    /// When it was declared; `None` if the journal cannot be read.
    pub declared: Option<DateTime<Utc>>,
    /// Not resolved.
    pub open: bool,
    /// Lines of the journal.
    pub lines: u64,
    /// When the journal was last written.
    pub changed: Option<DateTime<Utc>>,
    /// Who writes it now.
    pub held_by: Option<Holder>,
    /// Why it cannot be read.
    pub unreadable: Option<String>,
}

/// All incidents, the newest first.
///
/// # Errors
/// When the directory cannot be listed. An incident that cannot be read stands in the list and says so.
pub fn incidents(data_dir: &Path) -> Result<Vec<Listed>, Error> {
    let mut found: Vec<Listed> = list(&Paths::all(data_dir))?
        .into_iter()
        .filter(|e| e.is_dir)
        .filter_map(|e| IncidentId::parse(&e.name))
        .map(|id| listed(data_dir, id))
        .collect();
    found.sort_by(|a, b| (b.declared, &b.id).cmp(&(a.declared, &a.id)));
    Ok(found)
}

/// The newest incident that is open.
///
/// # Errors
/// When the directory cannot be listed.
pub fn newest_open(data_dir: &Path) -> Result<Option<Listed>, Error> {
    Ok(incidents(data_dir)?.into_iter().find(|i| i.open))
}

/// `wanted`, or `wanted-2` … if an incident of this id was declared in the same minute.
///
/// # Errors
/// What the disk says.
pub fn free_id(data_dir: &Path, wanted: &IncidentId) -> Result<IncidentId, Error> {
    let candidates = (2u32..).filter_map(|n| IncidentId::parse(&format!("{wanted}-{n}")));
    for id in std::iter::once(wanted.clone()).chain(candidates) {
        if entry(&Paths::of(data_dir, &id).journal())?.is_none() {
            return Ok(id);
        }
    }
    Ok(wanted.clone())
}

fn listed(data_dir: &Path, id: IncidentId) -> Listed {
    let paths = Paths::of(data_dir, &id);
    let mut listed = Listed {
        id,
        title: Masked::default(),
        severity: Severity::default(),
        service: Masked::default(),
        declared: None,
        open: false,
        lines: 0,
        changed: entry(&paths.journal()).ok().flatten().and_then(|e| e.modified),
        held_by: Lock::holder(&paths.lock()).ok().flatten(),
        unreadable: None,
    };
    let bytes = match read_bytes(&paths.journal(), Bytes(1 << 30)) {
        Ok(bytes) => bytes,
        Err(e) => {
            listed.unreadable = Some(e.to_string());
            return listed;
        }
    };
    let mut lines = bytes.split(|b| *b == b'\n').filter(|l| !l.is_empty());
    match lines.next().map(decode) {
        Some(Ok(line)) => {
            if let Kind::Declared { title, severity, service, .. } = line.event.kind {
                listed.declared = Some(line.event.at.wall);
                (listed.title, listed.severity, listed.service) = (title, severity, service);
            } else {
                listed.unreadable = Some("it does not begin with its declaration".to_owned());
            }
        }
        Some(Err(e)) => listed.unreadable = Some(e.to_string()),
        None => listed.unreadable = Some("its journal is empty".to_owned()),
    }
    listed.lines = 1;
    listed.open = listed.unreadable.is_none();
    for line in lines {
        listed.lines += 1;
        // Reading every event of every old incident would be felt. In text the quotes would be escaped.
        if contains(line, br#""kind":{"type":"resolved""#) {
            listed.open = false;
        }
    }
    listed
}

fn contains(line: &[u8], wanted: &[u8]) -> bool {
    line.windows(wanted.len()).any(|w| w == wanted)
}
