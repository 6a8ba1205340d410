//! Connections that end at any point and in every way, on a pod of paper: what was sent is kept, and what is resumed is
//! the file.

use std::io::Read as _;
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use super::paper::{Connection, Ends, Paper, facts, snapshot};
use crate::base::Bytes;
use crate::capture::transfer::Packed;
use crate::capture::{Copied, CopyEnd, Memory, Source, copy};
use crate::node::{ProcessFacts, SnapshotTracker};
use crate::preflight::CaptureState;

fn source() -> Source {
    Source { dir: "/data".to_owned(), pid: 1, is_snapshot: true, patience: Duration::from_secs(1 << 20), ..Source::default() }
}

async fn copied(place: &Paper, facts: &ProcessFacts, source: &Source, landing: &mut Memory) -> Copied {
    let mut tell = |_: CaptureState| {};
    let stop = CancellationToken::new();
    let copy = copy(place, facts, source, landing, &mut tell, &stop);
    tokio::time::timeout(Duration::from_secs(60), copy).await.expect("it ends").expect("a copy")
}

/// xorshift64.
fn random(seed: &mut u64) -> u64 {
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    *seed
}

/// The bytes of the file in the first `sent` bytes of a wire, read by another decoder than the copy's.
fn sent(wire: &[u8], sent: usize) -> usize {
    let (mut rest, mut all) = (&wire[..sent], 0);
    loop {
        while let Some(line) = rest.strip_prefix(b"CTO1 ") {
            let Some(end) = line.iter().position(|b| *b == b'\n') else { return all };
            rest = &line[end + 1..];
        }
        if rest.is_empty() {
            return all;
        }
        let mut decoder = flate2::bufread::GzDecoder::new(rest);
        let mut buffer = [0; 512];
        loop {
            match decoder.read(&mut buffer) {
                Ok(0) => break,
                Ok(n) => all += n,
                Err(_) => return all,
            }
        }
        rest = decoder.into_inner();
    }
}

#[tokio::test]
async fn a_reset_at_a_thousand_random_points_costs_no_byte() {
    const POINTS: usize = 1000;
    let (file, facts, began, mut seed) = (snapshot(200_000), facts(&[]), Instant::now(), 88_172_645_463_325_252);
    let whole = Paper::new(file.clone());
    let reader = "f='' o=0 m=64 z='gzip -1 -c'";
    let length = whole.wire(reader).len();
    let (mut breaks, mut longest) = (0, 0);
    for i in 0..POINTS {
        let point = usize::try_from(random(&mut seed)).expect("64 bits") % length;
        let ends = [Ends::Reset, Ends::NoStatus, Ends::Success][i % 3];
        // The connection ends there and the container is out of reach: what was sent is kept.
        let place = Paper::new(file.clone()).with([Connection::until(point, ends), Connection::until(0, Ends::Refused)]);
        let mut landing = Memory::default();
        let cut = copied(&place, &facts, &Source { patience: Duration::ZERO, ..source() }, &mut landing).await;
        let CopyEnd::Unreachable(_) = cut.end else { panic!("{ends:?} at {point}: {:?}", cut.end) };
        assert!(file.starts_with(&landing.0), "{ends:?} at {point}");
        assert_eq!(landing.0.len(), sent(&whole.wire(reader), point), "{ends:?} at {point}: kept is what was sent");
        assert_eq!((cut.tracker.bytes().0, cut.tracker.is_complete()), (landing.0.len() as u64, false), "an honest verdict");
        longest = longest.max(landing.0.len());
        // Another call goes on there.
        let mut here = SnapshotTracker::new();
        here.push(&landing.0);
        let whole = copied(&place, &facts, &Source { here, ..source() }, &mut landing).await;
        assert_eq!((whole.end, landing.0 == file), (CopyEnd::Whole, true), "{ends:?} at {point}");
        // And so does the same call.
        let place = Paper::new(file.clone()).with([Connection::until(point, ends)]);
        let mut landing = Memory::default();
        let whole = copied(&place, &facts, &source(), &mut landing).await;
        assert_eq!(
            (whole.end, whole.breaks, whole.unproved, landing.0 == file),
            (CopyEnd::Whole, 1, Bytes(0), true),
            "{ends:?} at {point}"
        );
        breaks += whole.breaks + cut.breaks;
    }
    assert!(longest > file.len() / 4 * 3, "the points lie all over the file: {longest}");
    eprintln!("{POINTS} points, {breaks} broken connections, {} bytes of file each: {:.1?}", file.len(), began.elapsed());
}

#[tokio::test]
async fn a_link_that_breaks_again_and_again_gives_the_file() {
    let (file, mut seed) = (snapshot(600_000), 1_234_567_u64);
    for (tools, packed) in [(&[][..], Packed::Gzip), (&["zstd"][..], Packed::Zstd)] {
        let facts = facts(tools);
        let mut breaks = 0;
        while breaks < 150 {
            let ends = [Ends::Reset, Ends::NoStatus, Ends::Success, Ends::Refused];
            let cuts = (0..40).map(|_| {
                let random = usize::try_from(random(&mut seed)).expect("64 bits");
                Connection::until(random % 90_000, ends[random % 4])
            });
            let cuts: Vec<Connection> = cuts.filter(|c| c.ends != Ends::Refused || c.bytes % 8 == 0).collect();
            let place = Paper::new(file.clone()).with(cuts);
            let mut landing = Memory::default();
            let copied = copied(&place, &facts, &source(), &mut landing).await;
            assert_eq!((&copied.end, copied.packed), (&CopyEnd::Whole, Some((packed, false))));
            assert!(landing.0 == file, "{} of {} bytes", landing.0.len(), file.len());
            // The reader is told to go after the end, and not before all is here.
            assert!(place.commands.lock().expect("no panic").last().is_some_and(|c| c.contains("kill -TERM 9")));
            breaks += copied.breaks;
        }
    }
}

