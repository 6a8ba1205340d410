//! A conversation with one process: call by call, each with its deadline. What no call waits for is kept (pauses,
//! workers) or dropped.

use std::collections::VecDeque;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::base::{Bytes, Masked};

use super::dial::{Dial, targets};
use super::error::Error;
use super::wire::{Heard, Lane, Wire};

/// Deadline of an ordinary call on a process that answers.
pub const CALL: Duration = Duration::from_secs(10);

/// An open inspector. Dropping it closes the connection but leaves the inspector open: call [`Session::close`]. While
/// a client is connected, `process.exit()` of the app waits for it ("Waiting for the debugger to disconnect…"): keep no
/// session longer than needed.
pub struct Session {
    pub(super) wire: Wire,
    /// Events that matter later, the oldest dropped when nobody asks.
    pub(super) kept: VecDeque<(Lane, String, String)>,
}

/// What a process says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Identity {
    /// Process id inside the container: compare it with the one that was meant.
    pub pid: u32,
    /// `v20.11.1`.
    pub version: String,
    /// Flags of the command line, also where a title hides them.
    pub exec_argv: Vec<String>,
    /// `NODE_OPTIONS` as the app left it.
    pub node_options: String,
    /// Working directory now.
    pub cwd: String,
    /// Seconds since start, in milliseconds.
    pub uptime_ms: u64,
}

impl Identity {
    /// Major version; 0 when it cannot be read.
    pub fn major(&self) -> u16 {
        self.version.trim_start_matches('v').split('.').next().and_then(|n| n.parse().ok()).unwrap_or(0)
    }
}

/// V8's and the process's memory at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HeapStatistics {
    /// JS heap in use.
    pub used: Bytes,
    /// `heap_size_limit`.
    pub limit: Bytes,
    /// Outside the heap, `ArrayBuffer`s included.
    pub external: Bytes,
    /// `ArrayBuffer`s and `Buffer`s.
    pub array_buffers: Bytes,
    /// Resident memory.
    pub rss: Bytes,
    /// Native contexts that were detached and are still held.
    pub detached_contexts: u64,
    /// Whether the app handles SIGTERM itself, so that it can exit in order.
    #[serde(default)]
    pub handles_sigterm: bool,
    /// Heap spaces by name and use.
    pub spaces: Vec<(String, Bytes)>,
}

/// Node's own modules, reachable without touching the app: `getBuiltinModule` from 20.16 and 22.3 on, before that the
/// command line's `require`.
const MODULE: &str = "(n=>process.getBuiltinModule?process.getBuiltinModule(n):require(n))";

impl Session {
    /// Finds the process behind `dial` and opens its inspector.
    ///
    /// # Errors
    /// See [`targets`]; [`Error::NotAnInspector`] when it offers no target.
    pub async fn open(dial: &dyn Dial, deadline: Duration) -> Result<Self, Error> {
        let all = targets(dial, deadline).await?;
        let target = all.first().ok_or(Error::NotAnInspector(Masked::own("it offers no target")))?;
        let wire = Wire::open(dial, &target.id, deadline).await?;
        Ok(Self { wire, kept: VecDeque::new() })
    }

    /// One command and its answer.
    pub(super) async fn call(&mut self, lane: &Lane, method: &str, params: Value, deadline: Duration) -> Result<Value, Error> {
        let until = tokio::time::Instant::now() + deadline;
        let timed_out = || Error::TimedOut { during: method.to_owned(), after: deadline };
        let send = tokio::time::timeout_at(until, self.wire.send(lane, method, &params)).await;
        let id = send.map_err(|_| timed_out())??;
        loop {
            let left = until.saturating_duration_since(tokio::time::Instant::now());
            match self.wire.hear(left, method).await? {
                None => return Err(timed_out()),
                Some(Heard::Answer { id: answered, lane: on, result }) if answered == id && on == *lane => {
                    let text = result.map_err(|message| Error::Refused { method: method.to_owned(), message })?;
                    return serde_json::from_str(&text).map_err(|_| Error::Unreadable(method.to_owned()));
                }
                // The answer to a call that was given up.
                Some(Heard::Answer { .. }) => {}
                Some(Heard::Event { lane, method, params }) => self.keep(lane, method, params),
            }
        }
    }

    pub(super) fn keep(&mut self, lane: Lane, method: String, params: String) {
        if matches!(method.as_str(), "Debugger.paused" | "Debugger.resumed" | "NodeWorker.attachedToWorker" | "NodeTracing.dataCollected") {
            if self.kept.len() >= 256 {
                self.kept.pop_front();
            }
            self.kept.push_back((lane, method, params));
        }
    }

    /// Takes the kept events called `method`.
    pub(super) fn take_kept(&mut self, method: &str) -> Vec<(Lane, String)> {
        let (taken, rest): (Vec<_>, Vec<_>) = self.kept.drain(..).partition(|(_, name, _)| name == method);
        self.kept = rest.into();
        taken.into_iter().map(|(lane, _, params)| (lane, params)).collect()
    }

