//! Bytes of a V8 heap snapshot → columns → graph → dominators → sizes, classes, paths, diff, recognisers, suspects, salvage.
