//! Copies over a kubelet that dies: its streams end as if all had come (measured: exit 0, Status Success).

use std::time::Duration;

use cutoff::capture::{CopyEnd, Depth, Memory, Source, copy, survey};
use cutoff::preflight::CaptureState;
use tokio_util::sync::CancellationToken;

use super::captures::sha256;
use super::session::{capture, look, wait};
use super::world::{Pod, alone, until};

#[test]
fn a_copy_goes_on_where_the_kubelets_end_broke_it() {
    let Some(turn) = alone("a_copy_goes_on_where_the_kubelets_end_broke_it") else { return };
    let room = turn.room("copy");
    room.start(&Pod::named("importer").holds(8, "none", 0));
    // Nothing in it can be compressed, so the copy takes its time.
    room.kubectl(&["exec", "importer", "--", "dd", "if=/dev/urandom", "of=/dumps/big", "bs=1M", "count=96"]);
    let in_pod = room.kubectl(&["exec", "importer", "--", "sha256sum", "/dumps/big"]);
    let kills = std::sync::atomic::AtomicUsize::new(0);
    let (copied, bytes) = wait(async {
        let place = room.place("importer").await;
        let found = survey(&place, None, (None, None), Depth::Probe).await.expect("a survey");
        let source = Source {
            path: Some("/dumps/big".to_owned()),
            dir: "/dumps".to_owned(),
            pid: 1,
            beyond_death: true,
            patience: Duration::from_secs(60),
            ..Source::default()
        };
        let mut landed = Memory::default();
        let mut tell = |state: CaptureState| {
            let CaptureState::Copying { copied, .. } = state else { return };
            let due = [12 << 20, 50 << 20].iter().filter(|at| copied.0 > **at).count();
            if due > kills.load(std::sync::atomic::Ordering::Relaxed) {
                kills.store(due, std::sync::atomic::Ordering::Relaxed);
                turn.outage("kubelet");
            }
        };
        let copied = copy(&place, &found.facts, &source, &mut landed, &mut tell, &CancellationToken::new()).await.expect("a copy");
        (copied, landed.0)
    });
    assert_eq!((copied.end, kills.into_inner()), (CopyEnd::Whole, 2));
    assert!(copied.breaks >= 2, "{} breaks", copied.breaks);
    assert_eq!(in_pod.split(' ').next(), Some(sha256(&bytes).as_str()), "{} bytes", bytes.len());
    assert_eq!(room.restarts("importer"), 0);
    // What the broken connections left behind in the pod is gone, and nothing waits for a reader that is none.
    let left = || room.try_exec("importer", "ps -o pid,ppid,stat,args | grep '[b]ig\\|[g]zip' || true");
    let began = std::time::Instant::now();
    while left().is_none_or(|left| !left.is_empty()) {
        assert!(began.elapsed() < Duration::from_secs(20), "readers left in the pod:\n{}", left().unwrap_or_default());
    }
}

#[test]
fn a_stream_from_the_inspector_that_breaks_is_no_whole_snapshot() {
    let Some(turn) = alone("a_stream_from_the_inspector_that_breaks_is_no_whole_snapshot") else { return };
    let room = turn.room("stream");
    room.start(&Pod::named("importer").holds(60, "none", 0).limit("3Gi"));
    wait(async {
        let place = room.place("importer").await;
        let survey = look(&place).await;
        let verdict = survey.assess_by("cdp", None);
        let mut killed = false;
        let (cut, bytes) = capture(&place, &survey, &verdict, false, |state| {
            if let CaptureState::Copying { copied, .. } = state
                && copied.0 > 5 << 20
                && !std::mem::replace(&mut killed, true)
            {
                turn.outage("kubelet");
            }
        })
        .await;
        assert!(killed, "{:?}", cut.done);
        let CaptureState::Truncated { bytes: kept, .. } = &cut.done.state else { panic!("{:?}", cut.done) };
        assert_eq!(kept.0, bytes.len() as u64, "what is said to be here is here");
        eprintln!("kubelet killed in mid-stream: {} of it kept; {}", kept, cut.done.remark);
        // The kubelet is back: the same process gives a whole one.
        until("the kubelet answers", || {
            let out = room.cluster.try_kubectl(&["-n", &room.name, "exec", "importer", "--", "true"], None);
            out.status.success().then_some(())
        });
        let survey = look(&place).await;
        let (whole, bytes) = capture(&place, &survey, &survey.assess_by("cdp", None), false, |_| {}).await;
        assert!(matches!(whole.done.state, CaptureState::Complete { .. }), "{:?}", whole.done);
        assert!(super::session::is_whole(&bytes));
        let last = room.of_pod("importer", "/status/containerStatuses/0/lastState");
        assert_eq!((whole.restarts, whole.process_lives), ((0, Some(0)), Some(true)), "{last}");
    });
}
