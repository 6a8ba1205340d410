//! Files of evidence and what analysis found in them.

use serde::Serialize;

use super::{Claim, claim};
use crate::base::EvidenceId;
use crate::incident::{Capture, FindingRecord, State};
use crate::report::event::outcome_word;
use crate::report::words::{between, iso, t_plus};

/// A file of evidence with its chain of custody, as name and value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct EvidenceRow {
    /// `E1`.
    pub id: String,
    /// What is known of it.
    pub facts: Vec<(String, String)>,
    /// Its event.
    pub refs: String,
}

pub(super) fn rows(state: &State) -> Vec<EvidenceRow> {
    state.captures.iter().map(|c| row(state, c)).collect()
}

fn row(state: &State, c: &Capture) -> EvidenceRow {
    let mut facts: Vec<(String, String)> = Vec::new();
    let mut add = |name: &str, value: Option<String>| {
        if let Some(value) = value.filter(|v| !v.is_empty()) {
            facts.push((name.to_owned(), value));
        }
    };
    let outcome = c.outcome.map_or("TODO: end not recorded", outcome_word);
    add("File", Some(c.file.as_ref().map_or_else(|| "none".to_owned(), ToString::to_string)));
    add("Outcome", Some(if c.remark.is_empty() { outcome.to_owned() } else { format!("{outcome}; {}", c.remark) }));
    add("Size", Some(c.bytes.to_string()));
    add("sha256", c.sha256.clone());
    add("Container", c.container.as_ref().map(ToString::to_string));
    add("Method", Some(c.method.to_string()));
    let took = c.ended.map_or_else(String::new, |end| format!(", took {}", between(c.mark.at, end)));
    add("Captured", Some(format!("{} ({}) by {}{took}", iso(c.mark.at), t_plus(state, c.mark.at), c.mark.by)));
    if let Some(p) = &c.provenance {
        add("Image", Some(p.image.to_string()));
        add("Node.js", p.node_version.clone());
        add("V8 flags", Some(p.flags.to_string()));
        add("Kubernetes node", p.node.clone());
        add(
            "Copied from",
            p.path.as_ref().map(|path| match p.same_in_pod {
                Some(true) => format!("{path}; the same sha256 in the pod"),
                Some(false) => format!("{path}; ANOTHER sha256 in the pod afterwards"),
                None => path.to_string(),
            }),
        );
        add("Process", Some(format!("pid {}, restart {}, started {}", p.process.pid, p.process.restart, iso(p.process.started))));
    }
    add("Deleted", c.deleted.as_ref().map(|(mark, why)| format!("{} by {}: {why}", iso(mark.at), mark.by)));
    EvidenceRow { id: c.evidence.to_string(), facts, refs: claim("", [c.mark.seq]).refs }
}

/// A leak that analysis named.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FindingBlock {
    /// The verdict in one sentence.
    pub headline: String,
    /// What is known of it, as name and value.
    pub facts: Vec<(String, String)>,
    /// From the root to the holder.
    pub path: Vec<String>,
    /// What this evidence cannot prove.
    pub cannot_prove: String,
    /// Its event.
    pub refs: String,
}

pub(super) fn findings(state: &State) -> Vec<FindingBlock> {
    state.findings.iter().map(block).collect()
}

fn block(record: &FindingRecord) -> FindingBlock {
    let f = &record.finding;
    let mut facts = vec![
        ("Held by".to_owned(), f.holder.to_string()),
        ("Grows".to_owned(), f.growing.to_string()),
        ("Place".to_owned(), f.place.as_ref().map_or_else(|| "unknown".to_owned(), |p| format!("{}:{}:{}", p.file, p.line, p.column))),
        ("Retained".to_owned(), format!("{}, {:.1} % of the heap", f.retained, f.share * 100.0)),
        ("Growth".to_owned(), f.growth.map_or_else(|| "not measured (one snapshot)".to_owned(), |g| format!("{g} between the snapshots"))),
        ("Confidence".to_owned(), f.confidence.to_string()),
        ("From".to_owned(), files(&record.evidence)),
    ];
    if let Some(age) = &record.age {
        let younger = format!("older than {} of {} changes looked at", age.younger_changes, age.changes);
        let old = between(age.written, record.mark.at);
        facts.push(("Code age".to_owned(), format!("{old}: {} {} ({}); {younger}", age.commit, age.subject, iso(age.written))));
    }
    FindingBlock {
        headline: f.headline.to_string(),
        facts,
        path: f.path.iter().map(ToString::to_string).collect(),
        cannot_prove: f.cannot_prove.to_string(),
        refs: claim("", [record.mark.seq]).refs,
    }
}

pub(super) fn nothing(state: &State) -> Vec<Claim> {
    let one = |n: &crate::incident::NothingRecord| {
        let large: Vec<String> = n.large.iter().map(|l| format!("{} ({})", l.what, l.retained)).collect();
        let large = if large.is_empty() { String::new() } else { format!(" Largest: {}.", large.join(", ")) };
        claim(format!("{}: {}.{large}", files(&n.evidence), n.reason), [n.mark.seq])
    };
    state.nothing.iter().map(one).collect()
}

fn files(evidence: &[EvidenceId]) -> String {
    evidence.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and ")
}
