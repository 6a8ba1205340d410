//! JSON of the command line: the only place that knows its shapes. Each object names its schema; fields are only added.

use serde_json::{Value, json};

use crate::base::{Masked, Stamp};
use crate::cli::snapshot_file::SnapshotFile;
use crate::heap::{self, SnapshotKind, Verdict};
use crate::incident::{State, clock_view};
use crate::journal::Listed;
use crate::pressure::{Eta, Row};

/// One row of `cutoff.pods/1`.
pub fn pod(row: &Row) -> Value {
    let (left_seconds, left_to, left_unknown) = match &row.eta {
        Eta::AtMost { left, to } => (Some(left.as_secs()), Some(to.as_str()), None),
        Eta::NotGrowing => (None, None, Some("not growing")),
        Eta::Unknown { why } => (None, None, Some(*why)),
    };
    json!({
        "namespace": row.container.pod.namespace,
        "pod": row.container.pod.name,
        "container": row.container.name,
        "workload": row.workload.as_ref().map(ToString::to_string),
        "state": row.state,
        "ready": row.ready,
        "working_set_bytes": row.working_set.map(|b| b.0),
        "limit_bytes": row.limit.map(|b| b.0),
        "share": row.share,
        "slope_bytes_per_second": row.slope.map(|s| s.0),
        "left_seconds": left_seconds,
        "left_to": left_to,
        "left_unknown": left_unknown,
        "sampled": row.sampled,
        "source": row.source,
        "restarts": row.restarts,
        "last_end": row.last_end,
        "died_of": row.died,
        "act_first": row.first,
    })
}

/// `cutoff.status/1`.
pub fn status(state: &State, now: Stamp) -> Value {
    let clock = clock_view(state, now);
    json!({
        "schema": "cutoff.status/1",
        "incident": state.id.as_str(),
        "title": state.title,
        "service": state.service,
        "severity": state.severity,
        "open": state.is_open(),
        "declared": state.declared.wall,
        "phase": clock.phase.word(),
        "since_seconds": clock.since.as_secs(),
        "cutoff": clock.cutoff,
        "cutoff_in_seconds": clock.left_s,
        "decision_open": clock.undecided,
        "update_in_seconds": clock.update_in_s,
        "events": state.timeline.len(),
        "captures": state.captures.len(),
        "finding": state.findings.last().map(|f| f.finding.headline.as_str()),
    })
}

/// `cutoff.incidents/1`.
pub fn incidents(all: &[Listed]) -> Value {
    let rows: Vec<Value> = all
        .iter()
        .map(|one| {
            json!({
                "incident": one.id.as_str(),
                "title": one.title,
                "service": one.service,
                "severity": one.severity,
                "declared": one.declared,
                "open": one.open,
                "held_by": one.held_by.as_ref().map(ToString::to_string),
            })
        })
        .collect();
    json!({ "schema": "cutoff.incidents/1", "incidents": rows })
}

/// One file of `cutoff.analysis/1`.
fn snapshot(file: &SnapshotFile) -> Value {
    let f = &file.facts;
    json!({
        "file": file.name,
        "bytes": file.size.0,
        "sha256": file.sha256,
        "kind": f.cut.as_ref().is_none_or(|c| c.root_edges).then_some(match f.kind { SnapshotKind::Normal => "normal", SnapshotKind::ExposeInternals => "near-heap-limit" }),
        "node_version": f.node_version,
        "node_count": f.nodes,
        "edge_count": f.edges,
        "total_bytes": f.total_bytes,
        "cut": f.cut.as_ref().map(|c| json!({ "section": c.at.word(), "nodes": c.nodes.0, "nodes_promised": c.nodes.1, "edges": c.edges.0, "edges_promised": c.edges.1 })),
    })
}

fn place(place: &heap::Place) -> Value {
    json!({
        "file": place.file,
        "line": place.line,
        "column": place.column,
        "generated": place.generated.as_ref().map(|p| json!({ "file": p.file, "line": p.line, "column": p.column })),
    })
}

fn suspect(s: &heap::Suspect) -> Value {
    let hop = |step: &heap::Step| format!("{} → {} @{}", step.edge, step.node, step.id).trim().to_owned();
    json!({
        "headline": s.headline,
        "rule": s.rule,
        "holder": s.holder,
        "holder_kind": s.holder_kind,
        "holder_id": s.holder_id,
        "stored_in": s.stored_in,
        "package": s.package,
        "growing_class": s.growing_class,
        "count": s.count,
        "count_growth": s.count_growth,
        "location": s.location.as_ref().map(place),
        "class_location": s.class_location.as_ref().map(place),
        "retained_bytes": s.retained_bytes,
        "share": s.share,
        "growth_bytes": s.growth_bytes,
        "growth_share": s.growth_share,
        "growth_per_minute_bytes": s.growth_per_minute,
        "path": s.path.iter().map(hop).collect::<Vec<_>>(),
        "confidence": s.confidence,
        "age": s.age.as_ref().map(|a| json!({
            "commit": a.commit, "subject": a.subject, "changed": a.changed, "file": a.file,
            "older_than": a.older_than, "changes": a.changes, "sentence": crate::report::age_words(a, None),
        })),
        "samples": s.samples,
        "allocated_at": s.allocated_at.iter().map(|a| json!({
            "function": a.function, "place": a.place.as_ref().map(place), "share": a.share, "callers": a.callers,
        })).collect::<Vec<_>>(),
        "trigger": s.trigger,
        "fingerprint": s.fingerprint,
        "cannot_prove": s.cannot_prove,
    })
}

