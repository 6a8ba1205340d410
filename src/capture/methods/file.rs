//! What the methods share that let the process write a file of its own.

use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::base::{Bytes, Masked};
use crate::capture::error::Error;
use crate::capture::helper::{Tongue, shell_quoted};
use crate::capture::method::Done;
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
    took: Duration,
    command: Masked,
) -> Done {
    let copied = match copied {
        Ok(copied) => copied,
        Err(error) => return Done::failed(error, command),
    };
    let bytes = copied.tracker.bytes();
    let cut = |why: Masked| CaptureState::Truncated { bytes, whole: copied.tracker.whole(), why };
    let state = match &copied.end {
        _ if copied.tracker.is_complete() => CaptureState::Complete { bytes },
        CopyEnd::Whole => CaptureState::Complete { bytes },
        CopyEnd::Stopped if bytes == Bytes(0) => CaptureState::Cancelled,
        CopyEnd::Stopped => cut(Masked::own("stopped")),
        CopyEnd::WriterDead if bytes > Bytes(0) => cut(Masked::own("the process died while it wrote")),
        CopyEnd::WriterDead if copied.seen => CaptureState::KilledEmpty {
            why: Masked::own("killed while V8 built the snapshot: give it more memory, or take a smaller heap or the sampling profile"),
        },
        CopyEnd::WriterDead => CaptureState::Failed { why: Masked::own("the process ended before it began to write a snapshot") },
        CopyEnd::FileGone if bytes > Bytes(0) => cut(Masked::own("the file went away in the pod")),
        CopyEnd::FileGone => CaptureState::Failed { why: Masked::own("the file went away in the pod before a byte had come") },
        CopyEnd::Unreachable(why) if bytes > Bytes(0) => cut(Masked::from(format!("the container is out of reach: {why}"))),
        CopyEnd::Unreachable(why) => CaptureState::Failed { why: Masked::from(format!("the container is out of reach: {why}")) },
    };
    let complete = matches!(state, CaptureState::Complete { .. });
    let mut remarks = Vec::new();
    if copied.breaks > 0 {
        remarks.push(format!("the connection broke {} times; every piece is proved by its checksum", copied.breaks));
    }
    if copied.unproved > Bytes(0) {
        remarks.push(format!("the last {} came from a piece that a break cut: no checksum proves them", copied.unproved));
    }
    if let Some(path) = copied.path.as_deref().filter(|_| complete) {
        remarks.push(match same_in_pod(place, facts, path, bytes).await {
            Some(true) | None => format!("{path} stays in the pod"),
            Some(false) => format!("{path} in the pod has another size now"),
        });
    }
    let measured = Measured { file: (bytes > Bytes(0)).then_some(bytes), whole: Some(took), ..Measured::default() };
    Done { state, measured, command, remark: Masked::from(remarks.join("; ")) }
}

/// Whether the file in the pod still has this size; `None` when nobody can tell.
async fn same_in_pod(place: &dyn Place, facts: &ProcessFacts, path: &str, bytes: Bytes) -> Option<bool> {
    let quoted = serde_json::Value::from(path).to_string();
    let command = Tongue::of(facts)
        .command(&format!("stat -c %s {}", shell_quoted(path)), &format!("console.log(require('fs').statSync({quoted}).size)"));
    let output = place.run(&command, Duration::from_secs(10), 256).await.ok()?;
    let size: u64 = String::from_utf8_lossy(&output.stdout).trim().parse().ok()?;
    Some(size == bytes.0)
}
