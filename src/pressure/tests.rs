//! Stories of the whole board.

use std::time::Duration;

use chrono::{DateTime, Utc};
use proptest::prelude::*;

use super::*;
use crate::base::{Bytes, BytesPerSecond, ContainerRef, PodRef};

const MB: u64 = 1_000_000;

fn at(second: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_764_000_000 + second, 0).expect("in range")
}

fn api() -> Workload {
    Workload { kind: "deployment".into(), name: "api".into() }
}

fn key(pod: &str) -> ContainerRef {
    ContainerRef { pod: PodRef::new("shop", pod), name: "node".into() }
}

/// A running pod of deployment/api with a limit of 500 MB.
fn pod(name: &str) -> PodFacts {
    PodFacts {
        pod: PodRef::new("shop", name),
        uid: format!("uid-{name}"),
        workload: Some(api()),
        revision: None,
        node: None,
        phase: "Running".into(),
        ready: true,
        deleting: false,
        created: None,
        qos: "Burstable".into(),
        labels: std::collections::BTreeMap::new(),
        manager: None,
        resize: None,
        containers: vec![ContainerFacts {
            name: "node".into(),
            id: "c1".into(),
            image: "api:3".into(),
            image_id: String::new(),
            limit: Some(Bytes(500 * MB)),
            request: None,
            state: ContainerState::Running { since: Some(at(-600)) },
            ready: true,
            restarts: 0,
            last_end: None,
            liveness: None,
            resize_restarts: false,
        }],
    }
}

fn restarted(name: &str, restarts: u32, since: i64) -> PodFacts {
    let mut pod = pod(name);
    pod.containers[0].restarts = restarts;
    pod.containers[0].state = ContainerState::Running { since: Some(at(since)) };
    pod.containers[0].last_end = Some(End { reason: "Error".into(), exit_code: 139, started: Some(at(-600)), ended: Some(at(since - 2)) });
    pod
}

fn sample(name: &str, second: i64, used: u64) -> PodSample {
    PodSample {
        pod: PodRef::new("shop", name),
        container: "node".into(),
        at: at(second),
        working_set: Bytes(used),
        source: "metrics-server".into(),
    }
}

/// Feeds one sample each ten seconds in `from..to`: `start` bytes at `from`, `slope` bytes a second more.
fn grow(board: &mut Board, name: &str, from: i64, to: i64, start: u64, slope: u64) {
    for second in (from..to).step_by(10) {
        board.sample(&[sample(name, second, start + slope * u64::try_from(second - from).expect("forwards"))]);
    }
}

#[test]
fn who_dies_first_stands_on_top() {
    let mut board = Board::new(Options::default());
    board.facts(at(0), vec![pod("calm"), pod("slow"), pod("fast"), pod("full"), pod("young")]);
    grow(&mut board, "fast", 0, 100, 100 * MB, 2 * MB);
    grow(&mut board, "slow", 0, 100, 400 * MB, MB / 10);
    grow(&mut board, "full", 0, 100, 480 * MB, 0);
    grow(&mut board, "calm", 0, 100, 100 * MB, 0);
    board.rank(at(95));
    let order: Vec<&str> = board.rows().iter().map(|r| r.container.pod.name.as_str()).collect();
    assert_eq!(order, ["fast", "slow", "full", "calm", "young"]);
    let fast = board.first().expect("something is under pressure");
    // 280 MB at second 90, 2 MB/s: the line meets 500 MB at second 200.
    assert_eq!(fast.eta, Eta::AtMost { left: Duration::from_secs(105), to: "container limit".into() });
    assert_eq!((fast.share, fast.climbing, fast.age), (Some(0.56), true, Some(Duration::from_secs(5))));
    assert!((fast.slope.expect("known").0 - 2e6).abs() < 1.0);
    assert_eq!(board.find(&key("calm")).expect("a row").eta, Eta::NotGrowing);
    let young = board.find(&key("young")).expect("a row");
    assert_eq!((young.working_set, &young.eta), (None, &Eta::Unknown { why: "no sample yet" }));
}

