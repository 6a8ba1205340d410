//! Taking a heap snapshot: V8 builds (progress events), then streams the file in chunks; the answer to the command is
//! the only proof that all chunks have come.
//!
//! Measured: no back-pressure, a slow reader makes the app hold the whole JSON, but it serves again as soon as V8 has
//! written it; on Node 22 and later a blocked event loop delays the command until it is free, unless it is paused.

use std::borrow::Cow;
use std::ops::ControlFlow;
use std::time::Duration;

use serde::Deserialize;
use serde_json::json;

use crate::base::Bytes;

use super::error::Error;
use super::session::{CALL, Session, module, quoted};
use super::wire::{Heard, Lane};

/// What a running snapshot reports.
#[derive(Debug)]
pub enum SnapshotNews<'a> {
    /// V8 builds: objects done and in all. Nothing is written yet, memory climbs.
    Building {
        /// Done.
        done: u64,
        /// In all: about 75 bytes of file each.
        total: u64,
    },
    /// The next bytes of the file, in order.
    Chunk(&'a [u8]),
    /// Nothing came for a moment: the time to say stop.
    Quiet {
        /// Since the last message.
        since: Duration,
    },
}

/// A snapshot that has come whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken {
    /// Size of the file.
    pub bytes: Bytes,
    /// Until the first byte: V8 built, the process stood still.
    pub build: Duration,
    /// Until the last.
    pub whole: Duration,
    /// Whether the event loop was blocked and had to be paused.
    pub paused: bool,
}

/// How long a snapshot may be silent. Between two progress events of a heap of gigabytes under half a CPU can lie many
/// seconds.
pub const SILENCE: Duration = Duration::from_secs(180);

#[derive(Deserialize)]
struct Chunk<'a> {
    #[serde(borrow)]
    chunk: Cow<'a, str>,
}

#[derive(Deserialize)]
struct Progress {
    done: f64,
    total: f64,
}

impl Session {
    /// Takes a snapshot of the main thread's heap and hands it on as it comes. `on` is called at least every quarter
    /// of a second; `Break` stops: the caller then drops or closes the session (V8 itself cannot be stopped).
    ///
    /// # Errors
    /// [`Error::Closed`] when the process died of it, [`Error::Cancelled`] after `Break`, [`Error::TimedOut`] when
    /// nothing came for [`SILENCE`].
    pub async fn take_snapshot(&mut self, mut on: impl FnMut(SnapshotNews<'_>) -> ControlFlow<()> + Send) -> Result<Taken, Error> {
        if self.loop_turns(Duration::from_millis(1500)).await? {
            return self.snapshot_of(&Lane::Main, false, &mut on).await;
        }
        // Blocked. Paused at the next statement it takes commands at once; an idle loop would not pause, but that one
        // turns.
        let paused = self.pause(Duration::from_secs(2)).await?;
        let taken = self.snapshot_of(&Lane::Main, paused, &mut on).await;
        if !matches!(taken, Err(Error::Closed { .. })) {
            self.resume().await?;
        }
        taken
    }

    pub(super) async fn snapshot_of(
        &mut self,
        lane: &Lane,
        paused: bool,
        on: &mut (impl FnMut(SnapshotNews<'_>) -> ControlFlow<()> + Send),
    ) -> Result<Taken, Error> {
        const METHOD: &str = "HeapProfiler.takeHeapSnapshot";
        let start = tokio::time::Instant::now();
        let params = json!({ "reportProgress": true });
        let id = self.wire.send(lane, METHOD, &params).await?;
        let (mut bytes, mut build, mut last) = (0u64, None, start);
        loop {
            let heard = self.wire.hear(Duration::from_millis(250), METHOD).await?;
            let now = tokio::time::Instant::now();
            let news = match &heard {
                None => {
                    let since = now - last;
                    if since > SILENCE {
                        return Err(Error::TimedOut { during: METHOD.to_owned(), after: since });
                    }
                    on(SnapshotNews::Quiet { since })
                }
                Some(Heard::Answer { id: answered, lane: on_lane, result }) if *answered == id && on_lane == lane => {
                    if let Err(message) = result {
                        return Err(Error::Refused { method: METHOD.to_owned(), message: message.clone() });
                    }
                    let whole = now - start;
                    return Ok(Taken { bytes: Bytes(bytes), build: build.unwrap_or(whole), whole, paused });
                }
                Some(Heard::Event { lane: on_lane, method, params }) if on_lane == lane => match method.as_str() {
                    "HeapProfiler.addHeapSnapshotChunk" => {
                        let chunk: Chunk<'_> = serde_json::from_str(params).map_err(|_| Error::Unreadable(METHOD.to_owned()))?;
                        build.get_or_insert(now - start);
                        bytes += chunk.chunk.len() as u64;
                        on(SnapshotNews::Chunk(chunk.chunk.as_bytes()))
                    }
                    "HeapProfiler.reportHeapSnapshotProgress" => {
                        let progress: Progress = serde_json::from_str(params).map_err(|_| Error::Unreadable(METHOD.to_owned()))?;
                        on(SnapshotNews::Building { done: progress.done as u64, total: progress.total as u64 })
                    }
                    _ => ControlFlow::Continue(()),
                },
                Some(_) => ControlFlow::Continue(()),
            };
            if heard.is_some() {
                last = now;
            }
            if let Some(Heard::Event { lane, method, params }) = heard {
                self.keep(lane, method, params);
            }
            if news.is_break() {
                return Err(Error::Cancelled);
            }
        }
    }

    /// Lets the process write the snapshot into a file of its own container: works in a blocked loop of any version.
    /// Check before that `path` can be written to: here a failure only throws.
    ///
    /// # Errors
    /// [`Error::Thrown`] when it could not be written.
    pub async fn write_snapshot(&mut self, path: &str, deadline: Duration) -> Result<String, Error> {
        let expression = format!("{}('v8').writeHeapSnapshot({})", module(), quoted(path));
        let value = self.evaluate(&expression, deadline).await?;
        value.as_str().map(str::to_owned).ok_or_else(|| Error::Unreadable("writeHeapSnapshot".to_owned()))
    }

    /// Pauses the process at its next statement; `false` when it ran none `within`, and then the wish is withdrawn.
    ///
    /// # Errors
    /// Those of any call.
    pub(super) async fn pause(&mut self, within: Duration) -> Result<bool, Error> {
        self.call(&Lane::Main, "Debugger.enable", json!({}), CALL).await?;
        self.call(&Lane::Main, "Debugger.pause", json!({}), CALL).await?;
        let paused = self.wait_for_pause(within).await?.is_some();
        if !paused {
            self.call(&Lane::Main, "Debugger.disable", json!({}), CALL).await?;
        }
        Ok(paused)
    }

    /// Lets a paused process run on and takes the debugger off it.
    ///
    /// # Errors
    /// Those of any call.
    pub async fn resume(&mut self) -> Result<(), Error> {
        self.take_kept("Debugger.paused");
        self.call(&Lane::Main, "Debugger.disable", json!({}), CALL).await.map(drop)
    }
}
