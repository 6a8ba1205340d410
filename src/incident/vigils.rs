//! What the state remembers of what waits for hours: watches for the next death, and second snapshots that come after a
//! growth or a time.

use chrono::{DateTime, TimeDelta, Utc};

use super::event::Seq;
use super::records::Mark;
use super::watching::{Arming, PairWhen, Sign};
use crate::base::{Bytes, ContainerRef, EvidenceId, Masked, ProcessKey, span};

/// A watch for the next death.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WatchRecord {
    /// When and by whom it was armed.
    pub mark: Mark,
    /// The container.
    pub container: ContainerRef,
    /// How.
    pub how: Arming,
    /// What it waits for, in words.
    pub waits_for: Masked,
    /// Uid of the pod, so that another one of its name is told apart.
    pub pod_uid: String,
    /// Deaths of the container that were known: its restarts, and one more if it was dead then.
    pub deaths: u32,
    /// What was seen, oldest first.
    pub signs: Vec<(Mark, Sign, Masked)>,
    /// When and why it ended.
    pub ended: Option<(Mark, Masked)>,
}

/// A second snapshot that is planned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PairRecord {
    /// When and by whom.
    pub mark: Mark,
    /// The first snapshot.
    pub first: EvidenceId,
    /// The container.
    pub container: ContainerRef,
    /// The life of the process that the first came from.
    pub process: ProcessKey,
    /// When it is due.
    pub when: PairWhen,
    /// Working set when it was planned.
    pub base: Option<Bytes>,
    /// How it ended: the second snapshot, if there is one, and the words.
    pub ended: Option<(Seq, Option<EvidenceId>, Masked)>,
}

impl PairRecord {
    /// What is missing until it is due, in words; `None`: it is due. `working_set`: as it is now.
    pub fn missing(&self, now: DateTime<Utc>, working_set: Option<Bytes>) -> Option<String> {
        match self.when {
            PairWhen::After { seconds } => {
                let due = self.mark.at + TimeDelta::seconds(i64::try_from(seconds).unwrap_or(i64::MAX / 1_000_000));
                (due - now).to_std().ok().filter(|left| !left.is_zero()).map(|left| format!("in {}", span(left)))
            }
            PairWhen::Grown { by } => {
                let Some((base, working_set)) = self.base.zip(working_set) else {
                    return Some(format!("+{by} are missing; its memory is not measured now"));
                };
                let grown = working_set.saturating_sub(base);
                (grown < by).then(|| format!("+{grown} of +{by} grown"))
            }
        }
    }
}
