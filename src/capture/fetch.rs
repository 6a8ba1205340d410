//! Copies one file that a person named, growing or finished: no process is touched for it.

use std::time::Duration;

use chrono::{DateTime, NaiveDateTime, Utc};
use tokio_util::sync::CancellationToken;

use crate::base::{Masked, ProcessKey, TroubleKind};
use crate::incident::Provenance;
use crate::node::{FileName, SnapshotTracker, file_name};

use super::error::Error;
use super::landing::Landing;
use super::look::Seen;
use super::method::Tell;
use super::methods::file;
use super::place::Place;
use super::survey::Survey;
use super::take::{Captured, outcome, restarts_of};
use super::transfer::{Source, copy};

/// The name of this way in provenance, where the methods have theirs.
pub const FETCH: &str = "copy";

/// A file that is to be copied.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// Its path in the container.
    pub path: String,
    /// How it was when it was looked at.
    pub seen: Seen,
    /// What of it is here already, in the landing.
    pub here: SnapshotTracker,
    /// A file that does not grow for so long is finished; a snapshot without its end is cut then.
    pub still: Duration,
}

/// How long the container may be out of reach.
const PATIENCE: Duration = Duration::from_secs(600);
/// The reader looks so often a second.
const LOOKS: u64 = 4;

/// Whether the end of the file at `path` can be known from its bytes.
pub fn is_snapshot(path: &str) -> bool {
    matches!(file_name(path), Some(FileName::Snapshot { .. } | FileName::OnOom { .. } | FileName::Named))
}

/// Copies it into `landing`, goes on after broken connections and a restart of the container, and compares the sha256 in
/// the pod with that of the copy. Nothing is deleted there.
pub async fn fetch_named(
    place: &dyn Place,
    survey: &Survey,
    wanted: &Wanted,
    landing: &mut dyn Landing,
    tell: Tell<'_>,
    stop: &CancellationToken,
) -> Captured {
    let restarts = restarts_of(&survey.pod, place).unwrap_or(0);
    let path = wanted.path.as_str();
    let source = Source {
        path: Some(wanted.path.clone()),
        pid: survey.pid.unwrap_or(1),
        beyond_death: true,
        is_snapshot: is_snapshot(path),
        still: Some(u32::try_from(wanted.still.as_secs().saturating_mul(LOOKS)).unwrap_or(u32::MAX).max(2)),
        size: Some(wanted.seen.size),
        patience: PATIENCE,
        here: wanted.here.clone(),
        ..Source::default()
    };
    let start = tokio::time::Instant::now();
    let copied = copy(place, &survey.facts, &source, landing, tell, stop).await;
    let done = file::done(place, &survey.facts, copied, landing, start.elapsed(), Masked::default(), stop).await;
    let after = match place.pod().await {
        Ok(pod) => restarts_of(&pod, place),
        Err(trouble) if trouble.kind == TroubleKind::NotFound => None,
        Err(_) => Some(restarts),
    };
    let mut provenance = origin(place, survey, path, wanted.seen.modified);
    provenance.command = done.command.clone();
    provenance.same_in_pod = done.origin.same;
    Captured {
        outcome: outcome(&done.state),
        provenance: Some(provenance),
        compared: Vec::new(),
        restarts: (restarts, after),
        process_lives: None,
        left: None,
        done,
    }
}

/// Where the file at `path` comes from, as far as it is known before the copy.
pub fn origin(place: &dyn Place, survey: &Survey, path: &str, modified: Option<DateTime<Utc>>) -> Provenance {
    let writer = writer(survey, path, modified);
    let mut provenance = survey.provenance_of(place, writer.as_ref().and_then(|key| survey.facts.process(key.pid)));
    provenance.process = writer.unwrap_or_else(|| earlier(survey, place, path));
    provenance.method = Masked::own(FETCH);
    provenance.path = Some(Masked::from(path));
    provenance
}

/// The process that wrote it, if it is the one that was looked at: of the number in the name, and alive since before the
/// file was last written.
fn writer(survey: &Survey, path: &str, modified: Option<DateTime<Utc>>) -> Option<ProcessKey> {
    let pid = match file_name(path)? {
        FileName::Snapshot { pid, .. } | FileName::Profile { pid } | FileName::Report { pid } | FileName::OnOom { pid: Some(pid) } => pid,
        FileName::OnOom { pid: None } | FileName::Named => return None,
    };
    survey.process.clone().filter(|key| key.pid == pid && modified.is_some_and(|at| key.started <= at))
}

/// An earlier life, or an unknown one: told apart by what the name says of it, never taken for the present one.
fn earlier(survey: &Survey, place: &dyn Place, path: &str) -> ProcessKey {
    let name = path.rsplit('/').next().unwrap_or(path);
    let mut parts = name.split('.').skip(1);
    let stamp = parts.next().zip(parts.next()).map(|(date, time)| format!("{date}.{time}"));
    let started = stamp.and_then(|text| NaiveDateTime::parse_from_str(&text, "%Y%m%d.%H%M%S").ok()).map(|at| at.and_utc());
    ProcessKey {
        pod_uid: survey.pod.uid.clone(),
        container_id: String::new(),
        restart: restarts_of(&survey.pod, place).unwrap_or(0),
        pid: parts.next().and_then(|pid| pid.parse().ok()).unwrap_or(0),
        started: started.unwrap_or_default(),
    }
}

/// The error of a file that is not there.
pub fn no_such_file(place: &dyn Place, path: &str) -> Error {
    let remedy = "paths are those of the container; `ls` it, or wait for the file with `cutoff capture --method near-limit`";
    crate::base::Trouble::new(
        TroubleKind::NotFound,
        "there is no such file in the container",
        format!("{}:{path}", place.container()),
        remedy,
    )
    .into()
}
