//! JSONL journal of one incident: append + fdatasync, torn line set aside, takeover, import.
//!
//! One line is one event and the hash of the line before it, so that what is missing or changed shows. The file is only
//! appended to; a person can follow it with `tail -f`.

mod error;
mod import;
mod incidents;
mod line;
mod paths;
mod pen;
mod scan;
#[cfg(test)]
mod tests;

pub use error::Error;
pub use import::Imported;
pub use incidents::{Listed, free_id, incidents, newest_open};
pub use paths::Paths;
pub use pen::{Appended, Journal, Notice, Opened};
pub use scan::{Flaw, FlawKind, Reading, read, read_file};
