//! Bytes of a V8 heap snapshot → columns → graph → dominators → sizes, classes, paths, diff, recognisers, suspects, salvage.
//!
//! A library of its own: bytes in, answers out; no files, no clock, no threads but rayon's. The numbers are those of Chrome DevTools, on every node
//! (`tests/it/` compares digests); where DevTools is wrong, [`ClassRow`] is right.
//!
//! ```
//! use std::sync::Arc;
//! use cutoff::heap::{Pipeline, Unwatched};
//!
//! # let file: &[u8] = br#"{"snapshot":{"meta":{"node_fields":["type","name","id","self_size","edge_count"],
//! #   "node_types":[["synthetic","object"]],"edge_fields":["type","name_or_index","to_node"],
//! #   "edge_types":[["property","shortcut"]]},"node_count":3,"edge_count":2},"nodes":[0,0,1,0,1, 1,1,3,16,1, 1,2,5,32,0],
//! #   "edges":[1,0,5, 0,3,10],"strings":["","global","Map","cache"]}"#;
//! // A file, a pipe, an exec stream: any pieces of any size. `Unwatched` may be your own `Progress`, which can also cancel.
//! let mut pipeline = Pipeline::new(Arc::new(Unwatched));
//! for piece in file.chunks(64 << 10) {
//!     pipeline.push(piece)?;
//! }
//! let heap = Arc::new(pipeline.finish()?);
//!
//! // A file that was cut still gives what can be said.
//! if let Some(cut) = heap.cut() {
//!     println!("the {} are not whole, retained sizes: {:?}", cut.at.word(), cut.retained());
//! }
//! // The Summary of DevTools, largest retained size first.
//! for row in heap.class_rows().iter().take(20) {
//!     println!("{:>9} {:>12} {:>12}  {}", row.count, row.shallow, row.retained, row.name);
//! }
//! // The biggest Map, and who holds it.
//! let map = heap.nodes().filter(|&n| heap.class_name(n) == "Map").max_by_key(|&n| heap.retained_size(n));
//! for step in heap.path(map.expect("there is one")) {
//!     println!("{} --{}--> {}", heap.class_name(step.edge.from), heap.edge_text(&step.edge), heap.display_name(step.edge.to));
//! }
//! # assert_eq!(heap.retained_size(map.expect("there is one")), 32);
//! # assert_eq!(heap.path(map.expect("there is one")).len(), 2);
//! # Ok::<(), cutoff::heap::Stop>(())
//! ```
//!
//! Two snapshots of one process are compared by [`diff`]: [`Growth`] tells what is new, and how many bytes of it hang under each node.

mod allocations;
mod analysis;
mod bits;
mod borrow;
mod classes;
mod column;
mod columns;
mod declare;
mod detached;
mod diff;
mod digests;
mod distance;
mod dominators;
mod early;
mod essential;
mod fingerprint;
mod format;
mod graph;
mod ids;
mod index;
mod json;
mod names;
mod pack;
mod paths;
mod pipeline;
mod profile;
mod progress;
mod recognise;
mod redact;
mod rows;
mod salvage;
mod scan;
mod sizes;
mod snapshot;
mod strings;
mod summary;
mod suspects;
mod table;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod trace;
mod trigger;
mod verdict;
mod walk;
mod ways;

pub use analysis::Analysis;
pub use classes::Interface;
pub use column::{SYSTEM_DISTANCE, UNREACHED};
pub use declare::{Named, declaration};
pub use diff::{ClassChange, Growth, NotComparable, ShapeChange, diff, diff_by_shape};
pub use digests::Digests;
pub use format::{EdgeKind, Header, NodeKind};
pub use ids::{ClassIx, EdgeIx, NodeId, NodeIx, StringIx};
pub use index::{decode_index, encode_index, index_pieces, read_index};
pub use paths::{PathStep, Retainer};
pub use pipeline::{Pipeline, analyse};
pub use profile::{Profile, ProfileError, Site};
pub use progress::{Phase, Progress, Stop, Unwatched};
pub use redact::{Redaction, Redactor};
pub use salvage::{Cut, Section, Trust};
pub use sizes::Statistics;
pub use snapshot::{Edge, Label, Location, Snapshot, SnapshotKind};
pub use strings::Strings;
pub use summary::{Facts, Summary};
pub use suspects::{Options, find_leaks};
pub use table::ClassRow;
pub use trace::Allocator;
pub use verdict::{Age, Allocation, Confidence, HolderKind, Large, Place, Split, Step, Suspect, Trigger, Verdict};
pub use ways::Detour;
