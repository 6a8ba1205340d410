//! Nights of waiting, lived through without a world: armed pods, queues, second snapshots.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::TimeDelta;

use super::model::Arms;
use super::stories::{Story, all, assessed, captures, container};
use super::*;
use crate::base::{Bytes, ContainerRef, EvidenceId, Masked, PodRef, ProcessKey};
use crate::incident::{Arming, Event, Outcome, PairWhen, Provenance, Receipt, Sign, State};
use crate::preflight::{Assessment, CaptureState, Check, Reason, Risk};
use crate::pressure::{ContainerFacts, ContainerState, End, PodFacts, PodSample, Workload};

fn facts(restarts: u32, state: ContainerState) -> ContainerFacts {
    let end = End { reason: "OOMKilled".into(), exit_code: 137, started: None, ended: None };
    ContainerFacts {
        name: "node".into(),
        id: format!("containerd://{restarts}"),
        image: "import:1".into(),
        image_id: String::new(),
        limit: Some(Bytes::mib(512)),
        request: None,
        state,
        ready: true,
        restarts,
        last_end: (restarts > 0).then_some(end),
        liveness: None,
        resize_restarts: false,
    }
}

fn running(restarts: u32) -> ContainerFacts {
    facts(restarts, ContainerState::Running { since: None })
}

fn pod_called(name: &str, uid: &str, part: ContainerFacts) -> PodFacts {
    PodFacts {
        pod: PodRef::new("shop", name),
        uid: uid.into(),
        workload: Some(Workload { kind: "deployment".into(), name: "import".into() }),
        revision: None,
        node: None,
        phase: "Running".into(),
        ready: true,
        deleting: false,
        created: Some(super::stories::start().wall + TimeDelta::hours(if name == "import-0" { -1 } else { 1 })),
        qos: "Burstable".into(),
        labels: BTreeMap::new(),
        manager: None,
        containers: vec![part],
        resize: None,
    }
}

fn pod(restarts: u32) -> PodFacts {
    pod_called("import-0", "uid-0", running(restarts))
}

fn near_limit(risk: Risk) -> Assessment {
    Assessment::of(
        "near-limit",
        vec![Reason::new(Check::Memory, risk, "at V8's limit it needs 300 MB on top, and 200 MB will be free then")],
    )
}

fn arms(by_flags: bool, dir: Option<&str>) -> Arms {
    Arms { by_flags, dir: dir.map(str::to_owned), outlives: false, heap_mib: Some(96) }
}

/// The surveys that run are answered.
fn look(story: &mut Story, arms: &Arms, risk: Risk) {
    let open: Vec<_> = story.model.surveys.iter().filter_map(|(c, s)| s.job.map(|job| (c.clone(), job))).collect();
    for (container, job) in open {
        let result = Ok(vec![assessed(Risk::Ok), near_limit(risk)]);
        story.hear(News::Surveyed { job, container, ceiling: None, arms: Some(Box::new(arms.clone())), result });
    }
}

/// A declared incident with a pod that is armed through the inspector.
fn armed() -> Story {
    let mut story = Story::declared();
    story.hear(News::Pods { pods: vec![pod(1)] });
    story.wish(Intent::Arm { containers: vec![container()] });
    look(&mut story, &arms(false, Some("/app")), Risk::Risky);
    story.wish(Intent::ArmAs { containers: vec![container()], choice: ArmChoice::RunTime });
    story
}

fn collected(effects: &[Effect]) -> Vec<Gather> {
    all(effects).into_iter().filter_map(|e| if let Effect::Collect { what, .. } = e { Some(what.clone()) } else { None }).collect()
}

fn signs(story: &Story) -> Vec<Sign> {
    story.recorded().iter().filter_map(|k| if let Kind::SignSeen { sign, .. } = k { Some(*sign) } else { None }).collect()
}

