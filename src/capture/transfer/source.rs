//! What a copy is to read.

use std::time::Duration;

use crate::base::Bytes;
use crate::node::SnapshotTracker;

/// What is to be copied.
#[derive(Clone, Debug, Default)]
pub struct Source {
    /// The file; `None` waits for one that is not [`Source::known`].
    pub path: Option<String>,
    /// Where it will appear.
    pub dir: String,
    /// Names that are there already.
    pub known: Vec<String>,
    /// Who writes it.
    pub pid: u32,
    /// Wait on when the writer is dead: the directory outlives the container.
    pub beyond_death: bool,
    /// The wait for a file ends with the container's life, also where the directory outlives it: the next life has to be
    /// looked at anew. A file that is there is read on.
    pub one_life: bool,
    /// Whether it is a snapshot, whose end can be known from its bytes.
    pub is_snapshot: bool,
    /// Ends the copy when nothing was added for so many looks, four a second: for files whose writer is not known.
    pub still: Option<u32>,
    /// Its size, where it was asked for.
    pub size: Option<Bytes>,
    /// What of it is here already, in the landing.
    pub here: SnapshotTracker,
    /// How long the container may be out of reach before the copy is given up.
    pub patience: Duration,
}
