//! What came of one try to deliver.

use std::time::Duration;

use crate::base::{Masked, Untrusted};

/// A post that was delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivered {
    /// What the receiver said: `HTTP 202`, `exit 0`.
    pub answer: Masked,
}

/// A try that failed. Holds no secret: URLs are shortened to their host, answers are masked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct Failure {
    /// Why.
    pub why: Masked,
    /// How long the receiver asks to wait.
    pub retry_after: Option<Duration>,
    /// Whether the same try can only fail again.
    pub last: bool,
}

impl Failure {
    /// A failure that may pass.
    pub(super) fn passing(why: impl Into<String>) -> Self {
        Self { why: Masked::from(why.into()), retry_after: None, last: false }
    }

    /// A failure that stays until a person changes something.
    pub(super) fn lasting(why: impl Into<String>) -> Self {
        Self { last: true, ..Self::passing(why) }
    }
}

/// The first words of what a receiver or a program said, masked.
pub(super) fn said(bytes: &[u8]) -> String {
    let text = Masked::from(&Untrusted::new(bytes)).to_string();
    let text = super::letter::cut(text.trim(), 120);
    if text.is_empty() { String::new() } else { format!(": {text}") }
}
