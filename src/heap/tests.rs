//! What must hold for any snapshot, whatever this room does inside.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use proptest::prelude::*;

use super::testing::Draft;
use super::*;

/// Any kinds of node and edge, any edges, sizes up to beyond four gigabytes.
pub(super) fn drafts() -> impl Strategy<Value = Draft> {
    let kinds = [NodeKind::Hidden, NodeKind::Array, NodeKind::Object, NodeKind::Native, NodeKind::Synthetic, NodeKind::String];
    let edge_kinds = [EdgeKind::Property, EdgeKind::Element, EdgeKind::Internal, EdgeKind::Shortcut, EdgeKind::Weak, EdgeKind::Hidden];
    let node = (0..kinds.len(), prop_oneof![0u64..100, Just(0), Just(u64::from(u32::MAX)), Just(5_000_000_000)]);
    (1usize..24).prop_flat_map(move |n| {
        let nodes = proptest::collection::vec(node.clone(), n);
        let edges = proptest::collection::vec((0..=n, 0..edge_kinds.len(), 0..=n), 0..4 * n);
        (nodes, edges).prop_map(move |(nodes, edges)| {
            let mut d = Draft::new();
            for (kind, size) in nodes {
                d.node(kinds[kind], ["Object", "Map", "x"][size as usize % 3], size);
            }
            for (k, (from, kind, to)) in edges.into_iter().enumerate() {
                d.edge(from, edge_kinds[kind], &(k % 3).to_string(), to);
            }
            d
        })
    })
}

/// The nodes that `start` reaches over retaining edges without going through `without`.
fn reach(a: &Analysis, start: &[NodeIx], without: Option<NodeIx>) -> BTreeSet<NodeIx> {
    let mut seen: BTreeSet<NodeIx> = start.iter().copied().filter(|&s| Some(s) != without).collect();
    let mut stack: Vec<NodeIx> = seen.iter().copied().collect();
    while let Some(v) = stack.pop() {
        for edge in a.edges(v) {
            if a.retains(&edge) && Some(edge.to) != without && seen.insert(edge.to) {
                stack.push(edge.to);
            }
        }
    }
    seen
}

/// Dominators by their definition: `d` dominates `v` when `v` is not reached without `d`.
fn check_by_removal(a: &Analysis) {
    let retained: BTreeSet<NodeIx> = a.nodes().flat_map(|v| a.edges(v).filter(|e| a.retains(e)).map(|e| e.to)).collect();
    let starts: Vec<NodeIx> = a.nodes().filter(|&v| v == a.root() || !retained.contains(&v)).collect();
    let reached = reach(a, &starts, None);
    let mut held = vec![0u64; a.node_count()];
    for over in a.nodes() {
        let left = if over == a.root() { BTreeSet::new() } else { reach(a, &starts, Some(over)) };
        for v in a.nodes() {
            let naive = over == v || over == a.root() || reached.contains(&v) && !left.contains(&v);
            assert_eq!(a.dominates(over, v), naive, "{over:?} over {v:?}");
            if naive {
                held[over.index()] += a.shallow_size(v);
            }
        }
        assert_eq!(a.retained_size(over), held[over.index()], "retained by {over:?}");
        assert!(over == a.root() || a.dominators(over).next() == Some(a.dominator(over)));
    }
}

/// Everything that a reader can see, as one text.
fn all_of(a: &Analysis) -> String {
    let nodes: Vec<String> = a
        .nodes()
        .map(|n| {
            let edges: Vec<String> = a.edges(n).map(|e| format!("{}:{}>{}", e.kind.word(), a.edge_text(&e), e.to.index())).collect();
            format!(
                "{:?} {} {} {} {} {} {} {:?} {:?} {edges:?}",
                a.kind(n),
                a.name(n),
                a.id(n),
                a.raw_size(n),
                a.shallow_size(n),
                a.retained_size(n),
                a.distance(n),
                a.dominator(n),
                a.location(n)
            )
        })
        .collect();
    format!("{nodes:?} {:?} {:?} {:?} {:?}", a.classes(), a.cut(), a.statistics(), a.snapshot_kind())
}

