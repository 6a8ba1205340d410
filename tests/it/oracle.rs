//! The engine against Chrome DevTools' own, on every node of real snapshots of five majors of Node, normal and near the heap limit.
//!
//! The expectations were made by `tests/fixtures/record-all.sh` with npm's chrome-devtools-frontend 1.0.1705227. Where DevTools lets two
//! classes of the same text overwrite each other (its Summary then shows one `Function` of an Express app), rows are merged by text.

use std::io::Read;
use std::path::PathBuf;
use std::sync::Arc;

use cutoff::heap::{self, Analysis, SnapshotKind, Unwatched};
use serde_json::Value;

/// A file of `tests/fixtures/snapshots`, unpacked.
pub fn fixture(name: &str) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/snapshots").join(name);
    let file = std::fs::File::open(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let mut bytes = Vec::new();
    flate2::read::GzDecoder::new(file).read_to_end(&mut bytes).expect("a whole gzip file");
    bytes
}

/// The analysis of a committed snapshot: `node22-1`, `node20-limit`.
pub fn analysed(name: &str) -> Analysis {
    heap::analyse(&fixture(&format!("{name}.heapsnapshot.gz")), Arc::new(Unwatched)).expect("a snapshot")
}

fn expected(name: &str) -> Value {
    serde_json::from_slice(&fixture(name)).expect("JSON of the oracle")
}

const SNAPSHOTS: [&str; 12] = [
    "node18-0",
    "node18-1",
    "node20-0",
    "node20-1",
    "node20-limit",
    "node22-0",
    "node22-1",
    "node24-0",
    "node24-1",
    "node26-0",
    "node26-1",
    "node26-limit",
];

#[test]
fn every_node_of_every_major_is_as_devtools_says() {
    for name in SNAPSHOTS {
        let analysis = analysed(name);
        let oracle = expected(&format!("{name}.oracle.json.gz"));
        assert_eq!(oracle["node_count"], analysis.node_count(), "{name}");
        assert_eq!(oracle["edge_count"], analysis.edge_count(), "{name}");
        assert_eq!(oracle["total_size"], analysis.total_size(), "{name}");
        let digests = analysis.digests();
        let ours = [
            ("ids_u32", &digests.ids_u32),
            ("self_f64", &digests.self_f64),
            ("retained_f64", &digests.retained_f64),
            ("dominators_u32", &digests.dominators_u32),
            ("distances_i32", &digests.distances_i32),
        ];
        for (column, digest) in ours {
            assert_eq!(oracle["digests"][column], **digest, "{name} {column}");
        }
        let kind = if name.ends_with("limit") { SnapshotKind::ExposeInternals } else { SnapshotKind::Normal };
        assert_eq!(analysis.snapshot_kind(), kind, "{name}");
    }
}

#[test]
fn every_class_row_is_as_devtools_says() {
    for name in SNAPSHOTS {
        let analysis = analysed(name);
        let oracle = expected(&format!("{name}.oracle.json.gz"));
        // Long keys are cut at 300 UTF-16 units by the oracle.
        let cut = |key: &str| {
            if key.encode_utf16().count() > 300 {
                String::from_utf16_lossy(&key.encode_utf16().take(300).collect::<Vec<_>>()) + "…"
            } else {
                key.to_owned()
            }
        };
        let mut ours: Vec<Value> = analysis
            .class_rows()
            .iter()
            .map(|row| serde_json::json!([cut(&row.key), row.count, row.shallow, row.retained, row.distance]))
            .collect();
        let mut theirs: Vec<Value> = oracle["classes"].as_array().expect("rows").clone();
        for rows in [&mut ours, &mut theirs] {
            rows.sort_by_key(ToString::to_string);
        }
        let different: Vec<String> = ours
            .iter()
            .filter(|r| !theirs.contains(r))
            .map(|r| format!("ours {r}"))
            .chain(theirs.iter().filter(|r| !ours.contains(r)).map(|r| format!("theirs {r}")))
            .collect();
        assert!(different.is_empty(), "{name}: {different:#?}");
    }
}

#[test]
fn the_rows_of_a_comparison_are_as_devtools_says() {
    for major in [18, 20, 22, 24, 26] {
        let (before, after) = (analysed(&format!("node{major}-0")), analysed(&format!("node{major}-1")));
        let growth = heap::diff(&before, &after).expect("one process");
        let oracle = expected(&format!("node{major}.diff.json.gz"));
        let mut ours: Vec<(String, u64, u64, u64, u64)> =
            growth.rows.iter().map(|r| (r.key.clone(), r.added, r.removed, r.added_size, r.removed_size)).collect();
        let number = |row: &Value, key: &str| row[key].as_u64().expect("a number");
        let mut theirs: Vec<(String, u64, u64, u64, u64)> = oracle["rows"]
            .as_array()
            .expect("rows")
            .iter()
            .map(|r| {
                (
                    r["key"].as_str().expect("a key").to_owned(),
                    number(r, "added"),
                    number(r, "removed"),
                    number(r, "added_size"),
                    number(r, "removed_size"),
                )
            })
            .collect();
        ours.sort();
        theirs.sort();
        assert_eq!(ours, theirs, "Node {major}");
    }
}

#[test]
fn two_kinds_and_two_processes_are_not_compared_by_id() {
    let (normal, limit) = (analysed("node20-1"), analysed("node20-limit"));
    assert!(matches!(heap::diff(&normal, &limit), Err(heap::NotComparable::Kinds { .. })));
    let other = analysed("node22-1");
    assert!(matches!(heap::diff(&normal, &other), Err(heap::NotComparable::OtherProcess { .. })));
    assert!(!heap::diff_by_shape(&normal, &other).is_empty(), "shapes can always be compared");
}
