//! The cluster's own programs fail: rows stay, what is old is said to be old, and everything comes back.

use std::time::{Duration, Instant};

use cutoff::cluster::PodNews;
use futures::StreamExt;

use super::super::tui::Tui;
use super::session::wait;
use super::world::{Pod, alone, until};

#[test]
fn the_dashboard_keeps_its_rows_while_the_api_server_is_away() {
    let Some(turn) = alone("the_dashboard_keeps_its_rows_while_the_api_server_is_away") else { return };
    let room = turn.room("watch");
    room.start(&Pod::named("importer").holds(8, "none", 0).limit("256Mi"));
    let kubeconfig = turn.kubeconfig();
    let mut tui = Tui::start(&["--kubeconfig", &kubeconfig.to_string_lossy(), "--namespace", &room.name], 100, 30);
    tui.see("importer");
    let away = turn.hold("kube-apiserver");
    tui.see("STALE");
    assert!(tui.text().contains("importer"), "the row stays:\n{}", tui.text());
    drop(away);
    tui.until("it comes back", |text| !text.contains("STALE") && text.contains("importer"));
    // News are news again: a pod that is made now appears.
    until("the API server is ready", || turn.try_kubectl(&["get", "--raw", "/readyz"], None).status.success().then_some(()));
    room.start(&Pod::named("newcomer"));
    tui.see("newcomer");
    tui.press("q");
    tui.until("the question, or the end", |text| text.contains("eave") || text.contains("uit") || text.trim().is_empty());
    tui.press("y");
    assert_eq!(tui.ends(), 0);
}

#[test]
fn a_watch_says_since_when_it_is_stale_and_goes_on_by_itself() {
    let Some(turn) = alone("a_watch_says_since_when_it_is_stale_and_goes_on_by_itself") else { return };
    let room = turn.room("stale");
    room.start(&Pod::named("importer"));
    wait(async {
        let session = room.session().await;
        let mut news = session.watch_pods();
        let mut next =
            async || tokio::time::timeout(Duration::from_secs(90), news.next()).await.expect("in time").expect("a watch never ends");
        assert!(matches!(next().await, PodNews::All(all) if all.len() == 1));
        let killed = Instant::now();
        turn.outage("kube-apiserver");
        let (mut stale, mut back) = (None, None);
        while back.is_none() {
            match next().await {
                PodNews::Stale { .. } => drop(stale.get_or_insert(killed.elapsed())),
                PodNews::Back => back = Some(killed.elapsed()),
                PodNews::All(all) => assert_eq!(all.len(), 1, "no row is lost"),
                PodNews::Gone(pod) => panic!("{pod} is not gone"),
                PodNews::One(_) => {}
            }
        }
        eprintln!("API server killed: stale after {:?}, back after {:?}", stale.expect("it is said"), back.expect("it came back"));
    });
}

#[test]
fn memory_is_read_in_the_pods_while_metrics_are_ill_or_absent() {
    let Some(turn) = alone("memory_is_read_in_the_pods_while_metrics_are_ill_or_absent") else { return };
    let room = turn.room("metrics");
    room.start(&Pod::named("importer").holds(8, "none", 0).limit("256Mi"));
    let memory = || {
        let said = room.cutoff(&["pods", "--json", "--for", "1s"]);
        assert_eq!(said.code, 0, "{}", said.err);
        let row = said.json()["pods"][0].clone();
        (row["source"].as_str().unwrap_or("none").to_owned(), row["working_set_bytes"].as_u64().is_some(), said.err)
    };
    let plain = || room.cutoff(&["pods"]);
    let began = Instant::now();
    {
        let _away = turn.hold("metrics-server");
        until("metrics are ill", || (!turn.try_kubectl(&["top", "pod", "-A"], None).status.success()).then_some(()));
        let asked = Instant::now();
        let said = plain();
        let took = asked.elapsed();
        assert_eq!(said.code, 0, "pods are told without their memory: {}", said.err);
        assert!(said.out.contains("importer") && said.err.contains("metrics"), "{}\n{}", said.out, said.err);
        assert!(took < Duration::from_secs(12), "an ill API is not waited for: {took:?}");
        eprintln!("metrics-server dead: {took:?}: {}", said.err.trim());
        let (source, known, _) = memory();
        assert!(known, "memory by exec while metrics-server is dead: {source}");
    }
    turn.kubectl(&["delete", "apiservice", "v1beta1.metrics.k8s.io"]);
    let said = plain();
    let (source, known, _) = memory();
    turn.kubectl(&["apply", "-f", &turn.manifest("metrics-server.yaml").to_string_lossy()]);
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(said.err.contains("metrics-server"), "what to install is said: {}", said.err);
    assert!(known, "memory by exec without metrics-server: {source}");
    eprintln!("metrics absent: {}", said.err.trim());
    until("metrics are well again", || turn.try_kubectl(&["top", "pod", "-n", &room.name], None).status.success().then_some(()));
    eprintln!("metrics ill, absent and well again: {:?}", began.elapsed());
}
