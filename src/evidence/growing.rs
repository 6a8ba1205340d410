//! A file that is being captured: appended to, hashed while it is written, its length published, then sealed.

use std::path::{Path, PathBuf};

use super::error::Error;
use super::follow::{End, Follower, Length};
use super::record::Record;
use crate::base::{Bytes, EvidenceId};
use crate::disk::{Appender, Reader, Sha256, free_space, remove};
use crate::incident::{Outcome, Provenance};

/// Free space is looked up again after this many bytes at the latest: others write too.
const CHECK_EVERY: u64 = 16 << 20;

/// A file that grows. Dropped without [`Growing::seal`], it stays as it is and can be resumed.
#[derive(Debug)]
pub struct Growing {
    dir: PathBuf,
    record: Record,
    file: Appender,
    hash: Sha256,
    length: Length,
    keep_free: Bytes,
    /// Bytes that may be appended before free space is looked up again.
    budget: u64,
}

/// A file that was sealed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// Its name in the journal.
    pub evidence: EvidenceId,
    /// Its file name; `None` if not a byte came (then there is no file).
    pub file: Option<String>,
    /// Bytes.
    pub bytes: Bytes,
    /// Hex sha256, if there is a file.
    pub sha256: Option<String>,
}

impl Growing {
    pub(super) fn begin(dir: &Path, record: Record, keep_free: Bytes) -> Result<Self, Error> {
        record.write(dir)?;
        let file = Appender::create(&dir.join(&record.file))?;
        file.alone();
        Ok(Self { dir: dir.to_owned(), record, file, hash: Sha256::default(), length: Length::default(), keep_free, budget: 0 })
    }

    /// Takes up a file that was not sealed; what is there is hashed anew.
    pub(super) fn resume(dir: &Path, record: Record, keep_free: Bytes) -> Result<Self, Error> {
        let path = dir.join(&record.file);
        let file = Appender::open(&path)?;
        if !file.alone() {
            return Err(Error::Grows { id: record.evidence, path });
        }
        let mut hash = Sha256::default();
        let mut buffer = vec![0; 1 << 20];
        let mut at = 0;
        let reader = Reader::open(&path)?;
        loop {
            let n = reader.read_at(at, &mut buffer)?;
            if n == 0 {
                break;
            }
            hash.update(&buffer[..n]);
            at += n as u64;
        }
        let length = Length::default();
        length.publish(at, None);
        Ok(Self { dir: dir.to_owned(), record, file, hash, length, keep_free, budget: 0 })
    }

    /// Its name in the journal.
    pub fn id(&self) -> EvidenceId {
        self.record.evidence
    }

    /// Its file name.
    pub fn name(&self) -> &str {
        &self.record.file
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.file.path()
    }

    /// Bytes so far: the offset from which a broken transfer goes on.
    pub fn bytes(&self) -> Bytes {
        Bytes(self.file.len())
    }

    /// Hex sha256 of the bytes so far.
    pub fn sha256(&self) -> String {
        self.hash.hex()
    }

    /// Its published length, for readers in other threads.
    pub fn length(&self) -> Length {
        self.length.clone()
    }

    /// A reader from the beginning.
    ///
    /// # Errors
    /// When the file cannot be opened.
    pub fn follow(&self) -> Result<Follower, Error> {
        Follower::new(self.path(), self.length())
    }

    /// Appends `bytes` and publishes the new length. On failure the file is as before.
    ///
    /// # Errors
    /// [`Error::LowDisk`] when what is left of the disk is kept for the journal; [`crate::disk::Error::Full`].
    pub fn append(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let size = bytes.len() as u64;
        if size > self.budget {
            check_space(&self.dir, Bytes(size), self.keep_free)?;
            let room = free_space(&self.dir).map_or(CHECK_EVERY, |free| free.saturating_sub(self.keep_free).0);
            self.budget = room.min(CHECK_EVERY).max(size);
        }
        self.budget -= size;
        self.file.append(bytes)?;
        self.hash.update(bytes);
        self.length.publish(self.file.len(), None);
        Ok(())
    }

    /// Ends the file: makes it last, writes its hash and provenance into its record. A file without a byte is removed.
    ///
    /// # Errors
    /// When the disk fails; the file is there then, unsealed.
    pub fn seal(mut self, outcome: Outcome, provenance: Option<Provenance>) -> Result<Sealed, Error> {
        let evidence = self.record.evidence;
        if self.file.is_empty() {
            remove(self.path())?;
            remove(&self.record.path_in(&self.dir))?;
            self.length.publish(0, Some(End::Sealed));
            return Ok(Sealed { evidence, file: None, bytes: Bytes(0), sha256: None });
        }
        self.file.sync()?;
        self.record.bytes = self.bytes();
        self.record.sha256 = Some(self.hash.hex());
        self.record.outcome = Some(outcome);
        self.record.provenance = provenance;
        self.record.write(&self.dir)?;
        self.length.publish(self.file.len(), Some(End::Sealed));
        Ok(Sealed { evidence, file: Some(self.record.file.clone()), bytes: self.record.bytes, sha256: self.record.sha256.clone() })
    }
}

impl Drop for Growing {
    fn drop(&mut self) {
        self.length.publish(self.file.len(), Some(End::Abandoned));
    }
}

/// Whether `needed` more bytes fit beside what is kept free; unknown space counts as enough.
pub(super) fn check_space(dir: &Path, needed: Bytes, kept: Bytes) -> Result<(), Error> {
    match free_space(dir) {
        Some(free) if free.0 < needed.0.saturating_add(kept.0) => Err(Error::LowDisk { path: dir.to_owned(), free, needed, kept }),
        _ => Ok(()),
    }
}
