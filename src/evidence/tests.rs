//! Evidence on a real disk: it grows, is sealed, cut off, changed, deleted, cached.
#![allow(clippy::disallowed_methods, reason = "these tests look at files from outside")]

use std::fs;
use std::ops::ControlFlow;
use std::time::Duration;

use chrono::DateTime;

use super::*;
use crate::base::{Bytes, ContainerRef, EvidenceId, PodRef, ProcessKey, Trouble, TroubleKind};
use crate::disk::{sha256_hex, small::small_disk};
use crate::incident::{Kind, Outcome, Provenance};

const E1: EvidenceId = EvidenceId(1);
const NAME: &str = "20261124T060000Z-import-cdp.heapsnapshot";
const SOON: Duration = Duration::from_secs(20);

fn provenance() -> Provenance {
    let at = DateTime::from_timestamp(1_795_500_000, 0).expect("a second");
    Provenance {
        container: ContainerRef { pod: PodRef::new("shop", "import-7d9c"), name: "app".into() },
        process: ProcessKey { pod_uid: "u".into(), container_id: "c".into(), restart: 2, pid: 1, started: at },
        image: "import@sha256:ab".into(),
        node: Some("node-1".into()),
        node_version: Some("v20.20.2".into()),
        flags: "--max-old-space-size=256".into(),
        method: "cdp".into(),
        who: "ann".into(),
        began: at,
        ended: at,
        command: "HeapProfiler.takeHeapSnapshot".into(),
        tool: "0.1.0".into(),
        path: None,
        same_in_pod: None,
    }
}

fn on(_: Bytes) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

fn store() -> (tempfile::TempDir, Store) {
    let dir = tempfile::tempdir().expect("dir");
    let store = Store::open(&dir.path().join("evidence"), Bytes(0)).expect("store");
    (dir, store)
}

fn sealed(store: &Store, id: EvidenceId, content: &[u8]) -> Sealed {
    let mut file = store.create(id, NAME, None).expect("created");
    for chunk in content.chunks(7) {
        file.append(chunk).expect("appended");
    }
    file.seal(Outcome::Complete, Some(provenance())).expect("sealed")
}

#[test]
fn a_sealed_file_has_its_hash_and_its_origin_beside_it() {
    let (_dir, store) = store();
    let done = sealed(&store, E1, b"{\"snapshot\":{}}");
    assert_eq!(done.sha256.as_deref(), Some(sha256_hex(b"{\"snapshot\":{}}").as_str()));
    assert_eq!((done.file.as_deref(), done.bytes), (Some(NAME), Bytes(15)));
    let item = store.item(E1).expect("there");
    assert_eq!((&item.standing, item.record.provenance), (&Standing::Sealed, Some(provenance())));
    assert_eq!(store.path_of(E1).expect("there"), store.dir().join(NAME));
    assert_eq!(store.verify(E1, None, on).expect("read"), Some(Standing::Sealed));
    assert_eq!(store.verify(E1, None, |_| ControlFlow::Break(())).expect("stopped"), None);
    let other = "0".repeat(64);
    assert!(matches!(store.verify(E1, Some(&other), on).expect("read"), Some(Standing::Changed { .. })), "the journal's hash counts");
}

#[test]
fn nothing_is_ever_overwritten() {
    let (_dir, store) = store();
    sealed(&store, E1, b"first");
    assert!(matches!(store.create(E1, "other.heapsnapshot", None), Err(Error::Taken { .. })));
    let second = sealed(&store, EvidenceId(2), b"second");
    assert_eq!(second.file.as_deref(), Some("20261124T060000Z-import-cdp-2.heapsnapshot"));
    assert_eq!(fs::read(store.path_of(E1).expect("there")).expect("bytes"), b"first");
    assert!(matches!(store.create(EvidenceId(3), "../x", None), Err(Error::BadName { .. })));
    assert!(matches!(store.resume(E1), Err(Error::Taken { .. })));
}

#[test]
fn a_reader_follows_the_writer_byte_by_byte_to_the_end() {
    let (_dir, store) = store();
    let mut file = store.create(E1, NAME, Some(Bytes(10))).expect("created");
    let mut follower = file.follow().expect("opened");
    assert_eq!(follower.next(&mut [0; 8], Duration::ZERO).expect("read"), Step::Waiting);
    let content: Vec<u8> = (0..200_000u32).map(|i| (i % 251) as u8).collect();
    let reader = std::thread::spawn(move || {
        let (mut got, mut buffer) = (Vec::new(), [0; 4096]);
        loop {
            match follower.next(&mut buffer, SOON).expect("read") {
                Step::Bytes(n) => got.extend_from_slice(&buffer[..n]),
                Step::Waiting => panic!("the writer is not that slow"),
                Step::End(end) => return (got, end),
            }
        }
    });
    for chunk in content.chunks(777) {
        file.append(chunk).expect("appended");
    }
    assert_eq!(file.length().now(), Seen { bytes: 200_000, end: None });
    let done = file.seal(Outcome::Complete, None).expect("sealed");
    let (got, end) = reader.join().expect("joined");
    assert_eq!((got == content, end), (true, End::Sealed));
    assert_eq!(done.sha256, Some(sha256_hex(&content)));
    let mut again = Follower::whole(&store.path_of(E1).expect("there")).expect("opened");
    let mut buffer = vec![0; 300_000];
    assert_eq!(again.next(&mut buffer, SOON).expect("read"), Step::Bytes(200_000));
    assert_eq!(again.next(&mut buffer, SOON).expect("read"), Step::End(End::Sealed));
}

