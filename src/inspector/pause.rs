//! Pauses: a blocked loop that is stopped on purpose, and V8's own stop right before a fatal out-of-memory.
//!
//! Measured: with `Debugger.enable` V8 pauses (`reason: "OOM"`) with the JS stack, raises the limit fourfold and holds
//! the heap still; 63 of 72 times (Node 20 and 26 may hit a V8 check instead, exit 133).

use std::time::Duration;

use serde::Deserialize;
use serde_json::json;

use crate::base::{Bytes, Masked};

use super::error::Error;
use super::session::{CALL, Session, module, quoted};
use super::wire::{Heard, Lane};

/// A stop of the process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paused {
    /// V8's reason: `OOM`, `other`.
    pub reason: Masked,
    /// The stack, innermost first: `ContentEntry (file:///app/leak.js:6)`.
    pub stack: Vec<Masked>,
}

impl Paused {
    /// Whether it stopped because the heap was full.
    pub fn is_oom(&self) -> bool {
        self.reason.as_str() == "OOM"
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PausedEvent {
    reason: String,
    #[serde(default)]
    call_frames: Vec<Frame>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Frame {
    function_name: String,
    #[serde(default)]
    url: String,
    location: Location,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Location {
    line_number: u64,
}

fn paused(params: &str) -> Option<Paused> {
    let event: PausedEvent = serde_json::from_str(params).ok()?;
    let frame = |f: Frame| {
        let name = if f.function_name.is_empty() { "(anonymous)" } else { &f.function_name };
        Masked::from(format!("{name} ({}:{})", f.url, f.location.line_number + 1))
    };
    Some(Paused { reason: Masked::from(event.reason), stack: event.call_frames.into_iter().take(30).map(frame).collect() })
}

impl Session {
    /// Waits for the process to pause; `None` when it did not `within`.
    ///
    /// # Errors
    /// [`Error::Closed`] when the process died.
    pub async fn wait_for_pause(&mut self, within: Duration) -> Result<Option<Paused>, Error> {
        let until = tokio::time::Instant::now() + within;
        loop {
            if let Some((_, params)) = self.take_kept("Debugger.paused").pop() {
                return Ok(paused(&params));
            }
            let left = until.saturating_duration_since(tokio::time::Instant::now());
            match self.wire.hear(left, "a pause").await? {
                None => return Ok(None),
                Some(Heard::Event { lane, method, params }) => self.keep(lane, method, params),
                Some(Heard::Answer { .. }) => {}
            }
        }
    }

    /// From now on a fatal out-of-memory pauses the process instead of ending it. Costs 3 to 5 MiB and no measurable
    /// speed. The session must stay open and be [`Session::ping`]ed.
    ///
    /// # Errors
    /// Those of any call.
    pub async fn freeze_at_oom(&mut self) -> Result<(), Error> {
        self.call(&Lane::Main, "Debugger.enable", json!({}), CALL).await.map(drop)
    }

    /// Waits for the freeze, pinging an idle connection every 20 s; `Ok(None)` when `within` is over. Pauses for other
    /// reasons (a `debugger` statement) are resumed at once.
    ///
    /// # Errors
    /// [`Error::Closed`] when the process died unfrozen.
    pub async fn wait_for_oom(&mut self, within: Duration) -> Result<Option<Paused>, Error> {
        let until = tokio::time::Instant::now() + within;
        loop {
            let left = until.saturating_duration_since(tokio::time::Instant::now());
            if left.is_zero() {
                return Ok(None);
            }
            match self.wait_for_pause(left.min(Duration::from_secs(20))).await? {
                Some(stop) if stop.is_oom() => return Ok(Some(stop)),
                Some(_) => drop(self.call(&Lane::Main, "Debugger.resume", json!({}), CALL).await?),
                None => match self.ping().await {
                    Ok(_) | Err(Error::TimedOut { .. }) => {}
                    Err(error) => return Err(error),
                },
            }
        }
    }

    /// The snapshot of a process that is paused already, without looking at its loop.
    ///
    /// # Errors
    /// As [`Session::take_snapshot`].
    pub async fn take_paused_snapshot(
        &mut self,
        mut on: impl FnMut(super::SnapshotNews<'_>) -> std::ops::ControlFlow<()> + Send,
    ) -> Result<super::Taken, Error> {
        self.snapshot_of(&Lane::Main, true, &mut on).await
    }

    /// Arms V8 without a restart: at its heap limit it will write `count` snapshots, and a report on the fatal error,
    /// into `dir` (the cwd is read at that moment and is left alone unless `dir` differs: a chdir may break relative
    /// paths of the app). Returns the heap limit. Arming twice does nothing.
    ///
    /// # Errors
    /// [`Error::Thrown`] on Node before 18.10.
    pub async fn arm_near_limit(&mut self, count: u32, dir: Option<&str>) -> Result<Bytes, Error> {
        let change = dir.map_or_else(String::new, |dir| format!("process.chdir({0});process.report.directory={0};", quoted(dir)));
        let expression = format!(
            "(()=>{{const v={}('v8');v.setHeapSnapshotNearHeapLimit({count});process.report.reportOnFatalError=true;{change}\
            return v.getHeapStatistics().heap_size_limit}})()",
            module()
        );
        let limit = self.evaluate(&expression, CALL).await?;
        Ok(Bytes(limit.as_f64().unwrap_or(0.0) as u64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stack_reads_as_people_write_it() {
        let event = r#"{"reason":"OOM","callFrames":[{"functionName":"ContentEntry","url":"file:///app/leak.js","location":{"scriptId":"1","lineNumber":5}},{"functionName":"","url":"","location":{"lineNumber":0}}],"data":{}}"#;
        let stop = paused(event).expect("an event");
        assert!(stop.is_oom());
        let stack: Vec<&str> = stop.stack.iter().map(Masked::as_str).collect();
        assert_eq!(stack, ["ContentEntry (file:///app/leak.js:6)", "(anonymous) (:1)"]);
    }
}
