//! Frames of the reader in the pod: a line `CTO1 kind …`, and after `F` one gzip member or one Zstandard frame with the
//! bytes from an offset on.
//!
//! Both end by themselves and carry a checksum, so every piece proves itself, no length is announced that a growing file
//! could make untrue, and a cut stream is seen by the decoder (RFC 1952, RFC 8878).

use flate2::{Crc, Decompress, FlushDecompress, Status};

use crate::base::Masked;
use crate::capture::error::Error;

use super::zstd;

/// How a piece was made small for its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packed {
    /// RFC 1952.
    Gzip,
    /// RFC 8878.
    Zstd,
}

/// What the reader says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Frame {
    /// It runs, as this process: tell that one to go.
    Hello { pid: u32 },
    /// No file yet; whether the writer lives.
    Waiting { alive: bool },
    /// The file that it reads.
    Named { path: String },
    /// A piece of the file begins at this offset.
    Begin { inode: u64, offset: u64 },
    /// Bytes of the piece, in order.
    Bytes(Vec<u8>),
    /// The piece is whole by its checksum.
    Proved { packed: Packed },
    /// Nothing new; size of the file, and whether the writer lives.
    Quiet { size: u64, alive: bool },
    /// The file is gone.
    Gone,
    /// Another file has taken its name.
    Changed,
}

/// Takes bytes as they come and gives frames.
pub(super) struct Frames {
    state: State,
    waiting: Vec<u8>,
}

enum State {
    Line,
    Header,
    Body {
        inflate: Box<Decompress>,
        crc: Box<Crc>,
    },
    Trailer {
        crc: u32,
        length: u32,
    },
    /// A Zstandard frame that waits until it is whole.
    Zstd(zstd::Walk),
}

/// No line of the reader is longer than a path.
const LONGEST_LINE: usize = 8192;

fn damaged(why: &'static str) -> Error {
    Error::Damaged(Masked::own(why))
}

impl Frames {
    pub fn new() -> Self {
        Self { state: State::Line, waiting: Vec::new() }
    }

    /// Takes the next bytes.
    pub fn push(&mut self, bytes: &[u8], mut on: impl FnMut(Frame) -> Result<(), Error>) -> Result<(), Error> {
        self.waiting.extend_from_slice(bytes);
        let mut at = 0;
        while let Some(used) = self.step(at, &mut on)? {
            at += used;
        }
        self.waiting.drain(..at);
        Ok(())
    }

    /// What a piece that was cut holds beyond what was given of it: nothing proves it.
    pub fn cut(&self) -> Vec<u8> {
        match &self.state {
            State::Zstd(walk) => walk.cut(&self.waiting),
            State::Line | State::Header | State::Body { .. } | State::Trailer { .. } => Vec::new(),
        }
    }

    /// One step over what waits from `at` on; `None` when more bytes are needed.
    fn step(&mut self, at: usize, on: &mut impl FnMut(Frame) -> Result<(), Error>) -> Result<Option<usize>, Error> {
        let input = &self.waiting[at..];
        match &mut self.state {
            State::Line => {
                let Some(end) = input.iter().position(|b| *b == b'\n') else {
                    return if input.len() > LONGEST_LINE { Err(damaged("a line without an end")) } else { Ok(None) };
                };
                let frame = line(&input[..end])?;
                if matches!(frame, Frame::Begin { .. }) {
                    self.state = State::Header;
                }
                on(frame)?;
                Ok(Some(end + 1))
            }
            State::Header if input.starts_with(&zstd::MAGIC[..2]) => {
                self.state = State::Zstd(zstd::Walk::default());
                Ok(Some(0))
            }
            State::Header => {
                let Some(length) = gzip_header(input)? else { return Ok(None) };
                self.state = State::Body { inflate: Box::new(Decompress::new(false)), crc: Box::new(Crc::new()) };
                Ok(Some(length))
            }
            State::Body { inflate, crc } => {
                if input.is_empty() {
                    return Ok(None);
                }
                let mut out = Vec::with_capacity(256 << 10);
                let before = inflate.total_in();
                let status = inflate
                    .decompress_vec(input, &mut out, FlushDecompress::None)
                    .map_err(|_| damaged("a piece that is not compressed as it should be"))?;
                let used = usize::try_from(inflate.total_in() - before).unwrap_or(input.len());
                crc.update(&out);
                let progressed = used > 0 || !out.is_empty();
                if !out.is_empty() {
                    on(Frame::Bytes(out))?;
                }
                if status == Status::StreamEnd {
                    self.state = State::Trailer { crc: crc.sum(), length: crc.amount() };
                    return Ok(Some(used));
                }
                Ok(progressed.then_some(used))
            }
            State::Trailer { crc, length } => {
                let Some((trailer, _)) = input.split_first_chunk::<8>() else { return Ok(None) };
                let [a, b, c, d, e, f, g, h] = *trailer;
                if u32::from_le_bytes([a, b, c, d]) != *crc || u32::from_le_bytes([e, f, g, h]) != *length {
                    return Err(damaged("a piece whose checksum does not agree"));
                }
                self.state = State::Line;
                on(Frame::Proved { packed: Packed::Gzip })?;
                Ok(Some(8))
            }
            State::Zstd(walk) => {
                let Some(length) = walk.end(input).map_err(|bad| damaged(bad.0))? else { return Ok(None) };
                let bytes = zstd::decoded(&input[..length]).map_err(|bad| damaged(bad.0))?;
                self.state = State::Line;
                on(Frame::Bytes(bytes))?;
                on(Frame::Proved { packed: Packed::Zstd })?;
                Ok(Some(length))
            }
        }
    }
}

