//! Node's diagnostic report: what of it matters to an outage. The environment is dropped before anything else looks.
//!
//! Format: `node::report::WriteNodeReport` (src/node_report.cc), versions 2 to 5.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::base::{Bytes, Masked, Trouble, TroubleKind};

use super::limits::NodeVersion;

/// A report, reduced to what says why the process grew or died.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// `Allocation failed - JavaScript heap out of memory`, `Exception`, `SIGUSR2`.
    pub event: Masked,
    /// `OOMError`, `Exception`, `Signal`, `FatalError`.
    pub trigger: Masked,
    /// When it was written, by the pod's clock.
    pub at: Option<DateTime<Utc>>,
    /// Process id.
    pub pid: u32,
    /// Worker thread, 0 for the main one; Node 26 may leave it out.
    pub thread: Option<u32>,
    /// Version.
    pub version: Option<NodeVersion>,
    /// Command line, masked.
    pub command: Masked,
    /// Working directory.
    pub cwd: Masked,
    /// V8's limit.
    pub heap_limit: Bytes,
    /// JS heap in use.
    pub heap_used: Bytes,
    /// Memory of JS objects outside the heap.
    pub external: Bytes,
    /// Heap spaces by name and use, largest first: `large_object_space` tells big arrays and strings.
    pub spaces: Vec<(String, Bytes)>,
    /// Native contexts, and those that were detached.
    pub contexts: (u64, u64),
    /// Resident memory.
    pub rss: Bytes,
    /// The container's limit; `None` when it has none.
    pub constrained: Option<Bytes>,
    /// Message of the exception, masked. An OOM has none.
    pub message: Option<Masked>,
    /// Top of the JavaScript stack, masked, ten lines at most. An OOM has none.
    pub stack: Vec<Masked>,
}

impl Report {
    /// Reads a report.
    ///
    /// # Errors
    /// When it is no JSON (a report that is cut) or no report.
    pub fn parse(text: &[u8]) -> Result<Self, ReportError> {
        let mut json: Value =
            serde_json::from_slice(text).map_err(|error| ReportError::NotJson { line: error.line(), column: error.column() })?;
        if let Some(all) = json.as_object_mut() {
            all.remove("environmentVariables");
        }
        let header = json.get("header").ok_or(ReportError::NotAReport)?;
        let masked = |value: Option<&Value>| Masked::from(value.and_then(Value::as_str).unwrap_or_default());
        let heap = json.get("javascriptHeap");
        let bytes = |from: Option<&Value>, key: &str| Bytes(from.and_then(|v| v.get(key)).and_then(number).unwrap_or(0));
        let usage = json.get("resourceUsage");
        let mut spaces: Vec<(String, Bytes)> = heap
            .and_then(|heap| heap.get("heapSpaces")?.as_object())
            .into_iter()
            .flatten()
            .map(|(name, space)| (crate::base::Untrusted::new(name.as_str()).clean(), bytes(Some(space), "used")))
            .collect();
        spaces.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        let script = json.get("javascriptStack");
        let message = script.and_then(|s| s.get("message")?.as_str()).filter(|m| !m.is_empty() && *m != "No stack.");
        let lines = script
            .and_then(|s| s.get("stack")?.as_array())
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .filter(|line| *line != "Unavailable.");
        let command: Vec<&str> =
            header.get("commandLine").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
        let context = |key| heap.and_then(|heap| heap.get(key)).and_then(number).unwrap_or(0);
        Ok(Self {
            event: masked(header.get("event")),
            trigger: masked(header.get("trigger")),
            at: header.get("dumpEventTimeStamp").and_then(number).and_then(|ms| DateTime::from_timestamp_millis(i64::try_from(ms).ok()?)),
            pid: small(header.get("processId")).ok_or(ReportError::NotAReport)?,
            thread: small(header.get("threadId")),
            version: header.get("nodejsVersion").and_then(Value::as_str).and_then(NodeVersion::parse),
            command: Masked::from(command.join(" ")),
            cwd: masked(header.get("cwd")),
            heap_limit: bytes(heap, "memoryLimit"),
            heap_used: bytes(heap, "usedMemory"),
            external: bytes(heap, "externalMemory"),
            spaces,
            contexts: (context("nativeContextCount"), context("detachedContextCount")),
            rss: bytes(usage, "rss"),
            // Unlimited is written as 2^63 or 2^64.
            constrained: usage.and_then(|u| u.get("constrained_memory")).and_then(number).filter(|n| (1..1 << 60).contains(n)).map(Bytes),
            message: message.map(Masked::from),
            stack: lines.take(10).map(|line| Masked::from(line.trim())).collect(),
        })
    }

    /// Whether it was written because V8's heap was full.
    pub fn is_heap_oom(&self) -> bool {
        self.trigger.as_str() == "OOMError" || self.event.as_str().ends_with("JavaScript heap out of memory")
    }
}

/// Numbers are written as numbers or, where they are large, as text; some versions write floats.
fn number(value: &Value) -> Option<u64> {
    let float = |f: f64| (0.0..=1.9e19).contains(&f).then_some(f as u64);
    value.as_u64().or_else(|| value.as_f64().and_then(float)).or_else(|| {
        let text = value.as_str()?;
        text.parse().ok().or_else(|| text.parse().ok().and_then(float))
    })
}

fn small(value: Option<&Value>) -> Option<u32> {
    value.and_then(number).and_then(|n| u32::try_from(n).ok())
}

/// Why a text is no report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReportError {
    /// The JSON does not end, or is none.
    #[error("the report is cut or no JSON (line {line}, column {column})")]
    NotJson {
        /// Line of the error.
        line: usize,
        /// Column of the error.
        column: usize,
    },
    /// JSON without the header of a report.
    #[error("not a diagnostic report of Node.js")]
    NotAReport,
}

impl From<ReportError> for Trouble {
    fn from(error: ReportError) -> Self {
        let kind = match error {
            ReportError::NotJson { .. } => TroubleKind::Incomplete,
            ReportError::NotAReport => TroubleKind::NotFound,
        };
        Self::new(kind, error.to_string(), "", "fetch it again once the process has ended")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_real_report_of_an_oom_without_its_secrets() {
        let text = include_bytes!("recorded/report-oom-20.json");
        assert!(String::from_utf8_lossy(text).contains("DB_PASSWORD"), "the fixture has an environment");
        let report = Report::parse(text).expect("a report");
        assert!(report.is_heap_oom(), "{} {}", report.event, report.trigger);
        assert_eq!((report.pid, report.version.map(|v| v.major)), (1, Some(20)));
        assert!(report.heap_limit > Bytes::mib(64) && report.heap_used > Bytes::mib(40), "{report:?}");
        assert_eq!((report.message.as_ref(), report.stack.len()), (None, 0), "an OOM has no stack");
        assert_eq!(report.spaces.first().map(|s| s.0.as_str()), Some("old_space"));
        assert!(report.constrained.is_none_or(|limit| limit > report.rss));
        assert!(!format!("{report:?}").contains("hunter2"));
    }

    #[test]
    fn what_is_no_report_says_so() {
        assert_eq!(Report::parse(b"{}"), Err(ReportError::NotAReport));
        assert_eq!(Report::parse(b"[1,2"), Err(ReportError::NotJson { line: 1, column: 4 }));
    }
}
