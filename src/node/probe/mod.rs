//! The probe: one read-only script that is run in the container, and the parser of what it prints.

mod cgroup;
mod parse;
mod process;
#[cfg(test)]
mod recorded;
mod script;
mod sections;
mod target;

pub use parse::{ProbeError, parse};
pub use script::{HELPER_FLAGS, NODE_PATHS, node_probe, shell_probe};