#[tokio::test]
async fn a_slow_drip_is_waited_for() {
    // A byte each millisecond stands for one each second.
    let file = snapshot(2000);
    let place = Paper::new(file.clone()).with([
        Connection { bytes: 300, ends: Ends::Reset, each: Some(Duration::from_millis(1)) },
        Connection { bytes: usize::MAX, ends: Ends::NoStatus, each: Some(Duration::from_millis(1)) },
    ]);
    let mut landing = Memory::default();
    let copied = copied(&place, &facts(&[]), &source(), &mut landing).await;
    assert_eq!((copied.end, copied.breaks, landing.0 == file), (CopyEnd::Whole, 1, true));
}

#[tokio::test]
async fn another_file_of_the_name_is_not_added_to_this_one() {
    let file = snapshot(300_000);
    // Another inode after a break; the reader's word; and a size below what is here.
    for (inode, after) in [(8, ""), (7, "CTO1 C\n"), (7, "CTO1 Q 1000 1\n")] {
        let place = Paper::new(file[..200_000].to_vec()).with([Connection::until(100_000, Ends::Reset)]);
        *place.after.lock().expect("no panic") = after.to_owned();
        let mut landing = Memory::default();
        let mut tell = |state: CaptureState| {
            if matches!(state, CaptureState::Copying { copied, .. } if copied.0 > 65536) {
                *place.inode.lock().expect("no panic") = inode;
            }
        };
        let (facts, source, stop) = (facts(&[]), source(), CancellationToken::new());
        let copied = copy(&place, &facts, &source, &mut landing, &mut tell, &stop);
        let copied = tokio::time::timeout(Duration::from_secs(20), copied).await.expect("it ends").expect("a copy");
        assert_eq!(copied.end, CopyEnd::FileGone, "{inode} {after}");
        assert!(file.starts_with(&landing.0) && !copied.tracker.is_complete(), "{inode} {after}");
    }
}

#[tokio::test]
async fn a_file_that_nobody_adds_to_ends_the_copy() {
    let (file, looks) = (snapshot(100_000), "CTO1 Q 90000 1\n".repeat(8));
    for (is_snapshot, end) in [(true, CopyEnd::Still), (false, CopyEnd::Whole)] {
        let place = Paper::new(file[..90_000].to_vec());
        *place.after.lock().expect("no panic") = looks.clone();
        let mut landing = Memory::default();
        let source = Source { still: Some(8), is_snapshot, ..source() };
        let copied = copied(&place, &facts(&[]), &source, &mut landing).await;
        assert_eq!((copied.end, landing.0.len()), (end, 90_000), "{is_snapshot}");
    }
}

#[tokio::test]
async fn a_compressor_that_fails_gives_way_to_gzip() {
    let file = snapshot(100_000);
    let place = Paper::new(file.clone());
    // What stands before the first piece is no frame: zstd was killed, and the shell went on.
    let facts = facts(&["zstd"]);
    let broken = Paper::new(Vec::new());
    *broken.after.lock().expect("no panic") = "CTO1 F 7 0\nzstd: cannot allocate\n".to_owned();
    let place = Switched { first: broken, then: place, used: std::sync::atomic::AtomicBool::new(false) };
    let mut landing = Memory::default();
    let mut tell = |_: CaptureState| {};
    let copied = copy(&place, &facts, &source(), &mut landing, &mut tell, &CancellationToken::new()).await.expect("a copy");
    assert_eq!((copied.end, copied.packed, landing.0 == file), (CopyEnd::Whole, Some((Packed::Gzip, false)), true));
}

/// The first connection goes to one place, all others to the other.
struct Switched {
    first: Paper,
    then: Paper,
    used: std::sync::atomic::AtomicBool,
}

impl crate::capture::Place for Switched {
    fn container(&self) -> &crate::base::ContainerRef {
        self.then.container()
    }
    fn run<'a>(
        &'a self,
        command: &'a [String],
        deadline: Duration,
        most: usize,
    ) -> futures::future::BoxFuture<'a, Result<crate::cluster::Output, crate::base::Trouble>> {
        self.then.run(command, deadline, most)
    }
    fn start<'a>(
        &'a self,
        command: &'a [String],
        idle: Duration,
    ) -> futures::future::BoxFuture<'a, Result<Box<dyn crate::capture::Running>, crate::base::Trouble>> {
        let first = !self.used.swap(true, std::sync::atomic::Ordering::Relaxed);
        if first { self.first.start(command, idle) } else { self.then.start(command, idle) }
    }
    fn connect(&self, port: u16) -> futures::future::BoxFuture<'_, Result<Box<dyn crate::inspector::ByteStream>, crate::base::Trouble>> {
        self.then.connect(port)
    }
    fn pod(&self) -> futures::future::BoxFuture<'_, Result<crate::pressure::PodFacts, crate::base::Trouble>> {
        self.then.pod()
    }
    fn refused<'a>(
        &'a self,
        rules: &'a [crate::cluster::Rule],
    ) -> futures::future::BoxFuture<'a, Result<Vec<crate::cluster::Rule>, crate::base::Trouble>> {
        self.then.refused(rules)
    }
}
