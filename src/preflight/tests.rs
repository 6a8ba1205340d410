//! Whole assessments: recorded containers with the budgets of real pods.

use std::time::Duration;

use crate::base::{Bytes, BytesPerSecond};
use crate::node::cost::{Census, Shape};
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
        large: Some(Bytes(0)),
        source: HeapSource::Inspector,
        ..HeapReading::default()
    };
    let situation = Situation {
        facts: &facts,
        pid: None,
        heap: Some(heap),
        earlier: None,
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
    let [RemedyKind::Resize { from, to }, RemedyKind::DebugCopy { old_space_mib: 96, memory: Some(_) }, .., RemedyKind::Sampling] =
        kinds[..]
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
        earlier: None,
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
            earlier: None,
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
    let at = Situation {
        facts: &facts,
        pid: None,
        heap: None,
        earlier: None,
        pod: &pod,
        shape: Shape::Unknown,
        local_free: None,
        link: None,
        refused: &[],
    };
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
        let at = Situation {
            facts,
            pid: None,
            heap: None,
            earlier: None,
            pod: &pod,
            shape: Shape::Unknown,
            local_free: None,
            link: None,
            refused,
        };
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

/// Rows of `tests/matrix/costs.csv`: what real heaps of many shapes took on five majors, and what V8 had said of them.
fn recorded_costs() -> Vec<(String, u16, HeapReading, Bytes)> {
    let number = |text: &str| text.parse::<u64>().expect("a number");
    include_str!("../../tests/matrix/costs.csv")
        .lines()
        .skip(1)
        .map(|line| {
            let f: Vec<&str> = line.split(',').collect();
            let census = Census {
                objects: number(f[4]),
                fields: number(f[5]),
                elements: number(f[6]),
                longest: number(f[7]),
                strings: number(f[8]),
                text: Bytes(number(f[9])),
            };
            let heap = HeapReading {
                used: Bytes(number(f[2])),
                large: Some(Bytes(number(f[3]))),
                census: Some(census),
                rss: Bytes(number(f[2]) + 50_000_000),
                source: HeapSource::Inspector,
                after_collection: true,
                ..HeapReading::default()
            };
            (format!("Node {}, {}", f[0], f[1]), f[0].parse().expect("a major"), heap, Bytes(number(f[10])))
        })
        .collect()
}

#[test]
fn over_the_recorded_matrix_no_capture_that_is_ok_kills_its_process() {
    let rows = recorded_costs();
    assert!(rows.len() > 50, "{} rows", rows.len());
    let pod = PodBudget::default();
    let (mut ok, mut risky) = (0, 0);
    for (name, major, heap, took) in rows {
        let mut recorded = node_20();
        for process in &mut recorded.processes {
            process.version = crate::node::NodeVersion::parse(&format!("v{major}.0.0"));
        }
        // From far too little room to plenty; whether V8 counted, told its spaces, or its size alone.
        let asked = [heap, HeapReading { census: None, ..heap }, HeapReading { census: None, large: None, ..heap }];
        let shares = [0.1, 0.4, 0.7, 0.9, 0.99, 1.0, 1.15, 1.3, 1.6, 2.0, 4.0, 9.0];
        for (heap, share) in asked.iter().flat_map(|heap| shares.map(|share| (*heap, share))) {
            let free = (took.0 as f64 * share) as u64;
            let mut facts = recorded.clone();
            let cgroup = facts.cgroup.as_mut().expect("memory");
            (cgroup.current, cgroup.inactive_file, cgroup.limit) = (Bytes(100_000_000), Bytes(0), Some(Bytes(100_000_000 + free)));
            let at = Situation {
                facts: &facts,
                pid: None,
                heap: Some(heap),
                earlier: None,
                pod: &pod,
                shape: Shape::Unknown,
                local_free: None,
                link: None,
                refused: &[],
            };
            let verdict = assess(&at, &CDP);
            let memory = verdict.because.iter().filter(|r| r.check == Check::Memory).map(|r| r.risk).max();
            assert!(verdict.risk != Risk::Ok || free >= took.0, "{name}: OK with {} free, and it took {took}", Bytes(free));
            if heap.census.is_some() {
                assert!(memory != Some(Risk::WouldKill) || free < took.0, "{name}: refused with {} free, and it took {took}", Bytes(free));
                ok += usize::from(verdict.risk == Risk::Ok);
                risky += usize::from(verdict.risk == Risk::Risky);
            }
        }
    }
    assert!(ok > 2 * recorded_costs().len(), "the range is too wide to be of use: {ok} OK, {risky} RISKY");
}

/// `cdp` and `signal` on a recorded container, with `change` made to its pod.
fn on_recorded(text: &[u8], demand: &Demand, change: impl FnOnce(&mut PodBudget)) -> Assessment {
    let facts = recorded(text);
    let mut pod = PodBudget::default();
    change(&mut pod);
    let at = Situation {
        facts: &facts,
        pid: None,
        heap: None,
        earlier: None,
        pod: &pod,
        shape: Shape::Unknown,
        local_free: None,
        link: None,
        refused: &[],
    };
    assess(&at, demand)
}

#[test]
fn what_a_person_would_try_by_hand_is_explained() {
    let npm = &include_bytes!("../node/probe/recorded/debian-npm.txt")[..];
    let shell = include_bytes!("../node/probe/recorded/debian-shell-form.txt");
    let tini = include_bytes!("../node/probe/recorded/debian-tini.txt");
    let first = include_bytes!("../node/probe/recorded/debian-exec-form.txt");
    for (text, demand, words) in [
        (npm, &SIGNAL, "process 1 is npm start; kill -USR2 1 hits npm start and never reaches process"),
        (npm, &CDP, "kill -USR1 1 opens the inspector of npm start, not that of the app"),
        (shell, &SIGNAL, "process 1 is sh; kill -USR2 1 hits sh and never reaches process"),
        (tini, &SIGNAL, "process 1 is tini; kill -USR2 1 passes it on to process"),
        (first, &CDP, "--inspect needs a restart, which loses this heap"),
    ] {
        let verdict = on_recorded(text, demand, |_| {});
        let said: Vec<&str> = verdict.because.iter().map(|r| r.text.as_str()).filter(|t| t.starts_with("by hand: ")).collect();
        assert!(said.iter().any(|said| said.contains(words)), "{words}: {said:?}");
    }
}

#[test]
fn traps_of_the_pod_are_named() {
    let text = include_bytes!("../node/probe/recorded/debian-exec-form.txt");
    let policy = |change: fn(&mut PodBudget)| {
        let verdict = on_recorded(text, &CDP, change);
        verdict.because.iter().filter(|r| r.check == Check::Policy).map(|r| r.text.to_string()).collect::<Vec<_>>()
    };
    assert!(policy(|_| {}).is_empty());
    assert!(policy(|pod| pod.resize_restarts = true)[0].contains("resizePolicy: RestartContainer"));
    assert!(policy(|pod| pod.qos = "BestEffort".to_owned())[0].contains("first to be evicted"));
    let elsewhere = on_recorded(text, &CDP, |pod| pod.others_killed = vec!["sidecar".to_owned()]);
    assert!(elsewhere.because.iter().any(|r| r.check == Check::Nature && r.text.as_str().contains("killed for memory is sidecar")));
}

#[test]
fn a_child_that_died_beside_process_1_is_told() {
    let text = include_bytes!("../node/probe/recorded/busybox-workers-child-killed.txt");
    let verdict = on_recorded(text, &CDP, |_| {});
    let told = verdict.because.iter().find(|r| r.text.as_str().contains("killed for memory in this container while process 1"));
    assert_eq!(told.map(|r| (r.check, r.risk)), Some((Check::Nature, Risk::Ok)), "{verdict:?}");
}

#[test]
fn a_busy_node_makes_the_freeze_longer_and_is_said() {
    let mut facts = node_20();
    let pod = PodBudget::default();
    let heap = HeapReading { used: Bytes(100_000_000), source: HeapSource::Inspector, ..HeapReading::default() };
    let freeze = |facts: &ProcessFacts| {
        let at = Situation {
            facts,
            pid: None,
            heap: Some(heap),
            earlier: None,
            pod: &pod,
            shape: Shape::Objects,
            local_free: None,
            link: None,
            refused: &[],
        };
        let verdict = assess(&at, &CDP);
        let text = verdict.because.iter().find(|r| r.check == Check::Freeze).map(|r| r.text.to_string()).expect("a freeze");
        (verdict.predicted.freeze.expect("a freeze"), text)
    };
    let (idle, _) = freeze(&facts);
    facts.load = Some(crate::node::Load { running: 11.0, cpus: 4 });
    let (busy, text) = freeze(&facts);
    assert_eq!((busy.low, busy.high), (idle.low, idle.high * 3));
    assert!(text.contains("(the node is busy: load 11.0 on 4 CPUs)"), "{text}");
}
