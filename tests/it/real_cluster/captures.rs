//! The ladder in real pods: what comes out, and that the pod lives on.

use std::time::Instant;

use rustix::process::Signal;

use super::session::is_whole;
use super::world::{Pod, shared, until};

const REFUSED: i32 = 9;
const TIMED_OUT: i32 = 7;

/// Node majors that `tests/cluster/build` makes images of.
const MAJORS: [u32; 5] = [18, 20, 22, 24, 26];

#[test]
fn a_pod_without_shell_and_with_a_read_only_root_gives_a_snapshot() {
    let Some(turn) = shared("a_pod_without_shell_and_with_a_read_only_root_gives_a_snapshot") else { return };
    let room = turn.room("hardened");
    room.kubectl(&["label", "namespace", &room.name, "pod-security.kubernetes.io/enforce=restricted"]);
    for major in MAJORS {
        let pod = Pod::named(&format!("node-{major}")).image(&format!("distroless:{major}")).holds(16, "none", 0).limit("512Mi").hardened();
        room.start(&pod);
        let began = Instant::now();
        let said = room.capture(&pod.name, &[]);
        let took = began.elapsed();
        assert_eq!(said.code, 0, "node {major}: {}{}", said.out, said.err);
        let json = said.json();
        assert_eq!(
            (&json["method"], &json["state"], &json["assessment"]["risk"]),
            (&"cdp".into(), &"COMPLETE".into(), &"ok".into()),
            "{json:#}"
        );
        assert_eq!(
            (&json["pod_restarts_before"], &json["pod_restarts_after"], &json["process_lives"]),
            (&0.into(), &0.into(), &true.into())
        );
        let file = std::fs::read(json["file"].as_str().expect("a file")).expect("it is there");
        assert!(is_whole(&file) && json["bytes"] == file.len() && json["sha256"] == sha256(&file).as_str());
        let log = room.kubectl(&["logs", &pod.name]);
        assert!(log.contains(&format!("started v{major}.")), "this major: {log}");
        eprintln!("node {major}, distroless: {} MB in {took:.1?}; {}", file.len() / 1_000_000, json["remark"]);
        room.kubectl(&["delete", "pod", &pod.name, "--wait=false"]);
    }
}

#[test]
fn a_capture_that_would_kill_is_refused_and_a_resize_makes_room_for_it() {
    let Some(turn) = shared("a_capture_that_would_kill_is_refused_and_a_resize_makes_room_for_it") else { return };
    let room = turn.room("tight");
    for pod in ["tight", "accepted"] {
        room.start(&Pod::named(pod).holds(100, "none", 0).limit("256Mi"));
    }
    // By the probe alone, and with V8's numbers.
    let said = room.cutoff(&["preflight", "tight", "--method", "cdp", "--json"]);
    assert_eq!((said.code, &said.json()["methods"][0]["risk"]), (REFUSED, &"would_kill".into()), "{}", said.out);
    let said = room.capture("tight", &["--method", "cdp", "--yes"]);
    assert!(said.code == REFUSED && said.out.is_empty(), "unasked it is not done: {}{}", said.out, said.err);
    assert!(said.err.contains("WILL BE KILLED") && said.err.contains("--may-kill tight"), "{}", said.err);
    let said = room.capture("tight", &["--method", "cdp", "--resize"]);
    assert!(said.code == REFUSED && said.err.contains("--confirm tight"), "nor is the limit raised: {}{}", said.out, said.err);
    let limit = || room.of_pod("tight", "/status/containerStatuses/0/resources/limits/memory");
    assert_eq!(limit(), "256Mi");
    // Raised, captured, put back: the process is the same all along.
    let said = room.capture("tight", &["--method", "cdp", "--resize", "--yes", "--put-back-within", "10s"]);
    let lines: Vec<serde_json::Value> = said.out.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let [captured, resized] = &lines[..] else { panic!("a capture and a resize: {}{}", said.out, said.err) };
    assert_eq!((&captured["state"], &captured["pod_restarts_after"]), (&"COMPLETE".into(), &0.into()), "{captured:#}");
    eprintln!("after the resize to {}: {}; put back: {}, {}", resized["to"], captured["remark"], resized["put_back"], resized["why"]);
    if resized["put_back"] == false {
        // A process gives little back after a snapshot: it is said, the label remembers, and the next life has the room.
        assert_eq!((said.code, limit()), (TIMED_OUT, resized["to"].clone()), "{}", said.err);
        assert!(said.err.contains("is still") && said.err.contains("cutoff act resize"), "{}", said.err);
        assert_eq!(room.of_pod("tight", "/metadata/labels/cutoff.dev~1limit-before"), "node.256Mi");
        room.try_exec("tight", "kill -TERM 1");
        until("the container is started again", || (room.restarts("tight") > 0).then_some(()));
        let back = || room.cutoff(&["act", "resize", "tight", "container=node", "memory=256Mi", "in_use=150Mi", "--yes"]);
        until("the limit is put back", || (back().code == 0).then_some(()));
    } else {
        assert_eq!((said.code, room.restarts("tight")), (0, 0), "{}", said.err);
    }
    assert_eq!((limit(), room.of_pod("tight", "/metadata/labels/cutoff.dev~1limit-before")), ("256Mi".into(), serde_json::Value::Null));
    // Its twin, taken as it was by somebody who accepted that by name: the no was right.
    let said = room.capture("accepted", &["--method", "cdp", "--may-kill", "accepted"]);
    assert!(said.code != 0 && said.json()["state"] != "COMPLETE", "{}{}", said.out, said.err);
    if let Some(file) = said.json()["file"].as_str() {
        assert_eq!(said.json()["bytes"], std::fs::read(file).expect("it is there").len(), "what is said to be kept is kept");
    }
    eprintln!("accepted: exit {}, {}: {}", said.code, said.json()["state"], said.json()["remark"]);
    let end = "/status/containerStatuses/0/lastState/terminated/reason";
    let reason = until("the kubelet tells the kill", || room.of_pod("accepted", end).as_str().map(str::to_owned));
    assert_eq!(reason, "OOMKilled");
}