#[test]
fn when_all_is_calm_nobody_is_first() {
    let mut board = Board::new(Options::default());
    board.facts(at(0), vec![pod("a"), pod("b")]);
    grow(&mut board, "a", 0, 100, 100 * MB, 0);
    board.rank(at(100));
    assert_eq!(board.first(), None);
    assert!(board.rows().iter().all(|r| !r.first));
}

#[test]
fn a_restart_begins_a_new_life_and_tells_how_the_last_one_ended() {
    let mut board = Board::new(Options::default());
    board.facts(at(0), vec![pod("a")]);
    grow(&mut board, "a", 0, 200, 100 * MB, 2 * MB);
    board.fact(restarted("a", 1, 210));
    board.rank(at(211));
    let row = board.find(&key("a")).expect("a row").clone();
    assert_eq!((row.working_set, row.slope, row.restarts), (None, None, 1));
    assert_eq!(row.last_end.expect("ended").word, "V8 heap limit? 139");
    // metrics-server still tells of the dead process.
    assert_eq!(board.sample(&[sample("a", 205, 490 * MB)]), 0);
    board.sample(&[sample("a", 220, 90 * MB)]);
    board.died(&key("a"), 1, "V8 heap limit: 112 MB reached".into());
    board.rank(at(221));
    let row = board.find(&key("a")).expect("a row");
    assert_eq!(row.spark, [Bytes(90 * MB)]);
    assert_eq!(row.died.as_deref(), Some("V8 heap limit: 112 MB reached"));
    board.fact(restarted("a", 2, 300));
    board.rank(at(301));
    assert_eq!(board.find(&key("a")).expect("a row").died, None, "those words were of another death");
    assert_eq!(board.samples(&key("a")).len(), 21, "past lives stay for the chart");
}

#[test]
fn where_one_replica_aborted_its_siblings_will() {
    let mut board = Board::new(Options::default());
    board.facts(at(0), vec![pod("a"), pod("b")]);
    for name in ["a", "b"] {
        grow(&mut board, name, 0, 100, 100 * MB, MB);
    }
    let eta = |board: &Board, name: &str| board.find(&key(name)).expect("a row").eta.clone();
    board.rank(at(90));
    assert_eq!(eta(&board, "b"), Eta::AtMost { left: Duration::from_secs(310), to: "container limit".into() });
    // `a` ends at second 98 by V8's limit: at 190 MB eight seconds before, so at about 198 MB.
    board.fact(restarted("a", 1, 100));
    board.rank(at(90));
    let Eta::AtMost { left, to } = eta(&board, "b") else { panic!("it climbs") };
    assert_eq!((left.as_secs(), to.as_str()), (8, "where it aborted last"));
    // `b` goes beyond it: it was no ceiling.
    grow(&mut board, "b", 100, 150, 200 * MB, MB);
    board.rank(at(140));
    assert_eq!(eta(&board, "b"), Eta::AtMost { left: Duration::from_secs(260), to: "container limit".into() });
}

#[test]
fn a_kill_from_outside_teaches_nothing() {
    let mut board = Board::new(Options::default());
    board.facts(at(0), vec![pod("a")]);
    grow(&mut board, "a", 0, 100, 100 * MB, MB);
    let mut killed = restarted("a", 1, 100);
    killed.containers[0].last_end.as_mut().expect("ended").exit_code = 137;
    board.fact(killed);
    grow(&mut board, "a", 110, 210, 50 * MB, MB);
    board.rank(at(200));
    assert_eq!(board.find(&key("a")).expect("a row").eta, Eta::AtMost { left: Duration::from_secs(360), to: "container limit".into() });
}

#[test]
fn a_container_that_is_down_cannot_be_first() {
    let mut board = Board::new(Options::default());
    let mut down = restarted("down", 4, 0);
    down.containers[0].state = ContainerState::Waiting { reason: "CrashLoopBackOff".into() };
    board.facts(at(0), vec![down, pod("calm")]);
    board.rank(at(1));
    let top = &board.rows()[0];
    assert_eq!((top.state.as_str(), top.running, top.first), ("CrashLoopBackOff", false, false));
    assert_eq!(top.eta, Eta::Unknown { why: "not running" });
}

