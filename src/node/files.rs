//! Files that Node and V8 leave: how they are named, what the head of a snapshot predicts, and what of it is whole.
//!
//! Formats: `node::DiagnosticFilename` (src/util.cc) for the names, V8's `HeapSnapshotJSONSerializer` for the order of
//! the sections: snapshot, nodes, edges, `trace_function_infos`, `trace_tree`, samples, locations, strings.

use serde::{Deserialize, Serialize};

use crate::base::Bytes;

/// What a file's name says about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum FileName {
    /// `Heap.20260101.120000.1.0.001.heapsnapshot`, written near the heap limit or on a signal.
    Snapshot {
        /// Process id inside the container.
        pid: u32,
        /// 0 is the main thread, others are workers.
        thread: u32,
        /// Shared with the reports and profiles of the process.
        sequence: u32,
    },
    /// `v8-heap-<ms>[-pid].heapsnapshot`, written by `--heap-snapshot-on-oom` (22 and later).
    OnOom {
        /// Only Node 26 names it.
        pid: Option<u32>,
    },
    /// `Heap.….heapprofile`, written by `--heap-prof` at an orderly exit.
    Profile {
        /// Process id inside the container.
        pid: u32,
    },
    /// `report.….json`, a diagnostic report.
    Report {
        /// Process id inside the container.
        pid: u32,
    },
    /// Another `….heapsnapshot`, named by a person or program.
    Named,
}

/// Reads the last part of a path; `None` when the name is none that Node gives nor a `.heapsnapshot`.
pub fn file_name(path: &str) -> Option<FileName> {
    let name = path.rsplit('/').next().unwrap_or(path);
    if let Some(stem) = name.strip_prefix("v8-heap-").and_then(|rest| rest.strip_suffix(".heapsnapshot")) {
        let (ms, pid) = stem.split_once('-').map_or((stem, None), |(ms, pid)| (ms, Some(pid)));
        if !digits(ms) {
            return Some(FileName::Named);
        }
        return Some(FileName::OnOom { pid: pid.and_then(|pid| pid.parse().ok()) });
    }
    let numbered = |prefix: &str, suffix: &str| {
        let parts: Vec<&str> = name.strip_prefix(prefix)?.strip_suffix(suffix)?.split('.').collect();
        let [date, time, pid, thread, sequence] = parts[..] else { return None };
        let shaped = date.len() == 8 && time.len() == 6 && sequence.len() >= 3 && [date, time, sequence].into_iter().all(digits);
        // Node 26 may leave the thread out of a report's header, never out of its name.
        if shaped { Some((pid.parse::<u32>().ok()?, thread.parse::<u32>().ok()?, sequence.parse::<u32>().ok()?)) } else { None }
    };
    if let Some((pid, thread, sequence)) = numbered("Heap.", ".heapsnapshot") {
        return Some(FileName::Snapshot { pid, thread, sequence });
    }
    if let Some((pid, ..)) = numbered("Heap.", ".heapprofile") {
        return Some(FileName::Profile { pid });
    }
    if let Some((pid, ..)) = numbered("report.", ".json") {
        return Some(FileName::Report { pid });
    }
    name.ends_with(".heapsnapshot").then_some(FileName::Named)
}

fn digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

/// What the first 4 KB of a snapshot say: the size of all of it can be told from them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// Objects.
    pub nodes: u64,
    /// References.
    pub edges: u64,
    /// Node 24 and later: no `trace_node_id`, shorter records.
    pub compact: bool,
}

impl Header {
    /// Reads the head of a snapshot. `None` while `head` is too short, or when it is none.
    pub fn read(head: &[u8]) -> Option<Self> {
        let text = String::from_utf8_lossy(&head[..head.len().min(HEAD)]);
        let number = |key: &str| {
            let rest = &text[text.find(key)? + key.len()..];
            let end = rest.find(|c: char| !c.is_ascii_digit())?;
            rest[..end].parse::<u64>().ok()
        };
        if !text.trim_start().starts_with("{\"snapshot\"") {
            return None;
        }
        let fields = text.find("\"node_fields\"").map(|at| &text[at..]).and_then(|rest| rest.find(']').map(|end| &rest[..end]))?;
        Some(Self { nodes: number("\"node_count\":")?, edges: number("\"edge_count\":")?, compact: !fields.contains("trace_node_id") })
    }

