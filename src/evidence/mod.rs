//! Files that prove something: growing, sealed with sha256, provenance, index cache.
//!
//! Beside each file lies its record (`<file>.json`): what it is called in the journal, its hash, where it came from. The
//! record is written before the file, so that a file that was growing when the tool was killed is found again.

mod cache;
mod error;
mod follow;
mod growing;
mod names;
mod record;
mod store;
#[cfg(test)]
mod tests;

pub use crate::disk::sha256_hex;
pub use cache::{Cache, CacheKey};
pub use error::Error;
pub use follow::{End, Follower, Length, Seen, Step};
pub use growing::{Growing, Sealed};
pub use names::{file_name, plain_name};
pub use record::{Deleted, Record};
pub use store::{Exported, Item, Standing, Store};
