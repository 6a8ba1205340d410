//! Watches a container for hours: arms it, waits, and arms its next life when it died without leaving a heap. What was
//! written while nobody looked is found by its time.

use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio_util::sync::CancellationToken;

use crate::base::{Bytes, BytesPerSecond, Masked, ProcessKey, TroubleKind};
use crate::node::{Directory, fitting_heap_mib};
use crate::preflight::{CaptureState, Risk};
use crate::pressure::ContainerState;

use super::error::Error;
use super::helper::probe;
use super::landing::Landing;
use super::method::{Done, Order, Tell};
use super::methods::file;
use super::methods::near_limit::{self, Waiting};
use super::place::Place;
use super::survey::{Depth, Survey, survey};
use super::take::{Captured, conclude};
use super::transfer::{Source, copy};

/// A crash loop backs off to five minutes: a container that does not run is asked for this often.
const LOOK_AGAIN: Duration = Duration::from_secs(2);
/// Lives in a row that could not be armed, after which it is no use.
const MOST_FAILED: u32 = 10;
/// A file of a dying container comes at once or not at all.
const PATIENCE: Duration = Duration::from_secs(60);

/// What is to be watched.
pub struct Vigil<'a> {
    /// The container.
    pub place: &'a dyn Place,
    /// Working set and slope as metrics know them.
    pub pressure: (Option<Bytes>, Option<BytesPerSecond>),
    /// Arm each life, unless its flags have done it; else nothing in the pod is changed.
    pub arm: bool,
    /// Files written since then are new.
    pub since: DateTime<Utc>,
    /// Room for evidence here.
    pub room: Option<Bytes>,
    /// Where the heap goes.
    pub landing: &'a mut dyn Landing,
    /// Ends it.
    pub stop: CancellationToken,
}

/// Whether a container is armed by its flags, and the directory that its heap would go to; `None`: no Node runs there.
pub fn arming(survey: &Survey) -> Option<(bool, Option<&Directory>)> {
    let process = survey.pid.and_then(|pid| survey.facts.process(pid))?;
    Some((near_limit::is_armed(process), near_limit::room(&survey.facts, process)))
}

/// `--max-old-space-size` in MiB with which a snapshot fits into the container; `None`: nobody can tell.
pub fn fitting_heap(survey: &Survey) -> Option<u64> {
    let process = survey.pid.and_then(|pid| survey.facts.process(pid))?;
    let limit = survey.facts.cgroup.as_ref().and_then(|c| c.limit).or(survey.budget.limit)?;
    fitting_heap_mib(limit, process.version.map_or(20, |v| v.major))
}

/// Waits for a heap, on whichever restart count it appears. Told of each state, and of each life that is waited for.
///
/// # Errors
/// When there is nothing to be waited for: the pod is gone, or nothing can be run in it.
pub async fn watch(vigil: Vigil<'_>, tell: Tell<'_>, seen: &mut (dyn FnMut(&ProcessKey) + Send)) -> Result<Captured, Error> {
    let Vigil { place, pressure, arm, since, room, landing, stop } = vigil;
    let mut before: Option<Survey> = None;
    let mut failed = 0;
    loop {
        let depth = if arm { Depth::Inspector } else { Depth::Probe };
        if before.is_some() {
            tell(CaptureState::Armed { waits_for: Masked::own("the next life of the container, to be watched too") });
        }
        let found = alive(place, pressure, depth, before.is_none(), &stop).await?;
        found.process.iter().for_each(&mut *seen);
        let assessment = found.assess_by("near-limit", room);
        let by_flags = arming(&found).is_some_and(|(by_flags, _)| by_flags);
        if arm && !by_flags && (assessment.risk == Risk::Impossible || assessment.risk == Risk::WouldKill) {
            return Err(Error::Refused(Masked::from(assessment.headline())));
        }
        let Some(pid) = found.pid else { return Err(Error::NoTarget) };
        let order = Order { place, facts: &found.facts, pid, landing: &mut *landing, tell: &mut *tell, stop: stop.clone() };
        let waited = near_limit::wait(order, Waiting { arm, since: Some(since), one_life: true }).await;
        failed = if waited.armed { 0 } else { failed + 1 };
        if waited.missed && failed < MOST_FAILED && !stop.is_cancelled() {
            before = Some(found);
            tokio::time::sleep(LOOK_AGAIN).await;
            continue;
        }
        // A heap that was there before this life began was written by the life before it.
        let writer = match (&waited.path, &before) {
            (Some(path), Some(earlier)) if is_older(&found, path) => earlier,
            _ => &found,
        };
        return Ok(conclude(place, writer, &assessment, waited.done).await);
    }
}

