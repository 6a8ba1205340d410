//! The copy: reads the reader's frames, appends what is new, starts again where it was when the connection breaks.

use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio_util::sync::CancellationToken;

use crate::base::{Bytes, Masked, Trouble};
use crate::capture::error::Error;
use crate::capture::helper::Tongue;
use crate::capture::landing::Landing;
use crate::capture::method::Tell;
use crate::capture::place::Place;
use crate::node::{Header, ProcessFacts, SnapshotTracker};
use crate::preflight::{CaptureState, Sighting};

use super::frames::{Frame, Frames, Packed};
use super::script::{TOLD, dismiss, reader};
use super::source::Source;

/// Why a copy ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CopyEnd {
    /// A snapshot whose JSON ends, or another file of a writer that is gone or silent.
    Whole,
    /// The writer is dead and nothing more will come.
    WriterDead,
    /// The file is gone, or another took its name.
    FileGone,
    /// Nothing was added for [`Source::still`], and the file does not end.
    Still,
    /// The container cannot be reached any more.
    Unreachable(Masked),
    /// Stopped.
    Stopped,
}

/// What came.
#[derive(Clone, Debug)]
pub struct Copied {
    /// Why it ended.
    pub end: CopyEnd,
    /// The file in the container, once it was there.
    pub path: Option<String>,
    /// What is whole of it.
    pub tracker: SnapshotTracker,
    /// Connections that broke on the way.
    pub breaks: u32,
    /// Bytes at the end that came from a piece cut by the last break: no checksum proves them.
    pub unproved: Bytes,
    /// Bytes that came over the wire for it.
    pub wire: Bytes,
    /// How they were packed, and whether by the container's Node.
    pub packed: Option<(Packed, bool)>,
    /// Whether the writer had begun: a file of no bytes is a snapshot that is being built.
    pub seen: bool,
}

/// Silence after which a connection is given up: the reader speaks four times a second.
const SILENCE: Duration = Duration::from_secs(30);
/// Blocks a piece on a good line: 4 MiB.
const MOST: u64 = 64;
/// No process has this id: it stands for a writer whose container is gone.
const NOBODY: u32 = 1 << 30;
/// A writer is believed dead, and no file to come, after so many looks.
const LOOKS: u32 = 8;
/// An empty snapshot is one that is being built, which takes so much longer than any rest in its writing.
const BUILDS: u32 = 20;
/// A file that is no snapshot is whole when nothing was added for so many looks.
const QUIET: u32 = 8;