fn pushed(text: &[u8], piece: usize) -> Result<Analysis, Stop> {
    let mut pipeline = Pipeline::new(Arc::new(Unwatched));
    for part in text.chunks(piece) {
        pipeline.push(part)?;
    }
    pipeline.finish()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn dominators_are_those_of_the_definition(draft in drafts()) {
        check_by_removal(&draft.analyse());
    }

    #[test]
    fn any_pieces_give_the_same(draft in drafts(), piece in 1usize..40) {
        let text = draft.text();
        prop_assert_eq!(all_of(&draft.analyse()), all_of(&pushed(text.as_bytes(), piece).expect("whole")));
    }

    #[test]
    fn paths_lead_from_the_root_over_real_references(draft in drafts()) {
        let a = draft.analyse();
        for node in a.nodes() {
            let path = a.path(node);
            let mut at = a.root();
            for step in &path {
                prop_assert_eq!(step.edge.from, at);
                prop_assert!(step.edge.kind != EdgeKind::Weak && a.edges(at).any(|e| e == step.edge));
                at = step.edge.to;
            }
            prop_assert!(path.is_empty() || at == node);
        }
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(prop_oneof![Just(b'['), Just(b'"'), Just(b'{'), Just(b','), any::<u8>()], 0..200)) {
        let _ = analyse(&bytes, Arc::new(Unwatched));
        let mut text = Draft::small().text().into_bytes();
        let at = text.len() / 2;
        text.splice(at..at + 50, bytes);
        let _ = analyse(&text, Arc::new(Unwatched));
    }
}

#[test]
fn a_small_heap_reads_as_devtools_would_show_it() {
    let a = Draft::small().analyse();
    assert_eq!(a.snapshot_kind(), SnapshotKind::Normal);
    let map = a.nodes().find(|&n| a.name(n) == "Map").expect("a map");
    assert_eq!((a.raw_size(map), a.shallow_size(map)), (32, 432), "the table belongs to the map");
    assert_eq!(a.retained_size(map), 432 + 4 * (24 + 28 + 16) + 20, "the value of the weak map hangs under its key");
    assert_eq!(a.name(a.dominator(map)), "system / Context", "the stack does not count");
    let row = a.class_rows().iter().find(|r| &*r.name == "Session").expect("a row");
    assert_eq!((row.key.as_str(), row.count, row.distance), ("7,10,4,Session", 4, 6));
    let plain = a.class_rows().iter().find(|r| r.key.starts_with(",{")).expect("a row");
    assert_eq!((&*plain.name, plain.count), ("{name, \"a,b\"}", 4));
    let name = a.nodes().find(|&n| a.kind(n) == NodeKind::String && a.name(n).starts_with("n0")).expect("a string");
    assert_eq!(a.name(name), "n0 \"q\" \\ \u{1F600}\u{1} é");
    let path: Vec<String> = a.path(map).iter().map(|s| a.edge_text(&s.edge).into_owned()).collect();
    assert_eq!(path, ["2", "run", "context", "cache"]);
    check_by_removal(&a);
}

#[test]
fn cut_anywhere_it_says_what_is_missing() {
    let draft = Draft::small();
    let text = draft.text().into_bytes();
    let whole = draft.analyse();
    let nodes_from = text.windows(9).position(|w| w == b"\"nodes\":[").expect("nodes") + 9;
    for end in 0..text.len() {
        match pushed(&text[..end], 4096) {
            Err(Stop::NotASnapshot { why, .. }) => assert!(end < nodes_from + 20 && !why.is_empty(), "cut at {end}"),
            Err(Stop::Cancelled) => panic!("nobody cancelled"),
            Ok(a) => {
                let cut = a.cut().unwrap_or_else(|| panic!("cut at {end} was not noticed"));
                assert!(cut.nodes.0 == a.node_count() as u64 && cut.nodes.0 <= cut.nodes.1);
                if cut.counts() == Trust::Exact {
                    assert_eq!(a.node_count(), whole.node_count());
                }
                for node in a.nodes() {
                    assert_eq!(a.id(node), whole.id(node));
                    match cut.retained() {
                        Trust::Exact => assert_eq!(a.retained_size(node), whole.retained_size(node)),
                        Trust::LowerBound => assert!(node == a.root() || a.retained_size(node) <= whole.retained_size(node)),
                        Trust::Unknown => {}
                    }
                }
            }
        }
    }
}

