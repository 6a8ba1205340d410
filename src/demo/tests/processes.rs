//! The pods as processes: how they die, and that none outlives the demo.

use std::collections::{BTreeMap, BTreeSet};
use std::io::BufRead as _;
use std::process::{Command, Stdio};

use kube::api::LogParams;

use super::*;

#[tokio::test]
async fn left_alone_the_hot_replica_dies_of_its_heap_and_comes_back() {
    let demo = Demo::start(Options { pace: 12.0, ..Options::default() }).await.unwrap();
    if let Mode::Recorded(why) = demo.mode() {
        crate::skips::skipped("left_alone_the_hot_replica_dies_of_its_heap_and_comes_back", why);
        return;
    }
    let client = client(&demo).await;
    let api = pods(&client).await;
    let hot = name(&replicas(&client).await[0]).to_string();
    let dead = until("its death", || async { Some(api.get(&hot).await.unwrap()).filter(|p| restarts(p) > 5) }).await;
    let last = dead.status.unwrap().container_statuses.unwrap()[0].last_state.clone().unwrap().terminated.unwrap();
    // As process 1 on x64 abort() ends in SIGSEGV; on arm64 in SIGTRAP.
    assert!([139, 133, 134].contains(&last.exit_code), "{}", last.exit_code);
    assert_eq!(last.reason.as_deref(), Some("Error"));
    let previous = LogParams { previous: true, ..LogParams::default() };
    assert!(api.logs(&hot, &previous).await.unwrap().contains("JavaScript heap out of memory"));
    until("its return", || async { is_ready(&api.get(&hot).await.unwrap()).then_some(()) }).await;
    demo.stop().await;
}

#[tokio::test]
async fn what_grows_beyond_the_limit_is_killed_as_the_kernel_would() {
    let Some(demo) = live("what_grows_beyond_the_limit_is_killed_as_the_kernel_would").await else { return };
    let client = client(&demo).await;
    let api = pods(&client).await;
    let store = until("the storefront", || async {
        let list = api.list(&ListParams::default().labels("app=storefront")).await.unwrap().items;
        list.into_iter().find(is_ready)
    })
    .await;
    let store = name(&store).to_string();
    let hog = "const a = []; setInterval(() => a.push(Buffer.alloc(16 << 20, 1)), 20)";
    let attach = kube::api::AttachParams::default().container("app");
    let _running = api.exec(&store, ["node", "-e", hog], &attach).await.unwrap();
    let dead = until("the kill", || async { Some(api.get(&store).await.unwrap()).filter(|p| restarts(p) > 0) }).await;
    let statuses = dead.status.unwrap().container_statuses.unwrap();
    let last = statuses.iter().find(|c| c.name == "app").unwrap().last_state.clone().unwrap().terminated.unwrap();
    assert_eq!((last.exit_code, last.reason.as_deref()), (137, Some("OOMKilled")));
    assert_eq!(statuses.iter().find(|c| c.name == "log-shipper").unwrap().restart_count, 0, "the sidecar lives on");
}

/// Every process below `root`, by `/proc`.
fn descendants(root: u32) -> BTreeSet<u32> {
    let mut parents: BTreeMap<u32, u32> = BTreeMap::new();
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|n| n.parse().ok()) else { continue };
        if let Some((_, parent)) = state(pid) {
            parents.insert(pid, parent);
        }
    }
    let mut found = BTreeSet::from([root]);
    loop {
        let more: Vec<u32> =
            parents.iter().filter(|(pid, parent)| found.contains(parent) && !found.contains(pid)).map(|(pid, _)| *pid).collect();
        if more.is_empty() {
            found.remove(&root);
            return found;
        }
        found.extend(more);
    }
}

/// State letter and parent.
fn state(pid: u32) -> Option<(char, u32)> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let mut rest = stat.rsplit_once(") ")?.1.split(' ');
    Some((rest.next()?.chars().next()?, rest.next()?.parse().ok()?))
}

