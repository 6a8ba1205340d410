//! How a container ended, as far as its status tells. Logs tell more (`node::death`).
//!
//! Measured: V8's heap limit is 134 (SIGABRT), but 139 where node is process 1, since init ignores its own SIGABRT; a
//! cgroup kill is 137 with reason `OOMKilled`, a kill by a probe or a person is 137 with reason `Error`.

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::facts::End;

/// What an exit means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum EndKind {
    /// The container limit: the kernel killed it.
    OomKilled,
    /// 134 or 139: in a Node container nearly always V8's own heap limit; the log proves it.
    Aborted,
    /// SIGKILL from somebody else: liveness probe, deletion, node pressure.
    Killed,
    /// SIGTERM.
    Stopped,
    /// Ended by itself with success.
    Completed,
    /// Ended by itself with an error.
    Failed,
}

/// The last end of a container in one word and its number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LastEnd {
    /// What it means.
    pub kind: EndKind,
    /// In words, at most 20 columns: `OOMKilled 137`, `V8 heap limit? 139`.
    pub word: String,
    /// Exit code.
    pub exit_code: i32,
    /// When.
    pub at: Option<DateTime<Utc>>,
}

/// Reads an end.
pub fn classify(end: &End) -> LastEnd {
    let code = end.exit_code;
    let kind = match code {
        _ if end.reason == "OOMKilled" => EndKind::OomKilled,
        0 => EndKind::Completed,
        134 | 139 => EndKind::Aborted,
        137 => EndKind::Killed,
        143 => EndKind::Stopped,
        _ => EndKind::Failed,
    };
    let word = match kind {
        EndKind::OomKilled => format!("OOMKilled {code}"),
        EndKind::Aborted => format!("V8 heap limit? {code}"),
        EndKind::Killed => "killed 137".to_owned(),
        EndKind::Stopped => "stopped 143".to_owned(),
        EndKind::Completed => "completed".to_owned(),
        EndKind::Failed => format!("exit {code}"),
    };
    LastEnd { kind, word, exit_code: code, at: end.ended }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_as_they_were_measured() {
        for (reason, code, kind, word) in [
            ("OOMKilled", 137, EndKind::OomKilled, "OOMKilled 137"),
            ("Error", 134, EndKind::Aborted, "V8 heap limit? 134"),
            ("Error", 139, EndKind::Aborted, "V8 heap limit? 139"),
            ("Error", 137, EndKind::Killed, "killed 137"),
            ("Error", 143, EndKind::Stopped, "stopped 143"),
            ("Completed", 0, EndKind::Completed, "completed"),
            ("Error", 7, EndKind::Failed, "exit 7"),
            // Only one process of the container was killed by the cgroup: the main one ended in its own way.
            ("OOMKilled", 0, EndKind::OomKilled, "OOMKilled 0"),
        ] {
            let end = classify(&End { reason: reason.into(), exit_code: code, started: None, ended: None });
            assert_eq!((end.kind, end.word.as_str()), (kind, word), "{reason} {code}");
            assert!(end.word.len() <= 20);
        }
    }
}