/// Copies `source` into `landing` until it is whole, the writer is dead, or somebody says stop.
///
/// # Errors
/// Of the disk here, and damage that another try does not mend.
pub async fn copy(
    place: &dyn Place,
    facts: &ProcessFacts,
    source: &Source,
    landing: &mut dyn Landing,
    tell: Tell<'_>,
    stop: &CancellationToken,
) -> Result<Copied, Error> {
    let tongue = Tongue::of(facts);
    // Busybox and GNU both have gzip; without it the container's Node packs.
    let tongue = match (tongue, facts.target()) {
        (Tongue::Shell, Some(target)) if !reads(facts) => Tongue::Node(target.exe.clone()),
        (tongue, _) => tongue,
    };
    let mut run = Run {
        copied: Copied {
            end: CopyEnd::Stopped,
            path: source.path.clone(),
            tracker: source.here.clone(),
            breaks: 0,
            unproved: Bytes(0),
            wire: Bytes(0),
            packed: None,
            seen: false,
        },
        by_node: matches!(tongue, Tongue::Node(_)),
        size: source.size,
        still: source.still,
        inode: None,
        at: 0,
        piece: Vec::new(),
        aside: (0, Vec::new()),
        most: MOST,
        leftover: None,
        quiet: 0,
        alive: true,
        is_snapshot: source.is_snapshot,
        damaged: false,
        over: None,
    };
    // At level 1 both keep up with V8; zstd packs smaller and costs the pod half as much.
    let mut packed = if facts.tools.has("zstd") { Packed::Zstd } else { Packed::Gzip };
    let restarts = restarts(place).await;
    let mut source = source.clone();
    let mut pause = FIRST_PAUSE;
    let mut lost_since = None;
    let mut rested = true;
    let mut left: Vec<u32> = Vec::new();
    loop {
        source.path.clone_from(&run.copied.path);
        let command = reader(&tongue, packed, &source, landing.bytes().0, run.most);
        let before = landing.bytes();
        let ended = run.once(place, &command, landing, &mut *tell, stop).await;
        let heard = run.leftover.is_some();
        // A client that goes away leaves its command in the pod, and the reader waits to be told that all has come. Where
        // the pod cannot be reached now, it is told after the next connection.
        left.extend(run.leftover.take());
        for pid in std::mem::take(&mut left) {
            let answer = place.run(&dismiss(&tongue, pid), Duration::from_secs(10), 1024).await;
            if !answer.is_ok_and(|output| output.stdout.starts_with(TOLD.as_bytes())) {
                left.push(pid);
            }
        }
        let why = match ended {
            Ok(Some(end)) => return run.over(end, landing),
            Ok(None) => Masked::own("the reader in the pod ended"),
            Err(Break::Lost(why)) => why,
            Err(Break::Fatal(error)) => return Err(error),
        };
        run.copied.breaks += 1;
        if heard {
            (pause, lost_since) = (FIRST_PAUSE, None);
        }
        let since = *lost_since.get_or_insert_with(tokio::time::Instant::now);
        if since.elapsed() > source.patience {
            return run.over(CopyEnd::Unreachable(why), landing);
        }
        // What brought bytes is tried again at once, and so is the first that did not: the process may not live long.
        let better = landing.bytes() > before;
        if run.damaged && !better {
            packed = Packed::Gzip;
        }
        run.most = if better { (run.most * 2).min(MOST) } else { (run.most / 4).max(1) };
        let wait = if better || std::mem::replace(&mut rested, false) { Duration::ZERO } else { pause };
        rested |= better;
        tokio::select! {
            () = stop.cancelled() => return run.over(CopyEnd::Stopped, landing),
            () = tokio::time::sleep(wait) => {}
        }
        pause = (pause * 2).min(LAST_PAUSE);
        // Another container: its process of the same number is not the writer, and what is there of the file is all.
        if self::restarts(place).await.is_some_and(|now| restarts.is_some_and(|then| now != then)) {
            if !source.beyond_death || (source.one_life && !run.copied.seen) {
                return run.over(CopyEnd::WriterDead, landing);
            }
            source.pid = NOBODY;
            left.clear();
        }
    }
}

/// Whether the container's programs can read and pack a file.
fn reads(facts: &ProcessFacts) -> bool {
    let has = |tool| facts.tools.has(tool);
    has("dd") && has("stat") && (has("gzip") || has("zstd"))
}

impl Copied {
    /// How the bytes came: `dd | zstd -1`; empty before the first piece.
    pub fn way(&self) -> &'static str {
        match self.packed {
            Some((Packed::Zstd, false)) => "dd | zstd -1",
            Some((Packed::Gzip, false)) => "dd | gzip -1",
            Some((Packed::Zstd, true)) => "the container's Node, zstd 1",
            Some((Packed::Gzip, true)) => "the container's Node, gzip 1",
            None => "",
        }
    }
}

const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LAST_PAUSE: Duration = Duration::from_secs(5);

async fn restarts(place: &dyn Place) -> Option<u32> {
    let pod = place.pod().await.ok()?;
    pod.containers.iter().find(|c| c.name == place.container().name).map(|c| c.restarts)
}

/// Why a connection ended before the copy did.
enum Break {
    /// Another may go on.
    Lost(Masked),
    /// No other will.
    Fatal(Error),
}

