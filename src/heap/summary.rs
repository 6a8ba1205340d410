//! The summary: what a first look at a snapshot needs, as bytes that are read at once, so that a snapshot that was analysed before
//! shows its verdict without a word of its graph.

use super::analysis::Analysis;
use super::format::{EdgeKind, NodeKind};
use super::index::checksum;
use super::pack::{Pack, packed};
use super::salvage::Cut;
use super::snapshot::SnapshotKind;
use super::table::ClassRow;
use super::verdict::Verdict;

const MAGIC: &[u8; 8] = b"cutoffhs";
/// To be raised when anything that is written changes its meaning.
const VERSION: u32 = 1;

/// What a snapshot is, in numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// How it was taken.
    pub kind: SnapshotKind,
    /// The version of Node that wrote it (`v22.23.3`), when it says so.
    pub node_version: Option<String>,
    /// How many nodes it has.
    pub nodes: u64,
    /// How many edges.
    pub edges: u64,
    /// Size of the heap, native memory in, bytes.
    pub total_bytes: u64,
    /// What is missing when the file was cut.
    pub cut: Option<Cut>,
    /// The class table: [`Analysis::class_rows`].
    pub classes: Vec<ClassRow>,
}

impl Facts {
    /// The facts of an analysis.
    pub fn of(a: &Analysis) -> Self {
        Self {
            kind: a.snapshot_kind(),
            node_version: a.node_version(),
            nodes: a.node_count() as u64,
            edges: a.edge_count() as u64,
            total_bytes: a.total_size(),
            cut: a.cut().cloned(),
            classes: a.class_rows().to_vec(),
        }
    }
}

/// A verdict with what it is of.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    /// The snapshot in numbers.
    pub facts: Facts,
    /// What [`super::find_leaks`] said of this snapshot alone.
    pub verdict: Verdict,
    /// What the caller wants to know again: the hash of the file.
    pub note: String,
}

impl Summary {
    /// As bytes; `None` for a snapshot that was cut.
    pub fn encode(&self) -> Option<Vec<u8>> {
        if self.facts.cut.is_some() {
            return None;
        }
        let mut bytes = MAGIC.to_vec();
        VERSION.pack(&mut bytes);
        let f = &self.facts;
        Packed {
            exposed: f.kind == SnapshotKind::ExposeInternals,
            node_version: f.node_version.clone(),
            nodes: f.nodes,
            edges: f.edges,
            total_bytes: f.total_bytes,
            classes: f.classes.clone(),
            verdict: serde_json::to_string(&self.verdict).ok()?,
            note: self.note.clone(),
        }
        .pack(&mut bytes);
        checksum(&bytes).pack(&mut bytes);
        Some(bytes)
    }

    /// The summary that `bytes` are; `None` when they are of another version, cut or damaged.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let (body, mut sum) = bytes.split_at_checked(bytes.len().checked_sub(8)?)?;
        let mut from = body.strip_prefix(MAGIC)?;
        if u32::unpack(&mut from)? != VERSION || u64::unpack(&mut sum)? != checksum(body) {
            return None;
        }
        let p = Packed::unpack(&mut from).filter(|_| from.is_empty())?;
        let kind = if p.exposed { SnapshotKind::ExposeInternals } else { SnapshotKind::Normal };
        let (nodes, edges, total_bytes, classes) = (p.nodes, p.edges, p.total_bytes, p.classes);
        Some(Self {
            facts: Facts { kind, node_version: p.node_version, nodes, edges, total_bytes, cut: None, classes },
            verdict: serde_json::from_str(&p.verdict).ok()?,
            note: p.note,
        })
    }
}

struct Packed {
    exposed: bool,
    node_version: Option<String>,
    nodes: u64,
    edges: u64,
    total_bytes: u64,
    classes: Vec<ClassRow>,
    verdict: String,
    note: String,
}

packed! {
    Packed { exposed, node_version, nodes, edges, total_bytes, classes, verdict, note }
}

impl Analysis {
    /// The version of Node that wrote the snapshot (`v22.23.3`), read from `process.version`.
    pub fn node_version(&self) -> Option<String> {
        let found = self.strings().find_all(&["process", "version"]);
        let (process, version) = (found[0]?, found[1]?);
        let is_process = |n: &super::NodeIx| self.name_ix(*n) == process && self.kind(*n) == NodeKind::Object;
        self.nodes().filter(is_process).find_map(|node| {
            let text = self.edge_named(node, EdgeKind::Property, version)?.to;
            let version = self.name(text).into_owned();
            let plain = version.len() <= 40
                && version.starts_with('v')
                && version.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '+'));
            (self.kind(text).is_string() && plain).then_some(version)
        })
    }
}
