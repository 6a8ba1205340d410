//! The race: when the process will die at its present growth, and when the capture would be safe here.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::base::span;

use super::assessment::Between;
use super::predict::{predict, time_left};
use super::situation::{Builds, Demand, Situation};

/// Compressed snapshots come at a fifth to a seventh of their size; the inspector's stream does not.
const LINK: f64 = 30e6;

/// Who wins: the growth or the capture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Race {
    /// Until the memory limit or V8's limit, whichever comes first.
    pub dies_in: Duration,
    /// Until the file is whole here. While V8 builds and writes, the app does not run and does not grow.
    pub safe_in: Between<Duration>,
    /// Time of it in which the app runs again and may die: the drain of what V8 has written.
    pub exposed: Between<Duration>,
}

/// The race for `demand` now; `None` without growth or for methods that take no snapshot now.
pub fn race(at: &Situation<'_>, demand: &Demand) -> Option<Race> {
    if demand.builds != Builds::Now {
        return None;
    }
    let slope = at.pod.slope?.0;
    let container = at.headroom().and_then(|room| time_left(room, slope));
    let heap = at.heap.and_then(|heap| time_left(heap.limit?.saturating_sub(heap.used), slope));
    let dies_in = [container, heap].into_iter().flatten().min()?;
    let predicted = predict(at, demand);
    let (freeze, file) = (predicted.freeze?, predicted.file?);
    let link = at.link.map_or(LINK, |link| link.0).max(1e5);
    let copy = |bytes: u64| Duration::from_secs_f64((bytes as f64 / link).min(1e7));
    let exposed = Between { low: copy(file.low.0), high: copy(file.high.0) };
    Some(Race { dies_in, safe_in: Between { low: freeze.low + exposed.low, high: freeze.high + exposed.high }, exposed })
}

impl Race {
    /// Whether the app would likely die before its heap is here. What counts is the time in which it runs.
    pub fn is_lost(&self) -> bool {
        self.dies_in < self.exposed.low.max(Duration::from_secs(2))
    }

    /// `OOM in about 40 s at this slope; copy done in 12 s to 25 s`.
    pub fn line(&self) -> String {
        format!("OOM in about {} at this slope; copy done in {}", span(self.dies_in), self.safe_in)
    }
}