struct Run {
    copied: Copied,
    inode: Option<u64>,
    /// Offset of the present piece; `u64::MAX` for one that is not wanted.
    at: u64,
    /// Its bytes so far: they land when the piece is proved. A compressor that is killed for memory leaves garbage
    /// behind, which looks like data to the decoder.
    piece: Vec<u8>,
    /// A piece that a break cut, and its offset: read again if that is possible, else better than nothing.
    aside: (u64, Vec<u8>),
    /// Blocks a piece; less after breaks, so that a bad line still carries some whole.
    most: u64,
    leftover: Option<u32>,
    quiet: u32,
    alive: bool,
    is_snapshot: bool,
    by_node: bool,
    size: Option<Bytes>,
    still: Option<u32>,
    /// Whether the last connection brought what is no piece.
    damaged: bool,
    over: Option<CopyEnd>,
}

impl Run {
    async fn once(
        &mut self,
        place: &dyn Place,
        command: &[String],
        landing: &mut dyn Landing,
        tell: &mut (dyn FnMut(CaptureState) + Send),
        stop: &CancellationToken,
    ) -> Result<Option<CopyEnd>, Break> {
        let lost = |trouble: Trouble| Break::Lost(Masked::from(trouble.to_string()));
        let mut stream = place.start(command, SILENCE).await.map_err(lost)?;
        let mut frames = Frames::new();
        let mut buffer = vec![0; 256 << 10];
        (self.over, self.quiet, self.damaged) = (None, 0, false);
        self.piece.clear();
        let broken = loop {
            let read = tokio::select! {
                biased;
                () = stop.cancelled() => {
                    self.set_aside(&frames);
                    return Ok(Some(CopyEnd::Stopped));
                }
                read = tokio::time::timeout(SILENCE, stream.read(&mut buffer)) => read,
            };
            let n = match read {
                Ok(Ok(0)) => break None,
                Ok(Ok(n)) => n,
                Ok(Err(error)) => break Some(Masked::from(error.to_string())),
                Err(_) => break Some(Masked::own("the reader in the pod fell silent")),
            };
            self.copied.wire.0 += n as u64;
            match frames.push(&buffer[..n], |frame| self.take(frame, landing)) {
                Ok(()) => {}
                // A compressor that was killed, or a proxy that cut in: what was proved is kept, another reader goes on.
                Err(Error::Damaged(why)) => {
                    self.damaged = true;
                    return Err(Break::Lost(why));
                }
                Err(error) => return Err(Break::Fatal(error)),
            }
            tell(self.state());
            if let Some(end) = self.over.take() {
                return Ok(Some(end));
            }
        };
        self.set_aside(&frames);
        if let Some(why) = broken {
            return Err(Break::Lost(why));
        }
        let end = stream.finish().await;
        if end.no_such_command() {
            return Err(Break::Fatal(Error::NothingRuns));
        }
        // The reader ends by itself only when the writer died before there was a file.
        Ok(if !self.alive && !self.copied.seen { Some(CopyEnd::WriterDead) } else { None })
    }

    /// Keeps a piece that a break cut, if it reaches further than what was kept.
    fn set_aside(&mut self, frames: &Frames) {
        let mut piece = std::mem::take(&mut self.piece);
        piece.extend_from_slice(&frames.cut());
        let end = |at: u64, piece: &[u8]| at.saturating_add(piece.len() as u64);
        if self.at != u64::MAX && end(self.at, &piece) > end(self.aside.0, &self.aside.1) {
            self.aside = (self.at, piece);
        }
    }

    /// The end. What could not be read again and proved still is better than nothing.
    fn over(mut self, end: CopyEnd, landing: &mut dyn Landing) -> Result<Copied, Error> {
        let before = landing.bytes();
        if end != CopyEnd::Whole && self.aside.0 <= before.0 {
            (self.at, self.piece) = std::mem::take(&mut self.aside);
            self.land(landing)?;
            self.copied.unproved = landing.bytes().saturating_sub(before);
        }
        self.copied.end = end;
        Ok(self.copied)
    }

