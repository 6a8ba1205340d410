//! Performs effects, brings news, owns tasks. How things look is not known here.
//!
//! [`Desk`] is the loop that terminal and headless run share; each kind of effect has a file. Tasks speak to the desk
//! by words (`Word`) over one bounded channel: levels (progress, samples) are dropped when it is full, edges wait.

mod acts;
mod analysis;
mod captures;
mod desk;
mod early;
mod export;
mod hands;
mod jobs;
mod logs;
mod pen;
mod pods;
mod posts;
pub mod snapshots;
pub mod socket;
mod sources;
mod watch;

use std::sync::Arc;

use crate::app::{Effect, JobId, News};
use crate::base::EvidenceId;
use crate::heap::Analysis;

pub use desk::Desk;
pub use early::Early;
pub use export::{render_postmortem, write_postmortem};
pub use hands::{FirstLooks, Hands};
pub use sources::{Since, Sources};

/// What a task tells the desk.
enum Word {
    /// Something happened.
    News(Box<News>),
    /// A job ended with this.
    End(JobId, Box<News>),
    /// An event is on disk: what waited for it may be done.
    Written(Vec<Effect>),
    /// A whole analysis is ready to be walked.
    Shelved(EvidenceId, Arc<Analysis>),
}

/// Words that may wait at the desk.
const WAITING: usize = 1024;
