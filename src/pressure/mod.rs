//! Pod facts and memory samples → rings, robust slope, time left to each ceiling, ranking, "did it help?".
//!
//! Where samples come from is `metrics/`'s business.

mod board;
mod end;
mod eta;
mod facts;
mod helped;
mod learned;
mod options;
mod row;
mod series;
mod slope;
#[cfg(test)]
mod tests;

pub use board::Board;
pub use end::{EndKind, LastEnd, classify};
pub use eta::{Ceiling, Eta};
pub use facts::{COPY_OF, ISOLATED, LIMIT_BEFORE, limit_before};
pub use facts::{ContainerFacts, ContainerState, End, Liveness, Manager, PodFacts, PodSample, Rollout, Workload};
pub use helped::{SlopeChange, SlopeEffect};
pub use options::Options;
pub use row::{Row, SPARK};