#[test]
fn a_snapshot_at_the_heap_limit_outlives_the_container() {
    let Some(turn) = shared("a_snapshot_at_the_heap_limit_outlives_the_container") else { return };
    let room = turn.room("limit");
    let flags = ["--max-old-space-size=72", "--diagnostic-dir=/dumps"];
    let by_flags = [&flags[..], &["--heapsnapshot-near-heap-limit=1"]].concat();
    let cases = [Pod::named("by-flags").flags(&by_flags), Pod::named("at-run-time").image("node:24").flags(&flags)];
    for pod in cases {
        let pod = pod.holds(40, "heap", 3).limit("3Gi");
        room.start(&pod);
        let waiting = room.capturing(&pod.name, &["--method", "near-limit", "--yes"]);
        // The client sleeps from the file's first byte until the container that wrote it is no more.
        until("V8 writes", || room.try_exec(&pod.name, "ls -s /dumps/*.heapsnapshot").filter(|size| !size.starts_with('0')));
        waiting.signal(Signal::STOP);
        until("the container is started again", || (room.restarts(&pod.name) > 0).then_some(()));
        waiting.signal(Signal::CONT);
        let said = waiting.ends();
        assert_eq!(said.code, 0, "{}: {}{}", pod.name, said.out, said.err);
        let json = said.json();
        assert_eq!((&json["state"], &json["process_lives"]), (&"COMPLETE".into(), &false.into()), "{json:#}");
        assert!(is_whole(&std::fs::read(json["file"].as_str().expect("a file")).expect("it is there")));
        // It crashes on, and each life leaves a file: the first is ours.
        let first = || room.try_exec(&pod.name, "sha256sum $(ls -t /dumps/*.heapsnapshot | tail -n 1)");
        let in_pod = until("its shell answers", first);
        assert_eq!(in_pod.split(' ').next(), json["sha256"].as_str(), "the first file in the emptyDir is this one");
        let code = room.of_pod(&pod.name, "/status/containerStatuses/0/lastState/terminated/exitCode");
        assert_eq!(code, 139, "V8's abort as process 1");
        eprintln!("{}: {} bytes; {}", pod.name, json["bytes"], json["remark"]);
        room.kubectl(&["delete", "pod", &pod.name, "--wait=false"]);
    }
}

/// In hexadecimal.
pub fn sha256(bytes: &[u8]) -> String {
    use sha2::Digest;
    sha2::Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
