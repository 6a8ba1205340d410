//! What the methods share that let the process write a file of its own.

use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio_util::sync::CancellationToken;

use crate::base::{Bytes, Masked};
use crate::capture::error::Error;
use crate::capture::landing::Landing;
use crate::capture::look::{InPod, compare};
use crate::capture::method::{Done, Origin};
use crate::capture::place::Place;
use crate::capture::transfer::{Copied, CopyEnd};
use crate::node::{Directory, FoundFile, ProcessFacts};
use crate::preflight::{CaptureState, Measured};

/// Names of the files in `dir` now.
pub(super) fn names(dir: &Directory) -> Vec<String> {
    dir.files.iter().filter_map(|file| file.path.rsplit('/').next()).map(str::to_owned).collect()
}

/// Names of the files in `dir` that are not wanted: all there are, or those written before `since`.
pub(super) fn names_before(dir: &Directory, since: Option<DateTime<Utc>>) -> Vec<String> {
    let old = |file: &&FoundFile| since.is_none_or(|since| file.modified.is_none_or(|at| at < since));
    dir.files.iter().filter(old).filter_map(|file| file.path.rsplit('/').next()).map(str::to_owned).collect()
}

/// How it ended, by the bytes that are here.
pub(in crate::capture) async fn done(
    place: &dyn Place,
    facts: &ProcessFacts,
    copied: Result<Copied, Error>,
    landing: &mut dyn Landing,
    took: Duration,
    command: Masked,
    stop: &CancellationToken,
) -> Done {
    let copied = match copied {
        Ok(copied) => copied,
        // What was kept before is here, if nothing can be said of it.
        Err(error) => return Done::failed(error, command),
    };
    let state = state(&copied);
    let bytes = copied.tracker.bytes();
    let mut remarks = Vec::new();
    if copied.breaks > 0 {
        remarks.push(format!("the connection broke {} times; every piece is proved by its checksum", copied.breaks));
    }
    if copied.unproved > Bytes(0) {
        remarks.push(format!("the last {} came from a piece that a break cut: no checksum proves them", copied.unproved));
    }
    let mut same = None;
    if let Some(path) = copied.path.as_deref().filter(|_| matches!(state, CaptureState::Complete { .. })) {
        let found = compare(place, facts, path, bytes, &landing.sha256(), stop).await;
        same = found.same();
        remarks.push(match found {
            InPod::Same => format!("{path} stays in the pod; its sha256 there is the same"),
            InPod::Other => format!("{path} in the pod has ANOTHER sha256 now: it was written again, or this copy is wrong"),
            InPod::OtherSize => format!("{path} in the pod has another size now"),
            InPod::Unknown => format!("{path} stays in the pod; its sha256 was not computed there"),
        });
    }
    let way = copied.way();
    if !way.is_empty() {
        remarks.push(format!("{} came as {} by {way}", bytes, copied.wire));
    }
    let command = match way {
        "" => command,
        way if command.is_empty() => Masked::from(way),
        way => Masked::from(format!("{command}; {way}")),
    };
    let measured = Measured { file: (bytes > Bytes(0)).then_some(bytes), whole: Some(took), ..Measured::default() };
    let origin = Origin { path: copied.path.as_deref().map(Masked::from), same };
    Done { state, measured, command, remark: Masked::from(remarks.join("; ")), origin }
}

/// The state that the bytes prove.
fn state(copied: &Copied) -> CaptureState {
    let bytes = copied.tracker.bytes();
    let cut = |why: Masked| CaptureState::Truncated { bytes, whole: copied.tracker.whole(), why };
    match &copied.end {
        _ if copied.tracker.is_complete() => CaptureState::Complete { bytes },
        CopyEnd::Whole => CaptureState::Complete { bytes },
        CopyEnd::Stopped if bytes == Bytes(0) => CaptureState::Cancelled,
        CopyEnd::Stopped => cut(Masked::own("stopped")),
        CopyEnd::WriterDead if bytes > Bytes(0) => cut(Masked::own("the process died while it wrote")),
        CopyEnd::WriterDead if copied.seen => CaptureState::KilledEmpty {
            why: Masked::own("killed while V8 built the snapshot: give it more memory, or take a smaller heap or the sampling profile"),
        },
        CopyEnd::WriterDead => CaptureState::Failed { why: Masked::own("the process ended before it began to write a snapshot") },
        CopyEnd::FileGone if bytes > Bytes(0) => cut(Masked::own("the file went away in the pod, or was begun anew")),
        CopyEnd::FileGone => CaptureState::Failed { why: Masked::own("the file went away in the pod before a byte had come") },
        CopyEnd::Still if bytes > Bytes(0) => cut(Masked::own("nothing more is added to it, and it does not end as a snapshot does")),
        CopyEnd::Still => CaptureState::KilledEmpty {
            why: Masked::own("the file is empty and nothing is added to it: its writer was most likely killed while V8 built the snapshot"),
        },
        CopyEnd::Unreachable(why) if bytes > Bytes(0) => cut(Masked::from(format!("the container is out of reach: {why}"))),
        CopyEnd::Unreachable(why) => CaptureState::Failed { why: Masked::from(format!("the container is out of reach: {why}")) },
    }
}