#[test]
fn one_answer_of_the_source_counts_once() {
    let mut board = Board::new(Options::default());
    board.facts(at(0), vec![pod("a")]);
    assert_eq!(board.sample(&[sample("a", 10, MB), sample("a", 10, MB), sample("a", 5, MB), sample("unknown", 10, MB)]), 1);
}

#[test]
fn a_slope_is_not_drawn_over_two_sources() {
    let mut board = Board::new(Options::default());
    board.facts(at(0), vec![pod("a")]);
    grow(&mut board, "a", 0, 100, 100 * MB, MB);
    // The other source counts 30 MB less; then both take turns, as when it is watched closely now and then.
    for second in (100..140).step_by(10) {
        let used = (70 + u64::try_from(second).expect("forwards")) * MB;
        board.sample(&[PodSample { source: "cgroup".into(), ..sample("a", second + 1, used) }, sample("a", second, used + 30 * MB)]);
        board.rank(at(second + 1));
        let row = board.find(&key("a")).expect("a row");
        assert_eq!(row.source.as_deref(), Some("cgroup"), "the freshest is shown");
        assert!((row.slope.expect("known").0 - 1e6).abs() < 1.0, "{:?}", row.slope);
    }
}

#[test]
fn samples_that_stopped_promise_nothing() {
    let mut board = Board::new(Options::default());
    board.facts(at(0), vec![pod("a")]);
    grow(&mut board, "a", 0, 100, 100 * MB, MB / 2);
    board.rank(at(500));
    assert_eq!(board.find(&key("a")).expect("a row").eta, Eta::Unknown { why: "samples stopped" });
}

#[test]
fn a_nearer_ceiling_is_the_one_that_counts_until_the_process_is_another() {
    let mut board = Board::new(Options::default());
    board.facts(at(0), vec![pod("a")]);
    grow(&mut board, "a", 0, 100, 100 * MB, MB);
    board.ceiling(&key("a"), Some(Ceiling { bytes: Bytes(250 * MB), what: "V8 heap limit".into() }));
    board.rank(at(90));
    let eta = |board: &Board| board.find(&key("a")).expect("a row").eta.clone();
    assert_eq!(eta(&board), Eta::AtMost { left: Duration::from_secs(60), to: "V8 heap limit".into() });
    let mut next = restarted("a", 1, 100);
    next.containers[0].last_end.as_mut().expect("ended").exit_code = 143;
    board.fact(next);
    grow(&mut board, "a", 110, 210, 100 * MB, MB);
    board.rank(at(200));
    assert_eq!(eta(&board), Eta::AtMost { left: Duration::from_secs(310), to: "container limit".into() });
}

#[test]
fn what_a_capture_leaves_behind_is_no_growth_and_no_nearer_heap_limit() {
    let mut board = Board::new(Options::default());
    board.facts(at(0), vec![pod("a")]);
    grow(&mut board, "a", 0, 100, 100 * MB, MB / 10);
    board.ceiling(&key("a"), Some(Ceiling { bytes: Bytes(150 * MB), what: "V8 heap limit".into() }));
    board.rank(at(90));
    let eta = |board: &Board| board.find(&key("a")).expect("a row").eta.clone();
    assert_eq!(eta(&board), Eta::AtMost { left: Duration::from_secs(410), to: "V8 heap limit".into() });
    // The snapshot takes 60 MB, most of which stay.
    board.step_begins(&key("a"), at(95));
    grow(&mut board, "a", 100, 120, 160 * MB, MB / 10);
    board.rank(at(110));
    assert_eq!(eta(&board), Eta::AtMost { left: Duration::from_secs(410), to: "V8 heap limit".into() }, "the app stands still");
    board.step_ends(&key("a"), at(115));
    grow(&mut board, "a", 120, 200, 162 * MB, MB / 10);
    board.rank(at(190));
    let Eta::AtMost { left, to } = eta(&board) else { panic!("{:?}", eta(&board)) };
    assert_eq!(to, "V8 heap limit");
    assert_eq!(left.as_secs(), 340, "the 30 s of the capture do not count");
}

