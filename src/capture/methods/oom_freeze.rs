//! The out-of-memory freeze: with the debugger enabled V8 pauses right before its fatal error, with the JS stack, and
//! the heap holds still. Opt-in: on Node 20 and 26 V8 may fail a check instead, and the inspector stays open meanwhile.

use std::ops::ControlFlow;
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;

use crate::base::Masked;
use crate::capture::error::Error;
use crate::capture::inspect::open;
use crate::capture::method::{Done, Method, Order, Spec};
use crate::cluster::Rule;
use crate::inspector;
use crate::node::SnapshotTracker;
use crate::preflight::{Builds, CaptureState, Demand};

use super::cdp::{conclude, flow_into};
use super::{EXEC_CREATE, EXEC_GET, FORWARD_CREATE, FORWARD_GET};

pub(super) struct OomFreeze;

static SPEC: Spec = Spec {
    name: "oom-freeze",
    summary: "waits with the debugger: V8 pauses at its heap limit instead of dying; takes the JS stack and the snapshot",
    demand: Demand {
        method: "oom-freeze",
        builds: Builds::AtHeapLimit,
        inspector: true,
        usr2: false,
        writes: false,
        restarts: false,
        brings_file: true,
    },
    extension: "heapsnapshot",
    opt_in: true,
    waits: true,
};

impl Method for OomFreeze {
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

async fn take(order: Order<'_>) -> Done {
    let command = Masked::from(format!("kill -USR1 {}; Debugger.enable", order.pid));
    (order.tell)(CaptureState::Preparing { step: Masked::own("opens the inspector") });
    let mut inspector = match open(order.place, order.facts, order.pid).await {
        Ok(inspector) => inspector,
        Err(error) => return Done::failed(error, command),
    };
    let mut tracker = SnapshotTracker::new();
    let waiting = async {
        inspector.session.freeze_at_oom().await?;
        (order.tell)(CaptureState::Armed { waits_for: Masked::own("V8's heap limit; the inspector stays open until then") });
        loop {
            // Each round is short, so that a stop is heard; the wait itself may be cut anywhere.
            tokio::select! {
                biased;
                () = order.stop.cancelled() => return Err(inspector::Error::Cancelled),
                stop = inspector.session.wait_for_oom(Duration::from_secs(60)) => if let Some(stop) = stop? { return Ok(stop) },
            }
        }
    };
    let stopped = match waiting.await {
        Ok(stopped) => stopped,
        Err(error) => {
            let left = inspector.close().await;
            let done = match error {
                inspector::Error::Closed { .. } => Done::without_file(
                    CaptureState::Failed {
                        why: Masked::own("the process ended without being frozen: see how it died, and arm the next one"),
                    },
                    command,
                ),
                error => Done::failed(error.into(), command),
            };
            return Done { remark: left.unwrap_or_default(), ..done };
        }
    };
    let mut disk = None;
    let mut flow = flow_into(order.landing, order.tell, &mut tracker, &mut disk);
    let stop = order.stop.clone();
    let taken = inspector.session.take_paused_snapshot(|news| if stop.is_cancelled() { ControlFlow::Break(()) } else { flow(&news) }).await;
    drop(flow);
    let resumed = inspector.session.resume().await;
    let taken = match disk {
        Some(error) => Err(error),
        None => taken.map_err(Error::from),
    };
    let mut done = conclude(order.place, order.pid, inspector, &tracker, taken, command).await;
    let at = stopped.stack.iter().take(5).map(Masked::as_str).collect::<Vec<_>>().join(" < ");
    let resumed = if resumed.is_ok() { "" } else { "; it may still be paused" };
    done.remark = Masked::from(format!("the heap limit was reached in {at}{resumed}"));
    done
}
