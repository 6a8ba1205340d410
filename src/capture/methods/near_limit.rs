//! Armed for V8's heap limit: at the limit V8 itself writes a snapshot, which is copied while it grows, before the
//! process dies. Without a restart: armed at run time through the inspector, unless flags have done it already.

use std::time::Duration;

use chrono::{DateTime, Utc};
use futures::FutureExt;
use futures::future::BoxFuture;

use crate::base::Masked;
use crate::capture::error::Error;
use crate::capture::helper::probe;
use crate::capture::inspect::{close_again, open};
use crate::capture::method::{Done, Method, Order, Spec};
use crate::capture::transfer::{CopyEnd, Source, copy};
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
    wait(order, Waiting { arm: true, since: None, one_life: false }).await.done
}

/// How a heap is waited for.
pub(in crate::capture) struct Waiting {
    /// Arm the process, unless its flags have done it; else only a file that appears is waited for.
    pub arm: bool,
    /// Files written since then are new, also those that are there already. `None`: what is there is not wanted.
    pub since: Option<DateTime<Utc>>,
    /// The wait ends with the container's life.
    pub one_life: bool,
}

/// How the wait ended.
pub(in crate::capture) struct Waited {
    pub done: Done,
    /// No file was seen, but the next life (or the next try) may bring one.
    pub missed: bool,
    /// Whether the wait began.
    pub armed: bool,
    /// The file in the container.
    pub path: Option<String>,
}

impl Waited {
    fn failed(error: Error, command: Masked) -> Self {
        // The process died under the hand, or the way to it broke: both are common in a crash loop.
        let missed = !matches!(error, Error::Refused(_) | Error::Cancelled | Error::NoTarget | Error::NothingRuns);
        Self { done: Done::failed(error, command), missed, armed: false, path: None }
    }
}

/// Waits for the heap of one process, and copies it while it grows.
pub(in crate::capture) async fn wait(order: Order<'_>, how: Waiting) -> Waited {
    let command = if how.arm {
        Masked::from(format!("v8.setHeapSnapshotNearHeapLimit(1) in process {}", order.pid))
    } else {
        Masked::own("nothing: it was only watched")
    };
    (order.tell)(CaptureState::Preparing {
        step: Masked::own(if how.arm { "arms V8 for its heap limit" } else { "looks for its directory" }),
    });
    let facts = match probe(order.place).await {
        Ok(facts) => facts,
        Err(error) => return Waited::failed(error, command),
    };
    let armed = match facts.process(order.pid) {
        Some(process) if how.arm => arm(order.place, order.pid, &facts, process).await,
        Some(_) => facts
            .dump_dir(order.pid, false)
            .filter(|dir| dir.exists)
            .map(|dir| (dir.clone(), None))
            .ok_or(Error::Refused(Masked::own("the directory that it would write to is not there"))),
        None => Err(Error::Changed { pid: order.pid }),
    };
    let (dir, limit) = match armed {
        Ok(armed) => armed,
        Err(error) => return Waited::failed(error, command),
    };
    let waits_for = match limit {
        Some(limit) => Masked::from(format!("V8's heap limit of {} in process {}", limit.binary(), order.pid)),
        None if how.arm => Masked::from(format!("V8's heap limit in process {}, armed by its flags", order.pid)),
        None => Masked::from(format!("a heap that process {} leaves in {} by itself", order.pid, dir.path)),
    };
    (order.tell)(CaptureState::Armed { waits_for: waits_for.clone() });
    let source = Source {
        path: None,
        dir: dir.path.clone(),
        known: file::names_before(&dir, how.since),
        pid: order.pid,
        beyond_death: !dir.dies_with_container(),
        one_life: how.one_life,
        is_snapshot: true,
        patience: PATIENCE,
        ..Source::default()
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
    let missed = copied.as_ref().is_ok_and(|c| c.end == CopyEnd::WriterDead && !c.seen);
    let path = copied.as_ref().ok().and_then(|c| c.path.clone());
    Waited {
        done: file::done(order.place, &facts, copied, order.landing, start.elapsed(), command, &order.stop).await,
        missed,
        armed: true,
        path,
    }
}

/// Where a process that is armed will write its heap: its own directory, or elsewhere where that is no use.
pub(in crate::capture) fn room<'a>(facts: &'a ProcessFacts, process: &Process) -> Option<&'a Directory> {
    let usable = |dir: &&Directory| dir.writable_by(process) == Some(true);
    let own = facts.dump_dir(process.pid, false).filter(usable);
    if is_armed(process) {
        return own;
    }
    own.or_else(|| facts.dirs.iter().filter(usable).find(|dir| !dir.is_memory())).or_else(|| facts.dirs.iter().find(usable))
}

/// Whether its flags make it write a heap at the limit.
pub(in crate::capture) fn is_armed(process: &Process) -> bool {
    process.flags.near_limit.is_some_and(|n| n > 0) || process.flags.on_oom
}

/// Arms the process, and says where the file will go and, if it was asked, V8's limit.
async fn arm(
    place: &dyn crate::capture::Place,
    pid: u32,
    facts: &ProcessFacts,
    process: &Process,
) -> Result<(Directory, Option<crate::base::Bytes>), Error> {
    let found = room(facts, process);
    if is_armed(process) {
        let dir = found.ok_or(Error::Refused(Masked::own(
            "it is armed by its flags, but its directory cannot be written to: the write would end the app",
        )))?;
        return Ok((dir.clone(), None));
    }
    let dir = found.ok_or(Error::Refused(Masked::own("no directory in the container can be written to")))?;
    // Elsewhere only where its own directory is no use: changing the directory may break relative paths of the app.
    let own = facts.dump_dir(pid, false).is_some_and(|own| own.path == dir.path);
    let change = (!own).then_some(dir.path.as_str());
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
