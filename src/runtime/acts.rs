//! Changes of the cluster, and the history they are chosen from.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::hands::Hands;
use crate::app::{JobId, News};
use crate::base::{Trouble, TroubleKind};
use crate::incident::{ActRequest, Preview, Seq};
use crate::pressure::Workload;

pub(super) fn cancelled() -> Trouble {
    Trouble::new(TroubleKind::Cancelled, "cancelled", "", "")
}

/// What would the act do? RBAC and server-side dry-run.
pub(super) async fn preview(hands: Arc<Hands>, job: JobId, request: ActRequest, stop: CancellationToken) -> News {
    let result = tokio::select! {
        preview = hands.session.preview(&request) => preview.map_err(Trouble::from),
        () = stop.cancelled() => Err(cancelled()),
    };
    News::Previewed { job, result }
}

/// Does it. Not to be cancelled: a call that was sent is waited for, so that its outcome can be recorded.
pub(super) async fn perform(hands: Arc<Hands>, job: JobId, intent: Seq, preview: Preview) -> News {
    let result = hands.session.perform(&preview).await.map_err(Trouble::from);
    News::Performed { job, intent, result }
}

/// Loads the rollout history.
pub(super) async fn history(hands: Arc<Hands>, job: JobId, workload: Workload, namespace: String, stop: CancellationToken) -> News {
    let result = tokio::select! {
        history = hands.session.history(&workload, &namespace) => history.map_err(Trouble::from),
        () = stop.cancelled() => Err(cancelled()),
    };
    News::History { job, result }
}
