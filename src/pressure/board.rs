//! Everything known of the pods' memory, ranked: who dies first stands on top.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Serialize, Serializer};

use super::end::classify;
use super::eta::{Ceiling, Eta, eta};
use super::facts::{ContainerFacts, ContainerState, PodFacts, PodSample, Workload};
use super::helped::{SlopeChange, helped};
use super::learned::{Kin, Learned};
use super::options::Options;
use super::row::{Row, SPARK, state_word};
use super::series::{Life, Point, Series};
use crate::base::{Bytes, BytesPerSecond, ContainerRef, PodRef};

/// Ended lives that are remembered, so that a rollback can be compared with what was before it.
const PAST: usize = 128;

/// Facts and samples of all watched pods, and the ranked rows made of them.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Board {
    options: Options,
    #[serde(serialize_with = "values")]
    pods: BTreeMap<PodRef, PodFacts>,
    #[serde(serialize_with = "values")]
    live: BTreeMap<ContainerRef, Series>,
    past: Vec<Series>,
    #[serde(serialize_with = "pairs")]
    died: BTreeMap<ContainerRef, (u32, String)>,
    #[serde(serialize_with = "pairs")]
    /// Ceilings, and the sample that was the newest when they were told.
    ceilings: BTreeMap<ContainerRef, (Ceiling, Option<DateTime<Utc>>)>,
    learned: Learned,
    rows: Vec<Row>,
}

/// JSON has no maps by structs.
fn values<K, V: Serialize, S: Serializer>(map: &BTreeMap<K, V>, to: S) -> Result<S::Ok, S::Error> {
    to.collect_seq(map.values())
}

fn pairs<K: Serialize, V: Serialize, S: Serializer>(map: &BTreeMap<K, V>, to: S) -> Result<S::Ok, S::Error> {
    to.collect_seq(map.iter())
}

impl Board {
    /// An empty board.
    pub fn new(options: Options) -> Self {
        Self { options, ..Self::default() }
    }

    /// Takes the full set of pods as it is at `now`; pods that are not in it are gone.
    pub fn facts(&mut self, now: DateTime<Utc>, all: Vec<PodFacts>) {
        let there: BTreeSet<&PodRef> = all.iter().map(|f| &f.pod).collect();
        let gone: Vec<PodRef> = self.pods.keys().filter(|p| !there.contains(p)).cloned().collect();
        for pod in gone {
            self.gone(&pod);
        }
        for facts in all {
            self.fact(facts);
        }
        self.rank(now);
    }

    /// Takes what is new of one pod. A new restart count or uid begins a new life with an empty ring.
    pub fn fact(&mut self, facts: PodFacts) {
        for container in &facts.containers {
            let key = ContainerRef { pod: facts.pod.clone(), name: container.name.clone() };
            let life = Life { pod_uid: facts.uid.clone(), restarts: container.restarts };
            let started = started(container);
            match self.live.get_mut(&key) {
                Some(series) if series.life == life => {
                    series.started = started.or(series.started);
                    series.workload.clone_from(&facts.workload);
                }
                _ => {
                    let new = Series::new(key.clone(), facts.workload.clone(), life, started);
                    self.ceilings.remove(&key);
                    if let Some(old) = self.live.insert(key, new) {
                        if let Some((kin, end)) = kin(&facts, &container.name).zip(container.last_end.as_ref()) {
                            self.learned.learn(kin, &old, end);
                        }
                        self.bury(old);
                    }
                }
            }
        }
        self.pods.insert(facts.pod.clone(), facts);
    }

    /// A pod is gone; its samples stay for [`Board::helped`].
    pub fn gone(&mut self, pod: &PodRef) {
        self.pods.remove(pod);
        let keys: Vec<ContainerRef> = self.live.keys().filter(|c| c.pod == *pod).cloned().collect();
        for key in keys {
            self.ceilings.remove(&key);
            self.died.remove(&key);
            if let Some(old) = self.live.remove(&key) {
                self.bury(old);
            }
        }
    }

    fn bury(&mut self, old: Series) {
        if old.rings.is_empty() {
            return;
        }
        if self.past.len() == PAST {
            self.past.remove(0);
        }
        self.past.push(old);
    }

