//! Asks the sources in turn and joins what they say.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::sources::{Cgroup, MetricsServer, Source};
use crate::base::{ContainerRef, Trouble};
use crate::cluster::{Error, Session};
use crate::pressure::PodSample;

/// How memory is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Options {
    /// Seconds between two measurements.
    pub interval_s: u64,
    /// Read the cgroup files of at most this many containers by exec; 0 for none.
    pub direct: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { interval_s: 5, direct: 4 }
    }
}

impl Options {
    /// Time between two calls of [`Poller::poll`].
    pub fn interval(&self) -> Duration {
        Duration::from_secs(self.interval_s.max(1))
    }
}

/// What one round of measuring gave.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reading {
    /// Samples, at most one of a container and source.
    pub samples: Vec<PodSample>,
    /// Sources that gave nothing, and why.
    pub troubles: Vec<SourceTrouble>,
}

/// A source that gave nothing.
#[derive(Clone, Debug, PartialEq)]
pub struct SourceTrouble {
    /// Its name.
    pub source: &'static str,
    /// Why.
    pub trouble: Trouble,
}

/// A missing metrics API is asked for again after this: somebody may install it.
const ABSENT_FOR: Duration = Duration::from_secs(60);
/// A container whose cgroup files could not be read this often in a row is left to metrics-server.
const GIVE_UP: u32 = 3;
/// How long a container is read directly after it was asked for last.
const KEEP: Duration = Duration::from_secs(60);

/// Measures the pods of one session.
pub struct Poller {
    session: Session,
    options: Options,
    /// Not before this, and what it said last.
    absent: Option<(Instant, Trouble)>,
    direct: BTreeMap<ContainerRef, Direct>,
}

/// A container that is read directly.
#[derive(Clone, Copy)]
struct Direct {
    /// Failures since the last success.
    fails: u32,
    /// It is read until then, also when it is not asked for: those that come and go at the edge of "closely" would have
    /// samples of neither source in a row.
    until: Instant,
}

impl Poller {
    /// A poller that has not measured yet.
    pub fn new(session: Session, options: Options) -> Self {
        Self { session, options, absent: None, direct: BTreeMap::new() }
    }

    /// One round: all pods by metrics-server, and `closely` (most urgent first) by their cgroup files, as far as the
    /// options' cap goes. A container may have a sample of each source; the board keeps them apart.
    pub async fn poll(&mut self, closely: &[ContainerRef]) -> Reading {
        let chosen = self.choose(closely, Instant::now());
        let (broad, exact) = tokio::join!(self.broad(), self.exact(&chosen));
        let mut reading = Reading::default();
        match exact {
            Some(Ok(samples)) => reading.samples = samples,
            Some(Err(error)) => reading.troubles.push(SourceTrouble { source: Cgroup.name(), trouble: error.into() }),
            None => {}
        }
        for container in chosen {
            let read = reading.samples.iter().any(|s| is(s, &container));
            if let Some(direct) = self.direct.get_mut(&container) {
                direct.fails = if read { 0 } else { direct.fails + 1 };
            }
        }
        match broad {
            Ok(samples) => {
                self.absent = None;
                reading.samples.extend(samples);
            }
            Err((until, trouble)) => {
                self.absent = Some((until, trouble.clone()));
                reading.troubles.push(SourceTrouble { source: MetricsServer.name(), trouble });
            }
        }
        reading
    }

    /// Those that are asked for, then those that were a moment ago, up to the cap.
    fn choose(&mut self, closely: &[ContainerRef], now: Instant) -> Vec<ContainerRef> {
        for container in closely {
            self.direct.entry(container.clone()).or_insert(Direct { fails: 0, until: now }).until = now + KEEP;
        }
        self.direct.retain(|_, direct| direct.until > now);
        let kept = self.direct.keys().filter(|c| !closely.contains(c));
        let works = |c: &&ContainerRef| self.direct.get(*c).is_some_and(|d| d.fails < GIVE_UP);
        closely.iter().chain(kept).filter(works).take(self.options.direct).cloned().collect()
    }

    async fn exact(&self, chosen: &[ContainerRef]) -> Option<Result<Vec<PodSample>, Error>> {
        if chosen.is_empty() {
            return None;
        }
        Some(Cgroup.poll(&self.session, chosen).await)
    }

    /// An error comes with the moment before which it is not worth asking again.
    async fn broad(&self) -> Result<Vec<PodSample>, (Instant, Trouble)> {
        if let Some((until, trouble)) = &self.absent
            && Instant::now() < *until
        {
            return Err((*until, trouble.clone()));
        }
        MetricsServer.poll(&self.session, &[]).await.map_err(|error| {
            let wait = if error == Error::MetricsAbsent { ABSENT_FOR } else { Duration::ZERO };
            (Instant::now() + wait, error.into())
        })
    }
}

fn is(sample: &PodSample, container: &ContainerRef) -> bool {
    sample.pod == container.pod && sample.container == container.name
}