/// Whether the file at `path` was last written before the surveyed process began.
fn is_older(found: &Survey, path: &str) -> bool {
    let file = found.facts.dirs.iter().flat_map(|dir| &dir.files).find(|file| file.path == path);
    let began = found.pid.and_then(|pid| found.facts.process(pid)?.started);
    file.and_then(|f| f.modified).zip(began).is_some_and(|(written, began)| written < began)
}

/// Waits until Node runs in the container. At the `first` look a container that runs something else is refused.
async fn alive(
    place: &dyn Place,
    pressure: (Option<Bytes>, Option<BytesPerSecond>),
    depth: Depth,
    first: bool,
    stop: &CancellationToken,
) -> Result<Survey, Error> {
    loop {
        let pod = match place.pod().await {
            Ok(pod) => Some(pod),
            Err(trouble) if trouble.kind == TroubleKind::NotFound => return Err(Error::Cluster(trouble)),
            // The way to the cluster may come back: it is waited for.
            Err(_) => None,
        };
        let facts = pod.as_ref().and_then(|pod| pod.containers.iter().find(|c| c.name == place.container().name));
        let runs = facts.is_some_and(|c| matches!(c.state, ContainerState::Running { .. }));
        // The kubelet tells a death a second or two after it: until then what is there cannot be looked at.
        if runs
            && let Ok(found) = survey(place, None, pressure, depth).await
            && found.pid.is_some()
        {
            return Ok(found);
        }
        if first && runs && probe(place).await.is_ok_and(|facts| facts.processes.iter().all(|p| !p.role.is_candidate())) {
            return Err(Error::NoTarget);
        }
        tokio::select! {
            () = stop.cancelled() => return Err(Error::Cancelled),
            () = tokio::time::sleep(LOOK_AGAIN) => {}
        }
    }
}

/// Copies a file that lies or grows in the container: a report, a profile, a heap that something else asked for.
pub async fn fetch(place: &dyn Place, path: &str, landing: &mut dyn Landing, tell: Tell<'_>, stop: &CancellationToken) -> Done {
    let command = Masked::from(format!("read {path}"));
    let facts = match probe(place).await {
        Ok(facts) => facts,
        Err(error) => return Done::failed(error, command),
    };
    let source = Source {
        path: Some(path.to_owned()),
        dir: path.rsplit_once('/').map_or("/", |(dir, _)| dir).to_owned(),
        pid: facts.target.unwrap_or(1),
        beyond_death: true,
        is_snapshot: path.ends_with(".heapsnapshot"),
        patience: PATIENCE,
        ..Source::default()
    };
    let start = tokio::time::Instant::now();
    let copied = copy(place, &facts, &source, landing, tell, stop).await;
    file::done(place, &facts, copied, landing, start.elapsed(), command, stop).await
}

/// Files of Node and V8 in the container that were written since then, by path.
///
/// # Errors
/// As the probe: the container cannot be reached, or nothing runs in it.
pub async fn new_files(place: &dyn Place, since: DateTime<Utc>) -> Result<Vec<String>, Error> {
    let facts = probe(place).await?;
    let new = facts.dirs.iter().flat_map(|dir| &dir.files).filter(|f| f.modified.is_some_and(|at| at >= since));
    Ok(new.map(|f| f.path.clone()).collect())
}
