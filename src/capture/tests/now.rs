//! Captures that are taken at once.

use tokio_util::sync::CancellationToken;

use crate::base::Bytes;
use crate::capture::{Captured, Depth, Memory, Place, survey, take};
use crate::incident::Outcome;
use crate::node::{Role, SnapshotTracker};
use crate::preflight::{Assessment, CaptureState, HeapSource, Risk};

use super::local::{LEAK, LocalPod, programs};

/// Surveys, takes by `method` and gives back what came.
pub async fn captured(
    pod: &LocalPod,
    method: &str,
    accepted: bool,
    stop: CancellationToken,
) -> (Assessment, Captured, Vec<u8>, Vec<&'static str>) {
    captured_in(pod, method, accepted, stop).await
}

/// The same in any place.
pub async fn captured_in(
    pod: &dyn Place,
    method: &str,
    accepted: bool,
    stop: CancellationToken,
) -> (Assessment, Captured, Vec<u8>, Vec<&'static str>) {
    let found = survey(pod, None, (None, None), Depth::Probe).await.expect("a survey");
    captured_by(pod, &found, method, accepted, stop).await
}

/// The same by a survey that was made.
pub async fn captured_by(
    pod: &dyn Place,
    found: &crate::capture::Survey,
    method: &str,
    accepted: bool,
    stop: CancellationToken,
) -> (Assessment, Captured, Vec<u8>, Vec<&'static str>) {
    let assessment = found.assess_by(method, Some(Bytes(1 << 40)));
    let mut landing = Memory::default();
    let mut words = Vec::new();
    let mut tell = |state: CaptureState| {
        if words.last() != Some(&state.word()) {
            words.push(state.word());
        }
    };
    let captured = take(pod, found, &assessment, if accepted { Risk::WouldKill } else { Risk::Ok }, &mut landing, &mut tell, stop).await;
    (assessment, captured, landing.0, words)
}

pub fn is_snapshot(bytes: &[u8]) -> bool {
    let mut tracker = SnapshotTracker::new();
    tracker.push(bytes);
    tracker.is_complete()
}

/// How people start Node in containers, and whether it is process 1 there.
const STARTS: [(&str, bool); 3] = [
    ("NODE --inspect-port=PORT app.js", true),
    ("sh -c 'NODE --inspect-port=PORT app.js; exit $?'", false),
    (
        "NODE --title=npm -e \"process.title='npm start';require('child_process').spawn('NODE',['--inspect-port=PORT','app.js'],{stdio:'inherit'})\"",
        false,
    ),
];

#[tokio::test]
async fn through_the_inspector_however_it_was_started() {
    for program in programs() {
        for (start, first) in STARTS {
            let mut pod = LocalPod::start(&program, start, LEAK).await;
            let (assessment, captured, bytes, words) = captured(&pod, "cdp", true, CancellationToken::new()).await;
            assert!(assessment.risk.may_start(), "{start}: {}", assessment.headline());
            assert_eq!(captured.outcome, Outcome::Complete, "{program} {start}: {}", captured.done.state.line());
            assert!(is_snapshot(&bytes) && captured.bytes() == Bytes(bytes.len() as u64));
            assert!(String::from_utf8_lossy(&bytes).contains("entry 1"), "it is the app's heap, not the launcher's");
            assert_eq!(words, ["PREPARING", "BUILDING", "COPYING"]);
            assert_eq!((captured.process_lives, captured.restarts), (Some(true), (0, Some(0))));
            let provenance = captured.provenance.as_ref().expect("provenance");
            assert_eq!(provenance.process.pid == 1, first, "{start}");
            assert!(captured.done.measured.memory.is_some_and(|b| b > Bytes(1_000_000)), "{:?}", captured.done.measured);
            assert!(pod.lives());
            assert!(pod.connect(pod.port).await.is_err(), "{start}: the inspector is shut");
        }
    }
}

#[tokio::test]
async fn without_a_shell_the_containers_own_node_helps() {
    for program in programs() {
        let mut pod = LocalPod::start(&program, "NODE --inspect-port=PORT app.js", LEAK).await;
        pod.shell = false;
        let (_, captured, bytes, _) = captured(&pod, "cdp", true, CancellationToken::new()).await;
        assert_eq!(captured.outcome, Outcome::Complete, "{}", captured.done.state.line());
        assert!(is_snapshot(&bytes) && pod.lives());
    }
}

