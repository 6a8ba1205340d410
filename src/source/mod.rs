//! Source maps, positions, reading `git blame` output.