fn lives(pid: u32) -> bool {
    // Nobody may reap the orphans on a machine without a proper init: a zombie is dead.
    state(pid).is_some_and(|(state, _)| !matches!(state, 'Z' | 'X'))
}

/// Run by the test below in a process of its own.
#[tokio::test]
#[ignore = "the body of none_outlives_a_killed_program"]
#[allow(clippy::print_stdout, reason = "tells its parent where it stands")]
async fn stands_until_killed() {
    let demo = Demo::start(Options::default()).await.unwrap();
    let client = client(&demo).await;
    replicas(&client).await;
    println!("\nSTANDS {} {}", demo.mode().is_live(), demo.kubeconfig().display());
    std::future::pending::<()>().await;
}

#[tokio::test]
async fn none_outlives_a_killed_program() {
    if live("none_outlives_a_killed_program").await.is_none() {
        return;
    }
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "--ignored", "--nocapture", "demo::tests::processes::stands_until_killed"])
        .stdout(Stdio::piped())
        .stdin(Stdio::null())
        .spawn()
        .unwrap();
    let lines = std::io::BufReader::new(child.stdout.take().unwrap()).lines();
    let stands =
        tokio::task::spawn_blocking(move || lines.map_while(Result::ok).find(|l| l.starts_with("STANDS "))).await.unwrap().unwrap();
    assert!(stands.starts_with("STANDS true "), "{stands}");
    let pods = descendants(child.id());
    assert!(pods.len() >= 20, "seven containers and six sandboxes: {pods:?}");
    child.kill().unwrap();
    child.wait().unwrap();
    until("the end of every pod", || async { (!pods.iter().any(|pid| lives(*pid))).then_some(()) }).await;
    // The next demo removes what the killed one left.
    let left = std::path::PathBuf::from(stands.rsplit(' ').next().unwrap());
    let next = recorded().await;
    assert!(!left.exists() && next.kubeconfig().exists());
}

#[tokio::test]
async fn stopping_ends_every_process_and_removes_every_file() {
    let demo = Demo::start(Options::default()).await.unwrap();
    if let Mode::Recorded(why) = demo.mode() {
        crate::skips::skipped("stopping_ends_every_process_and_removes_every_file", why);
        return;
    }
    replicas(&client(&demo).await).await;
    let directory = demo.kubeconfig().parent().unwrap().to_path_buf();
    let text = directory.to_str().unwrap().to_string();
    // Processes whose set-up names this demo's directory are its containers' parents.
    let mine: BTreeSet<u32> = descendants(std::process::id())
        .into_iter()
        .filter(|pid| std::fs::read_to_string(format!("/proc/{pid}/cmdline")).is_ok_and(|c| c.contains(&text)))
        .flat_map(|pid| descendants(pid).into_iter().chain([pid]))
        .collect();
    assert!(mine.len() >= 14, "{mine:?}");
    demo.stop().await;
    until("the end of every pod", || async { (!mine.iter().any(|pid| lives(*pid))).then_some(()) }).await;
    assert!(!directory.exists());
}

#[cfg(unix)]
#[tokio::test]
async fn nobody_else_may_read_the_kubeconfig() {
    use std::os::unix::fs::PermissionsExt as _;
    let demo = recorded().await;
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&demo.kubeconfig()), 0o600);
    assert_eq!(mode(demo.kubeconfig().parent().unwrap()), 0o700);
    let log = Command::new("git").arg("-C").arg(demo.repository()).args(["log", "--format=%at"]).output().unwrap();
    let times: Vec<i64> = String::from_utf8_lossy(&log.stdout).lines().map(|l| l.parse().unwrap()).collect();
    let now = chrono::Utc::now().timestamp();
    assert_eq!(times.iter().filter(|t| now - **t < 86_400).count(), 3, "three patches today");
    assert!(times.iter().any(|t| (200..225).contains(&((now - t) / 86_400))), "one seven months ago");
}
