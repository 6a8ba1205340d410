//! Armed for V8's heap limit: at the limit V8 itself writes a snapshot, which is copied while it grows, before the
//! process dies. Without a restart: armed at run time through the inspector, unless flags have done it already.

use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;

use crate::base::Masked;
use crate::capture::error::Error;
use crate::capture::helper::probe;
use crate::capture::inspect::{close_again, open};
use crate::capture::method::{Done, Method, Order, Spec};
use crate::capture::transfer::{Source, copy};
use crate::cluster::Rule;
use crate::node::{Directory, Process, ProcessFacts};
use crate::preflight::{Builds, CaptureState, Demand};

use super::{EXEC_CREATE, EXEC_GET, FORWARD_CREATE, FORWARD_GET, file};

pub(super) struct NearLimit;

static SPEC: Spec = Spec {
    name: "near-limit",
    summary: "armed without a restart: V8 writes a snapshot when its heap limit is reached; waits and copies it while it grows",
    demand: Demand {
        method: "near-limit",
        builds: Builds::AtHeapLimit,
        inspector: true,
        usr2: false,
        writes: true,
        restarts: false,
        brings_file: true,
    },
    extension: "heapsnapshot",
    opt_in: true,
    waits: true,
};

/// The watch outlives an upgrade of the API server and a laptop's sleep.
const PATIENCE: Duration = Duration::from_secs(12 * 3600);

impl Method for NearLimit {
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
    let command = Masked::from(format!("v8.setHeapSnapshotNearHeapLimit(1) in process {}", order.pid));
    (order.tell)(CaptureState::Preparing { step: Masked::own("arms V8 for its heap limit") });
    let facts = match probe(order.place).await {
        Ok(facts) => facts,
        Err(error) => return Done::failed(error, command),
    };
    let armed = match facts.process(order.pid) {
        Some(process) => arm(order.place, order.pid, &facts, process).await,
        None => Err(Error::Changed { pid: order.pid }),
    };
    let (dir, limit) = match armed {
        Ok(armed) => armed,
        Err(error) => return Done::failed(error, command),
    };
    let waits_for = match limit {
        Some(limit) => Masked::from(format!("V8's heap limit of {} in process {}", limit.binary(), order.pid)),
        None => Masked::from(format!("V8's heap limit in process {}, armed by its flags", order.pid)),
    };
    (order.tell)(CaptureState::Armed { waits_for: waits_for.clone() });
    let source = Source {
        path: None,
        dir: dir.path.clone(),
        known: file::names(&dir),
        pid: order.pid,
        beyond_death: !dir.dies_with_container(),
        is_snapshot: true,
        patience: PATIENCE,
    };
    let start = tokio::time::Instant::now();
    let mut tell = |state: CaptureState| {
        (order.tell)(if matches!(state, CaptureState::Armed { .. }) {
            CaptureState::Armed { waits_for: waits_for.clone() }
        } else {
            state
        });
    };
    let copied = copy(order.place, &facts, &source, order.landing, &mut tell, &order.stop).await;
    file::done(order.place, &facts, copied, start.elapsed(), command).await
}

/// Arms the process, and says where the file will go and, if it was asked, V8's limit.
async fn arm(
    place: &dyn crate::capture::Place,
    pid: u32,
    facts: &ProcessFacts,
    process: &Process,
) -> Result<(Directory, Option<crate::base::Bytes>), Error> {
    let usable = |dir: &&Directory| dir.writable_by(process) == Some(true);
    let own = facts.dump_dir(pid, false).filter(usable);
    if process.flags.near_limit.is_some_and(|n| n > 0) || process.flags.on_oom {
        let dir = own.ok_or(Error::Refused(Masked::own(
            "it is armed by its flags, but its directory cannot be written to: the write would end the app",
        )))?;
        return Ok((dir.clone(), None));
    }
    // Elsewhere only where its own directory is no use: changing the directory may break relative paths of the app.
    let elsewhere = || facts.dirs.iter().filter(usable).find(|dir| !dir.is_memory()).or_else(|| facts.dirs.iter().find(usable));
    let (dir, change) = match own {
        Some(dir) => (dir, None),
        None => {
            let dir = elsewhere().ok_or(Error::Refused(Masked::own("no directory in the container can be written to")))?;
            (dir, Some(dir.path.as_str()))
        }
    };
    let mut inspector = open(place, facts, pid).await?;
    let (port, was_open) = (inspector.port, inspector.was_open);
    match inspector.session.arm_near_limit(1, change).await {
        Ok(limit) => {
            inspector.close().await;
            Ok((dir.clone(), Some(limit)))
        }
        Err(error) => {
            drop(inspector);
            if !was_open {
                close_again(place, port, pid).await;
            }
            Err(error.into())
        }
    }
}
