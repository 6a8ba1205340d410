//! The parser on what the probe printed in real containers: PID, mount, network and cgroup namespaces, Node 18 to 26,
//! images with dash + coreutils, with busybox, and with Node alone.

use crate::base::Bytes;
use crate::node::facts::{ProbeKind, ProcessFacts, Role};
use crate::node::limits::NodeVersion;
use crate::node::signals::{Effect, Signal, Usr2};

use super::parse;

macro_rules! recorded {
    ($name:literal) => {
        parse(include_bytes!(concat!("recorded/", $name, ".txt")), "T0").expect("a probe's output")
    };
}

fn all() -> Vec<(&'static str, ProcessFacts)> {
    vec![
        ("debian-exec-form", recorded!("debian-exec-form")),
        ("debian-npm", recorded!("debian-npm")),
        ("debian-shell-form", recorded!("debian-shell-form")),
        ("debian-tini", recorded!("debian-tini")),
        ("busybox-inspect", recorded!("busybox-inspect")),
        ("busybox-cluster", recorded!("busybox-cluster")),
        ("distroless-readonly", recorded!("distroless-readonly")),
        ("distroless-title", recorded!("distroless-title")),
        ("busybox-workers-child-killed", recorded!("busybox-workers-child-killed")),
    ]
}

#[test]
fn every_container_gives_a_target_with_its_memory() {
    for (name, facts) in all() {
        assert!(facts.complete, "{name}");
        let target = facts.target().unwrap_or_else(|| panic!("{name}: no target"));
        assert!(target.role.is_candidate() && target.rss > Bytes::mib(30) && target.version.is_some(), "{name}: {target:?}");
        assert!(target.started.is_some_and(|start| start < facts.now), "{name}");
        let cgroup = facts.cgroup.as_ref().unwrap_or_else(|| panic!("{name}: no cgroup"));
        assert!(cgroup.current > Bytes::mib(5) && cgroup.working_set() <= cgroup.current, "{name}");
        assert!(facts.dirs.iter().any(|dir| dir.path == "/tmp" && dir.is_memory() && dir.writable_by(target) == Some(true)), "{name}");
        assert!(facts.processes.iter().all(|p| !p.command.as_str().contains("begin")), "{name}: the probe saw itself");
        assert_eq!(target.signals.effect(Signal::Usr1, target.pid) == Effect::Handled, name != "distroless-title", "{name}");
    }
}

#[test]
fn node_as_process_1_with_flags_from_both_sides() {
    let facts = recorded!("debian-exec-form");
    let node = facts.target().expect("node");
    assert_eq!((node.pid, facts.by), (1, ProbeKind::Shell));
    assert_eq!(node.version, NodeVersion::parse("v20.20.2"));
    assert_eq!(node.flags.max_old_space_mib, Some(96), "from NODE_OPTIONS");
    assert_eq!(node.signals.usr2(1, &node.flags), Usr2::Snapshot);
    assert_eq!(facts.cgroup.as_ref().and_then(|c| c.limit), Some(Bytes::mib(256)));
    assert!(facts.listeners.iter().any(|l| l.port == 3000 && node.owns.contains(&l.inode)));
    assert!(facts.inspector(1).is_none());
    let dir = facts.dump_dir(1, true).expect("cwd");
    assert_eq!((dir.path.as_str(), dir.writable_by(node), dir.is_memory()), ("/usr/src/app", Some(true), false));
    assert!(facts.tools.has("gzip") && !facts.tools.busybox);
}

#[test]
fn under_npm_the_deepest_node_is_meant() {
    let facts = recorded!("debian-npm");
    let npm = facts.process(1).expect("npm");
    assert_eq!((npm.role, npm.title_overwritten), (Role::Launcher, true), "{npm:?}");
    let app = facts.target().expect("the app");
    assert_ne!(app.pid, 1);
    assert_eq!(app.flags.max_old_space_mib, Some(200));
    assert_eq!(app.signals.usr2(app.pid, &app.flags), Usr2::Kills, "USR2 without a handler kills what is not process 1");
    assert_eq!(facts.candidates().len(), 1);
}