#[test]
fn names_that_were_cut_off_come_from_an_earlier_snapshot_of_the_process() {
    let draft = Draft::small();
    let whole = draft.analyse();
    let text = draft.text();
    let cut = |at: &str| pushed(&text.as_bytes()[..text.find(at).expect("it is there")], 4096).expect("a cut snapshot");
    let mut bare = cut("\"strings\"");
    assert_eq!(bare.cut().map(|c| (c.at, c.named_nodes, c.classes())), Some((Section::Locations, 0, Trust::Unknown)));
    assert_eq!(bare.name(NodeIx::new(3)), "object @7");
    assert!(bare.classes().iter().any(|c| &*c.name == "(object)"));
    assert_eq!(bare.borrow_names(&whole), Ok(whole.node_count() as u64));
    let named = bare;
    for node in whole.nodes() {
        assert_eq!(named.name(node), whole.name(node));
    }
    assert!(named.class_rows().iter().any(|r| r.key == "7,10,4,Session" && r.count == 4));
    let mut other = Draft::small();
    other.nodes.reverse();
    other.edges.clear();
    assert!(cut("\"strings\"").borrow_names(&other.analyse()).is_err(), "another process");
}

#[test]
fn an_analysis_comes_back_from_its_index() {
    let mut draft = Draft::small();
    draft.node(NodeKind::Native, "ArrayBuffer", 6_000_000_000);
    let whole = draft.analyse();
    let index = encode_index(&whole).expect("a whole snapshot");
    let again = decode_index(&index).expect("its index");
    assert_eq!(all_of(&whole), all_of(&again));
    assert_eq!(whole.digests(), again.digests());
    assert_eq!(encode_index(&again), Some(index.clone()));
    for at in 0..index.len() {
        let mut damaged = index.clone();
        damaged[at] ^= 1;
        assert!(decode_index(&damaged).is_none(), "byte {at}");
        assert!(decode_index(&index[..at]).is_none(), "cut at {at}");
    }
}

#[test]
fn a_summary_comes_back_and_damage_is_seen() {
    let a = Draft::small().analyse();
    let verdict = find_leaks(&[&a], &Options::default(), &Unwatched).expect("nobody cancels");
    let summary = Summary { facts: Facts::of(&a), verdict, note: "the file's hash".into() };
    let bytes = summary.encode().expect("a whole snapshot");
    assert_eq!(Summary::decode(&bytes), Some(summary.clone()));
    for at in 0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[at] ^= 1;
        assert!(Summary::decode(&damaged).is_none() && Summary::decode(&bytes[..at]).is_none(), "byte {at}");
    }
    let text = Draft::small().text();
    let cut = analyse(&text.as_bytes()[..text.len() - 1], Arc::new(Unwatched)).expect("what is there");
    assert_eq!(Summary { facts: Facts::of(&cut), ..summary }.encode(), None);
}

#[test]
fn growth_is_net_by_the_owner_that_held_it() {
    let before = Draft::small();
    let mut after = Draft::small();
    let cache = 4;
    for i in 0..3 {
        let new = after.node(NodeKind::Object, "Session", 1000);
        after.edge(5, EdgeKind::Internal, &format!("1{i}"), new);
    }
    let growth = diff(&before.analyse(), &after.analyse()).expect("one process");
    let map = NodeIx::new(cache);
    assert_eq!((growth.added_under(map), growth.net_under(map), growth.added_size, growth.removed_size), (3000, 3000, 3000, 0));
    let rows: Vec<_> = growth.rows.iter().map(|r| (r.key.as_str(), r.added, r.removed, r.size_delta())).collect();
    assert_eq!(rows, [(",Session", 3, 0, 3000)]);
    let back = diff(&after.analyse(), &before.analyse()).expect("one process");
    assert_eq!((back.net_under(map), back.removed_size), (-3000, 3000));
}

#[test]
fn what_cannot_be_compared_says_why() {
    let normal = Draft::small().analyse();
    let mut draft = Draft::small();
    draft.edges.retain(|e| e.1 != EdgeKind::Shortcut);
    let exposed = draft.analyse();
    assert!(matches!(diff(&normal, &exposed), Err(NotComparable::Kinds { .. })));
    let mut other = Draft::small();
    for (i, node) in other.nodes.iter_mut().enumerate() {
        node.name = format!("n{i}");
    }
    assert!(matches!(diff(&normal, &other.analyse()), Err(NotComparable::OtherProcess { .. })));
    let shapes = diff_by_shape(&normal, &other.analyse());
    assert!(shapes.iter().any(|s| &*s.name == "Map" && s.count == (1, 0)));
}

