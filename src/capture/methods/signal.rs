//! SIGUSR2 where `--heapsnapshot-signal` is proved: Node writes a file in the container, which is copied while it grows.

use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;

use crate::base::Masked;
use crate::capture::error::Error;
use crate::capture::helper::{probe, send_signal};
use crate::capture::method::{Done, Method, Order, Spec};
use crate::capture::transfer::{Source, copy};
use crate::cluster::Rule;
use crate::node::{Signal, Usr2};
use crate::preflight::{Builds, CaptureState, Demand};

use super::{EXEC_CREATE, EXEC_GET, file};

pub(super) struct BySignal;

static SPEC: Spec = Spec {
    name: "signal",
    summary: "SIGUSR2 to a process that runs with --heapsnapshot-signal; the file is copied while it grows and stays in the pod",
    demand: Demand {
        method: "signal",
        builds: Builds::Now,
        inspector: false,
        usr2: true,
        writes: true,
        restarts: false,
        brings_file: true,
    },
    extension: "heapsnapshot",
    opt_in: false,
    waits: false,
};

impl Method for BySignal {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    fn needs(&self) -> &'static [Rule] {
        const NEEDS: &[Rule] = &[EXEC_GET, EXEC_CREATE];
        NEEDS
    }

    fn take<'a>(&'a self, order: Order<'a>) -> BoxFuture<'a, Done> {
        take(order).boxed()
    }
}

async fn take(order: Order<'_>) -> Done {
    let command = Masked::from(format!("kill -USR2 {}", order.pid));
    (order.tell)(CaptureState::Preparing { step: Masked::own("looks again at process and directory") });
    // Names that are there now: the next one is ours. And once more the proof, moments before it counts.
    let facts = match probe(order.place).await {
        Ok(facts) => facts,
        Err(error) => return Done::failed(error, command),
    };
    let Some(process) = facts.process(order.pid) else { return Done::failed(Error::Changed { pid: order.pid }, command) };
    let dir = facts.dump_dir(order.pid, true).filter(|dir| dir.writable_by(process) == Some(true));
    let proved = process.signals.usr2(order.pid, &process.flags) == Usr2::Snapshot;
    let (Some(dir), true) = (dir, proved) else {
        let why = Masked::own("it is not proved that SIGUSR2 writes a snapshot into a writable directory: nothing was sent");
        return Done::failed(Error::Refused(why), command);
    };
    let source = Source {
        path: None,
        dir: dir.path.clone(),
        known: file::names(dir),
        pid: order.pid,
        one_life: false,
        beyond_death: !dir.dies_with_container(),
        is_snapshot: true,
        patience: Duration::from_secs(90),
        ..Source::default()
    };
    if order.stop.is_cancelled() {
        return Done::failed(Error::Cancelled, command);
    }
    // One signal: each further one would be another full stop of the process.
    if let Err(error) = send_signal(order.place, &facts, process, Signal::Usr2).await {
        return Done::failed(error, command);
    }
    let start = tokio::time::Instant::now();
    let mut tell = |state: CaptureState| {
        // It was asked for: until the file shows, V8 waits for the event loop.
        (order.tell)(if matches!(state, CaptureState::Armed { .. }) { CaptureState::Building { done: 0, total: 0 } } else { state });
    };
    let copied = copy(order.place, &facts, &source, order.landing, &mut tell, &order.stop).await;
    file::done(order.place, &facts, copied, order.landing, start.elapsed(), command, &order.stop).await
}