fn ended(outcome: Outcome, process: Option<ProcessKey>) -> Box<CaptureEnd> {
    let provenance = process.map(|process| {
        Box::new(Provenance {
            container: container(),
            process,
            image: Masked::default(),
            node: None,
            node_version: None,
            flags: Masked::default(),
            method: Masked::own("cdp"),
            who: Masked::own("ann"),
            began: super::stories::start().wall,
            ended: super::stories::start().wall,
            command: Masked::default(),
            tool: Masked::default(),
            path: None,
            same_in_pod: None,
        })
    });
    let bytes = if outcome == Outcome::Complete { Bytes(1000) } else { Bytes(0) };
    Box::new(CaptureEnd { outcome, bytes, sha256: None, file: Some("x".into()), provenance, remark: String::new() })
}

fn end_capture(story: &mut Story, evidence: EvidenceId, outcome: Outcome, process: Option<ProcessKey>) {
    let job = story.model.capture(evidence).and_then(|c| c.job).expect("it runs");
    let state = match outcome {
        Outcome::Complete => CaptureState::Complete { bytes: Bytes(1000) },
        Outcome::KilledEmpty => CaptureState::KilledEmpty { why: "killed".into() },
        _ => CaptureState::Cancelled,
    };
    story.hear(News::Captured { job, evidence, state, end: ended(outcome, process) });
}

#[test]
fn arming_is_shown_asked_recorded_and_then_waits() {
    let mut story = Story::declared();
    story.hear(News::Pods { pods: vec![pod(1)] });
    story.wish(Intent::Arm { containers: vec![container()] });
    assert!(all(&story.effects).iter().any(|e| matches!(e, Effect::Survey { deep: false, .. })), "read-only until somebody chooses");
    assert!(matches!(story.model.prompt(), Some(Prompt::Arm { .. })));
    story.wish(Intent::ArmAs { containers: vec![container()], choice: ArmChoice::RunTime });
    assert!(story.model.watches.is_empty(), "not before it is known what it would do");
    look(&mut story, &arms(false, Some("/app")), Risk::Ok);
    assert_eq!(proposal(&story.model, &container()).how, Arming::Inspector);
    story.wish(Intent::ArmAs { containers: vec![container()], choice: ArmChoice::RunTime });
    let [Effect::Record { event, then }, Effect::Record { event: begun, then: behind }] = story.effects.as_slice() else {
        panic!("{:?}", story.effects)
    };
    assert!(matches!(event.kind, Kind::Armed { how: Arming::Inspector, deaths: 1, .. }));
    assert!(matches!(then.as_slice(), [Effect::Watch { .. }]));
    assert!(matches!(begun.kind, Kind::CaptureStarted { .. }));
    assert!(matches!(behind.as_slice(), [Effect::Capture { armed: Some(_), accepted: Risk::Risky, .. }]), "{behind:?}");
    assert!(story.model.jobs.is_empty(), "a wait of hours is not what Ctrl-C stops");
    assert!(story.model.prompt().is_none());
}

#[test]
fn each_pod_is_armed_as_its_probe_allows() {
    let cases = [
        (arms(true, Some("/dumps")), Risk::WouldKill, Arming::Flags),
        (arms(true, None), Risk::Ok, Arming::Only),
        (arms(false, Some("/app")), Risk::Ok, Arming::Inspector),
        (arms(false, Some("/app")), Risk::Risky, Arming::Inspector),
        (arms(false, Some("/app")), Risk::WouldKill, Arming::Only),
        (arms(false, Some("/app")), Risk::Impossible, Arming::Only),
        (arms(false, None), Risk::Ok, Arming::Only),
    ];
    for (arms, risk, how) in cases {
        let mut story = Story::declared();
        story.hear(News::Pods { pods: vec![pod(0)] });
        story.wish(Intent::Arm { containers: vec![container()] });
        look(&mut story, &arms, risk);
        let proposal = proposal(&story.model, &container());
        assert_eq!((proposal.how, proposal.looking), (how, false), "{arms:?} {risk:?}");
        assert!(!proposal.note.is_empty());
    }
}

