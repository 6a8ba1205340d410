//! What was computed from a file of evidence and may be deleted at any time: the heap's summary and index. Bounded, the entry that
//! was unused for longest goes first.

use std::path::{Path, PathBuf};

use super::error::Error;
use super::growing::check_space;
use crate::base::Bytes;
use crate::disk::{
    self, Reader, Sha256, entry, list, private_dir, read_bytes, read_head_and_tail, remove, touch, write_private, write_private_pieces,
};

/// Bytes of both ends of a file that go into its key.
const ENDS: usize = 64 << 10;

/// What ends the name of an entry.
const SUFFIX: &str = ".index";

/// Names a file by size, time of change and both its ends: cheap for gigabytes, and a file that is written again under
/// the same name gets another one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CacheKey(String);

impl CacheKey {
    /// The key of the file at `path`, as it is now.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn of(path: &Path) -> Result<Self, Error> {
        let file = entry(path)?.ok_or_else(|| disk::Error::NotFound { path: path.to_owned() })?;
        let (head, tail) = read_head_and_tail(path, ENDS)?;
        let mut hash = Sha256::default();
        hash.update(&file.size.0.to_le_bytes());
        hash.update(&file.modified.map(|m| m.timestamp_micros()).unwrap_or_default().to_le_bytes());
        hash.update(&head);
        hash.update(&tail);
        Ok(Self(hash.hex()))
    }

    /// The key of one of several things that were computed from the file, or of one that depends on more than the file.
    #[must_use]
    pub fn part(&self, what: &str) -> Self {
        let mut hash = Sha256::default();
        hash.update(self.0.as_bytes());
        hash.update(what.as_bytes());
        Self(hash.hex())
    }
}

/// A directory of computed things.
#[derive(Clone, Debug)]
pub struct Cache {
    dir: PathBuf,
    limit: Bytes,
    keep_free: Bytes,
}

impl Cache {
    /// Opens the cache at `dir`, which holds at most `limit` and leaves `keep_free` of the disk alone.
    ///
    /// # Errors
    /// What the disk says.
    pub fn open(dir: &Path, limit: Bytes, keep_free: Bytes) -> Result<Self, Error> {
        private_dir(dir)?;
        Ok(Self { dir: dir.to_owned(), limit, keep_free })
    }

    /// What was stored under `key`. Whether it is whole and of this version is for its owner to check.
    ///
    /// # Errors
    /// What the disk says; that there is nothing is no error.
    pub fn get(&self, key: &CacheKey) -> Result<Option<Vec<u8>>, Error> {
        let path = self.path(key);
        match read_bytes(&path, self.limit) {
            Ok(bytes) => {
                touch(&path)?;
                Ok(Some(bytes))
            }
            Err(disk::Error::NotFound { .. } | disk::Error::TooLarge { .. }) => Ok(None),
            Err(e) => Err(e.into()),
        }
    }

    /// [`Cache::get`] of what is read piece by piece.
    ///
    /// # Errors
    /// What the disk says; that there is nothing is no error.
    pub fn open_entry(&self, key: &CacheKey) -> Result<Option<Reader>, Error> {
        let path = self.path(key);
        match Reader::open(&path) {
            Ok(reader) => {
                touch(&path)?;
                Ok(Some(reader))
            }
            Err(disk::Error::NotFound { .. }) => Ok(None),
            Err(e) => Err(e.into()),
        }
    }

    /// [`Cache::put`] of what comes in pieces, of about `size` in all.
    ///
    /// # Errors
    /// What the disk says, but for a full one.
    pub fn put_pieces(&self, key: &CacheKey, size: Bytes, pieces: impl Iterator<Item = Vec<u8>>) -> Result<bool, Error> {
        self.put_with(key, size, |path| write_private_pieces(path, pieces))
    }

    /// Stores `bytes` under `key`, letting go of what was unused for longest. `false` if there is no room for it: a cache
    /// never fills a disk, and a full one is no error.
    ///
    /// # Errors
    /// What the disk says, but for a full one.
    pub fn put(&self, key: &CacheKey, bytes: &[u8]) -> Result<bool, Error> {
        self.put_with(key, Bytes(bytes.len() as u64), |path| write_private(path, bytes))
    }

    fn put_with(&self, key: &CacheKey, size: Bytes, write: impl FnOnce(&Path) -> Result<(), disk::Error>) -> Result<bool, Error> {
        if size > self.limit || check_space(&self.dir, size, self.keep_free).is_err() {
            return Ok(false);
        }
        self.shrink_to(self.limit.saturating_sub(size), &self.path(key))?;
        match write(&self.path(key)) {
            Ok(()) => Ok(true),
            Err(e) if e.is_full() => Ok(false),
            Err(e) => Err(e.into()),
        }
    }

    /// Lets go of what is stored under `key`.
    ///
    /// # Errors
    /// What the disk says; that there is nothing is no error.
    pub fn forget(&self, key: &CacheKey) -> Result<(), Error> {
        match remove(&self.path(key)) {
            Ok(()) | Err(disk::Error::NotFound { .. }) => Ok(()),
            Err(e) => Err(e.into()),
        }
    }

    /// What it holds now.
    ///
    /// # Errors
    /// What the disk says.
    pub fn size(&self) -> Result<Bytes, Error> {
        Ok(Bytes(list(&self.dir)?.iter().map(|e| e.size.0).sum()))
    }

    fn shrink_to(&self, most: Bytes, but_for: &Path) -> Result<(), Error> {
        let mut entries = list(&self.dir)?;
        entries.retain(|e| e.name.ends_with(SUFFIX) && e.path != but_for);
        entries.sort_by(|a, b| (a.modified, &a.name).cmp(&(b.modified, &b.name)));
        let mut total: u64 = entries.iter().map(|e| e.size.0).sum();
        for old in entries {
            if total <= most.0 {
                break;
            }
            match remove(&old.path) {
                // Another process may have let go of it.
                Ok(()) | Err(disk::Error::NotFound { .. }) => total -= old.size.0,
                Err(e) => return Err(e.into()),
            }
        }
        Ok(())
    }

    fn path(&self, key: &CacheKey) -> PathBuf {
        self.dir.join(format!("{}{SUFFIX}", key.0))
    }
}