    /// Takes samples. Those with a stamp that was seen already, from before the container's present life, or of a pod
    /// that is not watched are left out. Returns how many were news.
    pub fn sample(&mut self, samples: &[PodSample]) -> usize {
        let (window, least) = (self.options.window(), self.options.least());
        let mut news = 0;
        for sample in samples {
            let key = ContainerRef { pod: sample.pod.clone(), name: sample.container.clone() };
            let Some(series) = self.live.get_mut(&key) else { continue };
            // metrics-server still reports the last value of a container that was just replaced.
            if series.started.is_some_and(|s| sample.at < s) {
                continue;
            }
            news += usize::from(series.push(Point { at: sample.at, used: sample.working_set }, &sample.source, window, least));
        }
        news
    }

    /// Tells the board of a limit besides the container's, for the present life of `container`; `None` takes it back.
    pub fn ceiling(&mut self, container: &ContainerRef, ceiling: Option<Ceiling>) {
        match ceiling {
            Some(ceiling) => {
                let told = self.live.get(container).and_then(Series::newest).map(|p| p.at);
                self.ceilings.insert(container.clone(), (ceiling, told));
            }
            None => drop(self.ceilings.remove(container)),
        }
    }

    /// A capture of `container` begins to move its memory: until it is over, and over the step that stays, nothing is
    /// growth.
    pub fn step_begins(&mut self, container: &ContainerRef, at: DateTime<Utc>) {
        if let Some(series) = self.live.get_mut(container) {
            series.step_begins(at);
        }
    }

    /// It has ended.
    pub fn step_ends(&mut self, container: &ContainerRef, at: DateTime<Utc>) {
        if let Some(series) = self.live.get_mut(container) {
            series.step_ends(at);
        }
    }

    /// Tells the board how the life before restart number `restarts` ended, in better words than the status has.
    pub fn died(&mut self, container: &ContainerRef, restarts: u32, words: String) {
        self.died.insert(container.clone(), (restarts, words));
    }

    /// Makes the rows anew, as of `now`.
    pub fn rank(&mut self, now: DateTime<Utc>) {
        let mut rows: Vec<Row> = self.pods.values().flat_map(|pod| pod.containers.iter().map(|c| self.row(now, pod, c))).collect();
        rows.sort_by(|a, b| urgency(a).cmp(&urgency(b)).then_with(|| by_share(a, b)).then_with(|| a.container.cmp(&b.container)));
        if let Some(top) = rows.first_mut() {
            top.first = top.running && urgency(top).0 < CALM;
        }
        self.rows = rows;
    }

    fn row(&self, now: DateTime<Utc>, pod: &PodFacts, container: &ContainerFacts) -> Row {
        let key = ContainerRef { pod: pod.pod.clone(), name: container.name.clone() };
        let running = matches!(container.state, ContainerState::Running { .. }) && !pod.deleting;
        let series = self.live.get(&key);
        let newest = series.and_then(Series::newest).filter(|_| running);
        let line = series.and_then(Series::line).filter(|_| running);
        let age = newest.map(|p| (now - p.at).to_std().unwrap_or_default());
        let stale = age.is_some_and(|a| a > Duration::from_secs(self.options.stale_s));
        // V8 counts its heap alone: what a capture leaves resident moves these ceilings up, but not the container's.
        let raised = |ceiling: Ceiling, since| {
            let by = series.map_or(Bytes(0), |s| s.raised_since(since));
            Ceiling { bytes: Bytes(ceiling.bytes.0.saturating_add(by.0)), ..ceiling }
        };
        let told = self.ceilings.get(&key).cloned();
        let mut ceilings: Vec<Ceiling> = told.map(|(ceiling, at)| raised(ceiling, at.unwrap_or_default())).into_iter().collect();
        let learned = kin(pod, &container.name).and_then(|kin| self.learned.ceiling(&kin, newest.map(|p| p.used)));
        ceilings.extend(learned.map(|ceiling| raised(ceiling, DateTime::default())));
        ceilings.extend(container.limit.map(|bytes| Ceiling { bytes, what: "container limit".to_owned() }));
        let time_left = match () {
            () if !running => Eta::Unknown { why: "not running" },
            () if stale => Eta::Unknown { why: "samples stopped" },
            () => eta(newest, line.as_ref(), &ceilings, now),
        };
        Row {
            workload: pod.workload.clone(),
            revision: pod.revision.clone(),
            state: state_word(pod, container),
            ready: container.ready,
            running,
            working_set: newest.map(|p| p.used),
            limit: container.limit,
            share: newest.zip(container.limit).map(|(p, limit)| p.used.share_of(limit)),
            slope: line.map(|l| BytesPerSecond(l.slope)),
            climbing: line.is_some_and(|l| l.climbs()),
            eta: time_left,
            spark: series.map(spark).unwrap_or_default(),
            sampled: newest.map(|p| p.at),
            age,
            source: newest.and(series).and_then(|s| Some(s.freshest()?.source.clone())),
            restarts: container.restarts,
            last_end: match &container.state {
                ContainerState::Terminated(end) => Some(classify(end)),
                ContainerState::Waiting { .. } | ContainerState::Running { .. } => container.last_end.as_ref().map(classify),
            },
            died: self.died.get(&key).filter(|(restarts, _)| *restarts == container.restarts).map(|(_, words)| words.clone()),
            first: false,
            container: key,
        }
    }