fn line(bytes: &[u8]) -> Result<Frame, Error> {
    let text = std::str::from_utf8(bytes).map_err(|_| damaged("a line that is no text"))?;
    let rest = text.strip_prefix("CTO1 ").ok_or_else(|| damaged("a line that is none of the reader's"))?;
    let (kind, rest) = rest.split_once(' ').unwrap_or((rest, ""));
    let mut words = rest.split(' ');
    let mut number = || words.next().and_then(|w| w.trim().parse::<u64>().ok()).ok_or_else(|| damaged("a line without its number"));
    Ok(match kind {
        "H" => Frame::Hello { pid: u32::try_from(number()?).map_err(|_| damaged("a process id that is none"))? },
        "W" => Frame::Waiting { alive: number()? != 0 },
        "N" => Frame::Named { path: rest.to_owned() },
        "F" => Frame::Begin { inode: number()?, offset: number()? },
        "Q" => Frame::Quiet { size: number()?, alive: number()? != 0 },
        "G" => Frame::Gone,
        "C" => Frame::Changed,
        _ => return Err(damaged("a line of unknown kind")),
    })
}

/// Length of the header of a gzip member; `None` while it is not all there.
fn gzip_header(input: &[u8]) -> Result<Option<usize>, Error> {
    let Some((head, mut rest)) = input.split_first_chunk::<10>() else { return Ok(None) };
    if head[0] != 0x1f || head[1] != 0x8b || head[2] != 8 {
        return Err(damaged("a piece without a head: the compressor may have been killed"));
    }
    let flags = head[3];
    let mut length = 10;
    let mut skip = |n: usize, rest: &mut &[u8]| {
        let left = rest.get(n..)?;
        *rest = left;
        length += n;
        Some(())
    };
    if flags & 4 != 0 {
        let Some((size, _)) = rest.split_first_chunk::<2>() else { return Ok(None) };
        if skip(2 + usize::from(u16::from_le_bytes(*size)), &mut rest).is_none() {
            return Ok(None);
        }
    }
    for flag in [8, 16] {
        if flags & flag != 0 {
            let Some(end) = rest.iter().position(|b| *b == 0) else { return Ok(None) };
            if skip(end + 1, &mut rest).is_none() {
                return Ok(None);
            }
        }
    }
    if flags & 2 != 0 && skip(2, &mut rest).is_none() {
        return Ok(None);
    }
    Ok(Some(length))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::{Compression, GzBuilder};

    use super::*;

    fn stream() -> &'static (Vec<u8>, Vec<u8>) {
        static STREAM: std::sync::OnceLock<(Vec<u8>, Vec<u8>)> = std::sync::OnceLock::new();
        STREAM.get_or_init(made)
    }

    fn made() -> (Vec<u8>, Vec<u8>) {
        let file: Vec<u8> = (0..200_000u32).flat_map(|n| n.wrapping_mul(n).to_le_bytes()).collect();
        let mut sent = b"CTO1 H 42\nCTO1 W 1\nCTO1 N /data/a b.heapsnapshot\n".to_vec();
        for (at, piece) in file.chunks(65536 * 3).enumerate() {
            sent.extend_from_slice(format!("CTO1 F 7 {}\n", at * 65536 * 3).as_bytes());
            if at % 2 == 1 {
                sent.extend_from_slice(&zstd::tests::packed(piece));
                continue;
            }
            // A name in the header, as some gzips write it.
            let mut gzip = GzBuilder::new().filename("x").write(Vec::new(), Compression::fast());
            gzip.write_all(piece).expect("memory");
            sent.extend_from_slice(&gzip.finish().expect("memory"));
        }
        sent.extend_from_slice(b"CTO1 Q 800000 0\nCTO1 G\n");
        (file, sent)
    }

    fn read(sent: &[u8], cuts: &[usize]) -> Result<(Vec<u8>, Vec<Frame>), Error> {
        let (mut frames, mut bytes, mut others) = (Frames::new(), Vec::new(), Vec::new());
        let mut from = 0;
        for cut in cuts.iter().copied().chain([sent.len()]) {
            frames.push(&sent[from..cut.max(from)], |frame| {
                match frame {
                    Frame::Bytes(piece) => bytes.extend_from_slice(&piece),
                    frame => others.push(frame),
                }
                Ok(())
            })?;
            from = cut.max(from);
        }
        Ok((bytes, others))
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]
        #[test]
        fn any_chunking_gives_the_same(cuts in proptest::collection::vec(0usize..200_000, 0..30)) {
            let (file, sent) = stream();
            let mut cuts: Vec<usize> = cuts.into_iter().map(|c| c.min(sent.len())).collect();
            cuts.sort_unstable();
            let (bytes, frames) = read(sent, &cuts).expect("a good stream");
            proptest::prop_assert!(bytes == *file);
            proptest::prop_assert_eq!(frames.first(), Some(&Frame::Hello { pid: 42 }));
            proptest::prop_assert_eq!(frames.last(), Some(&Frame::Gone));
            proptest::prop_assert_eq!(frames.iter().filter(|f| matches!(f, Frame::Proved { .. })).count(), 5);
        }
    }

    #[test]
    fn a_damaged_piece_is_never_proved() {
        let (_, sent) = stream();
        let start = sent.iter().position(|b| *b == 0x1f).expect("a piece");
        for at in [start, start + 40, start + 5000, start + 90_000] {
            let mut bad = sent.clone();
            bad[at] ^= 0x55;
            // Damage may also be swallowed by a name in a header; then all is well.
            if let Ok((bytes, _)) = read(&bad, &[]) {
                assert!(bytes == stream().0, "at {at}");
            }
        }
        assert!(read(b"sh: dd: not found\n", &[]).is_err());
        assert!(read(b"CTO1 F 7 0\nsh: gzip: not found", &[]).is_err());
    }
}
