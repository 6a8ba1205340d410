//! Pod facts and memory samples → rings, robust slope, time left to each ceiling, ranking, "did it help?".
//!
//! Where samples come from is `metrics/`'s business.

mod facts;

pub use facts::{ContainerFacts, ContainerState, End, Liveness, Manager, PodFacts, PodSample, Rollout, Workload};
