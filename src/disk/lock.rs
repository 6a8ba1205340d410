//! One writer: an advisory lock (`flock`) in a file that says who holds it. The kernel lets go when the holder dies; its
//! name then still stands in the file, so the next one can say whom it took over from.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::error::Error;
use super::holder::Holder;
use super::write::private;

/// Tries before a lock counts as held, and the time between them.
const TRIES: u32 = 5;
const PAUSE: Duration = Duration::from_millis(10);

/// A lock that is held until it is dropped.
#[derive(Debug)]
pub struct Lock {
    file: File,
    path: PathBuf,
    left_by: Option<Holder>,
}

impl Lock {
    /// Takes the lock at `path` for `holder`, without waiting for the one that holds it.
    ///
    /// # Errors
    /// [`Error::Locked`] with its holder when another process has it.
    pub fn take(path: &Path, holder: &Holder) -> Result<Self, Error> {
        let failed = |e| Error::from_io(path, "locking", e);
        let mut file = private(OpenOptions::new().read(true).write(true).create(true).truncate(false)).open(path).map_err(failed)?;
        let mut tries = 0;
        loop {
            match file.try_lock() {
                Ok(()) => break,
                // Somebody who only asks who holds it ([`Lock::holder`]) is in the way for an instant.
                Err(TryLockError::WouldBlock) if tries < TRIES => {
                    tries += 1;
                    std::thread::sleep(PAUSE);
                }
                Err(TryLockError::WouldBlock) => return Err(Error::Locked { path: path.to_owned(), holder: read_holder(&mut file) }),
                Err(TryLockError::Error(e)) => return Err(failed(e)),
            }
        }
        let left_by = read_holder(&mut file);
        let mut lock = Self { file, path: path.to_owned(), left_by };
        let words = serde_json::to_vec(holder).unwrap_or_default();
        // A full disk must not keep anybody from working: the lock holds, only the holder's name is missing.
        let _ = lock.say(&words);
        Ok(lock)
    }

    /// The former holder that did not let go by itself: it was killed or crashed.
    pub fn left_by(&self) -> Option<&Holder> {
        self.left_by.as_ref()
    }

    /// Where the lock is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Who holds the lock at `path` now; `None` if nobody does.
    ///
    /// # Errors
    /// What the system says.
    pub fn holder(path: &Path) -> Result<Option<Holder>, Error> {
        let failed = |e| Error::from_io(path, "reading the lock", e);
        let mut file = match OpenOptions::new().read(true).open(path) {
            Ok(file) => file,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(failed(e)),
        };
        match file.try_lock_shared() {
            Ok(()) => Ok(None),
            Err(TryLockError::WouldBlock) => Ok(Some(read_holder(&mut file).unwrap_or_else(|| Holder {
                pid: 0,
                host: String::new(),
                who: "an unnamed process".to_owned(),
                since: DateTime::<Utc>::UNIX_EPOCH,
            }))),
            Err(TryLockError::Error(e)) => Err(failed(e)),
        }
    }

    fn say(&mut self, words: &[u8]) -> std::io::Result<()> {
        self.file.set_len(0)?;
        self.file.seek(SeekFrom::Start(0))?;
        self.file.write_all(words)
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Letting go in order: no name is left. The kernel unlocks when the file closes.
        let _ = self.say(b"");
    }
}

fn read_holder(file: &mut File) -> Option<Holder> {
    let mut text = Vec::new();
    file.seek(SeekFrom::Start(0)).ok()?;
    file.take(4096).read_to_end(&mut text).ok()?;
    serde_json::from_slice(&text).ok()
}
