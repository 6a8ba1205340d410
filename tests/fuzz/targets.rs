//! What is fuzzed: everything that parses a file somebody hands in. Each function takes any bytes and checks what must hold for all of them.
//! Used by the cargo-fuzz targets beside it and by `tests/it/fuzz.rs`.

use std::sync::Arc;

use cutoff::heap::{self, Options, Pipeline, Profile, Redactor, Unwatched};
use cutoff::node::Report;
use cutoff::source::{Position, SourceMap, mapping_url};

/// A heap snapshot: at once and in pieces it is the same; whatever could be read can be judged, walked, kept and redacted.
pub fn snapshot(bytes: &[u8]) {
    let whole = heap::analyse(bytes, Arc::new(Unwatched));
    let mut pipeline = Pipeline::new(Arc::new(Unwatched));
    let size = 1 + bytes.first().map_or(0, |b| usize::from(*b) % 61);
    let pushed = bytes.chunks(size).try_for_each(|piece| pipeline.push(piece));
    let pieces = pushed.and_then(|()| pipeline.finish());
    let (whole, pieces) = match (whole, pieces) {
        (Ok(whole), Ok(pieces)) => (whole, pieces),
        (Err(_), Err(_)) => return,
        (whole, pieces) => panic!("at once {:?}, in pieces of {size} {:?}", whole.map(|_| ()), pieces.map(|_| ())),
    };
    assert_eq!(whole.digests(), pieces.digests());
    let verdict = heap::find_leaks(&[&pieces, &whole], &Options::default(), &Unwatched).expect("nobody cancels");
    assert!(verdict.suspects.iter().all(|s| s.share.is_finite()));
    for node in whole.nodes().take(64) {
        let _ = (whole.path(node), whole.retainer_rows(node), whole.display_name(node), whole.allocation_stack(node));
        assert!(whole.dominators(node).last().is_none_or(|d| d == whole.root()));
    }
    if let Some(index) = heap::encode_index(&whole) {
        assert_eq!(heap::decode_index(&index).expect("its own index").digests(), whole.digests());
    }
    let mut redactor = Redactor::new(whole.snapshot());
    let mut copy = Vec::new();
    redactor.push(bytes, &mut copy);
    redactor.finish(&mut copy);
    if whole.cut().is_none() {
        let copy = heap::analyse(&copy, Arc::new(Unwatched)).expect("a redacted copy is a snapshot");
        assert_eq!((copy.node_count(), copy.edge_count()), (whole.node_count(), whole.edge_count()));
    }
}

/// A source map: every place it gives is of a source it names.
pub fn source_map(bytes: &[u8]) {
    let _ = mapping_url(&String::from_utf8_lossy(bytes));
    let Ok(map) = SourceMap::parse(bytes) else { return };
    let sources: Vec<&str> = map.sources().collect();
    for line in (0..64).chain([u32::MAX]) {
        for column in [0, 1, 40, u32::MAX] {
            if let Some(found) = map.original(Position { line, column }) {
                assert!(sources.contains(&found.source));
            }
        }
    }
}

/// A `.heapprofile`: parts are no more than the whole.
pub fn profile(bytes: &[u8]) {
    let Ok(profile) = Profile::parse(bytes) else { return };
    assert!(profile.sites.iter().all(|s| s.self_bytes <= profile.total_bytes.saturating_add(1) && s.callers.len() <= 8));
}

/// A diagnostic report: its environment is in nothing that is kept of it.
pub fn report(bytes: &[u8]) {
    let Ok(report) = Report::parse(bytes) else { return };
    let _ = (report.sentence(), report.native(), report.is_heap_oom());
}
