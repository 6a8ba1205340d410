//! The journal on a real disk: killed, torn, damaged, full, merged.
#![allow(clippy::disallowed_methods, reason = "these tests damage files from outside and kill a process")]

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use chrono::{DateTime, Utc};
use tempfile::TempDir;

use super::*;
use crate::base::{Bytes, Trouble, TroubleKind};
use crate::disk::{self, Holder, small::small_disk};
use crate::incident::story::{ann, declared_with, minute, noted, start};
use crate::incident::{Event, IncidentId, Kind, Plan, State};

fn me() -> Holder {
    Holder::this_process("test", DateTime::<Utc>::UNIX_EPOCH)
}

fn id() -> IncidentId {
    IncidentId::new(start(), "content-import")
}

fn declared() -> Event {
    Event { seq: 1, at: minute(0), actor: ann(), kind: declared_with(Plan::default()) }
}

fn note(seq: u64, text: &str) -> Event {
    Event { seq, at: minute(seq), actor: ann(), kind: noted(text) }
}

/// A journal of a declaration and `notes` notes, closed.
fn written(notes: u64) -> TempDir {
    let dir = tempfile::tempdir().expect("dir");
    let (mut journal, _) = Journal::create(dir.path(), &declared(), &me()).expect("created");
    for n in 2..2 + notes {
        journal.append(&note(n, &format!("note {n}\nwith \"two\" lines"))).expect("appended");
    }
    dir
}

fn file(dir: &Path) -> std::path::PathBuf {
    Paths::of(dir, &id()).journal()
}

fn reopened(dir: &Path) -> Opened {
    Journal::open(dir, &id(), &me()).expect("opened")
}

#[test]
fn what_was_written_comes_back_and_goes_on() {
    let dir = written(3);
    let mut opened = reopened(dir.path());
    assert_eq!(opened.notices, []);
    assert_eq!(opened.events.len(), 4);
    assert_eq!(opened.events[0], declared());
    let state = State::replay(&opened.events).expect("declared");
    let next = opened.journal.append(&state.event(minute(9), ann(), noted("more"))).expect("appended");
    let reading = read(dir.path(), &id()).expect("read beside the writer");
    assert!(reading.is_intact());
    assert_eq!((reading.lines, &reading.head), (5, &next.hash));
    assert_eq!((opened.journal.last(), opened.journal.head()), (5, next.hash.as_str()));
    let text = fs::read_to_string(file(dir.path())).expect("text");
    assert_eq!(text.lines().count(), 5, "one event is one line");
    assert!(text.starts_with(r#"{"seq":1,"at":{"wall":""#), "{text}");
}

#[test]
fn the_incident_is_for_its_owner_alone_and_the_data_directory_stays_as_it_was() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().expect("dir");
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).expect("opened");
    Journal::create(dir.path(), &declared(), &me()).expect("created");
    let mode = |path: &Path| fs::metadata(path).expect("metadata").permissions().mode() & 0o777;
    let paths = Paths::of(dir.path(), &id());
    assert_eq!(mode(dir.path()), 0o755);
    for private in [Paths::all(dir.path()), paths.dir.clone(), paths.evidence(), paths.exports()] {
        assert_eq!(mode(&private), 0o700, "{}", private.display());
    }
    for private in [paths.journal(), paths.lock()] {
        assert_eq!(mode(&private), 0o600, "{}", private.display());
    }
}

#[test]
fn only_the_next_event_is_taken_and_only_from_one_writer() {
    let dir = written(1);
    let mut opened = reopened(dir.path());
    for wrong in [2, 4] {
        assert!(matches!(opened.journal.append(&note(wrong, "x")), Err(Error::OutOfOrder { last: 2, .. })));
    }
    let refused = Journal::open(dir.path(), &id(), &me()).expect_err("held");
    assert!(matches!(&refused, Error::Disk(disk::Error::Locked { holder: Some(_), .. })));
    assert_eq!(Trouble::from(refused).kind, TroubleKind::Refused);
    drop(opened);
    assert!(matches!(Journal::create(dir.path(), &declared(), &me()), Err(Error::Exists { .. })));
    let other = IncidentId::new(start(), "checkout");
    assert!(matches!(Journal::open(dir.path(), &other, &me()), Err(Error::NoSuchIncident { .. })));
    assert_eq!(free_id(dir.path(), &id()).expect("free").as_str(), format!("{}-2", id()));
    assert_eq!(free_id(dir.path(), &other).expect("free"), other);
}

