//! Who says how much memory: sources, best first.
//!
//! metrics-server knows all pods but is 15 to 75 seconds late; a container's cgroup files are exact but cost an exec each.
//! So all come from the first, and those that matter most from the second; without the first, as many as the cap allows.

mod poller;
pub mod sources;
#[cfg(test)]
mod tests;

pub use poller::{Options, Poller, Reading, SourceTrouble};
pub use sources::{SOURCES, Source};
