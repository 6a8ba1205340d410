//! The room against a real file system.
#![allow(clippy::disallowed_methods, reason = "these tests look at files from outside")]

use std::fs;
use std::ops::ControlFlow;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use chrono::{DateTime, Utc};

use super::*;
use crate::base::{Bytes, Trouble, TroubleKind};

fn mode(path: &Path) -> u32 {
    fs::metadata(path).expect("metadata").permissions().mode() & 0o777
}

fn names(dir: &Path) -> Vec<String> {
    list(dir).expect("list").into_iter().map(|e| e.name).collect()
}

#[test]
fn everything_made_here_is_for_the_owner_alone() {
    let dir = tempfile::tempdir().expect("dir");
    let deep = dir.path().join("a/b/c");
    private_dir(&deep).expect("made");
    private_dir(&deep).expect("made again");
    let open = dir.path().join("open");
    fs::create_dir(&open).expect("dir");
    fs::set_permissions(&open, fs::Permissions::from_mode(0o755)).expect("opened");
    private_dir(&open).expect("there");
    assert_eq!(mode(&open), 0o755, "what others may need is left alone");
    closed_dir(&open).expect("closed");
    for d in [dir.path().join("a"), dir.path().join("a/b"), deep.clone(), open] {
        assert_eq!(mode(&d), 0o700, "{}", d.display());
    }
    write_private(&deep.join("w"), b"1").expect("written");
    Appender::create(&deep.join("x")).expect("created");
    fs::write(deep.join("loose"), b"").expect("foreign");
    fs::set_permissions(deep.join("loose"), fs::Permissions::from_mode(0o644)).expect("loosened");
    Appender::open(&deep.join("loose")).expect("opened");
    copy_private(&deep.join("w"), &deep.join("copy"), |_| ControlFlow::Continue(())).expect("copied");
    let _lock = Lock::take(&deep.join("lock"), &Holder::this_process("test", DateTime::<Utc>::UNIX_EPOCH)).expect("taken");
    for f in names(&deep) {
        assert_eq!(mode(&deep.join(&f)), 0o600, "{f}");
    }
}

#[test]
fn a_replaced_file_is_old_or_new_and_leaves_no_litter() {
    let dir = tempfile::tempdir().expect("dir");
    let path = dir.path().join("state.json");
    write_private(&path, b"old").expect("written");
    write_private(&path, b"new").expect("written");
    assert_eq!(read_text(&path, Bytes(10)).expect("text"), "new");
    let stopped = copy_private(&path, &dir.path().join("copy"), |_| ControlFlow::Break(())).expect("stopped");
    assert_eq!(stopped, None);
    assert!(matches!(copy_private(&dir.path().join("none"), &path, |_| ControlFlow::Continue(())), Err(Error::NotFound { .. })));
    assert_eq!(names(dir.path()), ["state.json"]);
    assert_eq!(read_text(&path, Bytes(10)).expect("text"), "new", "a failed copy replaces nothing");
}

#[test]
fn reading_is_bounded_and_says_what_is_wrong() {
    let dir = tempfile::tempdir().expect("dir");
    let path = dir.path().join("config.yaml");
    fs::write(&path, b"\xef\xbb\xbfname: x").expect("written");
    assert_eq!(read_text(&path, Bytes(100)).expect("text"), "name: x");
    let small = read_text(&path, Bytes(3)).expect_err("too large");
    assert!(matches!(small, Error::TooLarge { .. }));
    fs::write(&path, b"ab\xff").expect("written");
    assert!(matches!(read_text(&path, Bytes(100)), Err(Error::NotText { at: 2, .. })));
    let trouble = Trouble::from(read_text(&dir.path().join("none"), Bytes(1)).expect_err("missing"));
    assert_eq!(trouble.kind, TroubleKind::NotFound);
    assert!(trouble.place.ends_with("none"));
    assert!(matches!(read_text(Path::new("/proc/self/status"), Bytes(10)), Err(Error::TooLarge { .. })), "a file that hides its size");
}

#[test]
fn a_growing_file_is_read_by_offset_while_it_grows() {
    let dir = tempfile::tempdir().expect("dir");
    let path = dir.path().join("grows");
    let mut out = Appender::create(&path).expect("created");
    let reader = Reader::open(&path).expect("opened");
    let mut buffer = [0; 8];
    assert_eq!(reader.read_at(0, &mut buffer).expect("read"), 0);
    out.append(b"hello ").expect("appended");
    out.append(b"world").expect("appended");
    assert_eq!(reader.read_at(6, &mut buffer).expect("read"), 5);
    assert_eq!(&buffer[..5], b"world");
    assert_eq!((out.len(), reader.size().expect("size")), (11, 11));
    assert_eq!(read_head_and_tail(&path, 4).expect("ends"), (b"hell".to_vec(), b"orld".to_vec()));
    assert!(Appender::create(&path).is_err(), "what is there is never overwritten");
    out.cut(5).expect("cut");
    out.append_synced(b"!").expect("appended");
    assert_eq!(read_text(&path, Bytes(99)).expect("text"), "hello!");
}