#[test]
fn a_zero_filled_tail_counts_as_missing() {
    let mut text = Draft::small().text().into_bytes();
    let at = text.len() * 3 / 5;
    text[at..].fill(0);
    let a = analyse(&text, Arc::new(Unwatched)).expect("some of it");
    assert!(a.cut().is_some());
}

#[test]
fn sections_of_newer_versions_are_skipped() {
    let mut draft = Draft::small();
    let plain = all_of(&draft.analyse());
    draft.extra = "\"scopes\":[1,2,[3,\"]\"]],\"scope_uses\":{\"a\":[\"}\\\"\"]},\"flag\":true,\"none\":null,\"n\":-1.5e3,\n".to_owned();
    assert_eq!(plain, all_of(&draft.analyse()));
}

#[test]
fn lone_surrogates_are_no_reason_to_refuse_a_file() {
    let text = Draft::small().text().replace("\"run\"", "\"ru\\ud800n\\u12\"");
    let a = analyse(text.as_bytes(), Arc::new(Unwatched)).expect("it is a snapshot");
    assert!(a.nodes().any(|n| a.name(n) == "ru\u{fffd}n\\u12"));
}

#[test]
fn what_is_no_snapshot_says_why() {
    let cases: [(&[u8], &str); 6] = [
        (b"", "empty"),
        (b"\x1f\x8b\x08", "gzip"),
        (b"\x28\xb5\x2f\xfd", "zstd"),
        (b"<html>", "begin"),
        (b"{\"snapshot\":{\"meta\":{}}}", "node_types"),
        (b"{\"nodes\":[", "header"),
    ];
    for (bytes, word) in cases {
        let Err(Stop::NotASnapshot { why, .. }) = analyse(bytes, Arc::new(Unwatched)) else { panic!("{word}") };
        assert!(why.contains(word) || word == "node_types" && why.contains("no field"), "{why}");
    }
}

#[test]
fn it_can_be_cancelled_at_every_report() {
    struct After(AtomicU32, u32);
    impl Progress for After {
        fn step(&self, _: Phase, share: f32) -> ControlFlow<()> {
            assert!((0.0..=1.0).contains(&share));
            if self.0.fetch_add(1, Ordering::Relaxed) >= self.1 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        }
    }
    let text = Draft::small().text();
    let mut finished = false;
    for reports in 0..100 {
        let progress = Arc::new(After(AtomicU32::new(0), reports));
        let verdict =
            analyse(text.as_bytes(), progress.clone()).and_then(|a| find_leaks(&[&a, &a], &Options::default(), progress.as_ref()));
        match verdict {
            Err(stop) => assert!(stop == Stop::Cancelled && !finished),
            Ok(_) => finished = true,
        }
    }
    assert!(finished);
}

/// A list of `n` nodes all of which point back at their owner, and whose end fans out to `n` leaves that the owner holds as well: quadratic for
/// iterative dominators, and for a semi-NCA that climbs step by step.
fn hostile(n: usize) -> Vec<u8> {
    let mut text = b"{\"snapshot\":{\"meta\":{\"node_fields\":[\"type\",\"name\",\"id\",\"self_size\",\"edge_count\"],\"node_types\":[[\"object\"]],\
        \"edge_fields\":[\"type\",\"name_or_index\",\"to_node\"],\"edge_types\":[[\"element\"]]},\"node_count\":0,\"edge_count\":0},\"nodes\":["
        .to_vec();
    let total = 2 * n + 1;
    for i in 0..total {
        let edges = if i == 0 {
            n + 1
        } else if i < n {
            2
        } else if i == n {
            n + 1
        } else {
            0
        };
        text.extend_from_slice(format!("{}0,0,{},1,{edges}", if i == 0 { "" } else { "," }, i * 2 + 1).as_bytes());
    }
    text.extend_from_slice(b"],\"edges\":[0,0,5");
    let mut edge = |to: usize| text.extend_from_slice(format!(",0,0,{}", to * 5).as_bytes());
    (n + 1..total).for_each(&mut edge);
    for i in 1..n {
        edge(i + 1);
        edge(0);
    }
    (n + 1..total).for_each(&mut edge);
    edge(0);
    text.extend_from_slice(b"],\"strings\":[\"\"]}");
    text
}

