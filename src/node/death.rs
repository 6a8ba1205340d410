//! How a Node process died: from its last lines, exit code and the kubelet's reason, never from the code alone.
//!
//! Measured: a V8 heap OOM exits 134, but 139 when Node is process 1 (abort is ignored for init, then faults); the
//! kernel's kill is 137; a snapshot that could not be written ends the app with 1; a V8 check under the debugger 133.
//! `Wrote snapshot to …` is printed even when nothing was written.

use serde::{Deserialize, Serialize};

use crate::base::{Bytes, Masked};

use super::files::{FileName, file_name};

/// V8's reason in `FATAL ERROR: … JavaScript heap out of memory`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HeapOom {
    /// `Reached heap limit`: an allocation failed after a last full collection.
    ReachedLimit,
    /// `Ineffective mark-compacts near heap limit`: nearly all time went into collections.
    Ineffective,
    /// `CALL_AND_RETRY_LAST` or another allocation: one object did not fit.
    Allocation,
}

/// What a line of the log means for an outage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "sign")]
pub enum LogSign {
    /// The heap limit was fatal.
    HeapOom {
        /// V8's reason.
        why: HeapOom,
    },
    /// A worker's heap limit; the process goes on.
    WorkerOom,
    /// A collection near the end: heap used before and after.
    LastCollection {
        /// Before, V8's MB (2^20).
        before: Bytes,
        /// After.
        after: Bytes,
    },
    /// V8 says that it wrote a snapshot. Proves nothing.
    SaysSnapshot {
        /// The file it names.
        path: Masked,
    },
    /// A report was started.
    ReportStarted {
        /// The file it names.
        path: Masked,
    },
    /// The inspector listens: `ws://127.0.0.1:9229/…`.
    InspectorOpen,
    /// The inspector could not listen.
    InspectorPortBusy,
    /// A client is attached to the inspector.
    DebuggerAttached,
    /// A snapshot could not be written, which is fatal.
    WriteFailed {
        /// `EROFS`, `EACCES`, `ENOSPC`, `ENOENT`.
        code: Masked,
    },
    /// A V8 check failed (exit 133): under the debugger near the limit.
    CheckFailed,
}

/// Reads one line of standard error; `None` when it says nothing of this kind.
pub fn log_sign(line: &str) -> Option<LogSign> {
    let line = line.trim_end();
    if let Some(at) = line.find("FATAL ERROR: ")
        && line.ends_with("JavaScript heap out of memory")
    {
        let reason = &line[at + "FATAL ERROR: ".len()..];
        let why = if reason.starts_with("Reached heap limit") {
            HeapOom::ReachedLimit
        } else if reason.starts_with("Ineffective mark-compacts") {
            HeapOom::Ineffective
        } else {
            HeapOom::Allocation
        };
        return Some(LogSign::HeapOom { why });
    }
    if line.contains("ERR_WORKER_OUT_OF_MEMORY") {
        return Some(LogSign::WorkerOom);
    }
    if let Some(path) = line.strip_prefix("Wrote snapshot to ") {
        return Some(LogSign::SaysSnapshot { path: Masked::from(path) });
    }
    if let Some(path) = line.strip_prefix("Writing Node.js report to file: ") {
        return Some(LogSign::ReportStarted { path: Masked::from(path) });
    }
    if line.starts_with("Debugger listening on ws://") {
        return Some(LogSign::InspectorOpen);
    }
    if line.starts_with("Starting inspector on ") && line.contains("address already in use") {
        return Some(LogSign::InspectorPortBusy);
    }
    if line == "Debugger attached." {
        return Some(LogSign::DebuggerAttached);
    }
    if let Some(code) = ["EROFS", "EACCES", "ENOSPC", "ENOENT", "EPERM", "EDQUOT"].into_iter().find(|code| {
        // `Error: EROFS: read-only file system, open '/app/Heap.….heapsnapshot'`
        line.strip_prefix("Error: ").is_some_and(|rest| rest.starts_with(code)) && line.contains(".heapsnapshot")
    }) {
        return Some(LogSign::WriteFailed { code: Masked::own(code) });
    }
    if line.contains("Check failed: ") && line.trim_start().starts_with("# ") {
        return Some(LogSign::CheckFailed);
    }
    collection(line)
}