/// `cutoff.analysis/1`. `snapshot` is the newest of `snapshots`; `verdict` is the first suspect's sentence, or null with a `reason`.
pub fn analysis(files: &[SnapshotFile], verdict: &Verdict, top: usize) -> Value {
    let class = |c: &heap::ClassRow| json!({ "name": Masked::from(&*c.name), "count": c.count, "shallow_bytes": c.shallow, "retained_bytes": c.retained, "distance": c.distance });
    let rows = files.last().map(|f| f.facts.classes.as_slice()).unwrap_or_default();
    json!({
        "schema": "cutoff.analysis/1",
        "snapshot": files.last().map(snapshot),
        "snapshots": files.iter().map(snapshot).collect::<Vec<_>>(),
        "verdict": verdict.first().map(|s| &s.headline),
        "reason": (!verdict.reason.is_empty()).then_some(&verdict.reason),
        "compared": verdict.snapshots,
        "growth_bytes": verdict.growth_bytes,
        "suspects": verdict.suspects.iter().map(suspect).collect::<Vec<_>>(),
        "large": verdict.large.iter().map(|l| json!({
            "name": l.name, "kind": l.kind, "id": l.id, "count": l.count, "location": l.location.as_ref().map(place),
            "retained_bytes": l.retained_bytes, "share": l.share, "growth_bytes": l.growth_bytes,
        })).collect::<Vec<_>>(),
        "next_capture": (!verdict.next_capture.is_empty()).then_some(&verdict.next_capture),
        "caveats": verdict.caveats,
        "classes": rows.iter().take(top.max(1)).map(class).collect::<Vec<_>>(),
    })
}

/// Diagnostic reports of `cutoff.analysis/1` and `cutoff.report/1`.
pub fn reports(all: &[(String, crate::node::Report)]) -> Value {
    let one = |(file, r): &(String, crate::node::Report)| {
        json!({
            "file": file,
            "sentence": r.sentence(),
            "event": r.event,
            "trigger": r.trigger,
            "at": r.at,
            "pid": r.pid,
            "thread": r.thread,
            "node_version": r.version.map(|v| v.to_string()),
            "heap_limit_bytes": r.heap_limit.0,
            "heap_used_bytes": r.heap_used.0,
            "external_bytes": r.external.0,
            "resident_bytes": r.rss.0,
            "native_bytes": r.native().0,
            "container_limit_bytes": r.constrained.map(|b| b.0),
            "spaces": r.spaces.iter().map(|(name, used)| json!({ "name": name, "used_bytes": used.0 })).collect::<Vec<_>>(),
            "contexts": r.contexts.0,
            "detached_contexts": r.contexts.1,
            "message": r.message,
            "stack": r.stack,
            "native_stack": r.native_stack,
        })
    };
    Value::Array(all.iter().map(one).collect())
}

/// Sampled allocations of `cutoff.analysis/1` and `cutoff.report/1`.
pub fn profiles(all: &[(String, heap::Profile)], top: usize) -> Value {
    let one = |(file, p): &(String, heap::Profile)| json!({ "file": file, "total_bytes": p.total_bytes, "sites": crate::cli::analysis_text::profile(p, top).1.json() });
    Value::Array(all.iter().map(one).collect())
}

/// The five fingerprints of `analyze --digests`, named as the DevTools oracle names them.
pub fn digests(d: &heap::Digests) -> Value {
    json!({ "ids_u32": d.ids_u32, "self_f64": d.self_f64, "retained_f64": d.retained_f64, "dominators_u32": d.dominators_u32, "distances_i32": d.distances_i32 })
}

/// `cutoff.redaction/1`.
pub fn redaction(file: &std::path::Path, done: &heap::Redaction) -> Value {
    let secrets: serde_json::Map<String, Value> =
        done.secrets.iter().map(|(kind, n)| (kind.label().trim_matches(['[', ']']).replace(' ', "_"), (*n).into())).collect();
    json!({ "schema": "cutoff.redaction/1", "file": file.display().to_string(), "hidden": done.hidden, "kept": done.kept, "secrets": secrets })
}