#[test]
fn a_capture_that_was_cut_off_is_found_again_and_goes_on_where_it_was() {
    let (_dir, store) = store();
    let mut file = store.create(E1, NAME, None).expect("created");
    file.append(b"first half, ").expect("appended");
    let length = file.length();
    drop(file);
    assert_eq!(length.now().end, Some(End::Abandoned), "readers do not wait for ever");
    assert_eq!(store.item(E1).expect("there").standing, Standing::Unsealed(Bytes(12)));
    let mut file = store.resume(E1).expect("resumed");
    assert_eq!((file.bytes(), file.length().now().bytes), (Bytes(12), 12));
    file.append(b"second half").expect("appended");
    let done = file.seal(Outcome::Truncated, None).expect("sealed");
    assert_eq!(done.sha256, Some(sha256_hex(b"first half, second half")));
    assert_eq!(store.item(E1).expect("there").record.outcome, Some(Outcome::Truncated));
}

#[test]
fn not_a_byte_leaves_not_a_file() {
    let (_dir, store) = store();
    let done = store.create(E1, NAME, None).expect("created").seal(Outcome::KilledEmpty, Some(provenance())).expect("sealed");
    assert_eq!(done, Sealed { evidence: E1, file: None, bytes: Bytes(0), sha256: None });
    assert_eq!(fs::read_dir(store.dir()).expect("dir").count(), 0);
}

#[test]
fn what_somebody_changed_cut_or_took_away_shows() {
    let (_dir, store) = store();
    sealed(&store, E1, b"content");
    let path = store.path_of(E1).expect("there");
    fs::write(&path, b"kontent").expect("changed");
    assert_eq!(store.item(E1).expect("there").standing, Standing::Sealed, "its size alone does not tell");
    assert!(matches!(store.verify(E1, None, on).expect("read"), Some(Standing::Changed { .. })));
    let exports = tempfile::tempdir().expect("dir");
    let refused = Trouble::from(store.export(E1, exports.path(), on).expect_err("changed"));
    assert_eq!(refused.kind, TroubleKind::Incomplete);
    assert_eq!(fs::read_dir(exports.path()).expect("dir").count(), 0, "a copy that proves nothing is not left");
    fs::write(&path, b"cont").expect("cut");
    assert!(matches!(store.item(E1).expect("there").standing, Standing::Changed { .. }));
    fs::remove_file(&path).expect("taken away");
    assert_eq!(store.verify(E1, None, on).expect("read"), Some(Standing::Missing));
    assert!(matches!(store.path_of(E1), Err(Error::Gone { .. })));
    assert!(matches!(store.path_of(EvidenceId(9)), Err(Error::Unknown { .. })));
}

#[test]
fn export_copies_the_file_with_its_record_and_overwrites_nothing() {
    let (_dir, store) = store();
    let done = sealed(&store, E1, b"content");
    let exports = tempfile::tempdir().expect("dir");
    let copy = store.export(E1, exports.path(), on).expect("exported").expect("whole");
    assert_eq!((Some(copy.sha256), fs::read(&copy.file).expect("bytes")), (done.sha256, b"content".to_vec()));
    assert!(fs::read_to_string(copy.record).expect("record").contains("v20.20.2"));
    assert!(matches!(store.export(E1, exports.path(), on), Err(Error::Taken { .. })));
}

#[test]
fn deleting_is_told_to_the_journal_first_and_leaves_the_record() {
    let (_dir, store) = store();
    let done = sealed(&store, E1, b"content");
    assert_eq!(
        store.deletion(E1, "customer data".into()).expect("there"),
        Kind::EvidenceDeleted { evidence: E1, why: "customer data".into() }
    );
    assert_eq!(store.item(E1).expect("there").standing, Standing::Sealed, "nothing happened yet");
    let at = provenance().ended;
    store.delete(E1, at, "customer data".into()).expect("deleted");
    store.delete(E1, at, "again".into()).expect("nothing to do");
    let item = store.item(E1).expect("its record is there");
    assert_eq!((item.standing, item.record.sha256), (Standing::Deleted, done.sha256));
    assert_eq!(item.record.deleted, Some(Deleted { at, why: "customer data".into() }));
    assert!(!item.path.exists());
    assert!(matches!(store.deletion(E1, "x".into()), Err(Error::Gone { .. })));
    assert!(matches!(store.create(E1, NAME, None), Err(Error::Taken { .. })), "a name is given once");
}