#[test]
fn under_a_shell_and_tini_the_child_is_meant() {
    for (facts, first) in [(recorded!("debian-shell-form"), "sh"), (recorded!("debian-tini"), "tini")] {
        assert_eq!(facts.process(1).map(|p| (p.role, p.name.as_str())), Some((Role::Other, first)));
        assert!(facts.target.is_some_and(|pid| pid > 1));
    }
    let facts = recorded!("debian-tini");
    let node = facts.target().expect("node");
    assert_eq!(node.signals.usr2(node.pid, &node.flags), Usr2::Report, "--report-on-signal catches USR2 as well");
    let dir = facts.dump_dir(node.pid, false).expect("--diagnostic-dir was looked at");
    assert_eq!((dir.path.as_str(), dir.uid), ("/data", 1000));
}

#[test]
fn an_inspector_open_to_the_network_is_seen() {
    let facts = recorded!("busybox-inspect");
    let node = facts.target().expect("node");
    let open = facts.inspector(node.pid).expect("an open inspector");
    assert!(open.is_exposed() && open.port == 9229);
    assert!(facts.tools.busybox);
    assert_eq!(node.version.map(|v| v.major), Some(18));
}

#[test]
fn cluster_children_are_targets_and_visitors_are_not() {
    let facts = recorded!("busybox-cluster");
    let roles: Vec<Role> = facts.processes.iter().map(|p| p.role).collect();
    assert_eq!(roles, [Role::ClusterPrimary, Role::ClusterChild, Role::ClusterChild, Role::Visitor]);
    let biggest = facts.processes.iter().max_by_key(|p| p.rss).map(|p| p.role);
    assert_eq!(biggest, Some(Role::Visitor), "a person's own node in an exec session is larger and still not meant");
    assert_eq!(facts.target().map(|p| p.role), Some(Role::ClusterChild));
    assert_eq!(facts.candidates().len(), 3);
    assert_eq!(facts.child_deaths(), crate::node::ChildDeaths::default());
}

#[test]
fn a_child_that_was_killed_while_process_1_lived_and_workers_are_seen() {
    let facts = recorded!("busybox-workers-child-killed");
    let node = facts.target().expect("node");
    assert_eq!((node.pid, node.workers), (1, Some(3)), "three worker_threads of Node 24");
    assert_eq!(facts.child_deaths().oom_kills, 1);
    let cgroup = facts.cgroup.as_ref().expect("memory");
    assert_eq!((cgroup.limit_hits, cgroup.peak), (30, cgroup.limit), "it touched its limit before");
    assert!(facts.load.is_some_and(|load| load.cpus == 2 && load.contention() > 4.0), "{:?}", facts.load);
    // Before Node 24 a worker's thread has no name of its own.
    assert_eq!(recorded!("debian-exec-form").target().and_then(|p| p.workers), None);
}

#[test]
fn without_a_shell_the_containers_own_node_answers() {
    let facts = recorded!("distroless-readonly");
    let node = facts.target().expect("node");
    assert_eq!((facts.by, node.exe.as_str()), (ProbeKind::Node, "/nodejs/bin/node"));
    assert!(node.flags.heap_prof);
    let dir = facts.dump_dir(1, false).expect("cwd");
    assert_eq!((dir.read_only, dir.writable_by(node)), (true, Some(false)));
    assert!(facts.tools.found.is_empty());
}

#[test]
fn a_title_hides_the_flags_but_not_the_process() {
    let facts = recorded!("distroless-title");
    let node = facts.target().expect("node");
    assert!(node.title_overwritten);
    assert_eq!(node.command.as_str(), "content-import worker");
    assert!(!node.flags.disable_sigusr1, "given on the command line, lost by the title");
    assert_eq!(node.signals.effect(Signal::Usr1, 1), Effect::Nothing, "but the mask still tells");
    assert_eq!(node.signals.usr2(1, &node.flags), Usr2::AppHandler);
    assert_eq!(facts.cgroup.and_then(|c| c.limit), None);
}

#[test]
fn a_probe_cut_anywhere_gives_facts_or_a_reason() {
    let text = include_bytes!("recorded/debian-npm.txt");
    for cut in (0..text.len()).step_by(7) {
        if let Ok(facts) = parse(&text[..cut], "T0") {
            assert!(!facts.complete, "cut at {cut}");
        }
    }
}

proptest::proptest! {
    #[test]
    fn no_output_breaks_the_parser(name in "[a-z0-9]{2,6}", lines in proptest::collection::vec(".{0,40}", 0..8)) {
        let text = format!("@@T0 begin 1 sh 3\n@@T0 proc 1\nexe /bin/node\n@@T0 {name} {}\n{}", lines.len(), lines.join("\n"));
        let facts = parse(text.as_bytes(), "T0").expect("it has a process");
        proptest::prop_assert_eq!(facts.target, Some(1));
    }
}
