//! What a stranger or a user can reach: library, binary, PTY, house. One binary, since each more costs a link of the whole tree.
#![allow(clippy::disallowed_methods, reason = "tests are outside the house: they start processes and read files")]

mod analyze;
mod cli;
mod copy;
mod fuzz;
mod house;
mod leaks;
mod oracle;
mod picture;
mod real_cluster;
mod salvage;
#[path = "../../src/skips.rs"]
#[allow(dead_code, reason = "the list is read by tests/skipped.rs")]
mod skips;
mod tui;
