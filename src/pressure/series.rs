//! The samples of one life of one container, in order of their own time, and the part of them a slope is taken from.

use std::collections::VecDeque;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;

use super::facts::Workload;
use super::slope::{Line, line};
use crate::base::{Bytes, ContainerRef};

/// Samples kept for one life: an hour at one each ten seconds.
pub(super) const KEPT: usize = 360;
/// Points a slope is taken from at most: more only cost time (every pair of points is looked at).
const POINTS: usize = 64;

/// One measured point.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Point {
    pub at: DateTime<Utc>,
    pub used: Bytes,
}

/// One life of one container: from its start to its end or the next restart.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Series {
    pub container: ContainerRef,
    pub workload: Option<Workload>,
    /// Container id and restart count; a change of it begins a new series.
    pub life: Life,
    /// When the process began, if that is known.
    pub started: Option<DateTime<Utc>>,
    /// What each source measured. Sources differ in what they count: a line through points of two of them would show
    /// the difference as growth.
    pub rings: Vec<Ring>,
    /// Captures, oldest first.
    pub steps: Vec<Step>,
}

/// A time in which a capture moved the memory: V8's tables for a snapshot stay resident afterwards (106 to 906 MB were
/// measured), which is no growth of the app.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Step {
    pub from: DateTime<Utc>,
    /// `None`: it goes on.
    pub to: Option<DateTime<Utc>>,
}

/// The points of one source.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Ring {
    pub source: String,
    pub points: VecDeque<Point>,
    /// The line through the newest points; found again with each sample.
    pub line: Option<Line>,
}

/// What tells two lives of a container apart.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Life {
    pub pod_uid: String,
    pub restarts: u32,
}

impl Series {
    pub fn new(container: ContainerRef, workload: Option<Workload>, life: Life, started: Option<DateTime<Utc>>) -> Self {
        Self { container, workload, life, started, rings: Vec::new(), steps: Vec::new() }
    }

    /// The ring with the newest point.
    pub fn freshest(&self) -> Option<&Ring> {
        self.rings.iter().max_by_key(|r| r.newest().map(|p| p.at))
    }

    pub fn newest(&self) -> Option<Point> {
        self.freshest()?.newest()
    }

    /// The line of the ring that was fed last among those that have one.
    pub fn line(&self) -> Option<Line> {
        self.rings.iter().filter(|r| r.line.is_some()).max_by_key(|r| r.newest().map(|p| p.at))?.line
    }

    /// Takes a sample; says whether it was news. A stamp that is not newer than the last of its source is a repeated
    /// answer (metrics-server gives the same one for 15 to 60 seconds), not a measurement.
    pub fn push(&mut self, point: Point, source: &str, window: Duration, least: usize) -> bool {
        let ring = match self.rings.iter().position(|r| r.source == source) {
            Some(known) => &mut self.rings[known],
            None => {
                self.rings.push(Ring { source: source.to_owned(), points: VecDeque::new(), line: None });
                self.rings.last_mut().expect("just pushed")
            }
        };
        if ring.newest().is_some_and(|last| point.at <= last.at) {
            return false;
        }
        if ring.points.len() == KEPT {
            ring.points.pop_front();
        }
        ring.points.push_back(point);
        ring.line = ring.line_over(window, least, None, None, &self.steps).map(|(line, _)| line);
        true
    }

    /// A capture begins to move the memory.
    pub fn step_begins(&mut self, at: DateTime<Utc>) {
        if self.steps.last().is_none_or(|step| step.to.is_some()) {
            self.steps.push(Step { from: at, to: None });
        }
    }

    /// It is over.
    pub fn step_ends(&mut self, at: DateTime<Utc>) {
        if let Some(step) = self.steps.last_mut().filter(|step| step.to.is_none()) {
            step.to = Some(at);
        }
    }

    /// By how much captures since `since` raised the memory for good, as far as was measured.
    pub fn raised_since(&self, since: DateTime<Utc>) -> Bytes {
        let Some(ring) = self.freshest() else { return Bytes(0) };
        let rise = |step: &&Step| {
            let before = ring.points.iter().rev().find(|p| p.at <= step.from)?;
            let after = match step.to {
                Some(to) => ring.points.iter().find(|p| p.at > to).or(ring.points.back())?,
                None => ring.points.back()?,
            };
            Some(after.used.0.saturating_sub(before.used.0))
        };
        Bytes(self.steps.iter().filter(|step| step.from >= since).filter_map(|step| rise(&step)).sum())
    }

    /// The line through points in `from..to` of the source that has most of them there.
    pub fn line_over(&self, window: Duration, least: usize, from: Option<DateTime<Utc>>, to: Option<DateTime<Utc>>) -> Option<Line> {
        let lines = self.rings.iter().filter_map(|r| r.line_over(window, least, from, to, &self.steps));
        lines.max_by_key(|(_, points)| *points).map(|(line, _)| line)
    }
}

impl Ring {
    pub fn newest(&self) -> Option<Point> {
        self.points.back().copied()
    }

    /// The line through the newest points that span `window`, or through the newest `2 * least` if those reach further
    /// back; only points in `from..to` and outside `steps`; and how many points that were. `None` with fewer than `least`.
    fn line_over(
        &self,
        window: Duration,
        least: usize,
        from: Option<DateTime<Utc>>,
        to: Option<DateTime<Utc>>,
        steps: &[Step],
    ) -> Option<(Line, usize)> {
        let moved = |p: &Point| steps.iter().any(|s| p.at > s.from && s.to.is_none_or(|to| p.at <= to));
        let wanted = |p: &&Point| from.is_none_or(|f| p.at >= f) && to.is_none_or(|t| p.at < t) && !moved(p);
        let inside: Vec<Point> = self.points.iter().filter(wanted).copied().collect();
        let newest = inside.last()?.at;
        let edge = newest - TimeDelta::from_std(window).unwrap_or(TimeDelta::MAX);
        let by_time = inside.partition_point(|p| p.at < edge);
        let chosen = &inside[by_time.min(inside.len().saturating_sub(2 * least))..];
        if chosen.len() < least {
            return None;
        }
        let step = chosen.len().div_ceil(POINTS);
        // Counted from the newest, so that this one is always among them.
        let mut parts = vec![Vec::new(); steps.len() + 1];
        for p in chosen.iter().rev().step_by(step) {
            let part = steps.iter().filter(|s| p.at > s.from).count();
            parts[part].push((seconds(p.at - newest), p.used.0 as f64));
        }
        Some((line(&parts)?, chosen.len()))
    }
}

pub(super) fn seconds(delta: TimeDelta) -> f64 {
    delta.as_seconds_f64()
}