/// `[1:0x7f…]    12345 ms: Mark-Compact (reduce) 447.3 (455.9) -> 446.5 (456.4) MB, …` (`Mark-sweep` on 18).
fn collection(line: &str) -> Option<LogSign> {
    let at = line.find("Mark-Compact").or_else(|| line.find("Mark-sweep")).or_else(|| line.find("Scavenge"))?;
    let (before, after) = line[at..].split_once(" -> ")?;
    let megabytes = |text: &str| text.parse::<f64>().ok().filter(|mb| (0.0..1e9).contains(mb)).map(|mb| Bytes((mb * 1048576.0) as u64));
    let before = before.rsplit(' ').nth(1)?;
    let after = after.split(' ').next()?;
    line.contains(" MB").then_some(())?;
    Some(LogSign::LastCollection { before: megabytes(before)?, after: megabytes(after)? })
}

/// Why a process is no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// V8's own limit: a snapshot shows why.
    HeapLimit,
    /// The container's memory limit: JS heap, off-heap or another process of it.
    ContainerLimit,
    /// A snapshot could not be written.
    WriteFailed,
    /// A V8 check failed under the debugger.
    DebuggerCheck,
    /// Killed from outside: liveness probe, eviction, deletion, a person.
    Killed,
    /// Died of a signal that nobody caught (128 + n).
    Signal,
    /// The app ended itself with an error.
    AppError,
    /// Ended in order.
    Finished,
    /// Not to be told.
    Unknown,
}

/// How it died, with what proves it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Death {
    /// The cause.
    pub cause: Cause,
    /// Exit code.
    pub exit_code: i32,
    /// A sentence for people.
    pub because: Masked,
}

/// Puts kubelet's reason, exit code and the last lines together. The lines are those of the life that ended
/// (`previous` log), in order.
pub fn death<'a>(reason: &str, exit_code: i32, last_lines: impl IntoIterator<Item = &'a str>) -> Death {
    let signs: Vec<LogSign> = last_lines.into_iter().filter_map(log_sign).collect();
    let has = |wanted: fn(&LogSign) -> bool| signs.iter().any(wanted);
    let fatal = signs.iter().rev().find_map(|sign| match sign {
        LogSign::HeapOom { why } => Some(*why),
        _ => None,
    });
    let (cause, because) = match (reason, exit_code) {
        // The kernel's word comes first: V8 may have printed its last collections before it.
        ("OOMKilled", _) => match fatal {
            Some(_) => (Cause::ContainerLimit, "the kernel killed it at the container's memory limit, after V8 had given up".to_owned()),
            None => (Cause::ContainerLimit, "the kernel killed it at the container's memory limit (OOMKilled)".to_owned()),
        },
        (_, code) if fatal.is_some() => {
            let why = match fatal {
                Some(HeapOom::Ineffective) => "V8 spent its time in collections that freed nothing near its heap limit",
                Some(HeapOom::Allocation) => "one allocation did not fit into V8's heap",
                Some(HeapOom::ReachedLimit) | None => "V8 reached its heap limit",
            };
            (Cause::HeapLimit, format!("{why} (FATAL ERROR in the log, exit {code})"))
        }
        (_, _) if has(|sign| matches!(sign, LogSign::WriteFailed { .. })) => {
            (Cause::WriteFailed, format!("a heap snapshot could not be written, which ends the app (exit {exit_code})"))
        }
        (_, 133) if has(|sign| matches!(sign, LogSign::CheckFailed)) => {
            (Cause::DebuggerCheck, "a V8 check failed while the debugger held it near its limit (exit 133)".to_owned())
        }
        (_, 134 | 139) => (Cause::Unknown, format!("aborted (exit {exit_code}): likely V8's heap limit, but the log does not show it")),
        (_, 137) => (
            Cause::Killed,
            "SIGKILL from outside: liveness probe, eviction or deletion, or an out-of-memory kill not reported yet".to_owned(),
        ),
        (_, 143) => (Cause::Killed, "SIGTERM: a deployment, eviction, scale-down or liveness probe".to_owned()),
        (_, 138 | 140) => (Cause::Signal, format!("SIGUSR{} that nothing caught (exit {exit_code})", if exit_code == 138 { 1 } else { 2 })),
        (_, 0) => (Cause::Finished, "it ended in order (exit 0)".to_owned()),
        (_, code) if code > 128 && code < 160 => (Cause::Signal, format!("signal {} (exit {code})", code - 128)),
        (_, code) => (Cause::AppError, format!("the app ended with exit {code}")),
    };
    Death { cause, exit_code, because: Masked::from(because) }
}

impl Death {
    /// The word for a column: `V8 limit`, `OOMKilled`, `exit 1`.
    pub fn word(&self) -> String {
        match self.cause {
            Cause::HeapLimit => "V8 heap limit".to_owned(),
            Cause::ContainerLimit => "OOMKilled".to_owned(),
            Cause::WriteFailed => "snapshot write failed".to_owned(),
            Cause::Finished => "finished".to_owned(),
            Cause::DebuggerCheck | Cause::Killed | Cause::Signal | Cause::AppError | Cause::Unknown => format!("exit {}", self.exit_code),
        }
    }
}