#[test]
fn a_death_is_collected_without_a_key() {
    let mut story = armed();
    story.after(40).hear(News::Sign { container: container(), sign: Sign::Log, what: "FATAL ERROR".into(), path: None });
    assert_eq!(signs(&story), [Sign::Log]);
    story.hear(News::Sign { container: container(), sign: Sign::Log, what: "FATAL ERROR".into(), path: None });
    assert!(signs(&story).is_empty(), "said once");
    // Dead, and not yet counted as restarted: this is the death, and the restart after it is no other.
    let end = End { reason: "OOMKilled".into(), exit_code: 137, started: None, ended: None };
    let dead = pod_called("import-0", "uid-0", facts(1, ContainerState::Terminated(end)));
    story.hear(News::Pod { pod: Box::new(dead) });
    assert_eq!(signs(&story), [Sign::OomKill]);
    assert_eq!(collected(&story.effects), [Gather::LastLog]);
    assert!(story.effects.iter().any(|e| matches!(e, Effect::Autopsy { restarts: 2, .. })), "how it died is found out");
    assert!(story.effects.contains(&Effect::Bell));
    story.hear(News::Pod { pod: Box::new(pod(2)) });
    assert!(signs(&story).is_empty() && collected(&story.effects).is_empty(), "{:?}", story.effects);
    story.hear(News::Pod { pod: Box::new(pod(3)) });
    assert_eq!((signs(&story), collected(&story.effects)), (vec![Sign::OomKill], vec![Gather::LastLog]), "the next one");
}

#[test]
fn reports_are_kept_and_heaps_only_where_nothing_waits_for_them() {
    let mut story = armed();
    let file = |path: &str| News::Sign { container: container(), sign: Sign::File, what: path.into(), path: Some(path.into()) };
    let report = "/app/report.20261124.101010.1.0.002.json";
    story.hear(file(report));
    assert_eq!(collected(&story.effects), [Gather::File { path: report.into() }]);
    let heap = "/app/Heap.20261124.101010.1.0.001.heapsnapshot";
    story.hear(file(heap));
    assert_eq!(signs(&story), [Sign::File]);
    assert!(collected(&story.effects).is_empty(), "the capture that waits has its own eyes");
    let evidence = story.model.watch(&container()).and_then(|w| w.capture).expect("a capture waits");
    end_capture(&mut story, evidence, Outcome::Complete, None);
    assert!(all(&story.effects).iter().any(|e| matches!(e, Effect::Analyse { .. })), "and what came is analysed");
    let later = "/app/Heap.20261124.111010.1.0.001.heapsnapshot";
    story.hear(file(later));
    assert_eq!(collected(&story.effects), [Gather::File { path: later.into() }]);
}

#[test]
fn without_a_heap_the_next_life_is_waited_for_but_not_for_ever() {
    let mut story = armed();
    for left in (0..4).rev() {
        let evidence = story.model.watch(&container()).and_then(|w| w.capture).expect("a capture waits");
        end_capture(&mut story, evidence, Outcome::KilledEmpty, None);
        assert_eq!(captures(&story.effects), usize::from(left > 0));
    }
    let watch = story.model.watch(&container()).expect("logs and ends are still watched");
    assert!(watch.capture.is_none() && watch.waits_for.contains("no heap"), "{}", watch.waits_for);
}

#[test]
fn a_watch_survives_the_tool() {
    let story = armed();
    let events: Vec<Event> = story.model.incident.iter().flat_map(|s| s.timeline.iter().map(|e| e.as_ref().clone())).collect();
    let mut again = Story::new();
    again.at = story.at.plus(Duration::from_secs(3600));
    again.hear(News::Reopened { events });
    assert!(all(&again.effects).iter().any(|e| matches!(e, Effect::Watch { since, .. } if *since == story.at.wall)), "from where it was");
    assert_eq!(captures(&again.effects), 1, "and the heap is waited for again");
    assert_eq!(again.model.watches.len(), 1);
    // It died twice while nobody looked: seen with the first list.
    again.hear(News::Pods { pods: vec![pod(3)] });
    assert_eq!((signs(&again), collected(&again.effects)), (vec![Sign::OomKill], vec![Gather::LastLog]));
    assert!(again.effects.iter().any(|e| matches!(e, Effect::Autopsy { restarts: 3, .. })));
}