#[tokio::test]
async fn an_inspector_that_was_open_stays_open() {
    for program in programs() {
        let pod = LocalPod::start(&program, "NODE --inspect=127.0.0.1:PORT app.js", LEAK).await;
        let found = survey(&pod, None, (None, None), Depth::Inspector).await.expect("a survey");
        let heap = found.heap.expect("V8's own numbers");
        assert!(heap.source == HeapSource::Inspector && heap.used > Bytes(1_000_000) && heap.limit.is_some());
        let (_, captured, bytes, _) = captured(&pod, "cdp", true, CancellationToken::new()).await;
        assert!(is_snapshot(&bytes), "{}", captured.done.state.line());
        assert_eq!(captured.done.remark.as_str(), "the inspector was open before and was left open");
        assert!(pod.connect(pod.port).await.is_ok());
    }
}

#[tokio::test]
async fn a_worker_has_a_heap_of_its_own() {
    let script = "const { Worker } = require('worker_threads'); for (const size of [1000, 30000]) new Worker(`const k = []; for (let i = 0; i \
        < ${size}; i++) k.push({ onlyInWorker: i, size: 'of ' + ${size} }); setInterval(() => k.length, 50)`, { eval: true }); \
        setTimeout(() => console.error('ready'), 500); setInterval(() => {}, 50)";
    for program in programs() {
        let mut pod = LocalPod::start(&program, "NODE --inspect-port=PORT app.js", script).await;
        let (assessment, captured, bytes, _) = captured(&pod, "worker", true, CancellationToken::new()).await;
        assert!(assessment.risk.may_start(), "{}", assessment.headline());
        assert_eq!(captured.outcome, Outcome::Complete, "{program}: {} {}", captured.done.state.line(), captured.done.remark);
        let text = String::from_utf8_lossy(&bytes);
        assert!(is_snapshot(&bytes) && text.contains("onlyInWorker") && text.contains("of 30000"), "the largest");
        assert!(captured.done.remark.as_str().contains("the largest of 2"), "{}", captured.done.remark);
        assert!(pod.lives() && pod.connect(pod.port).await.is_err(), "the inspector is shut");

        let mut pod = LocalPod::start(&program, "NODE --inspect-port=PORT app.js", LEAK).await;
        let (_, none, bytes, _) = captured_in(&pod, "worker", true, CancellationToken::new()).await;
        assert!(none.outcome == Outcome::Failed && bytes.is_empty() && pod.lives(), "{}", none.done.state.line());
        assert!(none.done.state.line().contains("no worker thread"), "{}", none.done.state.line());
    }
}

#[tokio::test]
async fn what_cannot_work_is_not_tried_and_what_is_stopped_leaves_nothing_open() {
    for program in programs() {
        let deaf = "process.on('SIGUSR1', () => {});".to_owned() + LEAK;
        let mut pod = LocalPod::start(&program, "NODE --inspect-port=PORT app.js", &deaf).await;
        let stop = CancellationToken::new();
        stop.cancel();
        let (_, stopped, bytes, _) = captured(&pod, "cdp", false, stop).await;
        assert!(stopped.outcome == Outcome::Cancelled && bytes.is_empty() && pod.lives());

        let mut pod = LocalPod::start(&program, "NODE --inspect-port=PORT app.js", LEAK).await;
        let taken = std::net::TcpListener::bind(("127.0.0.1", pod.port)).expect("the port");
        let (assessment, refused, ..) = captured(&pod, "cdp", true, CancellationToken::new()).await;
        assert_eq!(assessment.risk, Risk::Impossible, "{}", assessment.headline());
        assert!(assessment.headline().contains("is taken by another process"), "{}", assessment.headline());
        assert_eq!(refused.outcome, Outcome::Failed);
        assert!(pod.lives());
        drop(taken);
    }
}

#[tokio::test]
async fn a_profile_when_there_is_no_room() {
    for program in programs() {
        let mut pod = LocalPod::start(&program, "NODE --inspect-port=PORT app.js", LEAK).await;
        let found = survey(&pod, None, (None, None), Depth::Probe).await.expect("a survey");
        let mut landing = Memory::default();
        let mut tell = |_: CaptureState| {};
        let order = crate::capture::Order {
            place: &pod,
            facts: &found.facts,
            pid: found.pid.expect("a process"),
            landing: &mut landing,
            tell: &mut tell,
            stop: CancellationToken::new(),
        };
        let done = crate::capture::methods::sample_for(order, std::time::Duration::from_secs(4)).await;
        assert_eq!(done.state.word(), "COMPLETE", "{}", done.state.line());
        let profile = String::from_utf8(landing.0).expect("text");
        let top = crate::inspector::allocators(&profile, 1).expect("a profile");
        assert!(top.first().is_some_and(|a| a.url.ends_with("app.js") && a.line == 2), "{top:?}");
        assert!(pod.lives() && found.facts.target().is_some_and(|p| p.role == Role::App));
    }
}
