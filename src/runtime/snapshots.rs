//! Snapshots as they come: from a file or a pipe, plain, gzip or zstd, read and unpacked ahead of the parser; and what was computed from a
//! file, kept in the cache so that it opens again at once.

use std::io::{BufRead, BufReader, Cursor, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

use crate::base::{Bytes, Trouble, TroubleKind};
use crate::disk::{self, Reader, Sha256};
use crate::evidence::{Cache, CacheKey};
use crate::heap::{self, Analysis, Pipeline, Progress, Stop, Summary};

/// Bytes given to the parser at once.
const PIECE: usize = 4 << 20;
/// Pieces that are read ahead.
const AHEAD: usize = 2;
/// What the cache holds at most, and leaves free on the disk.
const CACHE_LIMIT: Bytes = Bytes(8 << 30);
const KEEP_FREE: Bytes = Bytes(2 << 30);

/// A file is read by offset, since another may append to it.
struct FileAt<'a> {
    file: &'a Reader,
    at: u64,
    failed: &'a mut Option<disk::Error>,
}

impl Read for FileAt<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        match self.file.read_at(self.at, buffer) {
            Ok(n) => {
                self.at += n as u64;
                Ok(n)
            }
            Err(error) => {
                *self.failed = Some(error);
                Err(std::io::Error::other("the file cannot be read"))
            }
        }
    }
}

/// Hashes and counts what is read through it.
struct Hashed<R> {
    from: R,
    hash: Option<Sha256>,
    bytes: u64,
    failed: bool,
}

impl<R: Read> Read for Hashed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let n = self.from.read(buffer).inspect_err(|e| self.failed |= e.kind() != std::io::ErrorKind::Interrupted)?;
        if let Some(hash) = &mut self.hash {
            hash.update(&buffer[..n]);
        }
        self.bytes += n as u64;
        Ok(n)
    }
}

/// All frames of a zstd archive, one after the other.
struct Frames<R> {
    source: R,
    decoder: FrameDecoder,
    open: bool,
}

impl<R: BufRead> Read for Frames<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        loop {
            if self.open {
                while self.decoder.can_collect() == 0 && !self.decoder.is_finished() {
                    let block = self.decoder.decode_blocks(&mut self.source, BlockDecodingStrategy::UptoBlocks(1));
                    block.map_err(std::io::Error::other)?;
                }
                let n = self.decoder.read(buffer)?;
                if n > 0 || buffer.is_empty() {
                    return Ok(n);
                }
                self.open = false;
            }
            if self.source.fill_buf()?.is_empty() {
                return Ok(0);
            }
            match self.decoder.init(&mut self.source) {
                Ok(()) => self.open = true,
                Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame { length, .. })) => {
                    std::io::copy(&mut self.source.by_ref().take(u64::from(length)), &mut std::io::sink())?;
                }
                Err(error) => return Err(std::io::Error::other(error)),
            }
        }
    }
}

/// What was read, as it was packed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Whole {
    /// Bytes.
    pub size: Bytes,
    /// SHA-256 of them, if it was asked for; else empty.
    pub sha256: String,
}

/// Gives `take` the unpacked bytes of a file, piece by piece, while the next are read. An archive that ends early or is damaged gives what
/// comes before that.
///
/// # Errors
/// What the disk says, or `take`.
pub fn pieces(file: &Reader, hash: bool, take: impl FnMut(&[u8]) -> Result<(), Trouble>) -> Result<Whole, Trouble> {
    let mut failed = None;
    let whole = read_ahead(FileAt { file, at: 0, failed: &mut failed }, hash, take);
    match failed {
        Some(error) => Err(error.into()),
        None => whole.map(|(whole, _)| whole),
    }
}

/// [`pieces`] of a pipe.
///
/// # Errors
/// When the pipe cannot be read, or what `take` says.
pub fn pieces_of_pipe(pipe: impl Read + Send, hash: bool, take: impl FnMut(&[u8]) -> Result<(), Trouble>) -> Result<Whole, Trouble> {
    match read_ahead(pipe, hash, take)? {
        (whole, false) => Ok(whole),
        (_, true) => Err(Trouble::new(
            TroubleKind::Failed,
            "the pipe cannot be read to its end",
            "standard input",
            "write the snapshot to a file and give that",
        )),
    }
}

/// What was read, and whether reading failed.
fn read_ahead(from: impl Read + Send, hash: bool, mut take: impl FnMut(&[u8]) -> Result<(), Trouble>) -> Result<(Whole, bool), Trouble> {
    let (full, filled) = sync_channel::<Vec<u8>>(AHEAD);
    let (empty, emptied) = sync_channel::<Vec<u8>>(AHEAD + 1);
    std::thread::scope(|scope| {
        let reader = scope.spawn(move || {
            let mut hashed = Hashed { from, hash: hash.then(Sha256::default), bytes: 0, failed: false };
            let wanted = unpack(&mut hashed, &full, &emptied);
            // What the unpacker left (a cut, or a tail behind the archive) belongs to the file too.
            let mut rest = vec![0; 64 << 10];
            while wanted && !hashed.failed && hashed.read(&mut rest).is_ok_and(|n| n > 0) {}
            (Whole { size: Bytes(hashed.bytes), sha256: hashed.hash.map(|h| h.hex()).unwrap_or_default() }, hashed.failed)
        });
        let mut result = Ok(());
        while result.is_ok()
            && let Ok(piece) = filled.recv()
        {
            result = take(&piece);
            let _ = empty.try_send(piece);
        }
        // The reader stops when nobody takes what it has read.
        drop(filled);
        result?;
        reader.join().map_err(|_| Trouble::new(TroubleKind::Failed, "reading broke down", "", "see the log file"))
    })
}