#[test]
fn a_file_from_elsewhere_joins_under_a_safe_name() {
    let (dir, store) = store();
    let from = dir.path().join("my heap (1).heapsnapshot");
    fs::write(&from, b"content").expect("written");
    let added = store.add(E1, &from, on).expect("added").expect("whole");
    assert_eq!((added.file.as_deref(), added.bytes), (Some("my-heap--1.heapsnapshot"), Bytes(7)));
    assert_eq!(store.verify(E1, added.sha256.as_deref(), on).expect("read"), Some(Standing::Sealed));
    assert!(matches!(store.add(EvidenceId(2), &dir.path().join("none"), on), Err(Error::Disk(_))));
}

#[test]
fn the_list_goes_by_name_and_says_what_it_cannot_read() {
    let (_dir, store) = store();
    sealed(&store, EvidenceId(2), b"b");
    sealed(&store, E1, b"a");
    sealed(&store, EvidenceId(3), b"c");
    fs::write(store.dir().join("report.20261124.json"), b"{\"header\":{}}").expect("a diagnostic report is no record");
    let third = store.item(EvidenceId(3)).expect("there");
    fs::write(third.record.path_in(store.dir()), b"{").expect("broken");
    let (items, unreadable) = store.list().expect("list");
    assert_eq!(items.iter().map(|i| i.record.evidence.0).collect::<Vec<_>>(), [1, 2]);
    assert!(matches!(unreadable[..], [Error::BadRecord { .. }]));
    let file = items[0].record.file.clone();
    store.rename(&[(&file, EvidenceId(7))]).expect("renamed after a merge");
    assert_eq!(store.path_of(EvidenceId(7)).expect("there"), items[0].path);
}

#[test]
fn a_record_cannot_lead_out_of_the_directory() {
    let (_dir, store) = store();
    sealed(&store, E1, b"a");
    let path = store.item(E1).expect("there").record.path_in(store.dir());
    let text = fs::read_to_string(&path).expect("text").replace(NAME, "../../secret");
    fs::write(&path, text).expect("hostile");
    assert!(matches!(store.path_of(E1), Err(Error::Unknown { .. })));
    assert_eq!(store.list().expect("list").1.len(), 1);
}

#[test]
fn evidence_leaves_the_journal_its_space_before_and_during_the_capture() {
    let Some(disk) = small_disk(64 << 20) else { return };
    let store = Store::open(&disk.path().join("evidence"), Bytes::mib(8)).expect("store");
    assert!(matches!(store.create(E1, NAME, Some(Bytes::mib(60))), Err(Error::LowDisk { .. })));
    let mut file = store.create(E1, NAME, Some(Bytes::mib(10))).expect("created");
    let chunk = vec![b'x'; 4 << 20];
    let mut kept = 0;
    let error = loop {
        match file.append(&chunk) {
            Ok(()) => kept += chunk.len() as u64,
            Err(e) => break e,
        }
    };
    assert!(error.is_full() && Trouble::from(error).retry);
    assert!(crate::disk::free_space(disk.path()).expect("known") >= Bytes::mib(8), "what is kept is not touched");
    assert!(kept >= 48 << 20);
    let done = file.seal(Outcome::Truncated, None).expect("what came is sealed");
    assert_eq!(done.bytes, Bytes(kept));
    assert_eq!(store.verify(E1, None, on).expect("read"), Some(Standing::Sealed));
}

#[test]
fn the_cache_is_bounded_and_knows_a_changed_file() {
    let dir = tempfile::tempdir().expect("dir");
    let cache = Cache::open(&dir.path().join("cache"), Bytes(1000), Bytes(0)).expect("cache");
    let file = |name: &str, content: &str| {
        let path = dir.path().join(name);
        fs::write(&path, content).expect("written");
        CacheKey::of(&path).expect("key")
    };
    let (a, b, c) = (file("a", "aaaa"), file("b", "bbbb"), file("c", "cccc"));
    assert_eq!(cache.get(&a).expect("asked"), None);
    assert!(cache.put(&a, &[1; 400]).expect("stored") && cache.put(&b, &[2; 400]).expect("stored"));
    let old = |key: &CacheKey, seconds: u64| {
        let entry =
            fs::File::options().append(true).open(dir.path().join("cache").join(format!("{}.index", key_text(key)))).expect("entry");
        entry.set_modified(std::time::UNIX_EPOCH + Duration::from_secs(seconds)).expect("aged");
    };
    old(&a, 10);
    old(&b, 20);
    assert_eq!(cache.get(&a).expect("asked"), Some(vec![1; 400]), "asked for, so it is the newest now");
    assert!(cache.put(&c, &[3; 400]).expect("stored"));
    assert_eq!((cache.get(&b).expect("asked"), cache.get(&a).expect("asked").is_some()), (None, true));
    assert!(cache.size().expect("size") <= Bytes(1000));
    assert!(!cache.put(&b, &[0; 1001]).expect("too large for it"));
    assert_ne!(file("a", "aaab"), a, "written again");
    cache.forget(&a).expect("forgotten");
    cache.forget(&a).expect("forgotten");
    assert_eq!(cache.get(&a).expect("asked"), None);
}

fn key_text(key: &CacheKey) -> String {
    format!("{key:?}").trim_start_matches("CacheKey(\"").trim_end_matches("\")").to_owned()
}
