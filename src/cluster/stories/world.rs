//! One demo for all stories (it runs real processes), told one after the other, since faults are the whole world's.

use std::sync::{Arc, Weak};
use std::time::Duration;

use futures::StreamExt;
use tempfile::TempDir;
use tokio::sync::{Mutex, MutexGuard};

use super::relay::Relay;
use crate::base::{ContainerRef, PodRef, ScaledClock};
use crate::cluster::{Deadlines, Options, PodNews, Session};
use crate::demo::{self, Demo, Fault};
use crate::pressure::{ContainerState, PodFacts, Workload};

static DEMO: Mutex<Weak<Demo>> = Mutex::const_new(Weak::new());
static TURN: Mutex<()> = Mutex::const_new(());

/// The demo, in this test's turn.
pub struct World {
    pub demo: Arc<Demo>,
    pub relay: Relay,
    dir: TempDir,
    _turn: MutexGuard<'static, ()>,
}

/// `None` where the machine cannot run the demo's pods; the test then says so and passes.
pub async fn world() -> Option<World> {
    // Taken before the turn, so that it lives from one test to the next.
    let demo = {
        let mut known = DEMO.lock().await;
        match known.upgrade() {
            Some(demo) => demo,
            None => {
                let demo = Arc::new(Demo::start(demo::Options { pace: 0.2, ..demo::Options::default() }).await.expect("a demo"));
                *known = Arc::downgrade(&demo);
                demo
            }
        }
    };
    if !demo.mode().is_live() {
        crate::skips::skipped("", demo.mode().sentence());
        return None;
    }
    let turn = TURN.lock().await;
    demo.faults().clear_all();
    let text = std::fs::read_to_string(demo.kubeconfig()).expect("the demo's kubeconfig");
    let server = text.split("https://").nth(1).and_then(|t| t.split(['"', '\n', ' ', ',']).next()).expect("a server");
    let relay = Relay::to(server.parse().expect("an address")).await;
    let dir = TempDir::new().expect("a scratch folder");
    let text = text.replace(server, &format!("127.0.0.1:{}", relay.port));
    std::fs::write(dir.path().join("kubeconfig"), text).expect("a scratch file");
    Some(World { demo, relay, dir, _turn: turn })
}

impl Drop for World {
    fn drop(&mut self) {
        self.demo.faults().clear_all();
    }
}

impl World {
    pub fn options(&self) -> Options {
        let deadlines = Deadlines { connect_s: 10, call_s: 5, idle_s: 5, act_s: 15 };
        Options { kubeconfig: Some(self.dir.path().join("kubeconfig")), deadlines, ..Options::default() }
    }

    pub async fn session(&self) -> Session {
        self.session_with(self.options()).await
    }

    pub async fn session_with(&self, options: Options) -> Session {
        Session::connect(options, Arc::new(ScaledClock::new(1.0))).await.expect("the demo answers")
    }

    pub fn fault(&self, fault: Fault) {
        self.demo.faults().set(fault);
    }

    pub fn leaking(&self) -> Workload {
        Workload { kind: "deployment".into(), name: self.demo.deployment().into() }
    }

    /// Waits for a pod whose name begins with `prefix` and whose containers all run.
    pub async fn running(&self, session: &Session, prefix: &str) -> PodFacts {
        let prefix = prefix.to_owned();
        self.until(session, move |pods| {
            let up = |p: &&PodFacts| {
                p.pod.name.starts_with(&prefix)
                    && !p.deleting
                    && p.containers.iter().all(|c| matches!(c.state, ContainerState::Running { .. }))
            };
            pods.iter().find(up).cloned()
        })
        .await
    }

    /// Watches until `found` finds something among the pods.
    pub async fn until<T>(&self, session: &Session, found: impl Fn(&[PodFacts]) -> Option<T>) -> T {
        let wait = async {
            let mut pods: Vec<PodFacts> = Vec::new();
            let mut news = session.watch_pods();
            loop {
                match news.next().await.expect("a watch never ends") {
                    PodNews::All(all) => pods = all,
                    PodNews::One(one) => {
                        pods.retain(|p| p.pod != one.pod);
                        pods.push(*one);
                    }
                    PodNews::Gone(pod) => pods.retain(|p| p.pod != pod),
                    PodNews::Stale { .. } | PodNews::Back => {}
                }
                if let Some(found) = found(&pods) {
                    return found;
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(60), wait).await.expect("it happens within a minute")
    }
}

/// The first container of a pod.
pub fn first(pod: &PodFacts) -> ContainerRef {
    ContainerRef { pod: pod.pod.clone(), name: pod.containers[0].name.clone() }
}

pub fn sh(script: &str) -> Vec<String> {
    ["sh", "-c", script].map(str::to_owned).to_vec()
}

/// A pod that is not there.
pub fn nobody() -> PodRef {
    PodRef::new("shop", "nobody")
}
