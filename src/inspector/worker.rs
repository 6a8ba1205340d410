//! Worker threads: each has a heap of its own, reached through the main thread's inspector.

use std::ops::ControlFlow;
use std::time::Duration;

use serde::Deserialize;
use serde_json::json;

use crate::base::{Bytes, Masked};

use super::error::Error;
use super::session::{CALL, Session};
use super::snapshot::{SnapshotNews, Taken};
use super::wire::{Heard, Lane};

/// A worker thread that can be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Worker {
    /// Where its messages go.
    pub lane: Lane,
    /// Thread id as Node numbers workers (1, 2, …).
    pub id: String,
    /// Its script.
    pub url: Masked,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Attached {
    session_id: String,
    worker_info: WorkerInfo,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WorkerInfo {
    worker_id: String,
    #[serde(default)]
    url: String,
}

impl Session {
    /// Finds the workers that run now.
    ///
    /// # Errors
    /// Those of any call.
    pub async fn workers(&mut self) -> Result<Vec<Worker>, Error> {
        self.call(&Lane::Main, "NodeWorker.enable", json!({ "waitForDebuggerOnStart": false }), CALL).await?;
        // The events of running workers come around the answer, not all before it.
        while let Some(heard) = self.wire.hear(Duration::from_millis(150), "NodeWorker.enable").await? {
            if let Heard::Event { lane, method, params } = heard {
                self.keep(lane, method, params);
            }
        }
        let attached = self.take_kept("NodeWorker.attachedToWorker");
        let worker = |(_, params): (Lane, String)| {
            let attached: Attached = serde_json::from_str(&params).ok()?;
            let info = attached.worker_info;
            Some(Worker { lane: Lane::Worker(attached.session_id), id: info.worker_id, url: Masked::from(info.url) })
        };
        Ok(attached.into_iter().filter_map(worker).collect())
    }

    /// JS heap in use by a worker.
    ///
    /// # Errors
    /// Those of any call; [`Error::TimedOut`] when its thread is blocked.
    pub async fn worker_heap(&mut self, worker: &Worker) -> Result<Bytes, Error> {
        let answer = self.call(&worker.lane, "Runtime.getHeapUsage", json!({}), CALL).await?;
        Ok(Bytes(answer.get("usedSize").and_then(serde_json::Value::as_f64).unwrap_or(0.0) as u64))
    }

    /// A snapshot of a worker's heap.
    ///
    /// # Errors
    /// As [`Session::take_snapshot`].
    pub async fn take_worker_snapshot(
        &mut self,
        worker: &Worker,
        mut on: impl FnMut(SnapshotNews<'_>) -> ControlFlow<()> + Send,
    ) -> Result<Taken, Error> {
        self.snapshot_of(&worker.lane, false, &mut on).await
    }
}
