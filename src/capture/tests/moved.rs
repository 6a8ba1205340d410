//! Copies of files that grow, over connections that break.

use std::pin::Pin;
use std::sync::Mutex;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::io::{AsyncRead, ReadBuf};
use tokio_util::sync::CancellationToken;

use crate::base::{ContainerRef, Trouble};
use crate::capture::{CopyEnd, Depth, Memory, Place, Running, Source, copy, survey};
use crate::cluster::{ExecEnd, Output, Rule};
use crate::inspector::ByteStream;
use crate::preflight::CaptureState;
use crate::pressure::PodFacts;

use super::local::{LocalPod, programs};

/// A place whose long commands break after so many bytes, then after the next number, and so on; at last they hold.
struct Breaking<'a> {
    pod: &'a LocalPod,
    after: Mutex<Vec<usize>>,
}

struct Cut {
    inner: Box<dyn Running>,
    left: usize,
}

impl AsyncRead for Cut {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<std::io::Result<()>> {
        if self.left == 0 {
            return Poll::Ready(Err(std::io::ErrorKind::ConnectionReset.into()));
        }
        let mut part = buffer.take(self.left);
        let before = part.filled().len();
        std::task::ready!(Pin::new(&mut self.inner).poll_read(cx, &mut part))?;
        let n = part.filled().len() - before;
        self.left -= n;
        // The bytes stand in the unfilled part already.
        buffer.advance(n);
        Poll::Ready(Ok(()))
    }
}

impl Running for Cut {
    fn finish(self: Box<Self>) -> BoxFuture<'static, ExecEnd> {
        self.inner.finish()
    }
}

impl Place for Breaking<'_> {
    fn container(&self) -> &ContainerRef {
        self.pod.container()
    }
    fn run<'a>(&'a self, command: &'a [String], deadline: Duration, most: usize) -> BoxFuture<'a, Result<Output, Trouble>> {
        self.pod.run(command, deadline, most)
    }
    fn start<'a>(&'a self, command: &'a [String], idle: Duration) -> BoxFuture<'a, Result<Box<dyn Running>, Trouble>> {
        async move {
            let inner = self.pod.start(command, idle).await?;
            let left = self.after.lock().expect("no panic").pop().unwrap_or(usize::MAX);
            Ok(Box::new(Cut { inner, left }) as Box<dyn Running>)
        }
        .boxed()
    }
    fn connect(&self, port: u16) -> BoxFuture<'_, Result<Box<dyn ByteStream>, Trouble>> {
        self.pod.connect(port)
    }
    fn pod(&self) -> BoxFuture<'_, Result<PodFacts, Trouble>> {
        self.pod.pod()
    }
    fn refused<'a>(&'a self, rules: &'a [Rule]) -> BoxFuture<'a, Result<Vec<Rule>, Trouble>> {
        self.pod.refused(rules)
    }
}

/// Writes a file like a snapshot in odd steps, then idles.
const WRITER: &str = "const fs = require('fs'); console.error('ready');
setTimeout(() => { const h = fs.openSync('Heap.20260101.000000.' + process.pid + '.0.001.heapsnapshot', 'w');
  fs.writeSync(h, '{\"snapshot\":{\"meta\":{\"node_fields\":[\"type\"]},\"node_count\":9,\"edge_count\":9},\\n\"nodes\":[');
  let n = 0; const step = () => { if (n++ < 40) { let s = ''; for (let i = 0; i < 30011; i++) s += (n * i) + ','; fs.writeSync(h, s); setTimeout(step, 20) } else { fs.writeSync(h, '0],\"edges\":[],\"trace_function_infos\":[],\"strings\":[\"a\"]}'); fs.closeSync(h) } };
  step() }, 500); setInterval(() => {}, 1000);";

#[tokio::test]
async fn a_growing_file_comes_identical_over_a_connection_that_breaks() {
    for program in programs().into_iter().take(1) {
        for shell in [true, false] {
            let mut pod = LocalPod::start(&program, "NODE app.js", WRITER).await;
            pod.shell = shell;
            let found = survey(&pod, None, (None, None), Depth::Probe).await.expect("a survey");
            let pid = found.pid.expect("a process");
            let source = Source {
                dir: pod.dir.path().display().to_string(),
                pid,
                is_snapshot: true,
                patience: Duration::from_secs(30),
                ..Source::default()
            };
            // In the hello, in a waiting line, in the head of a piece, in its middle, right after it.
            let after = vec![700_000, 100_000, 65_000, 3000, 700, 60, 12, 3];
            let place = Breaking { pod: &pod, after: Mutex::new(after) };
            let mut landing = Memory::default();
            let mut last = None;
            let mut tell = |state: CaptureState| last = Some(state);
            let copied = copy(&place, &found.facts, &source, &mut landing, &mut tell, &CancellationToken::new()).await.expect("a copy");
            assert_eq!(copied.end, CopyEnd::Whole, "{copied:?}");
            assert!(copied.breaks >= 5, "{}", copied.breaks);
            let path = copied.path.expect("a path");
            assert_eq!(std::fs::read(&path).expect("the file"), landing.0, "shell {shell}: byte for byte");
        }
    }
}

#[tokio::test]
async fn of_a_writer_that_dies_all_that_it_wrote_is_kept() {
    for program in programs().into_iter().take(1) {
        // Under a shell, which lives on: the container does not restart.
        let script = format!("{WRITER}\nsetTimeout(() => process.kill(process.pid, 'SIGKILL'), 900);");
        let pod = LocalPod::start(&program, "sh -c 'NODE app.js; sleep 60; exit 1'", &script).await;
        let found = survey(&pod, None, (None, None), Depth::Probe).await.expect("a survey");
        let source = Source {
            dir: pod.dir.path().display().to_string(),
            pid: found.pid.expect("a process"),
            is_snapshot: true,
            patience: Duration::from_secs(30),
            ..Source::default()
        };
        let mut landing = Memory::default();
        let mut tell = |_: CaptureState| {};
        let copied = copy(&pod, &found.facts, &source, &mut landing, &mut tell, &CancellationToken::new()).await.expect("a copy");
        assert_eq!(copied.end, CopyEnd::WriterDead, "{copied:?}");
        assert!(!copied.tracker.is_complete() && copied.tracker.whole().header);
        assert_eq!(std::fs::read(copied.path.expect("a path")).expect("the file"), landing.0, "every byte it wrote");
    }
}
