//! Pod metrics as metrics-server publishes them: a sample each few seconds, CPU averaged over a window.

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde_json::{Value, json};

use super::container::{Container, State};
use super::worker::Worker;

/// Averaging window of the CPU figure. metrics-server scrapes each 15 s; the demo has less time.
const WINDOW: TimeDelta = TimeDelta::seconds(10);

impl Worker {
    /// What all containers of the pod use, in bytes.
    pub fn working_set(&self) -> u64 {
        self.containers().iter().filter(|c| matches!(c.state, State::Running { .. })).map(|c| c.usage.working_set()).sum()
    }

    /// The `PodMetrics` entry; `None` while a container has no sample yet.
    pub fn metrics(&self, pod: &Value) -> Option<Value> {
        let containers = self.containers();
        let mut newest: Option<DateTime<Utc>> = None;
        let mut span = TimeDelta::zero();
        let mut listed = Vec::new();
        for container in containers.iter().filter(|c| matches!(c.state, State::Running { .. })) {
            let (usage, at, window) = sample(container)?;
            newest = newest.max(Some(at));
            span = span.max(window);
            listed.push(usage);
        }
        let at = newest?;
        Some(json!({
            "metadata": {
                "name": self.name, "namespace": self.namespace, "labels": pod["metadata"]["labels"],
                "creationTimestamp": crate::demo::clock::now().to_rfc3339_opts(SecondsFormat::Secs, true),
            },
            "timestamp": at.to_rfc3339_opts(SecondsFormat::Secs, true),
            "window": format!("{}.{:03}s", span.num_seconds(), span.num_milliseconds() % 1000),
            "containers": listed,
        }))
    }
}

fn sample(container: &Container) -> Option<(Value, DateTime<Utc>, TimeDelta)> {
    let (at, used) = *container.cpu.last()?;
    let (from, before) = *container.cpu.iter().find(|(t, _)| at - *t <= WINDOW)?;
    let window = at - from;
    let nanos = window.num_nanoseconds().filter(|n| *n > 0)?;
    let cores = used.saturating_sub(before) * 1_000_000_000 / u128::from(nanos.unsigned_abs());
    let memory = container.usage.working_set() / 1024;
    let usage = json!({ "name": container.name, "usage": { "cpu": format!("{cores}n"), "memory": format!("{memory}Ki") } });
    Some((usage, at, window))
}
