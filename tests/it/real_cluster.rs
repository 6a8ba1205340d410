//! The product against a real Kubernetes (API server, kubelet, containerd on this machine; `tests/cluster/README.md`): what
//! the demo's server can only pretend. Each test makes a namespace of its own; those that break a program of the cluster
//! have it to themselves. Without a cluster each is skipped by name, with the reason.
#![allow(clippy::print_stderr, reason = "a skipped test says so, and what was measured is what a reader wants")]

mod acts;
mod captures;
mod ends;
mod files;
mod outages;
mod refusals;
mod session;
mod world;
