//! Captures: what is asked of `capture/`, and what it tells.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::Word;
use super::acts::cancelled;
use super::hands::Hands;
use crate::app::model::Arms;
use crate::app::{CaptureEnd, Gather, JobId, Model, News};
use crate::base::{Bytes, BytesPerSecond, ContainerRef, EvidenceId, Masked, ProcessKey, Stamp, Trouble, TroubleKind};
use crate::capture::{self, Captured, Depth, Landing, SessionPlace, Survey, Vigil};
use crate::evidence::{Follower, Growing, Store, file_name};
use crate::incident::{IncidentId, Outcome};
use crate::preflight::{CaptureState, Pace, Risk};
use crate::pressure::Ceiling;

/// Room on the local disk that evidence leaves to the journal.
const KEEP_FREE: Bytes = Bytes(256 << 20);

/// What the board knows of a container: working set and slope.
pub(super) type Pressure = (Option<Bytes>, Option<BytesPerSecond>);

/// What is to be captured.
pub(super) struct Order {
    pub job: JobId,
    pub evidence: EvidenceId,
    pub container: ContainerRef,
    pub method: String,
    pub who: Masked,
    pub accepted: Risk,
    /// Only this life of the process.
    pub same: Option<Box<ProcessKey>>,
    /// A watch that is on since then wants it.
    pub armed: Option<DateTime<Utc>>,
    pub pressure: Pressure,
}

/// Memory of the container as the board knows it: working set and slope.
pub(super) fn pressure_of(model: &Model, container: &ContainerRef) -> Pressure {
    model.board.find(container).map_or((None, None), |row| (row.working_set, row.slope))
}

/// Effect: is a capture safe? Read-only, unless a capture is wanted (`deep`): then V8's own numbers are asked for too.
pub(super) async fn survey(
    hands: Arc<Hands>,
    job: JobId,
    container: ContainerRef,
    pressure: Pressure,
    deep: bool,
    stop: CancellationToken,
) -> News {
    let place = SessionPlace::new(hands.session.clone(), container.clone());
    let depth = if deep { Depth::Inspector } else { Depth::Probe };
    let result = tokio::select! {
        found = capture::survey(&place, None, pressure, depth) => found.map_err(Trouble::from),
        () = stop.cancelled() => Err(cancelled()),
    };
    let result = result.map(|found| with_first_look(&hands, &container, found));
    let ceiling = result.as_ref().ok().and_then(|found| ceiling(found, pressure.0));
    let free = crate::disk::free_space(&hands.data_dir).map(|free| free.saturating_sub(KEEP_FREE));
    let arms = result.as_ref().ok().and_then(arms).map(Box::new);
    News::Surveyed { job, container, ceiling, arms, result: result.map(|found| found.assess(free)) }
}

/// Growth is told by two readings of one process that lie this far apart at least.
const APART: std::time::Duration = std::time::Duration::from_secs(20);

/// Puts the first look at the same process beside this one, or keeps this as the first.
fn with_first_look(hands: &Hands, container: &ContainerRef, mut found: Survey) -> Survey {
    let Some(process) = found.process.clone() else { return found };
    let (at, now) = (hands.clock.now(), found.holdings());
    let mut looks = hands.first_looks.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let first = looks.get(container).filter(|(life, ..)| *life == process).map(|(_, since, held)| (*since, *held));
    if let Some((since, held)) = first {
        let ago = at.mono.saturating_sub(since.mono);
        found.earlier = (ago >= APART).then_some((held, ago));
    }
    // A look with V8's numbers says more than one without.
    if first.is_none_or(|(_, held)| held.heap.is_none() && now.heap.is_some()) {
        looks.insert(container.clone(), (process, at, now));
    }
    found
}

/// Working set at which V8 gives up, if it said where its limit is: long before the container's limit, as a rule.
fn ceiling(found: &Survey, working_set: Option<Bytes>) -> Option<Ceiling> {
    let heap = found.heap?;
    let bytes = Bytes(working_set?.0.saturating_add(heap.limit?.saturating_sub(heap.used).0));
    Some(Ceiling { bytes, what: "V8 heap limit".to_owned() })
}

/// How the surveyed container can be armed.
fn arms(found: &Survey) -> Option<Arms> {
    let (by_flags, dir) = capture::arming(found)?;
    Some(Arms {
        by_flags,
        dir: dir.map(|dir| dir.path.clone()),
        outlives: dir.is_some_and(|dir| !dir.dies_with_container()),
        heap_mib: capture::fitting_heap(found),
    })
}

/// Effect: capture.
pub(super) async fn take(
    hands: Arc<Hands>,
    order: Order,
    incident: Option<IncidentId>,
    to: mpsc::Sender<Word>,
    stop: CancellationToken,
) -> News {
    let (job, evidence) = (order.job, order.evidence);
    let (state, end) = match run(&hands, order, incident.as_ref(), &to, stop).await {
        Ok(ended) => ended,
        Err(trouble) => {
            let why = Masked::from(trouble.to_string());
            let end = CaptureEnd {
                outcome: Outcome::Failed,
                bytes: Bytes(0),
                sha256: None,
                file: None,
                provenance: None,
                remark: why.to_string(),
            };
            (CaptureState::Failed { why }, end)
        }
    };
    News::Captured { job, evidence, state, end: Box::new(end) }
}

