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
    /// Who measured the newest point.
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
        Self { container, workload, life, started, source: String::new(), points: VecDeque::new(), line: None }
    }

    pub fn newest(&self) -> Option<Point> {
        self.points.back().copied()
    }

    /// Takes a sample; says whether it was news. A stamp that is not newer than the last is a repeated answer of the
    /// source (metrics-server gives the same one for 15 to 60 seconds), not a measurement.
    pub fn push(&mut self, point: Point, source: &str, window: Duration, least: usize) -> bool {
        if self.newest().is_some_and(|last| point.at <= last.at) {
            return false;
        }
        // Sources differ in what they count; a line through points of two of them would show the difference as growth.
        if self.source != source {
            self.points.clear();
            source.clone_into(&mut self.source);
        }
        if self.points.len() == KEPT {
            self.points.pop_front();
        }
        self.points.push_back(point);
        self.line = self.line_over(window, least, None, None);
        true
    }

    /// The line through the newest points that span `window`, or through the newest `2 * least` if those reach further
    /// back; only points in `from..to`. `None` with fewer than `least` points.
    pub fn line_over(&self, window: Duration, least: usize, from: Option<DateTime<Utc>>, to: Option<DateTime<Utc>>) -> Option<Line> {
        let inside: Vec<Point> =
            self.points.iter().filter(|p| from.is_none_or(|f| p.at >= f) && to.is_none_or(|t| p.at < t)).copied().collect();
        let newest = inside.last()?.at;
        let edge = newest - TimeDelta::from_std(window).unwrap_or(TimeDelta::MAX);
        let by_time = inside.partition_point(|p| p.at < edge);
        let chosen = &inside[by_time.min(inside.len().saturating_sub(2 * least))..];
        if chosen.len() < least {
            return None;
        }
        let step = chosen.len().div_ceil(POINTS);
        // Counted from the newest, so that this one is always among them.
        let thinned: Vec<(f64, f64)> = chosen.iter().rev().step_by(step).map(|p| (seconds(p.at - newest), p.used.0 as f64)).collect();
        line(&thinned)
    }
}

pub(super) fn seconds(delta: TimeDelta) -> f64 {
    delta.as_seconds_f64()
}
