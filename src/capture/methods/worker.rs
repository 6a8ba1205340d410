//! A worker thread's heap: each worker has a heap of its own, which the snapshot of the main thread does not show. Through
//! the main thread's inspector and `NodeWorker`, from the worker whose heap is largest. Works on Node 18 to 26 (measured).

use std::ops::ControlFlow;

use futures::FutureExt;
use futures::future::BoxFuture;

use crate::base::{Bytes, Masked};
use crate::capture::error::Error;
use crate::capture::inspect::{Inspector, open};
use crate::capture::method::{Done, Method, Order, Spec};
use crate::cluster::Rule;
use crate::inspector::{Taken, Worker};
use crate::node::SnapshotTracker;
use crate::preflight::{Assessment, Builds, CaptureState, Demand, HeapReading, HeapSource, Situation, assess};

use super::cdp::{conclude, flow_into};
use super::{EXEC_CREATE, EXEC_GET, FORWARD_CREATE, FORWARD_GET};

pub(super) struct OfWorker;

static SPEC: Spec = Spec {
    name: "worker",
    summary: "heap snapshot of the worker thread with the largest heap: the main thread's snapshot does not show it",
    demand: Demand {
        method: "worker",
        builds: Builds::Now,
        inspector: true,
        usr2: false,
        writes: false,
        restarts: false,
        brings_file: true,
    },
    extension: "heapsnapshot",
    opt_in: true,
    waits: false,
};

impl Method for OfWorker {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    fn needs(&self) -> &'static [Rule] {
        const NEEDS: &[Rule] = &[EXEC_GET, EXEC_CREATE, FORWARD_GET, FORWARD_CREATE];
        NEEDS
    }

    /// Nobody says how large a worker's heap is before it is asked. All that is resident beside the main thread's heap is
    /// the upper bound.
    fn assess(&self, at: &Situation<'_>) -> Assessment {
        let heap = at.heap.map(|main| match main.source {
            HeapSource::Resident => main,
            HeapSource::Inspector | HeapSource::Report => HeapReading {
                used: main.rss.saturating_sub(main.used),
                limit: None,
                source: HeapSource::Resident,
                large: None,
                census: None,
                ..main
            },
        });
        assess(&Situation { heap, ..*at }, &SPEC.demand)
    }

    fn take<'a>(&'a self, order: Order<'a>) -> BoxFuture<'a, Done> {
        take(order).boxed()
    }
}

async fn take(mut order: Order<'_>) -> Done {
    let command = Masked::from(format!("kill -USR1 {}; NodeWorker.enable; HeapProfiler.takeHeapSnapshot", order.pid));
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
    let mut which = Masked::default();
    let taken = stream(&mut inspector, &mut order, &mut tracker, &mut which).await;
    let mut done = conclude(order.place, order.pid, inspector, &tracker, taken, command).await;
    if !which.is_empty() {
        let left = if done.remark.is_empty() { String::new() } else { format!("; {}", done.remark) };
        done.remark = Masked::from(format!("{which}{left}"));
    }
    done
}

/// Finds the worker and streams its snapshot into the landing. `which` says afterwards whose heap it is.
async fn stream(
    inspector: &mut Inspector,
    order: &mut Order<'_>,
    tracker: &mut SnapshotTracker,
    which: &mut Masked,
) -> Result<Taken, Error> {
    let worker = largest(inspector, order, which).await?;
    let (landing, tell, stop) = (&mut order.landing, &mut order.tell, order.stop.clone());
    let mut disk = None;
    tell(CaptureState::Building { done: 0, total: 0 });
    let mut flow = flow_into(&mut **landing, &mut **tell, tracker, &mut disk);
    let on = |news: crate::inspector::SnapshotNews<'_>| if stop.is_cancelled() { ControlFlow::Break(()) } else { flow(&news) };
    let taken = inspector.session.take_worker_snapshot(&worker, on).await;
    drop(flow);
    match disk {
        Some(error) => Err(error),
        None => Ok(taken?),
    }
}

async fn largest(inspector: &mut Inspector, order: &mut Order<'_>, which: &mut Masked) -> Result<Worker, Error> {
    let mut workers = inspector.session.workers().await?;
    if workers.is_empty() {
        // On a busy machine they are named later than the answer.
        workers = inspector.session.workers().await?;
    }
    let count = workers.len();
    let mut best: Option<(Bytes, Worker)> = None;
    for worker in workers {
        // A worker that ends meanwhile answers nothing: another may be asked.
        let Ok(used) = inspector.session.worker_heap(&worker).await else { continue };
        if best.as_ref().is_none_or(|(most, _)| used > *most) {
            best = Some((used, worker));
        }
    }
    let Some((used, worker)) = best else {
        return Err(Error::NotOpened(Masked::from(format!("process {} has no worker thread that answers", order.pid))));
    };
    *which = Masked::from(format!("heap of worker thread {} ({}): {used} in use, the largest of {count}", worker.id, worker.url));
    (order.tell)(CaptureState::Preparing { step: which.clone() });
    Ok(worker)
}