    /// The rows of the last ranking, who dies first on top.
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// The row of `container`.
    pub fn find(&self, container: &ContainerRef) -> Option<&Row> {
        self.rows.iter().find(|r| r.container == *container)
    }

    /// The one to act on first, if anything is under pressure.
    pub fn first(&self) -> Option<&Row> {
        self.rows.first().filter(|r| r.first)
    }

    /// The running containers that deserve a closer look than a slow source gives, most urgent first, at most `most`:
    /// those that climb, are half full, or have not been measured yet.
    pub fn closely(&self, most: usize) -> Vec<ContainerRef> {
        let close = |r: &&Row| r.running && (r.climbing || r.share.is_none_or(|s| s >= 0.5));
        self.rows.iter().filter(close).take(most).map(|r| r.container.clone()).collect()
    }

    /// What is known of `pod`.
    pub fn pod(&self, pod: &PodRef) -> Option<&PodFacts> {
        self.pods.get(pod)
    }

    /// All pods, by name.
    pub fn pods(&self) -> impl Iterator<Item = &PodFacts> {
        self.pods.values()
    }

    /// Whether the change made to `workload` at `changed` helped: slopes of its containers in the window before it and
    /// since. Pods that were replaced count with what was measured while they lived.
    pub fn helped(&self, workload: &Workload, changed: DateTime<Utc>, now: DateTime<Utc>) -> SlopeChange {
        let series = self.live.values().chain(&self.past).filter(|s| s.workload.as_ref() == Some(workload));
        helped(series, changed, now, &self.options)
    }

    /// All samples kept of `container`'s present and past lives, oldest first, for charts: (when, how much, restart count).
    pub fn samples(&self, container: &ContainerRef) -> Vec<(DateTime<Utc>, Bytes, u32)> {
        let series = self.past.iter().chain(self.live.values()).filter(|s| s.container == *container);
        let mut all: Vec<_> =
            series.flat_map(|s| s.rings.iter().flat_map(|r| &r.points).map(|p| (p.at, p.used, s.life.restarts))).collect();
        all.sort_unstable_by_key(|s| s.0);
        all
    }
}

fn kin(pod: &PodFacts, container: &str) -> Option<Kin> {
    Some(Kin { workload: pod.workload.clone()?, container: container.to_owned(), revision: pod.revision.clone() })
}

fn started(container: &ContainerFacts) -> Option<DateTime<Utc>> {
    match &container.state {
        ContainerState::Running { since } => *since,
        ContainerState::Waiting { .. } | ContainerState::Terminated(_) => None,
    }
}

/// The newest points of the fullest source, since a graph of two would jump.
fn spark(series: &Series) -> Vec<Bytes> {
    let Some(ring) = series.rings.iter().max_by_key(|r| r.points.len()) else { return Vec::new() };
    ring.points.iter().skip(ring.points.len().saturating_sub(SPARK)).map(|p| p.used).collect()
}

/// First rank without pressure.
const CALM: u8 = 2;
/// Working set from which a container is under pressure even if it does not climb: k9s paints red from here.
const FULL: f64 = 0.9;

/// Smaller is more urgent: those with a known end by time, then those that are nearly full, then those that died and
/// are not running, the calm ones last.
fn urgency(row: &Row) -> (u8, Duration) {
    match &row.eta {
        Eta::AtMost { left, .. } if row.running => (0, *left),
        _ if row.running && row.share.is_some_and(|s| s >= FULL) => (1, Duration::ZERO),
        _ if !row.running && row.restarts > 0 => (CALM, Duration::ZERO),
        _ => (CALM + 1, Duration::ZERO),
    }
}

fn by_share(a: &Row, b: &Row) -> Ordering {
    b.share.unwrap_or(-1.0).total_cmp(&a.share.unwrap_or(-1.0))
}