#[test]
fn pieces_that_several_threads_share_give_the_same() {
    let text = hostile(60_000);
    let one = all_digests(&pushed(&text, 1000).expect("whole"));
    let spread = String::from_utf8(text.clone()).expect("ASCII").replace(',', "\n,").into_bytes();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(3).build().expect("a pool");
    pool.install(|| {
        for piece in [text.len(), 900_000, 777_777, 1_000_003] {
            assert_eq!(one, all_digests(&pushed(&text, piece).expect("whole")), "pieces of {piece}");
            assert_eq!(one, all_digests(&pushed(&spread, piece).expect("whole")), "pieces of {piece}, line breaks before commas");
        }
    });
}

fn all_digests(a: &Analysis) -> Digests {
    a.digests()
}

/// A `WeakMap` as V8 writes it (weak edges to key and value beside the entry's), and an array that has such edges and is none.
#[test]
fn entries_of_weak_maps_are_told_from_what_looks_like_them() {
    for (real, decoy) in [(true, false), (false, true), (true, true), (false, false)] {
        let mut d = Draft::small();
        let global = 3;
        let mut holder = |name: &str, edge: &str, pair: bool| {
            let table = d.node(NodeKind::Array, name, 80);
            let (key, value, below) =
                (d.node(NodeKind::Object, "Key", 20), d.node(NodeKind::Object, "Value", 20), d.node(NodeKind::String, "text", 30));
            for (from, kind, label, to) in [
                (global, EdgeKind::Property, edge, table),
                (global, EdgeKind::Property, "key", key),
                (table, EdgeKind::Weak, "2", key),
                (table, EdgeKind::Weak, "3", value),
                (value, EdgeKind::Property, "text", below),
            ] {
                d.edge(from, kind, label, to);
            }
            let id = |n: usize| 2 * n + 1;
            let entry = format!(" / part of key (Key @{}) -> value (Value @{}) pair in WeakMap (table @{})", id(key), id(value), id(table));
            let (by_table, by_key) = if pair { (format!("4{entry}"), format!("1{entry}")) } else { ("entry".to_owned(), "own".to_owned()) };
            d.edge(table, EdgeKind::Internal, &by_table, value);
            d.edge(key, EdgeKind::Internal, &by_key, value);
            (table, key, value)
        };
        let one = real.then(|| holder("(weak table)", "weak2", true));
        let other = decoy.then(|| holder("(transitions)", "other", false));
        let text = d.text();
        let whole = d.analyse();
        check_by_removal(&whole);
        if let Some((_, key, value)) = one {
            assert_eq!(whole.dominator(NodeIx::new(value as u32)), NodeIx::new(key as u32), "the key alone keeps it");
        }
        if let Some((table, _, value)) = other {
            assert_ne!(whole.dominator(NodeIx::new(value as u32)), NodeIx::new(table as u32), "both keep it");
        }
        for piece in [1, 7, 100, text.len() - 3] {
            assert_eq!(all_of(&whole), all_of(&pushed(text.as_bytes(), piece).expect("whole")), "pieces of {piece}");
        }
        let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a pool");
        let inside = pool.install(|| pushed(text.as_bytes(), 50).expect("whole"));
        assert_eq!(all_of(&whole), all_of(&inside), "on a pool's only thread");
    }
}

#[test]
fn a_verdict_comes_soon_of_hostile_graphs_too() {
    let n = 100_000;
    let a = analyse(&hostile(n), Arc::new(Unwatched)).expect("a snapshot");
    assert_eq!(a.retained_size(a.root()), 2 * n as u64 + 1);
    assert_eq!(a.retained_size(NodeIx::new(1)), n as u64, "the list");
    assert_eq!(a.dominator(NodeIx::new(2 * n as u32)), a.root(), "the leaves are held twice");
    let verdict = find_leaks(&[&a], &Options::default(), &Unwatched).expect("nobody cancels");
    assert_eq!(verdict.total_bytes, 2 * n as u64 + 1);
}
