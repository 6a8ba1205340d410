//! Captures: what is asked of `capture/`, and what it tells.

use std::sync::Arc;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::Word;
use super::hands::Hands;
use crate::app::{CaptureEnd, JobId, Model, News};
use crate::base::{Bytes, BytesPerSecond, ContainerRef, EvidenceId, Masked, Trouble, TroubleKind};
use crate::incident::{IncidentId, Outcome};
use crate::preflight::CaptureState;

/// What is to be captured.
pub(super) struct Order {
    pub job: JobId,
    pub evidence: EvidenceId,
    pub container: ContainerRef,
    pub method: String,
    pub who: Masked,
}

/// Memory of the container as the board knows it: working set and slope.
pub(super) fn pressure_of(model: &Model, container: &ContainerRef) -> (Option<Bytes>, Option<BytesPerSecond>) {
    model.board.find(container).map_or((None, None), |row| (row.working_set, row.slope))
}

pub(super) async fn survey(
    hands: Arc<Hands>,
    job: JobId,
    container: ContainerRef,
    _p: (Option<Bytes>, Option<BytesPerSecond>),
    _stop: CancellationToken,
) -> News {
    let _ = hands;
    News::Surveyed { job, container, result: Err(Trouble::new(TroubleKind::Failed, "not yet", "", "")) }
}

pub(super) async fn take(
    _hands: Arc<Hands>,
    order: Order,
    _incident: Option<IncidentId>,
    _to: mpsc::Sender<Word>,
    _stop: CancellationToken,
) -> News {
    let _ = (&order.container, &order.method, &order.who);
    let end = CaptureEnd { outcome: Outcome::Failed, bytes: Bytes(0), sha256: None, file: None, provenance: None, remark: String::new() };
    News::Captured { job: order.job, evidence: order.evidence, state: CaptureState::Cancelled, end: Box::new(end) }
}
