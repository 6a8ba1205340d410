//! The eyes of a watch: follow a container's log and look into its directory, for hours and through its deaths. What is
//! seen is told; what follows from it is the app's. Deaths themselves are seen by the watch on pods.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures::StreamExt;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::Word;
use super::hands::Hands;
use crate::app::{JobId, News};
use crate::base::ContainerRef;
use crate::capture::{SessionPlace, new_files};
use crate::cluster::{LogNews, LogOptions};
use crate::incident::Sign;
use crate::node::{HeapOom, LogSign, log_sign};

/// Without another sign the directory is looked into this often: an exec each.
const LOOK_EVERY: Duration = Duration::from_secs(60);
/// A report is written right after its line.
const SOON: Duration = Duration::from_millis(700);
/// A log that cannot be followed is tried again.
const AGAIN: Duration = Duration::from_secs(10);

/// Effect: watch. Ends when the pod is gone or somebody says stop.
pub(super) async fn follow(
    hands: Arc<Hands>,
    job: JobId,
    container: ContainerRef,
    since: DateTime<Utc>,
    to: mpsc::Sender<Word>,
    stop: CancellationToken,
) -> News {
    let mut eyes = Eyes { hands, container, since, files: BTreeSet::new(), to };
    tokio::select! {
        () = stop.cancelled() => {}
        () = eyes.watch() => {}
    }
    News::JobEnded { job, trouble: None }
}

struct Eyes {
    hands: Arc<Hands>,
    container: ContainerRef,
    since: DateTime<Utc>,
    files: BTreeSet<String>,
    to: mpsc::Sender<Word>,
}

impl Eyes {
    async fn watch(&mut self) {
        let mut last = self.since;
        loop {
            let options = LogOptions { follow: true, previous: false, since: Some(last), tail: None };
            let mut log = self.hands.session.logs(&self.container, options);
            let mut next_look = tokio::time::Instant::now() + SOON;
            let ended = loop {
                tokio::select! {
                    () = tokio::time::sleep_until(next_look) => {
                        self.look().await;
                        next_look = tokio::time::Instant::now() + LOOK_EVERY;
                    }
                    news = log.next() => match news {
                        None => break true,
                        Some(Err(error)) => break error.is_not_found(),
                        Some(Ok(LogNews::Line(line))) => {
                            let text = line.text.clean();
                            last = line.at.map_or(last, |at| at.max(last));
                            if let Some(what) = words(&text) {
                                self.tell(Sign::Log, what, None).await;
                                next_look = next_look.min(tokio::time::Instant::now() + SOON);
                            }
                        }
                        // The next life may have what the last one left in a volume.
                        Some(Ok(LogNews::Restarted { .. })) => next_look = tokio::time::Instant::now() + SOON,
                        Some(Ok(LogNews::Ended | LogNews::Broken(_))) => {}
                    },
                }
            };
            if ended {
                return;
            }
            tokio::time::sleep(AGAIN).await;
        }
    }

    async fn look(&mut self) {
        let place = SessionPlace::new(self.hands.session.clone(), self.container.clone());
        // A container that is down says nothing now; the next look may.
        let Ok(found) = new_files(&place, self.since).await else { return };
        for path in found {
            if self.files.insert(path.clone()) {
                self.tell(Sign::File, path.clone(), Some(path)).await;
            }
        }
    }

    async fn tell(&self, sign: Sign, what: String, path: Option<String>) {
        let news = News::Sign { container: self.container.clone(), sign, what, path };
        let _ = self.to.send(Word::News(Box::new(news))).await;
    }
}

/// What a line means, if it is a sign of death. That a snapshot was written is never believed, only looked for.
fn words(line: &str) -> Option<String> {
    Some(match log_sign(line) {
        Some(LogSign::HeapOom { why: HeapOom::ReachedLimit }) => "FATAL ERROR: V8 reached its heap limit".to_owned(),
        Some(LogSign::HeapOom { why: HeapOom::Ineffective }) => "FATAL ERROR: collections free nothing near the heap limit".to_owned(),
        Some(LogSign::HeapOom { why: HeapOom::Allocation }) => "FATAL ERROR: one allocation did not fit into the heap".to_owned(),
        Some(LogSign::WorkerOom) => "a worker reached its heap limit".to_owned(),
        Some(LogSign::SaysSnapshot { .. }) => "Node says that it wrote a snapshot: believed when its bytes are here".to_owned(),
        Some(LogSign::ReportStarted { path }) => format!("a diagnostic report is written: {path}"),
        Some(LogSign::WriteFailed { code }) => format!("a snapshot could not be written ({code}), which ends the app"),
        Some(LogSign::CheckFailed) => "a check of V8 failed".to_owned(),
        None if line.contains("node::OOMErrorHandler") => "node::OOMErrorHandler in the stack trace".to_owned(),
        Some(LogSign::LastCollection { .. } | LogSign::InspectorOpen | LogSign::InspectorPortBusy | LogSign::DebuggerAttached) | None => {
            return None;
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_signs_of_death_are_told() {
        let signs = [
            "FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory",
            " 1: 0xb8ced1 node::OOMErrorHandler(char const*, v8::OOMDetails const&) [node]",
            "Wrote snapshot to /data/Heap.20261124.101010.1.0.001.heapsnapshot",
            "Writing Node.js report to file: report.20261124.101010.1.0.002.json",
            "Error: ENOSPC: no space left on device, open '/data/Heap.20261124.1.1.0.001.heapsnapshot'",
        ];
        assert!(signs.iter().all(|line| words(line).is_some()));
        let quiet = ["imported 1042 entries", "Debugger attached.", "user sent JavaScript heap out of memory", ""];
        assert!(quiet.iter().all(|line| words(line).is_none()));
        assert!(words(signs[2]).is_some_and(|w| w.contains("believed when")));
    }
}
