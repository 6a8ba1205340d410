//! What is true of a Node process, read from text that others fetched: probe, flags, V8 limits, log lines, reports, how
//! it died, what a capture costs it, and the files it leaves. Nothing here knows how the text was fetched.
//!
//! Every number is measured on Node 18.20, 20.20, 22.23, 24.21 and 26.10 unless its comment says otherwise.

mod files;

pub use files::{FileName, Header, SnapshotTracker, Whole, file_name};
