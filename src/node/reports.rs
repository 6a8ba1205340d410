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
    /// Named functions of the native stack, innermost first, ten at most: what V8 was doing.
    #[serde(default)]
    pub native_stack: Vec<Masked>,
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
            native_stack: json.get("nativeStack").and_then(Value::as_array).into_iter().flatten().filter_map(symbol).take(10).collect(),
        })
    }

    /// Resident memory that is neither V8's heap nor bytes of JS objects outside it: what no heap snapshot shows.
    pub fn native(&self) -> Bytes {
        Bytes(self.rss.0.saturating_sub(self.heap_used.0).saturating_sub(self.external.0))
    }

    /// What the report says in one sentence, without a full stop.
    pub fn sentence(&self) -> Masked {
        let (used, limit) = (self.heap_used, self.heap_limit);
        let share = |part: Bytes, whole: Bytes| part.0 as f64 * 100.0 / whole.0.max(1) as f64;
        let biggest = self.spaces.first().filter(|s| s.1.0 > 0);
        let space =
            biggest.map(|(name, held)| format!("; {name} holds {held}, {:.0} % of it: {}", share(*held, used), Self::space_words(name)));
        let space = space.unwrap_or_default();
        let native = self.native();
        Masked::from(if self.is_heap_oom() {
            format!("V8's heap was full: {used} of {limit}{space}")
        } else if native.0 > 2 * (used.0 + self.external.0) {
            format!("{native} of {} resident memory is neither heap nor buffers: a heap snapshot will not show it{space}", self.rss)
        } else {
            format!("V8's heap had {used} of {limit}, {:.0} %{space}", share(used, limit))
        })
    }

    /// What lies in a space of V8's heap.
    pub fn space_words(name: &str) -> &'static str {
        match name {
            "old_space" => "objects that outlived two collections of the young",
            "new_space" => "young objects",
            "large_object_space" => "single big arrays, tables and strings",
            "new_large_object_space" => "single big objects that are young",
            "code_space" | "code_large_object_space" => "compiled code",
            "map_space" => "hidden classes",
            "read_only_space" => "V8's own constants",
            "shared_space" | "shared_large_object_space" => "what threads share",
            "trusted_space" | "trusted_large_object_space" => "bytecode and other internals of V8",
            _ => "a space of this version of V8",
        }
    }

    /// Whether it was written because V8's heap was full.
    pub fn is_heap_oom(&self) -> bool {
        self.trigger.as_str() == "OOMError" || self.event.as_str().ends_with("JavaScript heap out of memory")
    }
}

/// A frame of the native stack without its address and binary; `None` when it has no name.
fn symbol(frame: &Value) -> Option<Masked> {
    let text = frame.get("symbol")?.as_str()?;
    let name = text.rsplit_once(" [").map_or(text, |(name, _)| name).trim();
    (!name.is_empty()).then(|| Masked::from(name.chars().take(160).collect::<String>()))
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
        assert!(
            report.sentence().as_str().starts_with("V8's heap was full: 66.7 MB of 70.3 MB; old_space holds 59.5 MB, 89 %"),
            "{}",
            report.sentence()
        );
        assert!(report.native_stack.iter().any(|f| f.as_str().starts_with("node::TriggerNodeReport(")), "{:?}", report.native_stack);
        assert!(!format!("{report:?}").contains("hunter2"));
    }

    #[test]
    fn what_is_no_report_says_so() {
        assert_eq!(Report::parse(b"{}"), Err(ReportError::NotAReport));
        assert_eq!(Report::parse(b"[1,2"), Err(ReportError::NotJson { line: 1, column: 4 }));
    }

    #[test]
    fn memory_that_no_heap_snapshot_shows_is_said() {
        let text = br#"{"header":{"processId":7,"event":"SIGUSR2","trigger":"Signal"},
            "javascriptHeap":{"usedMemory":50000000,"memoryLimit":4000000000,"externalMemory":1000000,"heapSpaces":{}},
            "resourceUsage":{"rss":900000000}}"#;
        let report = Report::parse(text).expect("a report");
        assert!(
            report.sentence().as_str().starts_with("849 MB of 900 MB resident memory is neither heap nor buffers"),
            "{}",
            report.sentence()
        );
    }
}
