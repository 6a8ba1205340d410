//! The log of one life of a container: bounded, followed by any number of readers.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use tokio::sync::watch;

use crate::demo::pods::Line;

/// Lines kept; a container's file is rotated at a size like this.
const LINES: usize = 20_000;

/// One life's log.
#[derive(Debug)]
pub(crate) struct LogBook {
    kept: Mutex<Kept>,
    changed: watch::Sender<bool>,
}

#[derive(Debug, Default)]
struct Kept {
    /// Number of the first kept line.
    first: u64,
    lines: VecDeque<Line>,
}

impl LogBook {
    /// A log that begins with `lines`.
    pub fn new(lines: Vec<Line>) -> Self {
        Self { kept: Mutex::new(Kept { first: 0, lines: lines.into() }), changed: watch::channel(false).0 }
    }

    /// Adds a line.
    pub fn push(&self, line: Line) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.lines.push_back(line);
        if kept.lines.len() > LINES {
            kept.lines.pop_front();
            kept.first += 1;
        }
        drop(kept);
        self.changed.send_modify(|_| {});
    }

    /// The container has ended: followers come to their end.
    pub fn close(&self) {
        self.changed.send_replace(true);
    }

    /// Lines from number `from` on, and the number after the last.
    pub fn since(&self, from: u64) -> (Vec<Line>, u64) {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let skip = usize::try_from(from.saturating_sub(kept.first)).unwrap_or(usize::MAX);
        (kept.lines.iter().skip(skip).cloned().collect(), kept.first + kept.lines.len() as u64)
    }

    /// Tells of new lines; true once the log is closed.
    pub fn subscribe(&self) -> watch::Receiver<bool> {
        self.changed.subscribe()
    }
}