async fn run(
    hands: &Hands,
    order: Order,
    incident: Option<&IncidentId>,
    to: &mpsc::Sender<Word>,
    stop: CancellationToken,
) -> Result<(CaptureState, CaptureEnd), Trouble> {
    let began = hands.clock.now();
    let place = SessionPlace::new(hands.session.clone(), order.container.clone());
    let tell = |state: CaptureState, process: Option<ProcessKey>| {
        let (bytes, expected) = sizes(&state);
        let news = News::Capturing { job: order.job, evidence: order.evidence, state, bytes, expected, process };
        // A level: the next one tells more.
        let _ = to.try_send(Word::News(Box::new(news)));
    };
    tell(CaptureState::Preparing { step: Masked::own("looking at the process") }, None);
    if let Some(since) = order.armed {
        return wait(hands, &order, (&place, since, began), incident, &tell, stop).await;
    }
    // Memory moves: what preflight said is asked again, with V8's own numbers.
    let survey = capture::survey(&place, None, order.pressure, Depth::Inspector).await.map_err(Trouble::from)?;
    if let Some(wanted) = &order.same
        && !survey.process.as_ref().is_some_and(|found| found.is_life_of(wanted))
    {
        let what = "the process is not the one of the first snapshot any more: sizes and ids of two lives do not compare";
        let remedy = "take a first snapshot of the present process";
        return Err(Trouble::new(TroubleKind::Refused, what, order.container.to_string(), remedy));
    }
    let store = Store::open(&hands.evidence_dir(incident), KEEP_FREE).map_err(Trouble::from)?;
    let assessment = survey.assess_by(&order.method, store.room());
    tell(CaptureState::Preparing { step: Masked::from(assessment.headline()) }, survey.process.clone());
    let extension = capture::find(&order.method).map_or("bin", |method| method.spec().extension);
    let name = file_name(began.wall, &order.container.pod.name, &order.method, extension);
    let expected = assessment.predicted.file.map(|f| f.low);
    let mut file = store.create(order.evidence, &name, expected).map_err(Trouble::from)?;
    // In incident time, as the growth it races against.
    let mut pace = Pace::default();
    let mut coming = (extension == "heapsnapshot").then(|| file.follow().ok()).flatten();
    let mut told = |state: CaptureState| {
        begin_early(hands, order.evidence, &state, &mut coming);
        tell(pace.told(state, hands.clock.now().mono), None);
    };
    let captured = capture::take(&place, &survey, &assessment, order.accepted, &mut file, &mut told, stop).await;
    seal(hands, &order, captured, file, began)
}

/// With the first byte the analysis begins, beside the copy.
fn begin_early(hands: &Hands, evidence: EvidenceId, state: &CaptureState, coming: &mut Option<Follower>) {
    if matches!(state, CaptureState::Copying { .. })
        && let Some(from) = coming.take()
    {
        hands.early.begin(evidence, from);
    }
}

fn seal(hands: &Hands, order: &Order, captured: Captured, file: Growing, began: Stamp) -> Result<(CaptureState, CaptureEnd), Trouble> {
    let provenance = captured.provenance_by(&order.who, began, hands.clock.now());
    let remark = captured.remarks().iter().map(Masked::as_str).collect::<Vec<_>>().join("; ");
    let sealed = file.seal(captured.outcome, provenance.clone()).map_err(Trouble::from)?;
    let end = CaptureEnd {
        outcome: captured.outcome,
        bytes: sealed.bytes,
        sha256: sealed.sha256,
        file: sealed.file,
        provenance: provenance.map(Box::new),
        remark,
    };
    Ok((captured.done.state, end))
}

/// A capture that waits for hours, through the container's deaths.
async fn wait(
    hands: &Hands,
    order: &Order,
    (place, since, began): (&SessionPlace, DateTime<Utc>, Stamp),
    incident: Option<&IncidentId>,
    tell: &(dyn Fn(CaptureState, Option<ProcessKey>) + Send + Sync),
    stop: CancellationToken,
) -> Result<(CaptureState, CaptureEnd), Trouble> {
    let store = Store::open(&hands.evidence_dir(incident), KEEP_FREE).map_err(Trouble::from)?;
    let name = file_name(began.wall, &order.container.pod.name, &order.method, "heapsnapshot");
    let mut file = store.create(order.evidence, &name, None).map_err(Trouble::from)?;
    let mut pace = Pace::default();
    let mut coming = file.follow().ok();
    let mut told = |state: CaptureState| {
        begin_early(hands, order.evidence, &state, &mut coming);
        tell(pace.told(state, hands.clock.now().mono), None);
    };
    let arm = order.method != "watch";
    let vigil = Vigil { place, pressure: order.pressure, arm, since, room: store.room(), landing: &mut file, stop };
    let mut seen = |process: &ProcessKey| tell(CaptureState::Preparing { step: Masked::own("arms its process") }, Some(process.clone()));
    match capture::watch(vigil, &mut told, &mut seen).await {
        Ok(captured) => seal(hands, order, captured, file, began),
        Err(error) => {
            file.seal(Outcome::Failed, None).map_err(Trouble::from)?;
            Err(error.into())
        }
    }
}