    /// The size the file will have: (low, high) for ordinary heaps. Heaps of long strings come out larger.
    pub fn predicted(self) -> (Bytes, Bytes) {
        let (node, edge) = if self.compact { ((19.7, 21.6), (12.7, 14.0)) } else { ((22.6, 25.0), (13.8, 15.0)) };
        let size = |node: f64, edge: f64, strings: f64| Bytes(((self.nodes as f64 * node + self.edges as f64 * edge) * strings) as u64);
        (size(node.0, edge.0, 1.05), size(node.1, edge.1, 1.20))
    }

    /// One figure for a progress bar: the middle of the prediction.
    pub fn expected(self) -> Bytes {
        let (low, high) = self.predicted();
        Bytes(low.0 / 2 + high.0 / 2)
    }
}

const HEAD: usize = 4096;

/// Which parts of a snapshot are whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Whole {
    /// Counts and field names.
    pub header: bool,
    /// Objects: types and own sizes.
    pub nodes: bool,
    /// References: with the nodes they give dominators and retained sizes.
    pub edges: bool,
    /// Names; they are last, and a whole file ends with them.
    pub strings: bool,
}

impl Whole {
    /// What an analysis can still say.
    pub const fn words(self) -> &'static str {
        match self {
            Self { strings: true, .. } => "whole",
            Self { edges: true, .. } => "objects and references whole, names cut",
            Self { nodes: true, .. } => "objects whole, references and names cut",
            Self { header: true, .. } => "only part of the objects",
            _ => "nothing usable",
        }
    }
}

/// Follows a snapshot byte by byte as it arrives, in chunks of any size, and knows what is whole. It trusts no log
/// line and no size: a file is complete when its JSON ends.
#[derive(Clone, Debug, Default)]
pub struct SnapshotTracker {
    bytes: u64,
    head: Vec<u8>,
    header: Option<Header>,
    section: usize,
    matched: usize,
    in_string: bool,
    escaped: bool,
    closed: Closed,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Closed {
    #[default]
    No,
    Array,
    Object,
    Trailing,
}

/// What opens each section that matters, in file order.
const MARKS: [&[u8]; 4] = [b"\"nodes\":[", b"\"edges\":[", b"\"trace_function_infos\":[", b"\"strings\":["];

impl SnapshotTracker {
    /// A tracker before the first byte.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next bytes of the file.
    pub fn push(&mut self, chunk: &[u8]) {
        self.bytes += chunk.len() as u64;
        if self.head.len() < HEAD && self.header.is_none() {
            let take = chunk.len().min(HEAD - self.head.len());
            self.head.extend_from_slice(&chunk[..take]);
            self.header = Header::read(&self.head);
        }
        let mut rest = chunk;
        while self.section < MARKS.len() {
            let Some(after) = self.find_mark(rest) else { return };
            rest = after;
            self.section += 1;
            self.matched = 0;
        }
        self.strings(rest);
    }