    /// Runs an expression in the process and returns its value, which must be plain data.
    ///
    /// # Errors
    /// [`Error::Thrown`] when it throws, besides those of any call.
    pub async fn evaluate(&mut self, expression: &str, deadline: Duration) -> Result<Value, Error> {
        self.evaluate_on(&Lane::Main, expression, false, deadline).await
    }

    pub(super) async fn evaluate_on(&mut self, lane: &Lane, expression: &str, promise: bool, deadline: Duration) -> Result<Value, Error> {
        let params = json!({
            "expression": expression,
            "includeCommandLineAPI": true,
            "returnByValue": true,
            "awaitPromise": promise,
            "silent": true,
        });
        let answer = self.call(lane, "Runtime.evaluate", params, deadline).await?;
        if let Some(thrown) = answer.get("exceptionDetails") {
            let said = |path: &str| thrown.pointer(path).and_then(Value::as_str);
            let text = said("/exception/description").or_else(|| said("/exception/value")).or_else(|| said("/text")).unwrap_or("an error");
            return Err(Error::Thrown(Masked::from(text.lines().next().unwrap_or_default())));
        }
        Ok(answer.pointer("/result/value").cloned().unwrap_or(Value::Null))
    }

    /// Who it is. Ask before anything else: the port may belong to another process of the pod (npm, a sidecar).
    ///
    /// # Errors
    /// Those of any call.
    pub async fn identity(&mut self) -> Result<Identity, Error> {
        let expression = "({pid:process.pid,version:process.version,execArgv:process.execArgv,\
            nodeOptions:process.env.NODE_OPTIONS||'',cwd:process.cwd(),uptimeMs:Math.round(process.uptime()*1000)})";
        let value = self.evaluate(expression, CALL).await?;
        serde_json::from_value(value).map_err(|_| Error::Unreadable("identity".to_owned()))
    }

    /// Memory by V8's and the process's own count. Works while the event loop is blocked.
    ///
    /// # Errors
    /// Those of any call.
    pub async fn heap(&mut self) -> Result<HeapStatistics, Error> {
        let expression = format!(
            "(()=>{{const v={MODULE}('v8'),h=v.getHeapStatistics(),m=process.memoryUsage();\
            return {{used:h.used_heap_size,limit:h.heap_size_limit,external:m.external,arrayBuffers:m.arrayBuffers||0,rss:m.rss,\
            detachedContexts:h.number_of_detached_contexts||0,\
            handlesSigterm:process.listenerCount('SIGTERM')>0,spaces:v.getHeapSpaceStatistics().map(s=>[s.space_name,s.space_used_size])}}}})()"
        );
        let value = self.evaluate(&expression, CALL).await?;
        serde_json::from_value(value).map_err(|_| Error::Unreadable("heap statistics".to_owned()))
    }

    /// Forces a full collection, so that what is used is what is alive. Stops the process for 0.1 to 0.3 s at 65 MB.
    ///
    /// # Errors
    /// Those of any call.
    pub async fn collect_garbage(&mut self) -> Result<(), Error> {
        self.call(&Lane::Main, "HeapProfiler.collectGarbage", json!({}), Duration::from_secs(60)).await.map(drop)
    }

    /// Keeps an idle connection alive (nothing below pings it) and tells the heap's use: (used, total).
    ///
    /// # Errors
    /// Those of any call.
    pub async fn ping(&mut self) -> Result<(Bytes, Bytes), Error> {
        let answer = self.call(&Lane::Main, "Runtime.getHeapUsage", json!({}), CALL).await?;
        let bytes = |key: &str| Bytes(answer.get(key).and_then(Value::as_f64).unwrap_or(0.0) as u64);
        Ok((bytes("usedSize"), bytes("totalSize")))
    }

    /// Whether the event loop turns: a blocked one answers calls but takes no snapshot (Node 22 and later).
    ///
    /// # Errors
    /// Those of any call; a loop that is blocked is no error.
    pub async fn loop_turns(&mut self, within: Duration) -> Result<bool, Error> {
        match self.evaluate_on(&Lane::Main, "new Promise(r=>setImmediate(r,1))", true, within).await {
            Ok(_) => Ok(true),
            Err(Error::TimedOut { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Closes the inspector of the process: the port is shut, the connection ends, SIGUSR1 can open it again.
    ///
    /// # Errors
    /// When the process did not do it in time; a connection that ends is success.
    pub async fn close(mut self) -> Result<(), Error> {
        match self.evaluate("process._debugEnd()", CALL).await {
            Ok(_) => {
                // The socket drops right after the answer.
                while let Ok(Some(_)) = self.wire.hear(Duration::from_secs(2), "closing").await {}
                Ok(())
            }
            Err(Error::Closed { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

/// `text` as a JavaScript string literal.
pub(super) fn quoted(text: &str) -> String {
    // JSON's escapes are JavaScript's; the two line separators may stand in strings since ES2019.
    Value::from(text).to_string()
}

pub(super) const fn module() -> &'static str {
    MODULE
}
