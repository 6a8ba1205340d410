//! Copies a file out of a container while it grows: from an offset, in frames that prove themselves, resumable after a
//! broken connection, a new exec or a container restart. Never tar, never deletes, never trusts a log line.

mod copy;
mod frames;
mod script;
mod source;
mod zstd;

pub use copy::{Copied, CopyEnd, copy};
pub use frames::Packed;
pub use source::Source;
