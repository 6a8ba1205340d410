//! In-place resize of a pod's resources, with the conditions and the timing that a 1.35 kubelet shows.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};

use super::worker::Worker;
use crate::base::parse_quantity;
use crate::demo::scenario;
use crate::demo::world::now;

impl Worker {
    /// Follows the pod's spec: applies what fits, tells what does not. Runs as long as the pod.
    pub async fn follow_resizes(self: Arc<Self>) {
        let mut changed = self.store.subscribe();
        loop {
            if let Some(pod) = self.pod() {
                self.resize_to(&pod).await;
            } else {
                return;
            }
            if changed.changed().await.is_err() {
                return;
            }
        }
    }

    async fn resize_to(&self, pod: &Value) {
        let wanted: Vec<(String, Value)> = pod["spec"]["containers"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|c| (c["name"].as_str().unwrap_or_default().to_string(), c["resources"].clone()))
            .collect();
        let differs = |worker: &Self| wanted.iter().any(|(name, resources)| worker.with(name, |c| c.applied != *resources) == Some(true));
        if !differs(self) {
            if self.condition(None) {
                self.publish();
            }
            return;
        }
        let total: u64 = wanted.iter().filter_map(|(_, r)| memory(r)).sum();
        if total > scenario::NODE_MEMORY {
            let message = format!("Node didn't have enough capacity: memory, requested: {total}, capacity: {}", scenario::NODE_MEMORY);
            if self.condition(Some(("PodResizePending", "Infeasible", message.clone()))) {
                self.event(true, "ResizeInfeasible", &message);
                self.publish();
            }
            return;
        }
        for (name, resources) in &wanted {
            let below = self.with(name, |c| {
                memory(resources).filter(|limit| *limit < c.usage.working_set()).map(|limit| (limit, c.usage.working_set()))
            });
            if let Some(Some((limit, used))) = below {
                let message =
                    format!("cannot decrease memory limits: attempting to set pod memory limit ({limit}) below current usage ({used})");
                if self.condition(Some(("PodResizeInProgress", "Error", message.clone()))) {
                    self.event(true, "ResizeError", &message);
                    self.publish();
                }
                return;
            }
        }
        if self.condition(Some(("PodResizeInProgress", "", String::new()))) {
            self.publish();
        }
        tokio::time::sleep(Duration::from_millis(900)).await;
        for (name, resources) in wanted {
            self.with(&name, |c| {
                c.applied = resources.clone();
                c.spec["resources"] = resources;
            });
            self.publish_cgroup(&name);
        }
        self.condition(None);
        self.event(false, "ResizeCompleted", "Pod resize completed");
        self.publish();
    }

    /// Sets or clears the resize condition; true when that changed something.
    fn condition(&self, condition: Option<(&str, &str, String)>) -> bool {
        let mut kept = self.resize.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((kind, reason, message)) = condition else { return kept.take().is_some() };
        if kept.as_ref().is_some_and(|c| c["type"] == kind && c["message"] == message.as_str()) {
            return false;
        }
        let mut made = json!({ "type": kind, "status": "True", "lastProbeTime": null, "lastTransitionTime": now(), "message": message });
        if !reason.is_empty() {
            made["reason"] = reason.into();
        }
        *kept = Some(made);
        true
    }
}

fn memory(resources: &Value) -> Option<u64> {
    parse_quantity(resources["limits"]["memory"].as_str()?).map(|b| b.0)
}