    /// Appends what is new of the piece: what is here already comes again after a break, and so does a tail that grew.
    fn land(&mut self, landing: &mut dyn Landing) -> Result<(), Error> {
        let piece = std::mem::take(&mut self.piece);
        if self.at == u64::MAX {
            return Ok(());
        }
        let have = usize::try_from(landing.bytes().0.saturating_sub(self.at)).unwrap_or(usize::MAX);
        if let Some(new) = piece.get(have..).filter(|new| !new.is_empty()) {
            landing.append(new)?;
            self.copied.tracker.push(new);
        }
        Ok(())
    }

    fn take(&mut self, frame: Frame, landing: &mut dyn Landing) -> Result<(), Error> {
        match frame {
            Frame::Hello { pid } => self.leftover = Some(pid),
            Frame::Waiting { alive } => {
                self.alive = alive;
                self.quiet = if alive { 0 } else { self.quiet + 1 };
                if self.quiet >= LOOKS {
                    self.over = Some(CopyEnd::WriterDead);
                }
            }
            Frame::Named { path } => {
                let plain = crate::base::Untrusted::new(path.as_str()).clean();
                self.copied.path = Some(plain).filter(|plain| *plain == path);
                self.copied.seen = true;
            }
            Frame::Begin { inode, offset } => {
                if self.inode.is_some_and(|known| known != inode) || offset > landing.bytes().0 {
                    self.over = Some(CopyEnd::FileGone);
                    self.at = u64::MAX;
                    return Ok(());
                }
                self.inode = Some(inode);
                self.at = offset;
                self.piece.clear();
                self.quiet = 0;
            }
            Frame::Bytes(bytes) => self.piece.extend_from_slice(&bytes),
            Frame::Proved { packed } => {
                self.copied.packed = Some((packed, self.by_node));
                self.land(landing)?;
                if self.is_snapshot && self.copied.tracker.is_complete() {
                    self.over = Some(CopyEnd::Whole);
                }
            }
            Frame::Quiet { size, alive } => {
                self.alive = alive;
                self.quiet += 1;
                // The reader sees a file begun anew; one that was so between two readers is seen here.
                if size < landing.bytes().0 {
                    self.over = Some(CopyEnd::FileGone);
                    return Ok(());
                }
                let all = size == landing.bytes().0;
                // A dead writer may have written after the last look: two looks without it.
                if !alive && all && self.quiet >= 2 {
                    self.over = Some(if self.is_snapshot { CopyEnd::WriterDead } else { CopyEnd::Whole });
                } else if !self.is_snapshot && all && self.quiet >= self.still.unwrap_or(QUIET) {
                    self.over = Some(CopyEnd::Whole);
                } else if all && self.still.is_some_and(|looks| self.quiet >= if size == 0 { looks.saturating_mul(BUILDS) } else { looks })
                {
                    self.over = Some(CopyEnd::Still);
                }
            }
            Frame::Gone | Frame::Changed => self.over = Some(CopyEnd::FileGone),
        }
        Ok(())
    }

    fn state(&self) -> CaptureState {
        if !self.copied.seen {
            return CaptureState::Armed { waits_for: Masked::own("the file") };
        }
        let tracker = &self.copied.tracker;
        // A file that was looked at has its size, if it has not outgrown it; another's header tells.
        let known = self.size.filter(|size| *size >= tracker.bytes());
        let expected = known.or_else(|| tracker.header().filter(|_| self.is_snapshot).map(Header::expected));
        if tracker.bytes() > Bytes(0) {
            return CaptureState::Copying { copied: tracker.bytes(), of: expected, rate: None };
        }
        CaptureState::of_file(&Sighting { size: None, whole: tracker.whole(), expected, alive: true })
    }
}
