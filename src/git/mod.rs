//! Asks the git command.
