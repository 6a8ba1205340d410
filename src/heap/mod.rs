//! Bytes of a V8 heap snapshot → columns → graph → dominators → sizes, classes, paths, diff, recognisers, suspects, salvage.

mod verdict;

pub use verdict::{Age, Confidence, HolderKind, Large, Place, Step, Suspect, Trigger, Verdict};
