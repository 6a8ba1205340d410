//! The node: finds new pods and gives each a worker; the accounting loop.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::Value;
use tokio::task::JoinSet;

use super::worker::Worker;
use crate::demo::machine::Machine;
use crate::demo::world::{Kind, Store, text};

/// The kubelet of the demo's one node.
pub(crate) struct Kubelet {
    store: Arc<Store>,
    machine: Arc<Machine>,
    workers: Mutex<BTreeMap<String, Arc<Worker>>>,
}

impl Kubelet {
    pub fn new(store: Arc<Store>, machine: Arc<Machine>) -> Arc<Self> {
        Arc::new(Self { store, machine, workers: Mutex::default() })
    }

    /// Every pod on the node.
    pub fn workers(&self) -> Vec<Arc<Worker>> {
        self.workers.lock().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    /// The pod with this uid.
    pub fn worker(&self, uid: &str) -> Option<Arc<Worker>> {
        self.workers.lock().unwrap_or_else(PoisonError::into_inner).get(uid).cloned()
    }

    /// The worker of a pod as the store has it.
    pub fn worker_of(&self, pod: &Value) -> Option<Arc<Worker>> {
        self.worker(text(pod, &["metadata", "uid"]))
    }

    /// What runs the pods.
    pub fn machine(&self) -> &Arc<Machine> {
        &self.machine
    }

    /// Runs the node until the task is dropped.
    pub async fn run(self: Arc<Self>) {
        let mut lives = JoinSet::new();
        let accounting = self.clone();
        lives.spawn(async move { accounting.account().await });
        let mut changed = self.store.subscribe();
        loop {
            for pod in self.store.list(Kind::Pod, "").1 {
                let uid = text(&pod, &["metadata", "uid"]).to_string();
                if self.worker(&uid).is_some() {
                    continue;
                }
                let worker = Arc::new(Worker::new(&self.store, &self.machine, &pod));
                self.workers.lock().unwrap_or_else(PoisonError::into_inner).insert(uid.clone(), worker.clone());
                let node = self.clone();
                lives.spawn(async move {
                    let resizes = tokio::spawn(worker.clone().follow_resizes());
                    worker.live().await;
                    resizes.abort();
                    node.workers.lock().unwrap_or_else(PoisonError::into_inner).remove(&uid);
                });
            }
            while lives.try_join_next().is_some() {}
            if changed.changed().await.is_err() {
                return;
            }
        }
    }

    /// Twice a second; ten times while something is near its limit, since a snapshot takes memory by the 100 MB a second.
    async fn account(&self) {
        loop {
            let workers = self.workers();
            let near = tokio::task::spawn_blocking(move || workers.iter().fold(false, |near, w| w.account() | near)).await;
            let pause = if near.unwrap_or(false) { 100 } else { 500 };
            tokio::time::sleep(Duration::from_millis(pause)).await;
        }
    }
}