/// Whether all that was read was also taken.
fn unpack<R: Read>(hashed: &mut Hashed<R>, full: &SyncSender<Vec<u8>>, emptied: &Receiver<Vec<u8>>) -> bool {
    let mut head = [0; 4];
    let got = fill(hashed, &mut head).unwrap_or_else(|n| n);
    let begin = Cursor::new(head[..got].to_vec());
    match head[..got] {
        [0x1f, 0x8b, ..] => {
            send(flate2::bufread::MultiGzDecoder::new(BufReader::with_capacity(256 << 10, begin.chain(hashed))), full, emptied)
        }
        // A frame, or one to be skipped, which some tools put first.
        [0x28, 0xb5, 0x2f, 0xfd] | [0x50..=0x5f, 0x2a, 0x4d, 0x18] => {
            let source = BufReader::with_capacity(256 << 10, begin.chain(hashed));
            send(Frames { source, decoder: FrameDecoder::new(), open: false }, full, emptied)
        }
        _ => send(begin.chain(hashed), full, emptied),
    }
}

fn send(mut from: impl Read, full: &SyncSender<Vec<u8>>, emptied: &Receiver<Vec<u8>>) -> bool {
    loop {
        let mut piece = emptied.try_recv().unwrap_or_default();
        piece.resize(PIECE, 0);
        let (n, more) = match fill(&mut from, &mut piece) {
            Ok(n) => (n, n == PIECE),
            // What came before is good, and the parser says what is missing.
            Err(n) => (n, false),
        };
        piece.truncate(n);
        if n > 0 && full.send(piece).is_err() {
            return false;
        }
        if !more {
            return true;
        }
    }
}

/// Fills `buffer` as far as there is something; the count, as an error when reading failed behind it.
fn fill(from: &mut impl Read, buffer: &mut [u8]) -> Result<usize, usize> {
    let mut got = 0;
    while got < buffer.len() {
        match from.read(&mut buffer[got..]) {
            Ok(0) => break,
            Ok(n) => got += n,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(_) => return Err(got),
        }
    }
    Ok(got)
}

/// Analyses the snapshot in a file.
///
/// # Errors
/// What the disk says; no snapshot in it is not found, with `place` as where.
pub fn analyse(file: &Reader, hash: bool, place: &str, progress: &Arc<dyn Progress>) -> Result<(Analysis, Whole), Trouble> {
    analysed(place, progress, |take| pieces(file, hash, take))
}

/// Analyses the snapshot that comes through a pipe.
///
/// # Errors
/// As [`analyse`].
pub fn analyse_pipe(pipe: impl Read + Send, place: &str, progress: &Arc<dyn Progress>) -> Result<(Analysis, Whole), Trouble> {
    analysed(place, progress, |take| pieces_of_pipe(pipe, true, take))
}

type Take<'a> = &'a mut dyn FnMut(&[u8]) -> Result<(), Trouble>;

