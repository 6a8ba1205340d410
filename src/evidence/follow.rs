//! Reading a file while it grows: the writer publishes the length, readers wait for more. The disk is the buffer between
//! the two, so a slow reader never slows the writer.

use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use super::error::Error;
use crate::disk::Reader;

/// Why a file does not grow any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// It was sealed.
    Sealed,
    /// Its writer was dropped without sealing it.
    Abandoned,
}

/// How far a file has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// Bytes that may be read.
    pub bytes: u64,
    /// Set when no more will come.
    pub end: Option<End>,
}

/// The published length of a growing file; clones see the same.
#[derive(Clone, Debug, Default)]
pub struct Length(Arc<(Mutex<Seen>, Condvar)>);

impl Length {
    /// How far it is.
    pub fn now(&self) -> Seen {
        *self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until there is more than `offset`, or the end, or `patience` is over. Blocks its thread.
    pub fn wait_beyond(&self, offset: u64, patience: Duration) -> Seen {
        let seen = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        let waiting = |seen: &mut Seen| seen.bytes <= offset && seen.end.is_none();
        *self.0.1.wait_timeout_while(seen, patience, waiting).unwrap_or_else(PoisonError::into_inner).0
    }

    pub(super) fn publish(&self, bytes: u64, end: Option<End>) {
        let mut seen = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        // The first end counts: what was sealed is not abandoned by being dropped afterwards.
        *seen = Seen { bytes, end: seen.end.or(end) };
        self.0.1.notify_all();
    }
}

/// What [`Follower::next`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// So many bytes were put into the buffer.
    Bytes(usize),
    /// Nothing new within the patience; ask again.
    Waiting,
    /// All bytes were read.
    End(End),
}

/// Reads a file from its beginning to its end, while it grows.
#[derive(Debug)]
pub struct Follower {
    reader: Reader,
    length: Length,
    at: u64,
}

impl Follower {
    /// Follows the file at `path` whose length is published by `length`.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn new(path: &Path, length: Length) -> Result<Self, Error> {
        Ok(Self { reader: Reader::open(path)?, length, at: 0 })
    }

    /// Reads a file that does not grow any more.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn whole(path: &Path) -> Result<Self, Error> {
        let reader = Reader::open(path)?;
        let length = Length::default();
        length.publish(reader.size()?, Some(End::Sealed));
        Ok(Self { reader, length, at: 0 })
    }

    /// Bytes read so far.
    pub fn offset(&self) -> u64 {
        self.at
    }

    /// How far the file itself is.
    pub fn seen(&self) -> Seen {
        self.length.now()
    }

    /// Reads what is new into `buffer`, waiting for at most `patience`.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn next(&mut self, buffer: &mut [u8], patience: Duration) -> Result<Step, Error> {
        let seen = self.length.wait_beyond(self.at, patience);
        if seen.bytes <= self.at {
            return Ok(seen.end.map_or(Step::Waiting, Step::End));
        }
        let room = usize::try_from(seen.bytes - self.at).unwrap_or(usize::MAX).min(buffer.len());
        let n = self.reader.read_at(self.at, &mut buffer[..room])?;
        self.at += n as u64;
        // Shorter than published: somebody cut the file from outside.
        Ok(if n == 0 && room > 0 { Step::End(End::Abandoned) } else { Step::Bytes(n) })
    }
}