#[test]
fn the_pod_that_takes_its_place_is_watched() {
    let mut story = armed();
    let mut going = pod(1);
    going.deleting = true;
    story.hear(News::Pod { pod: Box::new(going) });
    assert_eq!((signs(&story), collected(&story.effects)), (vec![Sign::Replaced], vec![Gather::LastLog]), "while it can be read");
    story.hear(News::PodGone { pod: container().pod });
    assert!(story.model.watch(&container()).is_some_and(|w| w.seeking.is_some()));
    story.hear(News::Pod { pod: Box::new(pod_called("import-9", "uid-9", running(0))) });
    let next = ContainerRef { pod: PodRef::new("shop", "import-9"), name: "node".into() };
    assert!(story.model.watch(&container()).is_none() && story.model.watch(&next).is_some());
    let kinds = story.recorded();
    assert!(kinds.iter().any(|k| matches!(k, Kind::Disarmed { .. })) && kinds.iter().any(|k| matches!(k, Kind::Armed { .. })), "{kinds:?}");
    assert!(all(&story.effects).iter().any(|e| matches!(e, Effect::Cancel { .. })), "the eyes on the old one are closed");
}

#[test]
fn a_pod_that_nothing_replaces_is_given_up_with_words() {
    let mut story = armed();
    story.hear(News::PodGone { pod: container().pod });
    story.after(9).tell(Msg::Tick);
    assert_eq!(story.model.watches.len(), 1);
    story.after(2).tell(Msg::Tick);
    assert!(story.model.watches.is_empty());
    assert!(story.recorded().iter().any(|k| matches!(k, Kind::Disarmed { why, .. } if why.as_str().contains("none has taken its place"))));
}

#[test]
fn another_pod_of_the_same_name_is_armed_anew() {
    let mut story = armed();
    story.hear(News::Pod { pod: Box::new(pod_called("import-0", "uid-1", running(0))) });
    assert_eq!(signs(&story), [Sign::Replaced]);
    assert_eq!(story.model.watch(&container()).map(|w| w.pod_uid.as_str()), Some("uid-1"));
    assert_eq!(captures(&story.effects), 1);
}

#[test]
fn disarming_is_asked_and_read_only_only_watches() {
    let mut story = armed();
    story.wish(Intent::Arm { containers: vec![container()] });
    assert!(matches!(story.model.prompt(), Some(Prompt::Disarm { .. })));
    story.wish(Intent::RefuseArm);
    assert!(story.model.prompt().is_none() && !story.model.watches.is_empty());
    story.wish(Intent::Arm { containers: vec![container()] });
    story.wish(Intent::Disarm { containers: vec![container()] });
    assert!(story.model.watches.is_empty());
    assert_eq!(all(&story.effects).iter().filter(|e| matches!(e, Effect::Cancel { .. })).count(), 2, "eyes and wait: {:?}", story.effects);
    assert!(story.recorded().iter().any(|k| matches!(k, Kind::Disarmed { .. })));

    let mut story = Story::declared();
    story.model.setting.read_only = true;
    story.hear(News::Pods { pods: vec![pod(0)] });
    story.wish(Intent::Arm { containers: vec![container()] });
    look(&mut story, &arms(false, Some("/app")), Risk::Ok);
    story.wish(Intent::ArmAs { containers: vec![container()], choice: ArmChoice::RunTime });
    assert!(story.model.watches.is_empty() && story.effects.is_empty());
    story.wish(Intent::ArmAs { containers: vec![container()], choice: ArmChoice::Only });
    let method =
        all(&story.effects).into_iter().find_map(|e| if let Effect::Capture { method, .. } = e { Some(method.clone()) } else { None });
    assert_eq!(method.as_deref(), Some("watch"), "nothing in the pod is changed");
}

