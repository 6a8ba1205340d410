//! Asks the git command, with a deadline: files, blame, log, a file's text, all at one revision. Read-only; it runs no hook, no
//! pager, no fsmonitor and no credential helper.

mod ask;
mod repo;

pub use repo::{Error, Repo};
