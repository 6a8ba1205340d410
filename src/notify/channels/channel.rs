//! What a channel is.

use std::time::Duration;

use crate::incident::Audience;
use crate::notify::failure::{Delivered, Failure};
use crate::notify::letter::Letter;
use crate::notify::options::ChannelOptions;
use crate::notify::secret::ReadText;

/// What all channels have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Base {
    /// Name of the config, as it stands in the journal.
    pub name: String,
    /// Name of its kind.
    pub kind: &'static str,
    /// Who reads it; empty: everybody.
    pub audience: Vec<Audience>,
    /// Longest time of one try, real time.
    pub timeout: Duration,
}

/// A way to somebody outside. Blocking: called from a thread that may wait.
pub trait Channel: Send + Sync {
    /// What all channels have.
    fn base(&self) -> &Base;

    /// What would be sent, readable, without its secrets: for the preview.
    fn payload(&self, letter: &Letter) -> String;

    /// One try to deliver, at most as long as `base().timeout` (and 10 s for each secret that a command tells).
    ///
    /// # Errors
    /// Says why in words without secrets, and whether another try may succeed.
    fn send(&self, letter: &Letter, read: &ReadText<'_>) -> Result<Delivered, Failure>;

    /// Whether posts for `audience` go here.
    fn carries(&self, audience: Audience) -> bool {
        let wanted = &self.base().audience;
        wanted.is_empty() || wanted.contains(&audience)
    }
}

/// A kind of channel: one value in the list.
pub(in crate::notify) struct Kind {
    /// Name, as `kind:` gives it.
    pub name: &'static str,
    /// One line of help.
    pub help: &'static str,
    /// Keys that belong to it.
    pub keys: &'static [&'static str],
    /// Of these, exactly one must be given.
    pub one_of: &'static [&'static str],
    /// Makes one from options that were checked.
    pub build: fn(Base, &ChannelOptions) -> Box<dyn Channel>,
}
