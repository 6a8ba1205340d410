//! The one that writes: creates, opens (and mends), appends.

use std::fmt;
use std::path::{Path, PathBuf};

use super::error::Error;
use super::line::{NOTHING_BEFORE, encode};
use super::paths::Paths;
use super::scan::{Flaw, read};
use crate::base::Bytes;
use crate::disk::{Appender, Holder, Lock, closed_dir, entry, private_dir};
use crate::incident::{Event, IncidentId, Kind, Seq};

/// The journal of one incident, held for writing by this process alone until it is dropped.
#[derive(Debug)]
pub struct Journal {
    pub(super) paths: Paths,
    pub(super) file: Appender,
    pub(super) last: Seq,
    pub(super) head: String,
    _lock: Lock,
}

/// An event that is on disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Appended {
    /// Its number.
    pub seq: Seq,
    /// Hash of its line: unique, and the same after a crash, so it serves as a key against duplicates.
    pub hash: String,
}

/// Something that the person should know after a journal was opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// The former holder did not let go by itself.
    TakenOver(Holder),
    /// The last line was torn by a crash and stands in a file beside the journal now.
    TornSetAside {
        /// Its length.
        bytes: Bytes,
        /// That file.
        file: PathBuf,
    },
    /// Only the line break of the last line was missing.
    TornCompleted,
    /// A line is not as it was written.
    Flaw(Flaw),
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TakenOver(holder) => write!(f, "taken over from {holder}, which ended without letting go"),
            Self::TornSetAside { bytes, file } => {
                write!(f, "the last line was torn by a crash; its {bytes} were set aside in {}", file.display())
            }
            Self::TornCompleted => f.write_str("the last line lacked its line break; it is whole"),
            Self::Flaw(flaw) => flaw.fmt(f),
        }
    }
}

/// A journal that was opened.
#[derive(Debug)]
pub struct Opened {
    /// To go on writing.
    pub journal: Journal,
    /// What stands in it.
    pub events: Vec<Event>,
    /// What the person should know.
    pub notices: Vec<Notice>,
}

impl Journal {
    /// Makes directory and journal of a new incident with its declaration as the first line.
    ///
    /// # Errors
    /// [`Error::Exists`] if there is one of this id; [`Error::OutOfOrder`] if `declared` is no first event; else what the
    /// disk says. After a failure it can be tried again.
    pub fn create(data_dir: &Path, declared: &Event, holder: &Holder) -> Result<(Self, Appended), Error> {
        let Kind::Declared { id, .. } = &declared.kind else {
            return Err(Error::OutOfOrder { path: data_dir.to_owned(), last: 0, got: declared.seq });
        };
        let paths = Paths::of(data_dir, id);
        private_dir(data_dir)?;
        for dir in [Paths::all(data_dir), paths.dir.clone(), paths.evidence(), paths.exports()] {
            closed_dir(&dir)?;
        }
        let lock = Lock::take(&paths.lock(), holder)?;
        let path = paths.journal();
        let file = match entry(&path)? {
            None => Appender::create(&path)?,
            // A crash or a full disk before the first line.
            Some(there) if there.size == Bytes(0) => Appender::open(&path)?,
            Some(_) => return Err(Error::Exists { id: id.clone(), path }),
        };
        let mut journal = Self { paths, file, last: 0, head: NOTHING_BEFORE.to_owned(), _lock: lock };
        let appended = journal.append(declared)?;
        Ok((journal, appended))
    }

    /// Opens the journal of the incident `id` to go on writing. A torn last line is set aside.
    ///
    /// # Errors
    /// [`Error::NoSuchIncident`]; [`crate::disk::Error::Locked`] with the holder while another process writes; else what
    /// the disk says.
    pub fn open(data_dir: &Path, id: &IncidentId, holder: &Holder) -> Result<Opened, Error> {
        let paths = Paths::of(data_dir, id);
        if entry(&paths.journal())?.is_none() {
            return Err(Error::NoSuchIncident { id: id.clone(), path: paths.journal() });
        }
        let lock = Lock::take(&paths.lock(), holder)?;
        let mut notices: Vec<Notice> = lock.left_by().cloned().map(Notice::TakenOver).into_iter().collect();
        let mut reading = read(data_dir, id)?;
        let mut file = Appender::open(&paths.journal())?;
        if !reading.torn.is_empty() {
            if reading.complete() {
                file.append_synced(b"\n")?;
                notices.push(Notice::TornCompleted);
            } else {
                notices.push(set_torn_aside(&paths, &reading.torn)?);
                file.cut(reading.whole)?;
            }
        }
        notices.extend(reading.flaws.into_iter().map(Notice::Flaw));
        let last = reading.events.last().map_or(0, |e| e.seq);
        let journal = Self { paths, file, last, head: reading.head, _lock: lock };
        Ok(Opened { journal, events: reading.events, notices })
    }

    /// Writes `event` as the next line and makes it last. On failure the journal is as before, and the same event can be
    /// tried again.
    ///
    /// # Errors
    /// [`Error::OutOfOrder`] unless its number follows; [`crate::disk::Error::Full`] when the disk is full.
    pub fn append(&mut self, event: &Event) -> Result<Appended, Error> {
        if event.seq != self.last + 1 {
            return Err(Error::OutOfOrder { path: self.paths.journal(), last: self.last, got: event.seq });
        }
        let (line, hash) = encode(event, &self.head).map_err(|e| Error::Unwritable { seq: event.seq, why: e.to_string() })?;
        self.file.append_synced(&line)?;
        self.last = event.seq;
        self.head.clone_from(&hash);
        Ok(Appended { seq: event.seq, hash })
    }

    /// Where the things of the incident lie.
    pub fn paths(&self) -> &Paths {
        &self.paths
    }

    /// Number of the last event.
    pub fn last(&self) -> Seq {
        self.last
    }

    /// Hash of the last line, which vouches for the whole journal; the postmortem names it.
    pub fn head(&self) -> &str {
        &self.head
    }
}

fn set_torn_aside(paths: &Paths, torn: &[u8]) -> Result<Notice, Error> {
    let path = paths.torn();
    let mut side = if entry(&path)?.is_some() { Appender::open(&path)? } else { Appender::create(&path)? };
    side.append_synced(&[torn, b"\n"].concat())?;
    Ok(Notice::TornSetAside { bytes: Bytes(torn.len() as u64), file: path })
}
