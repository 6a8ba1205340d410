//! Through the inspector: SIGUSR1, port-forward, `HeapProfiler.takeHeapSnapshot`, streamed here while V8 writes it. No
//! flag, no file in the pod, no restart; works near the heap limit and with a blocked event loop.

use std::ops::ControlFlow;

use futures::FutureExt;
use futures::future::BoxFuture;

use crate::base::{Bytes, Masked};
use crate::capture::Place;
use crate::capture::error::Error;
use crate::capture::inspect::{Inspector, close_again, open};
use crate::capture::method::{Done, Method, Order, Spec};
use crate::cluster::Rule;
use crate::inspector::{self, SnapshotNews, Taken};
use crate::node::{Header, SnapshotTracker};
use crate::preflight::{Builds, CaptureState, Demand, Measured};

use super::{EXEC_CREATE, EXEC_GET, FORWARD_CREATE, FORWARD_GET};

pub(super) struct Cdp;

static SPEC: Spec = Spec {
    name: "cdp",
    summary: "heap snapshot through the inspector, streamed here: no flag, no file in the pod, no restart",
    demand: Demand { method: "cdp", builds: Builds::Now, inspector: true, usr2: false, writes: false, restarts: false, brings_file: true },
    extension: "heapsnapshot",
    opt_in: false,
    waits: false,
};

impl Method for Cdp {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    fn needs(&self) -> &'static [Rule] {
        const NEEDS: &[Rule] = &[EXEC_GET, EXEC_CREATE, FORWARD_GET, FORWARD_CREATE];
        NEEDS
    }

    fn take<'a>(&'a self, order: Order<'a>) -> BoxFuture<'a, Done> {
        take(order).boxed()
    }
}

async fn take(mut order: Order<'_>) -> Done {
    let command = Masked::from(format!("kill -USR1 {}; HeapProfiler.takeHeapSnapshot", order.pid));
    (order.tell)(CaptureState::Preparing { step: Masked::own("opens the inspector") });
    let stop = order.stop.clone();
    let opened = tokio::select! {
        biased;
        () = stop.cancelled() => return Done::failed(Error::Cancelled, command),
        opened = open(order.place, order.facts, order.pid) => opened,
    };
    let mut inspector = match opened {
        Ok(inspector) => inspector,
        Err(error) => return Done::failed(error, command),
    };
    let mut tracker = SnapshotTracker::new();
    let taken = stream(&mut inspector, &mut order, &mut tracker).await;
    conclude(order.place, order.pid, inspector, &tracker, taken, command).await
}

/// Streams the snapshot into the landing; errors of the disk come out as they are.
pub(super) async fn stream(inspector: &mut Inspector, order: &mut Order<'_>, tracker: &mut SnapshotTracker) -> Result<Taken, Error> {
    let (landing, tell, stop) = (&mut order.landing, &mut order.tell, order.stop.clone());
    let mut disk = None;
    tell(CaptureState::Building { done: 0, total: 0 });
    let mut flow = flow_into(&mut **landing, &mut **tell, tracker, &mut disk);
    let taken = inspector.session.take_snapshot(|news| if stop.is_cancelled() { ControlFlow::Break(()) } else { flow(&news) }).await;
    drop(flow);
    match disk {
        Some(error) => Err(error),
        None => Ok(taken?),
    }
}

/// What is done with each piece of news: bytes land and are tracked, progress is told.
pub(super) fn flow_into<'a>(
    landing: &'a mut dyn crate::capture::Landing,
    tell: &'a mut (dyn FnMut(CaptureState) + Send),
    tracker: &'a mut SnapshotTracker,
    disk: &'a mut Option<Error>,
) -> impl FnMut(&SnapshotNews<'_>) -> ControlFlow<()> + 'a {
    move |news| {
        match news {
            SnapshotNews::Building { done, total } => tell(CaptureState::Building { done: *done, total: *total }),
            SnapshotNews::Chunk(bytes) => {
                if let Err(error) = landing.append(bytes) {
                    *disk = Some(error);
                    return ControlFlow::Break(());
                }
                tracker.push(bytes);
                tell(CaptureState::Copying { copied: tracker.bytes(), of: tracker.header().map(Header::expected), rate: None });
            }
            SnapshotNews::Quiet { .. } => {}
        }
        ControlFlow::Continue(())
    }
}

/// Closes the inspector and says how it ended: by the JSON's end, not by anybody's word.
pub(super) async fn conclude(
    place: &dyn Place,
    pid: u32,
    inspector: Inspector,
    tracker: &SnapshotTracker,
    taken: Result<Taken, Error>,
    command: Masked,
) -> Done {
    let (port, was_open) = (inspector.port, inspector.was_open);
    let bytes = tracker.bytes();
    let mut measured = Measured { file: (bytes.0 > 0).then_some(bytes), ..Measured::default() };
    let (state, left) = match taken {
        Ok(taken) => {
            measured.freeze = Some(taken.whole);
            measured.whole = Some(taken.whole);
            let state = if tracker.is_complete() {
                CaptureState::Complete { bytes }
            } else {
                cut(tracker, "V8 reported the end, but the file does not end: it is damaged")
            };
            (state, inspector.close().await)
        }
        // The command answers only when all has come; a whole file is whole, whatever happened to its answer.
        Err(error) => {
            drop(inspector);
            let dead = matches!(error, Error::Inspector(inspector::Error::Closed { .. }));
            let left = if was_open { None } else { close_again(place, port, pid).await };
            let state = match error {
                _ if tracker.is_complete() => CaptureState::Complete { bytes },
                Error::Cancelled | Error::Inspector(inspector::Error::Cancelled) if bytes == Bytes(0) => CaptureState::Cancelled,
                Error::Cancelled | Error::Inspector(inspector::Error::Cancelled) => cut(tracker, "stopped"),
                error if bytes.0 > 0 => cut(tracker, &error.to_string()),
                _ if dead => CaptureState::KilledEmpty {
                    why: Masked::own(
                        "the connection ended while V8 built the snapshot, most likely killed for memory: more memory, a smaller heap, or the sampling profile",
                    ),
                },
                error => return Done { remark: left.unwrap_or_default(), ..Done::failed(error, command) },
            };
            (state, left)
        }
    };
    Done { measured, remark: left.unwrap_or_default(), ..Done::without_file(state, command) }
}

pub(super) fn cut(tracker: &SnapshotTracker, why: &str) -> CaptureState {
    CaptureState::Truncated { bytes: tracker.bytes(), whole: tracker.whole(), why: Masked::from(why) }
}