    /// Looks for the next mark, also across chunks. The marks open with a quote that occurs nowhere else in them, so
    /// a failed match can only restart there.
    fn find_mark<'a>(&mut self, bytes: &'a [u8]) -> Option<&'a [u8]> {
        let mark = MARKS[self.section];
        for (i, &b) in bytes.iter().enumerate() {
            if b == mark[self.matched] {
                self.matched += 1;
                if self.matched == mark.len() {
                    return Some(&bytes[i + 1..]);
                }
            } else {
                self.matched = usize::from(b == mark[0]);
            }
        }
        None
    }

    fn strings(&mut self, bytes: &[u8]) {
        for &b in bytes {
            if self.in_string {
                match b {
                    _ if self.escaped => self.escaped = false,
                    b'\\' => self.escaped = true,
                    b'"' => self.in_string = false,
                    _ => {}
                }
                continue;
            }
            self.closed = match (self.closed, b) {
                (Closed::No, b'"') => {
                    self.in_string = true;
                    Closed::No
                }
                (Closed::No, b']') => Closed::Array,
                (Closed::Array, b'}') => Closed::Object,
                (Closed::No | Closed::Array | Closed::Object, b'\n' | b'\r' | b' ' | b',') => self.closed,
                (Closed::No, _) => Closed::No,
                (Closed::Array | Closed::Object | Closed::Trailing, _) => Closed::Trailing,
            };
        }
    }

    /// Bytes so far.
    pub const fn bytes(&self) -> Bytes {
        Bytes(self.bytes)
    }

    /// The counts of the header, once they have come.
    pub const fn header(&self) -> Option<Header> {
        self.header
    }

    /// What is whole.
    pub const fn whole(&self) -> Whole {
        Whole {
            header: self.header.is_some(),
            nodes: self.section >= 2,
            edges: self.section >= 3,
            strings: self.section == MARKS.len() && matches!(self.closed, Closed::Object),
        }
    }

    /// Whether the JSON has ended: only that makes a file a snapshot.
    pub const fn is_complete(&self) -> bool {
        self.whole().strings
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: &str = r#"{"snapshot":{"meta":{"node_fields":["type","name","id","self_size","edge_count","trace_node_id","detachedness"],"x":1},"node_count":2,"edge_count":1,"trace_function_count":0},
"nodes":[9,1,1,0,1,0,0
,9,2,3,0,0,0,0
],
"edges":[1,1,7
],
"trace_function_infos":[
],
"trace_tree":[
],
"samples":[],
"locations":[],
"strings":["<dummy>",
"say \"]}\" and \\",
"\"strings\":["]}"#;

    #[test]
    fn names_as_node_gives_them() {
        let cases = [
            ("/data/Heap.20261123.101500.1.0.001.heapsnapshot", Some(FileName::Snapshot { pid: 1, thread: 0, sequence: 1 })),
            ("Heap.20261123.101500.17.2.1003.heapsnapshot", Some(FileName::Snapshot { pid: 17, thread: 2, sequence: 1003 })),
            ("v8-heap-1764000000000.heapsnapshot", Some(FileName::OnOom { pid: None })),
            ("v8-heap-1764000000000-7.heapsnapshot", Some(FileName::OnOom { pid: Some(7) })),
            ("report.20261123.101500.1.0.002.json", Some(FileName::Report { pid: 1 })),
            ("Heap.20261123.101500.1.0.001.heapprofile", Some(FileName::Profile { pid: 1 })),
            ("mine.heapsnapshot", Some(FileName::Named)),
            ("Heap.2026.1.1.0.001.heapsnapshot", Some(FileName::Named)),
            ("package.json", None),
            ("report.json", None),
        ];
        for (name, kind) in cases {
            assert_eq!(file_name(name), kind, "{name}");
        }
    }

    #[test]
    fn the_header_predicts_what_was_measured() {
        // Node 20: 5.29 M nodes, 17.9 M edges gave 440 MB; Node 24: 19.6 M / 64.3 M gave 1518 MB.
        let cases = [
            (5_290_000, 17_900_000, false, 440_000_000u64),
            (19_600_000, 64_300_000, true, 1_518_000_000),
            (4_030_000, 13_200_000, false, 330_000_000),
        ];
        for (nodes, edges, compact, file) in cases {
            let (low, high) = Header { nodes, edges, compact }.predicted();
            assert!(low.0 <= file * 11 / 10 && file <= high.0, "{low} {high} {file}");
        }
    }

    #[test]
    fn a_file_cut_anywhere_is_judged_honestly() {
        let all = SMALL.as_bytes();
        for cut in 0..all.len() {
            let mut tracker = SnapshotTracker::new();
            tracker.push(&all[..cut]);
            let whole = tracker.whole();
            let has = |mark: &str| SMALL[..cut].contains(mark);
            assert!(!whole.strings, "cut at {cut}");
            assert_eq!(whole.nodes, has("\"edges\":["), "cut at {cut}");
            assert_eq!(whole.edges, has("\"trace_function_infos\":["), "cut at {cut}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_chunking_is_one_push(cuts in proptest::collection::vec(0usize..SMALL.len(), 0..12)) {
            let mut cuts = cuts;
            cuts.sort_unstable();
            let mut tracker = SnapshotTracker::new();
            let mut from = 0;
            for cut in cuts.into_iter().chain([SMALL.len()]) {
                tracker.push(&SMALL.as_bytes()[from..cut]);
                from = cut;
            }
            proptest::prop_assert!(tracker.is_complete());
            proptest::prop_assert_eq!(tracker.header(), Some(Header { nodes: 2, edges: 1, compact: false }));
            proptest::prop_assert_eq!(tracker.bytes(), Bytes(SMALL.len() as u64));
            tracker.push(b"x");
            proptest::prop_assert!(!tracker.is_complete(), "bytes after the end are no snapshot");
        }
    }
}