#[test]
fn a_redeploy_has_its_own_dry_run_and_then_watches_the_new_pods() {
    let mut story = Story::declared();
    story.hear(News::Pods { pods: vec![pod(0)] });
    story.wish(Intent::Arm { containers: vec![container()] });
    look(&mut story, &arms(false, Some("/app")), Risk::WouldKill);
    story.wish(Intent::ArmAs { containers: vec![container()], choice: ArmChoice::Redeploy });
    let Some(Effect::Preview { job, request }) = story.effects.last().cloned() else { panic!("{:?}", story.effects) };
    assert!(story.model.watches.is_empty(), "nothing before the dry-run was confirmed");
    let preview = crate::incident::Preview { request, call: "PATCH".into(), diff: Vec::new(), warnings: Vec::new(), confirm: None };
    story.hear(News::Previewed { job, result: Ok(preview) });
    story.wish(Intent::Confirm { job, typed: String::new() });
    let Some(Effect::Perform { intent, .. }) = all(&story.effects).into_iter().find(|e| matches!(e, Effect::Perform { .. })).cloned()
    else {
        panic!("{:?}", story.effects)
    };
    story.hear(News::Performed { job, intent, result: Ok(Receipt { summary: "armed".into(), undo: None, leaves: None }) });
    assert_eq!(story.model.watch(&container()).map(|w| (w.how, w.capture)), Some((Arming::Flags, None)), "its process goes");
    story.hear(News::Pod { pod: Box::new(pod_called("import-9", "uid-9", running(0))) });
    story.hear(News::PodGone { pod: container().pod });
    let next = ContainerRef { pod: PodRef::new("shop", "import-9"), name: "node".into() };
    assert!(story.model.watch(&next).is_some_and(|w| w.how == Arming::Flags && w.capture.is_some()));
}

#[test]
fn what_is_over_with_the_incident() {
    let mut story = armed();
    story.wish(Intent::Resolve { text: "fixed".into() });
    assert!(story.model.watches.is_empty());
    let state = story.model.incident.as_ref().expect("resolved");
    assert!(state.watches.iter().all(|w| w.ended.is_some()));
    let events: Vec<Event> = state.timeline.iter().map(|e| e.as_ref().clone()).collect();
    assert_eq!(State::replay(&events).as_ref(), Some(state), "all of it is folded from events");
}

fn of(name: &str) -> ContainerRef {
    ContainerRef { pod: PodRef::new("shop", name), name: "node".into() }
}

#[test]
fn captures_beyond_the_cap_wait_in_a_queue() {
    let mut story = Story::declared();
    let names = ["import-0", "import-1", "import-2", "import-3"];
    story.hear(News::Pods { pods: names.iter().map(|n| pod_called(n, n, running(0))).collect() });
    let mut begun = 0;
    for name in names {
        story.wish(Intent::Capture { container: of(name), method: None });
        look(&mut story, &arms(false, None), Risk::Ok);
        begun += captures(&story.effects);
    }
    assert_eq!((begun, story.model.queue.len()), (2, 2));
    story.wish(Intent::Capture { container: of("import-2"), method: None });
    assert_eq!(story.model.queue.len(), 2, "once is enough");
    story.wish(Intent::Unqueue { container: of("import-2") });
    end_capture(&mut story, EvidenceId(1), Outcome::Complete, None);
    assert_eq!((captures(&story.effects), story.model.queue.len()), (1, 0), "the next one has its place");
    assert_eq!(story.model.captures.last().map(|c| c.container.clone()), Some(of("import-3")));
}