#[test]
fn hashes_are_those_of_the_standard() {
    // FIPS 180-2, appendix B.1.
    let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert_eq!(sha256_hex(b"abc"), abc);
    let dir = tempfile::tempdir().expect("dir");
    let path = dir.path().join("abc");
    fs::write(&path, b"abc").expect("written");
    assert_eq!(sha256_of(&path, |_| ControlFlow::Continue(())).expect("read"), Some((abc.to_owned(), Bytes(3))));
    let copied = copy_private(&path, &dir.path().join("d"), |_| ControlFlow::Continue(())).expect("copied").expect("whole");
    assert_eq!(copied, Copied { bytes: Bytes(3), sha256: abc.to_owned() });
}

#[test]
fn one_holds_the_lock_and_the_next_learns_who_and_whether_it_crashed() {
    let dir = tempfile::tempdir().expect("dir");
    let path = dir.path().join("lock");
    let me = Holder::this_process("the dashboard of ann", DateTime::<Utc>::UNIX_EPOCH);
    assert_eq!(Lock::holder(&path).expect("asked"), None);
    let lock = Lock::take(&path, &me).expect("taken");
    assert_eq!(lock.left_by(), None);
    let refused = Lock::take(&path, &me).expect_err("held");
    assert!(matches!(&refused, Error::Locked { holder: Some(h), .. } if *h == me));
    let trouble = Trouble::from(refused);
    assert!(trouble.remedy.contains("the dashboard of ann (process "), "{trouble}");
    assert_eq!(Lock::holder(&path).expect("asked"), Some(me.clone()));
    drop(lock);
    assert_eq!(Lock::holder(&path).expect("asked"), None);
    assert_eq!(Lock::take(&path, &me).expect("taken").left_by(), None, "let go in order");
    fs::write(&path, serde_json::to_vec(&me).expect("json")).expect("as a crash leaves it");
    assert_eq!(Lock::take(&path, &me).expect("taken").left_by(), Some(&me));
}

#[test]
fn a_name_that_is_taken_is_never_replaced_when_setting_aside() {
    let dir = tempfile::tempdir().expect("dir");
    for content in ["a", "b", "c"] {
        fs::write(dir.path().join("j"), content).expect("written");
        set_aside(&dir.path().join("j"), "old").expect("aside");
    }
    assert_eq!(names(dir.path()), ["old", "old-2", "old-3"]);
    assert_eq!(read_text(&dir.path().join("old-2"), Bytes(9)).expect("text"), "b");
}

#[test]
fn a_full_disk_is_told_apart_from_other_failures() {
    if cfg!(not(target_os = "linux")) {
        return;
    }
    let mut full = Appender::open(Path::new("/dev/full")).expect("opened");
    let error = full.append(b"x").expect_err("full");
    assert!(error.is_full(), "{error}");
    assert!(Trouble::from(error).retry);
    assert_eq!(full.len(), 0);
}

#[test]
fn what_a_killed_writer_left_is_swept_and_what_a_living_one_writes_is_not() {
    let dir = tempfile::tempdir().expect("dir");
    let path = dir.path().join("export.md");
    fs::write(dir.path().join(".export.md.0.tmp"), b"half").expect("left by a killed writer");
    fs::write(dir.path().join(".export.md.1.tmp"), b"half").expect("still being written");
    let living = fs::File::open(dir.path().join(".export.md.1.tmp")).expect("opened");
    living.try_lock().expect("locked");
    write_private(&path, b"whole").expect("written");
    assert_eq!(names(dir.path()), [".export.md.1.tmp", "export.md"]);
}

#[test]
fn a_disk_that_fills_up_keeps_what_was_there_and_takes_more_when_there_is_space_again() {
    let Some(disk) = small::small_disk(64 << 10) else { return };
    let path = disk.path().join("grows");
    let mut out = Appender::create(&path).expect("created");
    let chunk = [b'x'; 10 << 10];
    let mut kept = 0;
    let error = loop {
        match out.append_synced(&chunk) {
            Ok(()) => kept += chunk.len() as u64,
            Err(e) => break e,
        }
    };
    assert!(error.is_full(), "{error}");
    assert!(kept > 0);
    assert_eq!((out.len(), fs::metadata(&path).expect("metadata").len()), (kept, kept), "no part of the failed append stays");
    let small = disk.path().join("state.json");
    fs::write(&small, b"old").expect("written");
    assert!(write_private(&small, &[b'y'; 60 << 10]).expect_err("full").is_full());
    assert_eq!(read_text(&small, Bytes(9)).expect("text"), "old");
    out.cut(0).expect("cut");
    out.append_synced(&chunk).expect("space again");
    assert_eq!(out.len(), chunk.len() as u64);
}

#[test]
fn a_file_that_was_removed_under_the_writer_is_not_written_into_nothing() {
    let dir = tempfile::tempdir().expect("dir");
    let mut out = Appender::create(&dir.path().join("journal")).expect("created");
    out.append_synced(b"x").expect("appended");
    fs::remove_file(out.path()).expect("removed");
    assert!(matches!(out.append_synced(b"y"), Err(Error::NotFound { .. })));
}

#[test]
fn space_is_known_also_for_what_is_not_there_yet() {
    let dir = tempfile::tempdir().expect("dir");
    assert!(free_space(&dir.path().join("not/yet")).is_some_and(|b| b > Bytes(0)));
}
