//! A small world outside, reached by wire only: API server, kubelet, scenario, the leaking service.
//!
//! [`Demo::start`] opens a Kubernetes API on 127.0.0.1 whose pods are real local Node processes, and says in
//! [`Demo::mode`] why they are not where the machine does not allow it.
#![allow(clippy::disallowed_methods, reason = "a world of its own: it has its own files, processes, tasks and clock")]

mod api;
mod clock;
mod error;
mod faults;
mod images;
mod kubelet;
mod machine;
mod pods;
mod receiver;
mod recording;
mod repository;
mod scenario;
mod start;
mod world;

pub use faults::{Fault, Faults};
pub use receiver::Receiver;
pub use start::{Demo, Mode, Options};

#[cfg(test)]
mod tests;
