//! Whole assessments: recorded containers with the budgets of real pods.

use std::time::Duration;

use crate::base::{Bytes, BytesPerSecond};
use crate::node::cost::Shape;
use crate::node::{ProcessFacts, parse_probe};
use crate::pressure::Liveness;

use super::*;

const CDP: Demand =
    Demand { method: "cdp", builds: Builds::Now, inspector: true, usr2: false, writes: false, restarts: false, brings_file: true };
const SIGNAL: Demand = Demand { method: "signal", inspector: false, usr2: true, writes: true, ..CDP };
const NEAR_LIMIT: Demand = Demand { method: "near-limit", builds: Builds::AtHeapLimit, writes: true, ..CDP };
const SAMPLING: Demand = Demand { method: "sampling", builds: Builds::Never, brings_file: false, ..CDP };

fn recorded(text: &[u8]) -> ProcessFacts {
    parse_probe(text, "T0").expect("a probe's output")
}

fn node_20() -> ProcessFacts {
    recorded(include_bytes!("../node/probe/recorded/debian-exec-form.txt"))
}

/// Node 20 as process 1 in a container of `limit` MiB with a heap of `used` MB.
fn judged(limit: u64, used: u64, demand: &Demand, change: impl FnOnce(&mut PodBudget)) -> Assessment {
    let mut facts = node_20();
    if let Some(cgroup) = &mut facts.cgroup {
        cgroup.limit = Some(Bytes::mib(limit));
        cgroup.current = Bytes(used * 1_000_000 + 90_000_000);
        cgroup.inactive_file = Bytes(0);
    }
    let mut pod = PodBudget { has_controller: true, qos: "Burstable".to_owned(), ..PodBudget::default() };
    change(&mut pod);
    let heap = HeapReading {
        used: Bytes(used * 1_000_000),
        limit: Some(Bytes::mib(limit / 2 + 48)),
        rss: Bytes(used * 1_000_000 + 80_000_000),
        source: HeapSource::Inspector,
        ..HeapReading::default()
    };
    let situation = Situation {
        facts: &facts,
        pid: None,
        heap: Some(heap),
        pod: &pod,
        shape: Shape::Unknown,
        local_free: Some(Bytes(50_000_000_000)),
        link: None,
        refused: &[],
    };
    assess(&situation, demand)
}

#[test]
fn the_classic_setting_is_killed_and_says_how_to_do_better() {
    // 2 GiB with a heap of 1 GB: the documentation's "about twice" would fit.
    let verdict = judged(2048, 1000, &CDP, |_| {});
    assert_eq!(verdict.risk, Risk::WouldKill);
    assert!(
        verdict.headline().starts_with("WILL BE KILLED: needs 6.20 GB to 20.0 GB on top, 1.06 GB is free under 2.00 GiB"),
        "{}",
        verdict.headline()
    );
    let kinds: Vec<&RemedyKind> = verdict.remedies.iter().map(|r| &r.kind).collect();
    let [RemedyKind::Resize { from, to }, RemedyKind::DebugCopy { old_space_mib: 222, memory: None }, .., RemedyKind::Sampling] = kinds[..]
    else {
        panic!("{kinds:?}")
    };
    assert_eq!(*from, Bytes::mib(2048));
    assert!(to.0 > 8_800_000_000 && to.0.is_multiple_of(64 << 20), "{to}");
    assert!(verdict.inputs.iter().any(|f| f.name.as_str() == "JS heap used" && f.source.as_str() == "inspector"));
}

#[test]
fn the_verdict_follows_the_room() {
    for (limit, used, risk) in [
        (4096, 100, Risk::Ok),
        (900, 100, Risk::Risky),
        // A heap of tiny objects that was killed on a real cluster, where "the usual need and a quarter" had said OK.
        (835, 87, Risk::Risky),
        (400, 100, Risk::WouldKill),
        (512, 20, Risk::Ok),
    ] {
        let verdict = judged(limit, used, &CDP, |_| {});
        assert_eq!(verdict.risk, risk, "{limit} MiB, {used} MB: {}", verdict.headline());
        assert_eq!(verdict.remedies.is_empty(), risk == Risk::Ok);
    }
}

#[test]
fn a_probe_that_cannot_wait_kills_too() {
    let liveness = |failures, period| Liveness { failure_threshold: failures, period_s: period, timeout_s: 1, grace_s: 30 };
    let patient = judged(8192, 300, &CDP, |pod| pod.liveness = Some(liveness(30, 10)));
    assert_eq!(patient.risk, Risk::Ok, "{}", patient.headline());
    let strict = judged(8192, 300, &CDP, |pod| pod.liveness = Some(liveness(3, 5)));
    assert_eq!(strict.risk, Risk::WouldKill);
    assert!(strict.headline().contains("the liveness probe kills it after 11 s"), "{}", strict.headline());
    assert!(strict.remedies.iter().any(|r| r.kind == RemedyKind::Isolate));
    assert_eq!(strict.liveness, Some(LivenessBudget { until_kill: Duration::from_secs(11), grace: Duration::from_secs(30) }));
}

#[test]
fn half_a_cpu_doubles_the_freeze_and_is_said() {
    let mut facts = node_20();
    let cgroup = facts.cgroup.as_mut().expect("memory");
    cgroup.cpus = Some(crate::node::MilliCpu(500));
    cgroup.limit = Some(Bytes::mib(8192));
    let pod = PodBudget::default();
    let heap = HeapReading { used: Bytes(100_000_000), rss: Bytes(180_000_000), source: HeapSource::Inspector, ..HeapReading::default() };
    let at = Situation {
        facts: &facts,
        pid: None,
        heap: Some(heap),
        pod: &pod,
        shape: Shape::Objects,
        local_free: None,
        link: None,
        refused: &[],
    };
    let verdict = assess(&at, &CDP);
    let freeze = verdict.because.iter().find(|r| r.check == Check::Freeze).expect("a freeze");
    assert_eq!(freeze.text.as_str(), "answers nobody for 12 s to 21 s (limited to 0.5 CPU); there is no liveness probe to kill it");
}

