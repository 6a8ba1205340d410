//! Gets a heap out of a container: [`survey`] collects what preflight judges by, [`METHODS`] take it in their own ways,
//! the copy of a growing file is resumable, and a capture that waits for hours is a method like the others.
//!
//! Order of things: `survey` (read-only probe, pod, rights) → [`Survey::assess`] (pure) → a person's yes where it is
//! needed → [`take`] → evidence. Whatever happens, `take` ends with exactly one [`Done`].

mod error;
mod fetch;
mod helper;
mod inspect;
mod landing;
mod look;
mod method;
pub mod methods;
mod place;
mod survey;
mod take;
#[cfg(test)]
mod tests;
mod transfer;
mod watch;

pub use error::Error;
pub use fetch::{FETCH, Wanted, fetch_named, is_snapshot, no_such_file, origin};
pub use landing::{Landing, Memory};
pub use look::{InPod, Seen, look, remove, sha256_in_pod};
pub use method::{Done, Method, Order, Origin, Spec, Tell};
pub use methods::{METHODS, find, rules};
pub use place::{Place, Running, SessionPlace};
pub use survey::{Depth, Survey, survey};
pub use take::{Captured, take};
pub use transfer::{Copied, CopyEnd, Packed, Source, copy};
pub use watch::{Vigil, arming, fetch, fitting_heap, new_files, watch};
