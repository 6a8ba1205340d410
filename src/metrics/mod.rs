//! Who says how much memory: sources, best first.
