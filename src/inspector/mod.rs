//! Chrome DevTools Protocol over any byte stream: asks a running Node process about its heap and takes snapshots of it.
//!
//! Knows nothing of Kubernetes: a [`Dial`] gives streams to the inspector's port (9229 on the pod's loopback, opened by
//! SIGUSR1). Every call has a deadline; an open inspector runs any code for whoever reaches it, so close it.
//!
//! Checked on Node 18, 20, 22, 24 and 26.

mod census;
mod dial;
mod error;
mod pause;
mod sampling;
mod session;
mod snapshot;
#[cfg(test)]
mod tests;
mod wire;
mod worker;

pub use census::Census;
pub use dial::{ByteStream, Dial, Target, targets};
pub use error::Error;
pub use pause::Paused;
pub use sampling::{Allocator, allocators};
pub use session::{CALL, HeapStatistics, Identity, Session};
pub use snapshot::{SILENCE, SnapshotNews, Taken};
pub use wire::Lane;
pub use worker::Worker;
