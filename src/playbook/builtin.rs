//! Playbooks that come with the program.

/// File name and text of each.
pub const BUILT_IN: &[(&str, &str)] = &[("node-heap-oom.yaml", include_str!("../../playbooks/node-heap-oom.yaml"))];
