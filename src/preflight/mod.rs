//! Judge: is it safe to capture this process now? Facts and the pod's budget → risk with numbers, the ways out, the
//! race against the OOM killer, and the states of a capture. It never asks how a method works: a method says what it
//! demands.

mod assess;
mod assessment;
mod checks;
mod measured;
mod nature;
mod pace;
mod predict;
mod race;
mod reading;
mod remedies;
mod situation;
mod state;
#[cfg(test)]
mod tests;

pub use assess::assess;
pub use assessment::{Assessment, Between, Check, Figure, LivenessBudget, Predicted, Reason, Remedy, RemedyKind, Risk};
pub use measured::{Compared, Measured, compare};
pub use nature::{Nature, NatureKind, nature};
pub use pace::Pace;
pub use race::{Race, race};
pub use reading::{HeapReading, HeapSource, Holdings};
pub use situation::{Builds, Demand, PodBudget, Situation};
pub use state::{CaptureState, Sighting};