#[test]
fn a_line_torn_anywhere_costs_that_line_alone() {
    let whole = written(2);
    let bytes = fs::read(file(whole.path())).expect("bytes");
    let last_line = bytes[..bytes.len() - 1].iter().rposition(|b| *b == b'\n').expect("lines") + 1;
    for cut in last_line..=bytes.len() {
        let dir = tempfile::tempdir().expect("dir");
        let paths = Paths::of(dir.path(), &id());
        fs::create_dir_all(&paths.dir).expect("dir");
        fs::write(paths.journal(), &bytes[..cut]).expect("torn");
        let mut opened = reopened(dir.path());
        let survived = cut >= bytes.len() - 1;
        assert_eq!(opened.events.len(), if survived { 3 } else { 2 }, "cut at {cut} of {}", bytes.len());
        match (cut - last_line, survived) {
            (0, _) => assert_eq!(opened.notices, []),
            (_, true) => assert!(opened.notices.iter().all(|n| *n == Notice::TornCompleted)),
            (torn, false) => {
                assert_eq!(opened.notices, [Notice::TornSetAside { bytes: Bytes(torn as u64), file: paths.torn() }]);
                assert_eq!(fs::read(paths.torn()).expect("side")[..torn], bytes[last_line..cut], "no byte is thrown away");
            }
        }
        let next = note(opened.events.len() as u64 + 1, "goes on");
        opened.journal.append(&next).expect("appended");
        assert!(read(dir.path(), &id()).expect("read").is_intact());
    }
}

#[test]
fn what_was_changed_removed_or_put_in_shows_and_the_rest_is_read() {
    type Damage = fn(&mut Vec<String>);
    let cases: [(Damage, &str, usize); 5] = [
        (|l| l[2] = l[2].replace("note 3", "note X"), "line 4 does not follow the line before it", 5),
        (|l| drop(l.remove(2)), "line 3 does not follow the line before it", 4),
        (|l| l.insert(2, l[1].clone()), "line 3 holds event 2 where event 3 was to come", 5),
        (|l| l[2] = "\0\0\0\0".to_owned(), "line 3 is not an event", 4),
        (|l| l[2].truncate(40), "line 3 is not an event", 4),
    ];
    for (damage, said, readable) in cases {
        let dir = written(4);
        let mut lines: Vec<String> = fs::read_to_string(file(dir.path())).expect("text").lines().map(ToOwned::to_owned).collect();
        damage(&mut lines);
        fs::write(file(dir.path()), lines.join("\n") + "\n").expect("damaged");
        let mut opened = reopened(dir.path());
        let notices: Vec<String> = opened.notices.iter().map(ToString::to_string).collect();
        assert!(notices.iter().any(|n| n.contains(said)), "{said}: {notices:?}");
        assert_eq!(opened.events.len(), readable, "{said}");
        assert!(!read_file(&file(dir.path())).expect("read").is_intact());
        opened.journal.append(&note(6, "goes on")).expect("appended");
    }
}

#[test]
fn a_file_that_is_no_journal_is_refused_by_name() {
    let dir = tempfile::tempdir().expect("dir");
    let path = dir.path().join("x.jsonl");
    for content in [&b""[..], b"hello\n", b"{}\n{}\n", b"\xff\xfe"] {
        fs::write(&path, content).expect("written");
        let trouble = Trouble::from(read_file(&path).expect_err("no journal"));
        assert!(trouble.place.ends_with("x.jsonl") && trouble.kind == TroubleKind::NotFound, "{trouble}");
    }
}

#[test]
fn a_full_disk_loses_nothing_and_the_same_event_can_be_tried_again() {
    let Some(disk) = small_disk(128 << 10) else { return };
    let (mut journal, _) = Journal::create(disk.path(), &declared(), &me()).expect("created");
    let filler = disk.path().join("filler");
    fs::write(&filler, vec![0; 40 << 10]).expect("filled");
    let long = "x".repeat(9000);
    let mut seq = 2;
    let full = loop {
        match journal.append(&note(seq, &long)) {
            Ok(_) => seq += 1,
            Err(e) => break e,
        }
    };
    assert!(matches!(&full, Error::Disk(e) if e.is_full()), "{full}");
    assert!(Trouble::from(full).retry);
    assert!(read(disk.path(), &id()).expect("read").is_intact(), "no part of the failed line stays");
    fs::remove_file(filler).expect("space again");
    journal.append(&note(seq, &long)).expect("the same event");
    drop(journal);
    let opened = reopened(disk.path());
    assert_eq!((opened.events.len() as u64, opened.notices), (seq, vec![]));
}

