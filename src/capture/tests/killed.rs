//! Pods that are killed while a file is written in them.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures::future::BoxFuture;
use tokio_util::sync::CancellationToken;

use super::local::{LocalPod, programs};
use crate::base::{ContainerRef, Trouble};
use crate::capture::{CopyEnd, Depth, Memory, Place, Running, Source, copy, survey};
use crate::cluster::{Output, Rule};
use crate::inspector::ByteStream;
use crate::preflight::CaptureState;
use crate::pressure::PodFacts;

/// Writes 6 MB like a snapshot, 64 KiB at a time as V8 does, and rests a moment between two.
const WRITER: &str = "const fs = require('fs'); console.error('ready');
setTimeout(() => { const h = fs.openSync('Heap.20260101.000000.' + process.pid + '.0.001.heapsnapshot', 'w');
  fs.writeSync(h, '{\"snapshot\":{\"meta\":{\"node_fields\":[\"type\"]},\"node_count\":9,\"edge_count\":9},\\n\"nodes\":[');
  let n = 0; const step = () => { let s = ''; while (s.length < 65536) s += (n++ * 7919 % 1000003) + ','; fs.writeSync(h, s.slice(0, 65536)); if (n < 900000) setTimeout(step, 5) };
  step() }, 300); setInterval(() => {}, 1000);";
const WHOLE: u64 = 6_000_000;

/// A container that is started again after its end: the directory is the same.
struct Restarted<'a> {
    first: &'a LocalPod,
    second: &'a LocalPod,
    dead: &'a AtomicBool,
}

impl Restarted<'_> {
    fn now(&self) -> &LocalPod {
        if self.dead.load(Ordering::SeqCst) { self.second } else { self.first }
    }
}

impl Place for Restarted<'_> {
    fn container(&self) -> &ContainerRef {
        self.first.container()
    }
    fn run<'a>(&'a self, command: &'a [String], deadline: Duration, most: usize) -> BoxFuture<'a, Result<Output, Trouble>> {
        self.now().run(command, deadline, most)
    }
    fn start<'a>(&'a self, command: &'a [String], idle: Duration) -> BoxFuture<'a, Result<Box<dyn Running>, Trouble>> {
        self.now().start(command, idle)
    }
    fn connect(&self, port: u16) -> BoxFuture<'_, Result<Box<dyn ByteStream>, Trouble>> {
        self.now().connect(port)
    }
    fn pod(&self) -> BoxFuture<'_, Result<PodFacts, Trouble>> {
        // That the first one is gone is a restart.
        self.first.pod()
    }
    fn refused<'a>(&'a self, rules: &'a [Rule]) -> BoxFuture<'a, Result<Vec<Rule>, Trouble>> {
        self.first.refused(rules)
    }
}

fn size(dir: &Path) -> (u64, Option<std::path::PathBuf>) {
    let files = std::fs::read_dir(dir).expect("a directory").flatten();
    let file = files.map(|entry| entry.path()).find(|path| path.extension().is_some_and(|e| e == "heapsnapshot"));
    (file.as_deref().and_then(|path| path.metadata().ok()).map_or(0, |m| m.len()), file)
}

/// Kills process 1 of `pod` when the file has `share` percent of its size, and says when that was done.
async fn kill_at(pod: &LocalPod, share: u64, dead: &AtomicBool) -> u64 {
    loop {
        let (bytes, _) = size(pod.dir.path());
        if bytes * 100 >= WHOLE * share {
            pod.kill();
            dead.store(true, Ordering::SeqCst);
            return bytes;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pod_killed_in_the_middle_of_the_writing_loses_nothing_that_is_on_a_volume() {
    for program in programs().into_iter().take(1) {
        for share in [25, 50, 75, 95] {
            let first = LocalPod::start(&program, "NODE app.js", WRITER).await;
            let second = LocalPod::start(&program, "NODE app.js", "console.error('ready'); setInterval(() => {}, 1000)").await;
            let dead = AtomicBool::new(false);
            let place = Restarted { first: &first, second: &second, dead: &dead };
            let found = survey(&place, None, (None, None), Depth::Probe).await.expect("a survey");
            let source = Source {
                dir: first.dir.path().display().to_string(),
                pid: found.pid.expect("a process"),
                is_snapshot: true,
                beyond_death: true,
                patience: Duration::from_secs(30),
                ..Source::default()
            };
            let (mut landing, mut tell) = (Memory::default(), |_: CaptureState| {});
            let stop = CancellationToken::new();
            let (copied, _) =
                tokio::join!(copy(&place, &found.facts, &source, &mut landing, &mut tell, &stop), kill_at(&first, share, &dead));
            let copied = copied.expect("a copy");
            let file = std::fs::read(size(first.dir.path()).1.expect("a file")).expect("it is there");
            assert_eq!(copied.end, CopyEnd::WriterDead, "{share} %: {copied:?}");
            assert!(landing.0 == file, "{share} %: {} of {} bytes", landing.0.len(), file.len());
            assert!(!copied.tracker.is_complete() && copied.tracker.whole().header, "{share} %: an honest verdict");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_pod_killed_in_the_middle_of_the_writing_all_that_was_sent_is_kept() {
    for program in programs().into_iter().take(1) {
        for share in [25, 50, 75, 95] {
            let pod = LocalPod::start(&program, "NODE app.js", WRITER).await;
            let found = survey(&pod, None, (None, None), Depth::Probe).await.expect("a survey");
            let source = Source {
                dir: pod.dir.path().display().to_string(),
                pid: found.pid.expect("a process"),
                is_snapshot: true,
                patience: Duration::from_secs(30),
                ..Source::default()
            };
            let (mut landing, mut tell) = (Memory::default(), |_: CaptureState| {});
            let (stop, dead) = (CancellationToken::new(), AtomicBool::new(false));
            let (copied, at) = tokio::join!(copy(&pod, &found.facts, &source, &mut landing, &mut tell, &stop), kill_at(&pod, share, &dead));
            let copied = copied.expect("a copy");
            let file = std::fs::read(size(pod.dir.path()).1.expect("a file")).expect("it is there");
            assert_eq!(copied.end, CopyEnd::WriterDead, "{share} %: {copied:?}");
            assert!(file.starts_with(&landing.0), "{share} %: nothing that was not written");
            assert_eq!(copied.tracker.bytes().0, landing.0.len() as u64);
            eprintln!("killed at {share} % ({at} bytes): {} of {} kept, {} unproved", landing.0.len(), file.len(), copied.unproved);
        }
    }
}
