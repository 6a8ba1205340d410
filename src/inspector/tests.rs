//! Against real Node processes on the loopback: whatever majors are found in `CUTOFF_TEST_NODES` (a list of programs
//! with `:` between them), else `node` on PATH. Without any the tests say so and pass.
#![allow(clippy::disallowed_methods, clippy::print_stderr, reason = "tests start real processes and say what they skip")]

use std::io::{BufRead, BufReader};
use std::ops::ControlFlow;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::net::TcpStream;

use crate::base::{Bytes, Trouble, TroubleKind};
use crate::node::SnapshotTracker;

use super::*;

struct Tcp(u16);

impl Dial for Tcp {
    fn dial(&self) -> BoxFuture<'_, Result<Box<dyn ByteStream>, Trouble>> {
        async {
            match TcpStream::connect(("127.0.0.1", self.0)).await {
                Ok(stream) => Ok(Box::new(stream) as Box<dyn ByteStream>),
                Err(_) => Err(Trouble::new(TroubleKind::Unreachable, "nobody listens", "", "")),
            }
        }
        .boxed()
    }
}

struct Node {
    child: Child,
    dial: Tcp,
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Node {
    /// Starts `program` on `script`, with its inspector on a port of its own.
    fn start(program: &str, flags: &[&str], script: &str) -> Self {
        let mut child = Command::new(program)
            .env_clear()
            .args(["--inspect=127.0.0.1:0"])
            .args(flags)
            // An inspector listens before Node itself is ready for calls.
            .args(["-e", &format!("console.error('ready');{script}")])
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("node starts");
        let mut lines = BufReader::new(child.stderr.take().expect("piped")).lines();
        let port = lines
            .by_ref()
            .map_while(Result::ok)
            .find_map(|line| line.strip_prefix("Debugger listening on ws://127.0.0.1:")?.split('/').next()?.parse().ok())
            .expect("it listens");
        let ready = lines.by_ref().map_while(Result::ok).any(|line| line == "ready");
        assert!(ready, "{program} starts the script");
        // A full pipe would block the process.
        std::thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
        Self { child, dial: Tcp(port) }
    }
}

fn programs() -> Vec<String> {
    let listed = std::env::var("CUTOFF_TEST_NODES").unwrap_or_default();
    let listed: Vec<String> = listed.split(':').filter(|p| !p.is_empty()).map(str::to_owned).collect();
    if !listed.is_empty() {
        return listed;
    }
    let found = Command::new("node").arg("--version").output().is_ok_and(|out| out.status.success());
    if found {
        vec!["node".to_owned()]
    } else {
        crate::skips::skipped("", "no `node` on PATH");
        Vec::new()
    }
}

const SECOND: Duration = Duration::from_secs(1);

const APP: &str =
    "const kept = []; for (let i = 0; i < 20000; i++) kept.push({ id: i, text: 'entry ' + i }); setInterval(() => kept.length, 50)";

#[tokio::test]
async fn a_snapshot_comes_whole_and_the_inspector_is_shut() {
    for program in programs() {
        let node = Node::start(&program, &[], APP);
        let mut session = Session::open(&node.dial, CALL).await.expect("an inspector");
        let identity = session.identity().await.expect("an identity");
        assert_eq!(identity.pid, node.child.id(), "{program}");
        assert!(identity.major() >= 18 && identity.exec_argv.iter().any(|a| a.starts_with("--inspect")), "{identity:?}");
        session.collect_garbage().await.expect("a collection");
        let heap = session.heap().await.expect("statistics");
        assert!(heap.used.0 > 2_000_000 && heap.limit > Bytes::mib(100) && heap.rss > heap.used && !heap.spaces.is_empty(), "{heap:?}");
        assert!(session.ping().await.expect("a pong").0.0 > 1_000_000);

        let census = session.census(SECOND * 10).await.expect("a census");
        let (mut tracker, mut building) = (SnapshotTracker::new(), 0);
        let taken = session
            .take_snapshot(|news| {
                match news {
                    SnapshotNews::Building { total, .. } => building = building.max(total),
                    SnapshotNews::Chunk(bytes) => tracker.push(bytes),
                    SnapshotNews::Quiet { .. } => {}
                }
                ControlFlow::Continue(())
            })
            .await
            .expect("a snapshot");
        assert!(tracker.is_complete() && tracker.bytes() == taken.bytes && !taken.paused, "{program}: {taken:?}");
        let header = tracker.header().expect("a header");
        assert!(building.abs_diff(header.nodes) < header.nodes / 10, "{program}: {building} announced, {} came", header.nodes);
        assert_eq!(header.compact, identity.major() >= 24, "{program}");
        assert!(census.objects.abs_diff(header.nodes) < header.nodes / 10, "{program}: {census:?}, {header:?}");
        assert!(
            census.fields + 2 * census.elements > header.edges / 2 && census.strings > 20_000 && census.longest >= 20_000,
            "{program}: {census:?}, {header:?}"
        );

        session.close().await.expect("closed");
        assert!(matches!(targets(&node.dial, SECOND).await, Err(Error::Dial(_) | Error::Closed { .. })), "{program}: the port is shut");
    }
}

#[tokio::test]
async fn a_blocked_loop_gives_its_heap_all_the_same() {
    for program in programs() {
        let script = "const kept = ['x'.repeat(100)]; setTimeout(() => { for (;;) kept[0] = kept[0].slice(0, 50) + Math.random() }, 300)";
        let node = Node::start(&program, &[], script);
        let mut session = Session::open(&node.dial, CALL).await.expect("an inspector");
        while session.loop_turns(Duration::from_millis(400)).await.expect("an answer") {}
        let mut tracker = SnapshotTracker::new();
        let taken = session
            .take_snapshot(|news| {
                if let SnapshotNews::Chunk(bytes) = news {
                    tracker.push(bytes);
                }
                ControlFlow::Continue(())
            })
            .await
            .expect("a snapshot");
        assert!(tracker.is_complete() && taken.paused, "{program}: {taken:?}");
        let used = session.ping().await.expect("it runs on").0;
        assert!(used.0 > 0);
    }
}

#[tokio::test]
async fn a_stop_is_heard_and_the_process_lives() {
    for program in programs() {
        let mut node = Node::start(&program, &[], APP);
        let mut session = Session::open(&node.dial, CALL).await.expect("an inspector");
        let stopped = session
            .take_snapshot(|news| if matches!(news, SnapshotNews::Chunk(_)) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
            .await;
        assert!(matches!(stopped, Err(Error::Cancelled)), "{program}: {stopped:?}");
        drop(session);
        // A second client closes what the first left open; while V8 still writes for the first, connections may be cut.
        let mut second = Session::open(&node.dial, CALL).await;
        for _ in 0..20 {
            if second.is_ok() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
            second = Session::open(&node.dial, CALL).await;
        }
        second.expect("still open").close().await.expect("closed");
        assert!(node.child.try_wait().expect("a child").is_none(), "{program} lives");
    }
}

#[tokio::test]
async fn workers_have_heaps_of_their_own() {
    for program in programs() {
        let script = "const { Worker } = require('worker_threads'); new Worker(\"const k = []; for (let i = 0; i < 5000; i++) k.push({ onlyInTheWorker: i }); setInterval(() => k.length, 50)\", { eval: true }); setInterval(() => {}, 50)";
        let node = Node::start(&program, &[], script);
        let mut session = Session::open(&node.dial, CALL).await.expect("an inspector");
        let mut workers = Vec::new();
        for _ in 0..50 {
            workers.extend(session.workers().await.expect("workers"));
            if !workers.is_empty() {
                break;
            }
        }
        let [worker] = &workers[..] else { panic!("{program}: {workers:?}") };
        let (mut tracker, mut text) = (SnapshotTracker::new(), Vec::new());
        session
            .take_worker_snapshot(worker, |news| {
                if let SnapshotNews::Chunk(bytes) = news {
                    tracker.push(bytes);
                    text.extend_from_slice(bytes);
                }
                ControlFlow::Continue(())
            })
            .await
            .expect("a snapshot");
        assert!(tracker.is_complete(), "{program}");
        assert!(String::from_utf8_lossy(&text).contains("onlyInTheWorker"), "{program}");
    }
}

#[tokio::test]
async fn sampling_names_the_line_that_leaks() {
    for program in programs() {
        let script = "\nconst kept = []; function leakHere() { for (let i = 0; i < 3000; i++) kept.push({ a: i, b: 'text ' + i, c: [i] }) } setInterval(leakHere, 20)";
        let node = Node::start(&program, &[], script);
        let mut session = Session::open(&node.dial, CALL).await.expect("an inspector");
        session.start_sampling(Bytes(16 * 1024)).await.expect("started");
        let mut found = Vec::new();
        for _ in 0..40 {
            session.evaluate_on(&Lane::Main, "new Promise(r=>setTimeout(r,100))", true, CALL).await.expect("a while");
            found = allocators(&session.sampling_profile().await.expect("a profile"), 3).expect("a tree");
            if found.first().is_some_and(|a| a.bytes.0 > 2_000_000) {
                break;
            }
        }
        assert!(found.first().is_some_and(|a| a.function == "leakHere" && a.line == 2), "{program}: {found:?}");
        assert!(allocators(&session.stop_sampling().await.expect("a last profile"), 3).is_some());
    }
}

#[tokio::test]
async fn a_dead_port_a_wrong_server_and_a_throw_are_told_apart() {
    let Some(program) = programs().into_iter().next() else { return };
    let mut node = Node::start(&program, &[], "setInterval(()=>{},50)");
    let mut session = Session::open(&node.dial, CALL).await.expect("an inspector");
    assert!(matches!(session.evaluate("nothing.here", CALL).await, Err(Error::Thrown(text)) if text.as_str().contains("ReferenceError")));
    let refused = session.write_snapshot("/nowhere/x.heapsnapshot", CALL).await;
    assert!(matches!(refused, Err(Error::Thrown(_))), "a failed write only throws here: {refused:?}");
    // Not by process.exit(): that waits for this very client to disconnect.
    node.child.kill().expect("killed");
    let closed = session.evaluate("1", CALL).await;
    assert!(matches!(closed, Err(Error::Closed { .. })), "{closed:?}");

    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let serve = async {
        let (mut stream, _) = listener.accept().await.expect("a client");
        tokio::io::AsyncWriteExt::write_all(&mut stream, b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello").await.expect("sent");
        // A server that says nothing more.
        let (_silent, _) = listener.accept().await.expect("another client");
        std::future::pending::<()>().await;
    };
    let ask = async {
        assert!(matches!(Session::open(&Tcp(port), CALL).await, Err(Error::NotAnInspector(_))));
        assert!(matches!(Session::open(&Tcp(port), Duration::from_millis(200)).await, Err(Error::TimedOut { .. })));
    };
    tokio::select! { () = serve => {}, () = ask => {} }
}

#[tokio::test]
async fn the_fatal_out_of_memory_can_be_frozen() {
    for program in programs() {
        let script = "const kept = []; setInterval(() => { for (let i = 0; i < 20000; i++) kept.push({ a: i, b: 'text ' + i }) }, 5)";
        let node = Node::start(&program, &["--max-old-space-size=48"], script);
        let mut session = Session::open(&node.dial, CALL).await.expect("an inspector");
        session.freeze_at_oom().await.expect("enabled");
        let stop = match session.wait_for_oom(Duration::from_secs(60)).await {
            Ok(Some(stop)) => stop,
            // Node 20 and 26 may fail a check of V8 instead (9 of 36 times when it was measured).
            Err(Error::Closed { .. }) => {
                eprintln!("{program}: died unfrozen, as it may");
                continue;
            }
            other => panic!("{program}: {other:?}"),
        };
        assert!(!stop.stack.is_empty(), "{stop:?}");
        let mut tracker = SnapshotTracker::new();
        session
            .take_paused_snapshot(|news| {
                if let SnapshotNews::Chunk(bytes) = news {
                    tracker.push(bytes);
                }
                ControlFlow::Continue(())
            })
            .await
            .expect("a snapshot");
        assert!(tracker.is_complete(), "{program}");
        session.resume().await.expect("it runs on, and dies its own death");
    }
}
