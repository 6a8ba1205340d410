//! Copies over a kubelet that dies: its streams end as if all had come (measured: exit 0, Status Success).

use std::time::Duration;

use cutoff::capture::{CopyEnd, Depth, Memory, Source, copy, survey};
use cutoff::preflight::CaptureState;
use tokio_util::sync::CancellationToken;

use super::captures::sha256;
use super::session::{capture, look, wait};
use super::world::{Pod, alone, shared, until};

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
        // Node itself ends now and then (139) when the inspector's client goes away while V8 streams: then that is said.
        let restarts = room.restarts("importer");
        let last = room.of_pod("importer", "/status/containerStatuses/0/lastState/terminated/exitCode");
        eprintln!("after the break: {restarts} restarts, exit code {last}, the process lives: {:?}", cut.process_lives);
        if restarts > 0 {
            let log = room.cluster.try_kubectl(&["-n", &room.name, "logs", "importer", "--previous", "--tail=30"], None);
            eprintln!("{}", String::from_utf8_lossy(&log.stdout));
        }
        match restarts {
            0 => assert_ne!(cut.process_lives, Some(false), "{:?}", cut.done),
            _ => assert_eq!((cut.process_lives, last), (Some(false), 139.into()), "{:?}", cut.done),
        }
        let survey = look(&place).await;
        let (whole, bytes) = capture(&place, &survey, &survey.assess_by("cdp", None), false, |_| {}).await;
        assert!(matches!(whole.done.state, CaptureState::Complete { .. }), "{:?}", whole.done);
        assert!(super::session::is_whole(&bytes));
        let now = u32::try_from(restarts).expect("a few");
        assert_eq!((whole.restarts, whole.process_lives), ((now, Some(now)), Some(true)), "{:?}", whole.done);
    });
}

#[test]
fn a_file_is_copied_by_what_the_image_has() {
    let Some(turn) = shared("a_file_is_copied_by_what_the_image_has") else { return };
    let room = turn.room("copies");
    let cases =
        [("shell", "node:20", "dd | gzip -1"), ("bare", "distroless:20", "Node, gzip 1"), ("bare-new", "distroless:24", "Node, zstd 1")];
    for (name, image, way) in cases {
        let flags = ["--heapsnapshot-signal=SIGUSR2", "--diagnostic-dir=/dumps"];
        room.start(&Pod::named(name).image(image).flags(&flags).holds(8, "none", 0).limit("1Gi"));
        let taken = room.capture(name, &["--method", "signal", "--yes"]);
        assert_eq!(taken.code, 0, "{name}: {}{}", taken.out, taken.err);
        let taken = taken.json();
        let remark = taken["remark"].as_str().expect("a remark");
        assert!(remark.contains(way) && remark.contains("its sha256 there is the same"), "{name}: {remark}");
        let record = std::fs::read(format!("{}.json", taken["file"].as_str().expect("a file"))).expect("a record");
        let record: serde_json::Value = serde_json::from_slice(&record).expect("JSON");
        let from = record["provenance"]["path"].as_str().expect("a path").to_owned();
        // The same file once more by its name, and then away with it.
        let (from, to) = (format!("{name}:{from}"), room.path(name).to_string_lossy().into_owned());
        let said = room.cutoff(&["copy", &from, "-o", &to, "--delete", "--yes", "--json"]);
        assert_eq!(said.code, 0, "{name}: {}{}", said.out, said.err);
        let json = said.json();
        assert_eq!((&json["state"], &json["sha256"]), (&"COMPLETE".into(), &taken["sha256"]), "{json:#}");
        assert_eq!((&json["same_in_pod"], &json["deleted_in_pod"], room.restarts(name)), (&true.into(), &true.into(), 0), "{json:#}");
        eprintln!("{name}: {}", json["remark"]);
        let said = room.cutoff(&["copy", &from, "--json"]);
        assert_eq!(said.code, 4, "it is gone: {}{}", said.out, said.err);
    }
}
