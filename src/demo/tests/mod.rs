//! The demo against kube's ordinary client, kubectl, and kill -9. What needs real pods is skipped by name where there are
//! none; everything else plays the recording and needs nothing of the machine.
#![allow(clippy::print_stderr, reason = "a skipped test says why")]

mod changes;
mod faulty;
mod kubectl;
mod lists;
mod processes;
mod streams;

use std::future::Future;
use std::sync::{Arc, Weak};
use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;
use kube::api::{Api, ListParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};

use super::{Demo, Mode, Options};

/// Longest wait for anything, on a loaded machine.
const PATIENCE: Duration = Duration::from_secs(120);

async fn recorded() -> Demo {
    Demo::start(Options { recorded: true, pace: 4.0, ..Options::default() }).await.expect("a demo")
}

static LIVE: tokio::sync::Mutex<Weak<Demo>> = tokio::sync::Mutex::const_new(Weak::new());

/// One demo with real pods for all tests that only look; `None` where the machine does not allow them.
async fn live(test: &str) -> Option<Arc<Demo>> {
    let mut shared = LIVE.lock().await;
    let demo = match shared.upgrade() {
        Some(demo) => demo,
        None => Arc::new(Demo::start(Options::default()).await.expect("a demo")),
    };
    *shared = Arc::downgrade(&demo);
    match demo.mode() {
        Mode::Live(_) => Some(demo),
        Mode::Recorded(why) => {
            crate::skips::skipped(test, why);
            None
        }
    }
}

async fn client(demo: &Demo) -> Client {
    let kubeconfig = Kubeconfig::read_from(demo.kubeconfig()).expect("a kubeconfig");
    let mut config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await.expect("a config");
    config.default_retry = false;
    Client::try_from(config).expect("a client")
}

async fn pods(client: &Client) -> Api<Pod> {
    Api::default_namespaced(client.clone())
}

/// Asks again until `look` finds something.
async fn until<T, F: Future<Output = Option<T>>>(what: &str, mut look: impl FnMut() -> F) -> T {
    let end = tokio::time::Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(tokio::time::Instant::now() < end, "waited in vain for: {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn restarts(pod: &Pod) -> i32 {
    pod.status.iter().flat_map(|s| s.container_statuses.iter().flatten()).map(|c| c.restart_count).sum()
}

fn is_ready(pod: &Pod) -> bool {
    let conditions = pod.status.iter().flat_map(|s| s.conditions.iter().flatten());
    conditions.filter(|c| c.type_ == "Ready").any(|c| c.status == "True")
}

/// The running replicas of the leaking service, the one that leaks fastest first.
async fn replicas(client: &Client) -> Vec<Pod> {
    let api = pods(client).await;
    let params = ListParams::default().labels("app=content-import");
    until("three ready replicas", || async {
        let mut list = api.list(&params).await.expect("a list").items;
        list.retain(|p| is_ready(p) && p.metadata.deletion_timestamp.is_none());
        list.sort_by_key(|p| std::cmp::Reverse(restarts(p)));
        (list.len() == 3).then_some(list)
    })
    .await
}

fn name(pod: &Pod) -> &str {
    pod.metadata.name.as_deref().expect("a name")
}
