//! Another responder's journal of the same incident joins this one.

use std::path::{Path, PathBuf};

use super::error::Error;
use super::line::{NOTHING_BEFORE, encode};
use super::pen::Journal;
use super::scan::{Flaw, read_with_bytes};
use crate::disk::{Appender, sha256_hex, write_private};
use crate::incident::{Event, merge};

/// What came of an import.
#[derive(Clone, Debug, PartialEq)]
pub struct Imported {
    /// All events of the journal as it is now; the state has to be folded anew, since numbers moved.
    pub events: Vec<Event>,
    /// Events that this journal did not have. None: nothing was written.
    pub added: usize,
    /// Hex sha256 of the file that was read.
    pub sha256: String,
    /// Where a copy of it is kept, byte for byte, since its lines were chained anew.
    pub kept: Option<PathBuf>,
    /// Where the journal as it was before is kept.
    pub before: Option<PathBuf>,
    /// What is not as it was written in the file that was read.
    pub flaws: Vec<Flaw>,
}

impl Journal {
    /// Merges the journal at `other` into this one. Either all of it is in, or nothing has changed.
    ///
    /// # Errors
    /// [`Error::Merge`] when it is of another incident, [`Error::NotAJournal`]; else what the disk says.
    pub fn import(&mut self, other: &Path) -> Result<Imported, Error> {
        let (theirs, their_bytes) = read_with_bytes(other)?;
        let (ours, our_bytes) = read_with_bytes(&self.paths.journal())?;
        let sha256 = sha256_hex(&their_bytes);
        let merged = merge(&ours.events, &theirs.events)?;
        if merged.added == 0 {
            return Ok(Imported { events: ours.events, added: 0, sha256, kept: None, before: None, flaws: theirs.flaws });
        }
        let mut bytes = Vec::with_capacity(our_bytes.len() + their_bytes.len());
        let mut head = NOTHING_BEFORE.to_owned();
        for event in &merged.events {
            let (line, hash) = encode(event, &head).map_err(|e| Error::Unwritable { seq: event.seq, why: e.to_string() })?;
            bytes.extend_from_slice(&line);
            head = hash;
        }
        let kept = self.paths.dir.join(format!("journal.imported-{}.jsonl", &sha256[..12]));
        let before = self.paths.dir.join(format!("journal.before-{}.jsonl", &self.head[..12]));
        write_private(&kept, &their_bytes)?;
        write_private(&before, &our_bytes)?;
        write_private(&self.paths.journal(), &bytes)?;
        self.file = Appender::open(&self.paths.journal())?;
        self.last = merged.events.last().map_or(0, |e| e.seq);
        self.head = head;
        Ok(Imported { events: merged.events, added: merged.added, sha256, kept: Some(kept), before: Some(before), flaws: theirs.flaws })
    }
}
