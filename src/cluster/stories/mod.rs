//! The room against the demo's API server, through kube's ordinary client and the wire, with the network in between
//! under the tests' hand.
#![allow(clippy::disallowed_methods, reason = "tests own their files and tasks")]

mod acts;
mod exec;
mod logs;
mod refusals;
mod relay;
mod watch;
pub(crate) mod world;
