//! Ground: words for rooms that may not know each other. A thing enters here only when two such rooms need it.
//!
//! No room is imported here, and nothing in it reads a clock, a file or the network.

mod identity;
mod nearest;
pub mod redact;
mod text;
mod time;
mod trouble;
mod units;

pub use identity::{ContainerRef, EvidenceId, PodRef, ProcessKey};
pub use nearest::{explain, nearest};
pub use redact::{mask, mask_lines};
pub use text::{Masked, Untrusted};
pub use time::{Clock, ScaledClock, ScriptedClock, Stamp};
pub use trouble::{Trouble, TroubleKind};
pub use units::{Bytes, BytesPerSecond, Count, clock, parse_quantity, parse_span, span};
