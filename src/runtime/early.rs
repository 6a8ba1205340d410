//! Analyses of files that are still coming: each is read from the disk while it grows, so that the parser has seen most of
//! it when its last byte comes. The disk is the buffer between the two: a slow analysis never slows a copy, and its failure
//! is none of the copy's.

use std::io::Read;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::snapshots::{self, Whole};
use crate::base::{EvidenceId, Trouble};
use crate::evidence::{End, Follower, Step};
use crate::heap::{Analysis, Phase, Progress};

/// Analyses that may be under way or wait to be asked for; older ones are given up, and read from the disk when they are.
const AT_ONCE: usize = 2;
/// How often a reader that waits looks whether it is still wanted.
const LOOK: Duration = Duration::from_millis(500);

type Analysed = Result<(Analysis, Whole), Trouble>;

/// What is analysed while it comes.
#[derive(Default)]
pub struct Early(Mutex<Vec<Coming>>);

struct Coming {
    id: EvidenceId,
    relay: Arc<Relay>,
    result: Receiver<Analysed>,
}

/// Reports to whoever waits for the result, once somebody does.
#[derive(Default)]
struct Relay {
    to: Mutex<Option<Arc<dyn Progress>>>,
    off: AtomicBool,
    read: AtomicU64,
}

impl Progress for Relay {
    fn step(&self, phase: Phase, share: f32) -> ControlFlow<()> {
        if self.off.load(Ordering::Relaxed) {
            return ControlFlow::Break(());
        }
        let to = self.to.lock().unwrap_or_else(PoisonError::into_inner).clone();
        to.map_or(ControlFlow::Continue(()), |to| to.step(phase, share))
    }
}

/// The growing file as a stream that ends when it is sealed.
struct Grows {
    from: Follower,
    relay: Arc<Relay>,
}

impl Read for Grows {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        loop {
            if self.relay.off.load(Ordering::Relaxed) {
                return Err(std::io::Error::other("not wanted any more"));
            }
            match self.from.next(buffer, LOOK).map_err(std::io::Error::other)? {
                Step::Bytes(n) => {
                    self.relay.read.fetch_add(n as u64, Ordering::Relaxed);
                    return Ok(n);
                }
                Step::Waiting => {}
                Step::End(End::Sealed) => return Ok(0),
                Step::End(End::Abandoned) => return Err(std::io::Error::other("its capture was given up")),
            }
        }
    }
}

impl Early {
    /// Begins to analyse the file `id` that `from` follows.
    pub fn begin(&self, id: EvidenceId, from: Follower) {
        let relay = Arc::new(Relay::default());
        let (send, result) = sync_channel(1);
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|coming| coming.id != id || !coming.give_up());
        while all.len() >= AT_ONCE {
            all.remove(0).give_up();
        }
        all.push(Coming { id, relay: relay.clone(), result });
        drop(all);
        tokio::task::spawn_blocking(move || {
            let pipe = Grows { from, relay: relay.clone() };
            let progress: Arc<dyn Progress> = relay;
            // Nobody may want it any more.
            let _ = send.send(snapshots::analyse_pipe(pipe, &id.to_string(), &progress));
        });
    }

    /// The analysis of `id`, waited for; `None` when there is none or it failed: then the file is read from the disk.
    /// Blocks its thread.
    pub fn take(&self, id: EvidenceId, progress: &Arc<dyn Progress>) -> Option<(Analysis, Whole)> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let coming = all.iter().position(|coming| coming.id == id).map(|i| all.remove(i))?;
        drop(all);
        *coming.relay.to.lock().unwrap_or_else(PoisonError::into_inner) = Some(progress.clone());
        coming.result.recv().ok()?.inspect_err(|trouble| tracing::info!(%trouble, %id, "not analysed while it came")).ok()
    }

    #[cfg(test)]
    fn read(&self, id: EvidenceId) -> u64 {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.iter().find(|coming| coming.id == id).map_or(0, |coming| coming.relay.read.load(Ordering::Relaxed))
    }
}

impl Drop for Early {
    fn drop(&mut self) {
        self.0.get_mut().unwrap_or_else(PoisonError::into_inner).iter().for_each(|coming| {
            coming.give_up();
        });
    }
}

impl Coming {
    fn give_up(&self) -> bool {
        self.relay.off.store(true, Ordering::Relaxed);
        true
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::disallowed_methods, reason = "a test has a directory and a clock")]

    use std::time::Instant;

    use super::*;
    use crate::base::Bytes;
    use crate::evidence::Store;
    use crate::heap::{Unwatched, analyse};
    use crate::incident::Outcome;

    fn snapshot() -> Vec<u8> {
        let packed = &include_bytes!("../demo/recording/content-import.heapsnapshot.gz")[..];
        let mut file = Vec::new();
        flate2::read::GzDecoder::new(packed).read_to_end(&mut file).expect("a recording");
        file
    }

    #[tokio::test]
    async fn a_file_is_parsed_while_it_comes() {
        let dir = tempfile::tempdir().expect("a directory");
        let store = Store::open(dir.path(), Bytes(0)).expect("a store");
        let (early, id, file) = (Early::default(), EvidenceId(1), snapshot());
        let mut growing = store.create(id, "x.heapsnapshot", None).expect("a file");
        early.begin(id, growing.follow().expect("it can be read"));
        let most = file.len() - 1000;
        for piece in file[..most].chunks(100_000) {
            growing.append(piece).expect("room");
        }
        let began = Instant::now();
        while early.read(id) < most as u64 {
            assert!(began.elapsed() < Duration::from_secs(120), "{} of {most} bytes read before the end came", early.read(id));
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        growing.append(&file[most..]).expect("room");
        let sealed = growing.seal(Outcome::Complete, None).expect("sealed");
        let progress: Arc<dyn Progress> = Arc::new(Unwatched);
        let (analysis, whole) = early.take(id, &progress).expect("an analysis");
        assert_eq!(Some(whole.sha256), sealed.sha256);
        let plain = analyse(&file, progress.clone()).expect("a snapshot");
        assert_eq!(analysis.class_rows().len(), plain.class_rows().len());
        assert!(early.take(id, &progress).is_none(), "it is given once");
    }

    #[tokio::test]
    async fn a_capture_that_was_given_up_leaves_no_analysis() {
        let dir = tempfile::tempdir().expect("a directory");
        let store = Store::open(dir.path(), Bytes(0)).expect("a store");
        let (early, progress) = (Early::default(), Arc::new(Unwatched) as Arc<dyn Progress>);
        for id in [1, 2, 3].map(EvidenceId) {
            let mut growing = store.create(id, "x.heapsnapshot", None).expect("a file");
            early.begin(id, growing.follow().expect("it can be read"));
            growing.append(b"{\"snapshot\":").expect("room");
        }
        assert!([1, 2, 3].into_iter().all(|id| early.take(EvidenceId(id), &progress).is_none()));
    }
}