fn analysed(
    place: &str,
    progress: &Arc<dyn Progress>,
    read: impl FnOnce(Take<'_>) -> Result<Whole, Trouble>,
) -> Result<(Analysis, Whole), Trouble> {
    let stopped = |stop: Stop| Trouble { place: place.to_owned(), ..Trouble::from(stop) };
    let mut pipeline = Pipeline::new(progress.clone());
    let whole = read(&mut |piece| pipeline.push(piece).map_err(stopped))?;
    Ok((pipeline.finish().map_err(stopped)?, whole))
}

/// What was computed from files: their summaries and indices. A cache that cannot be used is as good as an empty one.
pub struct Kept {
    cache: Option<Cache>,
    /// What a verdict depends on beside the file: the program that gave it.
    program: String,
}

impl Kept {
    /// The cache in `cache_dir`.
    pub fn at(cache_dir: &Path) -> Self {
        let build = std::env::current_exe().ok().and_then(|path| disk::entry(&path).ok().flatten());
        let build = build.map(|e| format!("{} {:?}", e.size.0, e.modified)).unwrap_or_default();
        let program = format!("{} {build}", env!("CARGO_PKG_VERSION"));
        let cache = Cache::open(&cache_dir.join("heap"), CACHE_LIMIT, KEEP_FREE);
        let cache = cache.inspect_err(|error| tracing::info!(%error, "no cache of analyses")).ok();
        Self { cache, program }
    }

    /// No cache: everything is computed anew, nothing is kept.
    pub fn none() -> Self {
        Self { cache: None, program: String::new() }
    }

    /// The key of the file at `path` as it is now; `None` without a cache.
    pub fn key(&self, path: &Path) -> Option<CacheKey> {
        self.cache.as_ref()?;
        CacheKey::of(path).ok()
    }

    /// The summary of the file with this key.
    pub fn summary(&self, key: &CacheKey) -> Option<Summary> {
        let key = key.part(&self.program);
        let bytes = self.cache.as_ref()?.get(&key).ok().flatten()?;
        Summary::decode(&bytes).or_else(|| self.forget(&key))
    }

    /// The whole analysis of the file with this key.
    pub fn analysis(&self, key: &CacheKey) -> Option<Analysis> {
        let file = self.cache.as_ref()?.open_entry(key).ok().flatten()?;
        let mut at = 0;
        let analysis = heap::read_index(file.size().ok()?, |buffer| {
            let got = file.read_at(at, buffer).unwrap_or(0);
            at += got as u64;
            got == buffer.len()
        });
        analysis.or_else(|| self.forget(key))
    }

    fn forget<T>(&self, key: &CacheKey) -> Option<T> {
        let _ = self.cache.as_ref()?.forget(key);
        None
    }

    /// Keeps a summary; that of a cut file is not kept, it may still grow.
    pub fn keep_summary(&self, key: &CacheKey, summary: &Summary) {
        if let (Some(cache), Some(bytes)) = (&self.cache, summary.encode()) {
            said(cache.put(&key.part(&self.program), &bytes));
        }
    }

    /// Keeps an analysis of a file of `size`.
    pub fn keep_analysis(&self, key: &CacheKey, size: Bytes, analysis: &Analysis) {
        if let (Some(cache), Some(pieces)) = (&self.cache, heap::index_pieces(analysis)) {
            said(cache.put_pieces(key, size, pieces));
        }
    }
}

/// A cache that is full or broken costs time later, nothing now.
fn said(kept: Result<bool, crate::evidence::Error>) {
    if let Err(error) = kept {
        tracing::info!(%error, "an analysis is not kept in the cache");
    }
}

#[cfg(test)]
mod tests {
    use flate2::write::GzEncoder;
    use std::io::Write;

    use super::*;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).expect("memory");
        encoder.finish().expect("memory")
    }

    fn zstd(bytes: &[u8]) -> Vec<u8> {
        ruzstd::encoding::compress_to_vec(bytes, ruzstd::encoding::CompressionLevel::Fastest)
    }

    fn read(bytes: &[u8]) -> (Vec<u8>, Whole) {
        let mut got = Vec::new();
        let take = |piece: &[u8]| {
            got.extend_from_slice(piece);
            Ok(())
        };
        let whole = pieces_of_pipe(bytes, true, take).expect("memory can be read");
        (got, whole)
    }

    #[test]
    fn what_was_packed_comes_out_and_the_hash_is_of_the_file() {
        let plain: Vec<u8> = (0..3 * PIECE as u32 / 8).flat_map(|i| (i.wrapping_mul(0x9e37_79b9) >> 8).to_le_bytes()).collect();
        let (first, second) = plain.split_at(plain.len() / 2 + 1);
        let skipped = [0x53, 0x2a, 0x4d, 0x18, 2, 0, 0, 0, 9, 9];
        let archives = [
            plain.clone(),
            gzip(&plain),
            [gzip(first), gzip(second)].concat(),
            zstd(&plain),
            [&skipped[..], &zstd(first), &skipped, &zstd(second)].concat(),
        ];
        for (n, bytes) in archives.iter().enumerate() {
            let (got, whole) = read(bytes);
            assert!(got == plain, "archive {n}");
            let expected = Whole { size: Bytes(bytes.len() as u64), sha256: crate::disk::sha256_hex(bytes) };
            assert_eq!(whole, expected, "archive {n}");
            // Cut, what comes out is the beginning, and the hash is still of all that is there.
            let (got, whole) = read(&bytes[..bytes.len() - 7]);
            assert!(plain.starts_with(&got) && whole.size.0 == bytes.len() as u64 - 7, "archive {n}, cut");
        }
        for short in [&b""[..], b"{", &[0x1f], &[0x28, 0xb5, 0x2f, 0xfd], &[0x1f, 0x8b, 1, 2, 3]] {
            assert_eq!(read(short).1.size.0, short.len() as u64);
        }
    }

    #[test]
    fn who_takes_no_more_stops_the_reading() {
        let endless = std::io::repeat(b'1');
        let mut pieces = 0;
        let stopped = pieces_of_pipe(endless, false, |_| {
            pieces += 1;
            if pieces < 3 { Ok(()) } else { Err(Trouble::new(TroubleKind::Cancelled, "enough", "", "")) }
        });
        assert_eq!((stopped.map_err(|t| t.kind), pieces), (Err(TroubleKind::Cancelled), 3));
    }
}