/// The file that a log line names, if it is one that a capture waits for.
pub fn announced_file(line: &str) -> Option<(String, FileName)> {
    let path =
        line.trim_end().strip_prefix("Wrote snapshot to ").or_else(|| line.trim_end().strip_prefix("Writing Node.js report to file: "))?;
    let plain = crate::base::Untrusted::new(path).clean();
    (plain == path).then(|| file_name(path).map(|name| (plain, name))).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Standard error of Node 20.20.2 as process 1, `--max-old-space-size=96`.
    const OOM: &str = "
<--- Last few GCs --->

[1:0x7f2b3c000000]    12034 ms: Mark-Compact (reduce) 95.7 (97.6) -> 95.4 (98.1) MB, 61.03 / 0.00 ms  (+ 2.2 ms in 6 steps) (average mu = 0.214, current mu = 0.108) allocation failure; scavenge might not succeed
[1:0x7f2b3c000000]    12110 ms: Mark-Compact 96.4 (98.1) -> 96.1 (98.9) MB, pooled: 0 MB, 74.96 / 0.00 ms  (average mu = 0.117, current mu = 0.013) allocation failure; scavenge might not succeed

<--- JS stacktrace --->

FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory
----- Native stack trace -----

 1: 0xb8ced1 node::OOMErrorHandler(char const*, v8::OOMDetails const&) [node]";

    #[test]
    fn an_exit_code_alone_names_nothing() {
        let cases: [(&str, i32, &str, Cause); 12] = [
            ("Error", 139, OOM, Cause::HeapLimit),
            ("Error", 134, OOM, Cause::HeapLimit),
            ("Error", 139, "", Cause::Unknown),
            ("OOMKilled", 137, "", Cause::ContainerLimit),
            ("OOMKilled", 137, OOM, Cause::ContainerLimit),
            ("Error", 137, "", Cause::Killed),
            (
                "Error",
                1,
                "Error: EROFS: read-only file system, open '/usr/src/app/Heap.20261124.1.1.0.001.heapsnapshot'",
                Cause::WriteFailed,
            ),
            ("Error", 1, "Error: EROFS: read-only file system, open '/x.log'", Cause::AppError),
            ("Error", 140, "", Cause::Signal),
            ("Error", 143, "", Cause::Killed),
            ("Error", 133, "# Check failed: needs_context && current_scope_ == closure_scope_.", Cause::DebuggerCheck),
            ("Completed", 0, "", Cause::Finished),
        ];
        for (reason, code, log, cause) in cases {
            let death = death(reason, code, log.lines());
            assert_eq!(death.cause, cause, "{reason} {code}: {}", death.because);
        }
    }

    #[test]
    fn lines_that_matter() {
        let cases = [
            (
                "FATAL ERROR: Ineffective mark-compacts near heap limit Allocation failed - JavaScript heap out of memory",
                LogSign::HeapOom { why: HeapOom::Ineffective },
            ),
            (
                "FATAL ERROR: CALL_AND_RETRY_LAST Allocation failed - JavaScript heap out of memory",
                LogSign::HeapOom { why: HeapOom::Allocation },
            ),
            ("Debugger listening on ws://127.0.0.1:9229/5aa04268-3726-47e5-96fb-034ad2205e04", LogSign::InspectorOpen),
            ("Starting inspector on 127.0.0.1:9229 failed: address already in use", LogSign::InspectorPortBusy),
            ("Error [ERR_WORKER_OUT_OF_MEMORY]: Worker terminated due to reaching memory limit: JS heap out of memory", LogSign::WorkerOom),
            (
                "[55:0x1]  9 ms: Mark-sweep (reduce) 4.0 (5.0) -> 2.0 (5.0) MB, 1.0 / 0.0 ms",
                LogSign::LastCollection { before: Bytes::mib(4), after: Bytes::mib(2) },
            ),
        ];
        for (line, sign) in cases {
            assert_eq!(log_sign(line), Some(sign), "{line}");
        }
        assert_eq!(log_sign("user sent JavaScript heap out of memory"), None);
        let line = "Wrote snapshot to /data/Heap.20261124.101010.1.0.001.heapsnapshot";
        assert_eq!(announced_file(line).map(|(path, _)| path).as_deref(), Some("/data/Heap.20261124.101010.1.0.001.heapsnapshot"));
        assert_eq!(announced_file("Wrote snapshot to /etc/passwd"), None);
    }

    proptest::proptest! {
        #[test]
        fn no_line_breaks_it(line in ".{0,120}") {
            let _ = log_sign(&line);
            let _ = death("Error", 1, [line.as_str()]);
        }
    }
}
