//! Captures: what is asked of `capture/`, and what it tells.

use std::sync::Arc;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::Word;
use super::acts::cancelled;
use super::hands::Hands;
use crate::app::{CaptureEnd, JobId, Model, News};
use crate::base::{Bytes, BytesPerSecond, ContainerRef, EvidenceId, Masked, ProcessKey, Trouble};
use crate::capture::{self, Depth, SessionPlace, Survey};
use crate::evidence::{Store, file_name};
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
    let ceiling = result.as_ref().ok().and_then(|found| ceiling(found, pressure.0));
    let free = crate::disk::free_space(&hands.data_dir).map(|free| free.saturating_sub(KEEP_FREE));
    News::Surveyed { job, container, ceiling, result: result.map(|found| found.assess(free)) }
}

/// Working set at which V8 gives up, if it said where its limit is: long before the container's limit, as a rule.
fn ceiling(found: &Survey, working_set: Option<Bytes>) -> Option<Ceiling> {
    let heap = found.heap?;
    let bytes = Bytes(working_set?.0.saturating_add(heap.limit?.saturating_sub(heap.used).0));
    Some(Ceiling { bytes, what: "V8 heap limit".to_owned() })
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
    // Memory moves: what preflight said is asked again, with V8's own numbers.
    let survey = capture::survey(&place, None, order.pressure, Depth::Inspector).await.map_err(Trouble::from)?;
    let store = Store::open(&hands.evidence_dir(incident), KEEP_FREE).map_err(Trouble::from)?;
    let assessment = survey.assess_by(&order.method, store.room());
    tell(CaptureState::Preparing { step: Masked::from(assessment.headline()) }, survey.process.clone());
    let extension = capture::find(&order.method).map_or("bin", |method| method.spec().extension);
    let name = file_name(began.wall, &order.container.pod.name, &order.method, extension);
    let expected = assessment.predicted.file.map(|f| f.low);
    let mut file = store.create(order.evidence, &name, expected).map_err(Trouble::from)?;
    // In incident time, as the growth it races against.
    let mut pace = Pace::default();
    let mut told = |state: CaptureState| tell(pace.told(state, hands.clock.now().mono), None);
    let captured = capture::take(&place, &survey, &assessment, order.accepted, &mut file, &mut told, stop).await;
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