#[test]
fn what_waits_for_a_death_takes_no_place_and_hinders_no_capture() {
    let mut story = armed();
    let evidence = story.model.watch(&container()).and_then(|w| w.capture).expect("a capture waits");
    let job = story.model.capture(evidence).and_then(|c| c.job).expect("it waits");
    let state = CaptureState::Armed { waits_for: "V8's heap limit".into() };
    story.hear(News::Capturing { job, evidence, state, bytes: Bytes(0), expected: None, process: None });
    story.wish(Intent::Capture { container: container(), method: None });
    assert_eq!(captures(&story.effects), 1, "a fresh preflight said yes");
    let building = CaptureState::Building { done: 0, total: 0 };
    story.hear(News::Capturing { job, evidence, state: building, bytes: Bytes(0), expected: None, process: None });
    assert!(story.model.jobs.contains_key(&job), "what comes of the wait is shown");
}

fn process(restart: u32) -> ProcessKey {
    ProcessKey {
        pod_uid: "uid-0".into(),
        container_id: format!("containerd://{restart}"),
        restart,
        pid: 1,
        started: super::stories::start().wall,
    }
}

fn memory(story: &mut Story, mib: u64) {
    let at = story.at.wall;
    let c = container();
    let sample = PodSample { pod: c.pod, container: c.name, at, working_set: Bytes::mib(mib), source: "cgroup".into() };
    story.hear(News::Samples { samples: vec![sample] });
}

/// The first of two is here; its process lives.
fn first() -> Story {
    let mut story = Story::declared();
    story.hear(News::Pods { pods: vec![pod(1)] });
    memory(&mut story, 200);
    story.wish(Intent::Capture { container: container(), method: None });
    look(&mut story, &arms(false, None), Risk::Ok);
    end_capture(&mut story, EvidenceId(1), Outcome::Complete, Some(process(1)));
    story
}

#[test]
fn the_second_of_two_comes_when_it_has_grown() {
    let mut story = first();
    story.wish(Intent::Pair { first: EvidenceId(1), when: PairWhen::Grown { by: Bytes::mib(40) } });
    assert!(story.recorded().iter().any(|k| matches!(k, Kind::PairPlanned { .. })));
    story.after(2);
    memory(&mut story, 230);
    assert!(story.model.pairing.is_empty());
    let plan = story.model.incident.as_ref().and_then(|s| s.pairs.last().cloned()).expect("planned");
    assert_eq!(plan.missing(story.at.wall, Some(Bytes::mib(230))).as_deref(), Some("+31.5 MB of +41.9 MB grown"));
    story.after(2);
    memory(&mut story, 245);
    assert!(all(&story.effects).iter().any(|e| matches!(e, Effect::Survey { deep: true, .. })), "preflight anew: {:?}", story.effects);
    look(&mut story, &arms(false, None), Risk::Ok);
    let same = all(&story.effects).into_iter().find_map(|e| if let Effect::Capture { same, .. } = e { Some(same.clone()) } else { None });
    assert_eq!(same.flatten().as_deref(), Some(&process(1)), "of that life and no other");
    assert!(story.recorded().iter().any(|k| matches!(k, Kind::PairEnded { second: Some(EvidenceId(2)), .. })));
    end_capture(&mut story, EvidenceId(2), Outcome::Complete, Some(process(1)));
    let together =
        all(&story.effects).into_iter().find_map(|e| if let Effect::Analyse { evidence, .. } = e { Some(evidence.clone()) } else { None });
    assert_eq!(together, Some(vec![EvidenceId(1), EvidenceId(2)]), "analysed together: growth leads");
}

