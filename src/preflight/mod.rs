//! Judge: is it safe to capture this process now? Facts and the pod's budget → risk with numbers, the ways out, the
//! race against the OOM killer, and the states of a capture. It never asks how a method works: a method says what it
//! demands.

mod assessment;
mod state;

pub use assessment::{Assessment, Between, Check, Figure, LivenessBudget, Predicted, Reason, Remedy, RemedyKind, Risk};
pub use state::CaptureState;