/// The log of a night may be long; more than this is not kept of one life.
const LOG_LINES: u32 = 50_000;
/// A dead container's log is there at once or not at all.
const LOG_WITHIN: Duration = Duration::from_secs(60);

/// Effect: keep what a dead or dying container leaves.
pub(super) async fn collect(
    hands: Arc<Hands>,
    (job, evidence, container, what): (JobId, EvidenceId, ContainerRef, Gather),
    incident: Option<IncidentId>,
    to: mpsc::Sender<Word>,
    stop: CancellationToken,
) -> News {
    let mut tell = |state: CaptureState| {
        let (bytes, expected) = sizes(&state);
        let _ = to.try_send(Word::News(Box::new(News::Capturing { job, evidence, state, bytes, expected, process: None })));
    };
    let (state, end) = match gather(&hands, (evidence, &container, &what), incident.as_ref(), &mut tell, &stop).await {
        Ok(ended) => ended,
        Err(trouble) => {
            let why = Masked::from(trouble.to_string());
            let end = CaptureEnd {
                outcome: Outcome::Failed,
                bytes: Bytes(0),
                sha256: None,
                file: None,
                provenance: None,
                remark: why.to_string(),
            };
            (CaptureState::Failed { why }, end)
        }
    };
    News::Captured { job, evidence, state, end: Box::new(end) }
}

async fn gather(
    hands: &Hands,
    (evidence, container, what): (EvidenceId, &ContainerRef, &Gather),
    incident: Option<&IncidentId>,
    tell: &mut (dyn FnMut(CaptureState) + Send),
    stop: &CancellationToken,
) -> Result<(CaptureState, CaptureEnd), Trouble> {
    let store = Store::open(&hands.evidence_dir(incident), KEEP_FREE).map_err(Trouble::from)?;
    let at = hands.clock.now().wall;
    let (extension, method) = match what {
        Gather::LastLog => ("log", "log"),
        Gather::File { path } => (path.rsplit_once('.').map_or("bin", |(_, extension)| extension), "file"),
    };
    let mut file = store.create(evidence, &file_name(at, &container.pod.name, method, extension), None).map_err(Trouble::from)?;
    let (state, remark) = match what {
        Gather::LastLog => {
            let last = super::logs::last_log(&hands.session, container, LOG_LINES);
            let read = tokio::select! {
                read = tokio::time::timeout(LOG_WITHIN, last) => read.unwrap_or_default(),
                () = stop.cancelled() => super::logs::LastLog::default(),
            };
            for line in &read.lines {
                let at = line.at.map_or_else(String::new, |at| format!("{} ", at.to_rfc3339_opts(chrono::SecondsFormat::Millis, true)));
                let text = [at.as_bytes(), line.text.bytes(), b"\n"].concat();
                Landing::append(&mut file, &text).map_err(Trouble::from)?;
            }
            let bytes = Landing::bytes(&file);
            let state = if read.lines.is_empty() {
                CaptureState::Failed { why: Masked::own("the cluster has no log of that life (any more)") }
            } else {
                CaptureState::Complete { bytes }
            };
            (state, read.of.to_owned())
        }
        Gather::File { path } => {
            let place = SessionPlace::new(hands.session.clone(), container.clone());
            let done = capture::fetch(&place, path, &mut file, tell, stop).await;
            (done.state, format!("{path}; {}", done.remark))
        }
    };
    let outcome = match &state {
        CaptureState::Complete { .. } => Outcome::Complete,
        CaptureState::Truncated { .. } => Outcome::Truncated,
        CaptureState::KilledEmpty { .. } => Outcome::KilledEmpty,
        CaptureState::Cancelled => Outcome::Cancelled,
        _ => Outcome::Failed,
    };
    let sealed = file.seal(outcome, None).map_err(Trouble::from)?;
    let end = CaptureEnd { outcome, bytes: sealed.bytes, sha256: sealed.sha256, file: sealed.file, provenance: None, remark };
    Ok((state, end))
}

fn sizes(state: &CaptureState) -> (Bytes, Option<Bytes>) {
    match state {
        CaptureState::Writing { expected, .. } => (Bytes(0), *expected),
        CaptureState::Copying { copied, of, .. } => (*copied, *of),
        CaptureState::Complete { bytes } | CaptureState::Truncated { bytes, .. } => (*bytes, Some(*bytes)),
        CaptureState::Armed { .. }
        | CaptureState::Preparing { .. }
        | CaptureState::Building { .. }
        | CaptureState::KilledEmpty { .. }
        | CaptureState::Failed { .. }
        | CaptureState::Cancelled => (Bytes(0), None),
    }
}