#[test]
fn the_second_of_two_comes_after_a_time_also_when_the_tool_was_gone() {
    let mut story = first();
    story.wish(Intent::Pair { first: EvidenceId(1), when: PairWhen::After { seconds: 600 } });
    let events: Vec<Event> = story.model.incident.iter().flat_map(|s| s.timeline.iter().map(|e| e.as_ref().clone())).collect();
    let mut again = Story::new();
    again.at = story.at.plus(Duration::from_secs(700));
    again.hear(News::Reopened { events });
    assert!(!all(&again.effects).iter().any(|e| matches!(e, Effect::Survey { .. })), "not before the pods are known");
    again.hear(News::Pods { pods: vec![pod(1)] });
    assert!(all(&again.effects).iter().any(|e| matches!(e, Effect::Survey { .. })));
}

#[test]
fn another_life_is_refused_with_words() {
    let mut story = first();
    story.wish(Intent::Pair { first: EvidenceId(1), when: PairWhen::After { seconds: 600 } });
    story.hear(News::Pod { pod: Box::new(pod(2)) });
    let why = story
        .recorded()
        .into_iter()
        .find_map(|k| if let Kind::PairEnded { second: None, why, .. } = k { Some(why.to_string()) } else { None });
    assert!(why.is_some_and(|why| why.contains("started again")), "{:?}", story.effects);
    story.wish(Intent::Pair { first: EvidenceId(1), when: PairWhen::After { seconds: 0 } });
    assert!(story.effects.is_empty(), "nor can it be planned now");
    assert!(story.model.toasts.back().is_some_and(|t| t.text.contains("two lives do not compare")));
}

#[test]
fn a_second_snapshot_that_would_kill_is_asked_and_a_no_is_recorded() {
    let mut story = first();
    story.wish(Intent::Pair { first: EvidenceId(1), when: PairWhen::After { seconds: 0 } });
    let job = story.model.surveys[&container()].job.expect("preflight anew");
    let result = Ok(vec![assessed(Risk::WouldKill)]);
    story.hear(News::Surveyed { job, container: container(), ceiling: None, arms: None, result });
    assert!(matches!(story.model.prompt(), Some(Prompt::Risk { .. })));
    story.wish(Intent::RefuseRisk { container: container() });
    assert!(story.recorded().iter().any(|k| matches!(k, Kind::PairEnded { second: None, .. })));
    story.tell(Msg::Tick);
    assert!(story.effects.is_empty(), "and not asked again: {:?}", story.effects);
}

#[test]
fn a_plan_can_be_given_up() {
    let mut story = first();
    story.wish(Intent::Pair { first: EvidenceId(1), when: PairWhen::After { seconds: 60 } });
    story.wish(Intent::CancelPair { first: EvidenceId(1) });
    story.after(5).tell(Msg::Tick);
    assert!(!all(&story.effects).iter().any(|e| matches!(e, Effect::Survey { .. })));
}

#[test]
fn the_race_is_told_and_what_is_kept_if_it_is_lost() {
    let mut story = Story::declared();
    story.hear(News::Pods { pods: vec![pod(0)] });
    for i in 0..30u64 {
        story.at = story.at.plus(Duration::from_secs(10));
        memory(&mut story, 200 + i * 9);
    }
    story.wish(Intent::Capture { container: container(), method: None });
    look(&mut story, &arms(false, None), Risk::Ok);
    let job = story.model.captures[0].job.expect("it runs");
    let mut race_at = |rate: u64| {
        let state = CaptureState::Copying { copied: Bytes(40_000_000), of: Some(Bytes(100_000_000)), rate: Some(Bytes(rate)) };
        story.hear(News::Capturing { job, evidence: EvidenceId(1), state, bytes: Bytes(0), expected: None, process: None });
        (race(&story.model, &story.model.captures[0]).expect("both are known"), next(&story.model).words)
    };
    let (won, _) = race_at(20_000_000);
    assert!(!won.lost && won.words.starts_with("OOM in about ") && won.words.ends_with("copy done in 4 s"), "{won:?}");
    let (lost, words) = race_at(100_000);
    assert!(lost.lost && lost.keeps.contains("objects whole"), "{lost:?}");
    assert!(words.contains("kept: about 4"), "{words}");
}
