//! One file a verb; JSON of the command line; exit codes; wiring.
