//! Reading a journal, damaged or not: every event that can be read is, and every flaw is said.

use std::fmt;
use std::path::{Path, PathBuf};

use super::error::Error;
use super::line::{NOTHING_BEFORE, decode};
use super::paths::Paths;
use crate::base::Bytes;
use crate::disk::{self, read_bytes, sha256_hex};
use crate::incident::{Event, IncidentId, Seq};

/// No journal is as long as this; a file that is, is something else.
const LIMIT: Bytes = Bytes(1 << 30);

/// Something about a journal that is not as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flaw {
    /// Line, from 1.
    pub line: u64,
    /// What is wrong.
    pub kind: FlawKind,
}

/// What is wrong with a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FlawKind {
    /// It is not an event; it is left out.
    NotAnEvent(String),
    /// The line before it is not the one that it was written after: a line was changed, removed or put in.
    ChainBroken,
    /// Its number does not follow.
    Gap {
        /// The number that was to come.
        expected: Seq,
        /// The number that came.
        found: Seq,
    },
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line = self.line;
        match &self.kind {
            FlawKind::NotAnEvent(why) => write!(f, "line {line} is not an event and is left out: {why}"),
            FlawKind::ChainBroken => write!(f, "line {line} does not follow the line before it: something was changed or removed there"),
            FlawKind::Gap { expected, found } => write!(f, "line {line} holds event {found} where event {expected} was to come"),
        }
    }
}

/// What stands in a journal.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// The file.
    pub path: PathBuf,
    /// Its events, in order.
    pub events: Vec<Event>,
    /// Number of whole lines.
    pub lines: u64,
    /// Hash of the last whole line: it vouches for all that is before it.
    pub head: String,
    /// What is not as it was written.
    pub flaws: Vec<Flaw>,
    /// Where the whole lines end.
    pub(super) whole: u64,
    /// Bytes after the last line break: a line that was torn by a crash.
    pub torn: Vec<u8>,
}

impl Reading {
    /// Whether every line follows the one before it, and the last one is whole.
    pub fn is_intact(&self) -> bool {
        self.flaws.is_empty() && self.torn.is_empty()
    }
}

/// Reads the journal of the incident `id`, without holding or waiting for its lock. A line that is being written just
/// then shows as torn.
///
/// # Errors
/// [`Error::NoSuchIncident`]; [`Error::NotAJournal`] if there is no event in it; else what the disk says.
pub fn read(data_dir: &Path, id: &IncidentId) -> Result<Reading, Error> {
    let path = Paths::of(data_dir, id).journal();
    match read_file(&path) {
        Err(Error::Disk(disk::Error::NotFound { .. })) => Err(Error::NoSuchIncident { id: id.clone(), path }),
        other => other,
    }
}

/// Reads and verifies the journal at `path`.
///
/// # Errors
/// [`Error::NotAJournal`] if there is no event in it; else what the disk says.
pub fn read_file(path: &Path) -> Result<Reading, Error> {
    Ok(read_with_bytes(path)?.0)
}

/// The journal at `path`, and its bytes as they were then.
pub(super) fn read_with_bytes(path: &Path) -> Result<(Reading, Vec<u8>), Error> {
    let bytes = read_bytes(path, LIMIT)?;
    let reading = scan(path, &bytes);
    if reading.events.is_empty() { Err(Error::NotAJournal { path: path.to_owned() }) } else { Ok((reading, bytes)) }
}

fn scan(path: &Path, bytes: &[u8]) -> Reading {
    let mut reading = Reading {
        path: path.to_owned(),
        events: Vec::new(),
        lines: 0,
        head: NOTHING_BEFORE.to_owned(),
        flaws: Vec::new(),
        whole: 0,
        torn: Vec::new(),
    };
    for line in bytes.split_inclusive(|b| *b == b'\n') {
        let Some(content) = line.strip_suffix(b"\n") else {
            reading.torn = line.to_owned();
            break;
        };
        reading.take(content);
        reading.whole += line.len() as u64;
    }
    reading
}

impl Reading {
    fn take(&mut self, content: &[u8]) {
        self.lines += 1;
        let mut flaw = |kind| self.flaws.push(Flaw { line: self.lines, kind });
        match decode(content) {
            Ok(line) => {
                if line.prev != self.head {
                    flaw(FlawKind::ChainBroken);
                }
                let expected = self.events.last().map_or(1, |e| e.seq + 1);
                if line.event.seq != expected {
                    flaw(FlawKind::Gap { expected, found: line.event.seq });
                }
                // A line that was put in twice, or an older one, is no news.
                if line.event.seq >= expected {
                    self.events.push(line.event);
                }
            }
            Err(e) => flaw(FlawKind::NotAnEvent(e.to_string())),
        }
        self.head = sha256_hex(content);
    }

    /// Takes the torn line as a whole one if only its line break is missing.
    pub(super) fn complete(&mut self) -> bool {
        let follows = decode(&self.torn).is_ok_and(|line| line.prev == self.head);
        if follows {
            let torn = std::mem::take(&mut self.torn);
            self.whole += torn.len() as u64 + 1;
            self.take(&torn);
        }
        follows
    }
}