#[test]
fn a_rollback_that_helped_is_seen_in_the_pods_that_replaced_the_old_ones() {
    let mut board = Board::new(Options::default());
    board.facts(at(0), vec![pod("old-1"), pod("old-2")]);
    for old in ["old-1", "old-2"] {
        grow(&mut board, old, 0, 200, 100 * MB, MB);
    }
    let changed = at(200);
    assert_eq!(board.helped(&api(), changed, at(201)).effect, SlopeEffect::TooEarly);
    let new: Vec<PodFacts> = ["new-1", "new-2"]
        .map(|n| {
            let mut pod = pod(n);
            pod.containers[0].state = ContainerState::Running { since: Some(at(205)) };
            pod
        })
        .into();
    board.facts(at(206), new.clone());
    // Warming up: fast growth that must not be taken for the leak.
    for pod in ["new-1", "new-2"] {
        grow(&mut board, pod, 210, 250, 60 * MB, MB);
    }
    assert_eq!(board.helped(&api(), changed, at(250)).effect, SlopeEffect::TooEarly);
    for pod in ["new-1", "new-2"] {
        grow(&mut board, pod, 250, 330, 100 * MB, 0);
    }
    let change = board.helped(&api(), changed, at(330));
    assert_eq!((change.effect, change.measured_before, change.measured_after), (SlopeEffect::Helped, 2, 2));
    assert!((change.before.expect("known").0 - 1e6).abs() < 1.0);
    assert_eq!(change.after, Some(BytesPerSecond(0.0)));
}

#[test]
fn a_rollback_that_did_not_help_says_so() {
    let mut board = Board::new(Options::default());
    board.facts(at(0), vec![pod("old")]);
    grow(&mut board, "old", 0, 200, 100 * MB, MB);
    let mut new = pod("new");
    new.containers[0].state = ContainerState::Running { since: Some(at(205)) };
    board.facts(at(206), vec![new]);
    grow(&mut board, "new", 210, 400, 60 * MB, MB + MB / 10);
    assert_eq!(board.helped(&api(), at(200), at(400)).effect, SlopeEffect::NoChange);
    let other = Workload { kind: "deployment".into(), name: "web".into() };
    assert_eq!(board.helped(&other, at(200), at(400)).effect, SlopeEffect::TooEarly, "another workload's pods say nothing");
}

#[test]
fn a_board_can_be_written_down() {
    let mut board = Board::new(Options::default());
    board.facts(at(0), vec![pod("a")]);
    grow(&mut board, "a", 0, 50, 100 * MB, MB);
    board.died(&key("a"), 0, "x".into());
    board.rank(at(50));
    let json = serde_json::to_value(&board).expect("a board is data");
    assert_eq!(json["rows"][0]["container"]["pod"]["name"], "a");
}

proptest! {
    #[test]
    fn any_feed_keeps_the_board_in_order(
        feed in prop::collection::vec((0usize..4, 0i64..400, 0u64..600), 0..120),
        restart_at in 0usize..120,
    ) {
        let names = ["a", "b", "c", "d"];
        let mut board = Board::new(Options::default());
        board.facts(at(0), names.map(pod).into());
        for (i, (which, second, mb)) in feed.iter().enumerate() {
            if i == restart_at {
                board.fact(restarted(names[*which], 1, *second));
            }
            board.sample(&[sample(names[*which], *second, mb * MB)]);
        }
        board.rank(at(400));
        prop_assert_eq!(board.rows().len(), 4);
        prop_assert!(board.rows().iter().skip(1).all(|r| !r.first));
        let left = |r: &Row| match r.eta { Eta::AtMost { left, .. } => Some(left), _ => None };
        let known: Vec<Duration> = board.rows().iter().filter_map(left).collect();
        prop_assert!(known.is_sorted(), "{:?}", known);
        let first_unknown = board.rows().iter().position(|r| left(r).is_none()).unwrap_or(4);
        prop_assert_eq!(first_unknown, known.len(), "those with a known end come first");
        let mut again = board.clone();
        again.rank(at(400));
        prop_assert_eq!(again, board);
    }
}