#[test]
fn a_signal_is_sent_only_where_it_is_proved() {
    let good = judged(4096, 50, &SIGNAL, |_| {});
    assert_eq!(good.risk, Risk::Ok, "{}", good.headline());
    for (text, risk, word) in [
        (&include_bytes!("../node/probe/recorded/debian-npm.txt")[..], Risk::WouldKill, "SIGUSR2 kills it"),
        (include_bytes!("../node/probe/recorded/debian-tini.txt"), Risk::Impossible, "--report-on-signal"),
        (include_bytes!("../node/probe/recorded/distroless-title.txt"), Risk::Impossible, "its title hides its flags"),
        (include_bytes!("../node/probe/recorded/distroless-readonly.txt"), Risk::Impossible, "ignores SIGUSR2"),
    ] {
        let facts = recorded(text);
        let pod = PodBudget::default();
        let at = Situation {
            facts: &facts,
            pid: None,
            heap: None,
            pod: &pod,
            shape: Shape::Unknown,
            local_free: None,
            link: None,
            refused: &[],
        };
        let verdict = assess(&at, &SIGNAL);
        let signal = verdict.because.iter().find(|r| r.check == Check::Signal).expect("a signal");
        assert!(signal.risk == risk && signal.text.as_str().contains(word), "{signal:?}");
        assert!(verdict.remedies.iter().any(|r| matches!(&r.kind, RemedyKind::Method { name } if name == "cdp")));
    }
}

#[test]
fn a_read_only_directory_would_end_the_app() {
    let facts = recorded(include_bytes!("../node/probe/recorded/distroless-readonly.txt"));
    let pod = PodBudget::default();
    let at =
        Situation { facts: &facts, pid: None, heap: None, pod: &pod, shape: Shape::Unknown, local_free: None, link: None, refused: &[] };
    let verdict = assess(&at, &NEAR_LIMIT);
    let disk = verdict.because.iter().find(|r| r.check == Check::Disk).expect("a directory");
    assert_eq!(disk.risk, Risk::WouldKill);
    assert_eq!(disk.text.as_str(), "/usr/src/app is read-only: the failed write would end the app (EROFS)");
}

#[test]
fn at_the_heap_limit_the_default_heap_never_fits() {
    // Half of the container's memory is heap, and its snapshot takes five times that.
    let verdict = judged(2048, 100, &NEAR_LIMIT, |_| {});
    assert_eq!(verdict.risk, Risk::WouldKill);
    assert!(verdict.headline().contains("at V8's limit it needs"), "{}", verdict.headline());
}

#[test]
fn sampling_always_goes() {
    let verdict = judged(300, 250, &SAMPLING, |_| {});
    assert_eq!(verdict.risk, Risk::Ok, "{}", verdict.headline());
    assert_eq!(verdict.predicted, Predicted::default());
}

#[test]
fn the_race_is_told_in_seconds() {
    let verdict = judged(4096, 200, &CDP, |pod| pod.slope = Some(BytesPerSecond(1_500_000.0)));
    let race = verdict.because.iter().find(|r| r.check == Check::Race).expect("a race");
    assert!(race.text.as_str().starts_with("OOM in about"), "{}", race.text);
    assert_eq!(race.risk, Risk::Ok);
    let lost = judged(4096, 1900, &CDP, |pod| pod.slope = Some(BytesPerSecond(400_000_000.0)));
    assert_eq!(lost.because.iter().find(|r| r.check == Check::Race).map(|r| r.risk), Some(Risk::Risky));
}

#[test]
fn no_node_no_capture_and_a_guess_is_called_a_guess() {
    let mut facts = node_20();
    let pod = PodBudget::default();
    let refused = ["create pods/portforward".to_owned()];
    let judge = |facts: &ProcessFacts, refused: &[String]| {
        let at = Situation { facts, pid: None, heap: None, pod: &pod, shape: Shape::Unknown, local_free: None, link: None, refused };
        assess(&at, &CDP)
    };
    let guessed = judge(&facts, &[]);
    assert!(guessed.because.iter().any(|r| r.text.as_str().contains("guessed from resident memory")), "{guessed:?}");
    assert_eq!(judge(&facts, &refused).headline(), "NOT POSSIBLE: you may not create pods/portforward");
    facts.target = None;
    assert_eq!(judge(&facts, &[]).headline(), "NOT POSSIBLE: there is no Node process in this container");
}

#[test]
fn where_nothing_makes_room_in_place_the_next_life_is_armed() {
    let verdict = judged(2048, 1000, &CDP, |pod| pod.resize_restarts = true);
    let kinds: Vec<&RemedyKind> = verdict.remedies.iter().map(|r| &r.kind).collect();
    assert!(!kinds.iter().any(|k| matches!(k, RemedyKind::Resize { .. })), "a resize would restart it: {kinds:?}");
    assert!(
        kinds.iter().any(|k| matches!(k, RemedyKind::Redeploy { old_space_mib: Some(222), heap_prof: None })),
        "with a heap that fits, and no profile where no exit is in order: {kinds:?}"
    );
    let alone = judged(2048, 1000, &CDP, |pod| (pod.resize_restarts, pod.has_controller) = (true, false));
    assert!(alone.remedies.iter().all(|r| r.kind == RemedyKind::Sampling), "nobody would make another: {:?}", alone.remedies);
}
