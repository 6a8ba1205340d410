//! What is true of a Node process, read from text that others fetched: probe, flags, V8 limits, log lines, reports, how
//! it died, what a capture costs it, and the files it leaves. Nothing here knows how the text was fetched.
//!
//! Every number is measured on Node 18.20, 20.20, 22.23, 24.21 and 26.10 unless its comment says otherwise.

pub mod cost;
mod death;
mod facts;
mod files;
mod flags;
mod limits;
mod options;
mod probe;
mod reports;
mod signals;

pub use death::{Cause, Death, HeapOom, LogSign, announced_file, death, log_sign};
pub use facts::{
    Cgroup, ChildDeaths, Directory, FoundFile, Listener, Load, MilliCpu, ProbeKind, Process, ProcessFacts, Role, Tools, absolute,
};
pub use files::{FileName, Header, SnapshotTracker, Whole, file_name};
pub use flags::{Flags, Listen};
pub use limits::{NodeVersion, heap_limit};
pub use options::{DUMPS, copy_size, dump_args, dump_options, fitting_heap_mib, with_heap_prof};
pub use probe::{HELPER_FLAGS, NODE_PATHS, ProbeError, node_probe, parse as parse_probe, shell_probe};
pub use reports::{Report, ReportError};
pub use signals::{Effect, Signal, Signals, Usr2};