#[test]
fn the_list_shows_the_newest_first_and_which_are_open() {
    let dir = written(1);
    let second = IncidentId::new(minute(5).wall, "checkout");
    let mut kind = declared_with(Plan::default());
    if let Kind::Declared { id, .. } = &mut kind {
        *id = second.clone();
    }
    let (mut journal, _) = Journal::create(dir.path(), &Event { seq: 1, at: minute(5), actor: ann(), kind }, &me()).expect("created");
    journal.append(&note(2, r#"a trap: "kind":{"type":"resolved"}"#)).expect("appended");
    fs::create_dir_all(dir.path().join("incidents/INC-20200101-0000-broken")).expect("dir");
    fs::create_dir_all(dir.path().join("incidents/not an incident")).expect("dir");
    let shown = |d: &Path| -> Vec<(String, bool)> { incidents(d).expect("list").iter().map(|i| (i.id.to_string(), i.open)).collect() };
    let broken = ("INC-20200101-0000-broken".to_owned(), false);
    assert_eq!(shown(dir.path()), [(second.to_string(), true), (id().to_string(), true), broken.clone()]);
    let all = incidents(dir.path()).expect("list");
    assert!(all[0].held_by.is_some() && all[1].held_by.is_none() && all[2].unreadable.is_some());
    journal.append(&Event { seq: 3, at: minute(9), actor: ann(), kind: Kind::Resolved { text: "over".into() } }).expect("appended");
    assert_eq!(shown(dir.path()), [(second.to_string(), false), (id().to_string(), true), broken]);
    assert_eq!(newest_open(dir.path()).expect("list").map(|i| i.id), Some(id()));
    assert!(incidents(&dir.path().join("nowhere")).expect("list").is_empty());
}

#[test]
fn another_journal_of_the_incident_joins_and_both_originals_are_kept() {
    let (ours, theirs) = (written(1), written(1));
    let mut their = reopened(theirs.path()).journal;
    their.append(&note(3, "seen from the other side")).expect("appended");
    let mut journal = reopened(ours.path()).journal;
    journal.append(&Event { at: minute(2), ..note(3, "seen from here") }).expect("appended");
    let before = fs::read(file(ours.path())).expect("bytes");
    let imported = journal.import(&file(theirs.path())).expect("imported");
    assert_eq!((imported.added, imported.events.len()), (1, 4));
    assert_eq!(fs::read(imported.before.expect("kept")).expect("bytes"), before);
    assert_eq!(fs::read(imported.kept.expect("kept")).expect("bytes"), fs::read(file(theirs.path())).expect("bytes"));
    journal.append(&note(5, "goes on")).expect("appended");
    assert!(read(ours.path(), &id()).expect("read").is_intact());
    let again = journal.import(&file(theirs.path())).expect("imported");
    assert_eq!((again.added, again.events.len()), (0, 5));
    assert!(matches!(journal.import(Path::new("/dev/null")), Err(Error::NotAJournal { .. })));
}

const CHILD_WRITES_TO: &str = "CUTOFF_TEST_JOURNAL";

/// Not a test of its own: the process that [`nothing_acknowledged_is_lost_when_the_writer_is_killed`] kills.
#[test]
#[ignore = "run by the test that kills it"]
fn writer_to_be_killed() {
    let Some(dir) = std::env::var_os(CHILD_WRITES_TO) else { return };
    let dir = Path::new(&dir);
    let (mut journal, mut seq) = match Journal::open(dir, &id(), &me()) {
        Ok(opened) => (opened.journal, opened.events.len() as u64),
        Err(_) => (Journal::create(dir, &declared(), &me()).expect("created").0, 1),
    };
    loop {
        seq += 1;
        let appended = journal.append(&note(seq, &"y".repeat(seq as usize % 3000))).expect("appended");
        // Written past the test harness, which would keep it.
        writeln!(std::io::stdout(), "ACK {}", appended.seq).expect("the parent listens");
    }
}

#[test]
fn nothing_acknowledged_is_lost_when_the_writer_is_killed() {
    let dir = tempfile::tempdir().expect("dir");
    let mut acknowledged = 0;
    for round in 0..5u64 {
        let mut child = Command::new(std::env::current_exe().expect("this test"))
            .args(["--exact", "journal::tests::writer_to_be_killed", "--ignored", "--nocapture", "--test-threads=1"])
            .env(CHILD_WRITES_TO, dir.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("started");
        let lines = BufReader::new(child.stdout.take().expect("piped")).lines().map_while(Result::ok);
        let mut heard = 0;
        for line in lines {
            if let Some((_, seq)) = line.split_once("ACK ") {
                acknowledged = seq.trim().parse().expect("a number");
                heard += 1;
            }
            if heard >= 3 + round * 7 {
                break;
            }
        }
        child.kill().expect("killed");
        child.wait().expect("ended");
        let opened = reopened(dir.path());
        assert!(opened.events.len() as u64 >= acknowledged, "{} events on disk, {acknowledged} acknowledged", opened.events.len());
        assert!(opened.notices.iter().any(|n| matches!(n, Notice::TakenOver(h) if h.pid != std::process::id())), "{:?}", opened.notices);
        assert!(!opened.notices.iter().any(|n| matches!(n, Notice::Flaw(_))));
    }
    assert!(acknowledged > 5 * 3);
}
