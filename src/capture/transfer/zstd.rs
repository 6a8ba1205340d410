//! One Zstandard frame (RFC 8878): where it ends, and its bytes. A frame ends by itself and carries a checksum, so it
//! proves itself as a gzip member does; one without its checksum proves nothing and is refused.

use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

/// First bytes of a frame.
pub(super) const MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
/// A piece is 4 MiB at most; this much is no piece.
const MOST: usize = 64 << 20;
/// Of a piece in blocks of 128 KiB or less.
const MOST_BLOCKS: usize = 1 << 16;
/// Whether a checksum follows, in the frame's descriptor.
const CHECKSUM: u8 = 4;

/// How far into a frame its blocks are known to be whole.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Walk {
    /// Bytes of header and whole blocks.
    at: usize,
    /// Where the header of the last whole block is.
    last: usize,
    blocks: usize,
    /// Whether that one is the frame's last.
    ended: bool,
}

/// Why a frame cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Bad(pub &'static str);

impl Walk {
    /// Goes on over `frame`, which grows at its end from call to call; gives its length once it is all there.
    pub fn end(&mut self, frame: &[u8]) -> Result<Option<usize>, Bad> {
        let Some(&descriptor) = frame.get(4) else { return Ok(None) };
        if descriptor & CHECKSUM == 0 {
            return Err(Bad("a piece without its checksum"));
        }
        if self.at == 0 {
            self.at = header(descriptor);
        }
        while !self.ended {
            let Some(&[a, b, c]) = frame.get(self.at..self.at + 3) else { return Ok(None) };
            let head = u32::from_le_bytes([a, b, c, 0]);
            let size = (head >> 3) as usize;
            let content = match (head >> 1) & 3 {
                0 | 2 => size,
                1 => 1,
                _ => return Err(Bad("a piece that is not compressed as it should be")),
            };
            let next = self.at + 3 + content;
            if next > frame.len() {
                return Ok(None);
            }
            (self.last, self.at, self.blocks, self.ended) = (self.at, next, self.blocks + 1, head & 1 == 1);
            if self.blocks > MOST_BLOCKS || next > MOST {
                return Err(Bad("a piece that is too long"));
            }
        }
        Ok(Some(self.at + 4).filter(|whole| *whole <= frame.len()))
    }

    /// What the whole blocks of a frame that was cut hold. Nothing proves it.
    pub fn cut(&self, frame: &[u8]) -> Vec<u8> {
        let Some(mut part) = frame.get(..self.at).filter(|_| self.blocks > 0).map(<[u8]>::to_vec) else { return Vec::new() };
        // Its last whole block becomes the frame's last, and no checksum follows.
        part[4] &= !CHECKSUM;
        part[self.last] |= 1;
        read(&part).map(|(bytes, _)| bytes).unwrap_or_default()
    }
}

/// Bytes of the frame's header by its descriptor.
fn header(descriptor: u8) -> usize {
    let single = descriptor & 0x20 != 0;
    let dictionary = [0, 1, 2, 4][usize::from(descriptor & 3)];
    let size = match descriptor >> 6 {
        0 => usize::from(single),
        n => 1 << n,
    };
    4 + 1 + usize::from(!single) + dictionary + size
}

/// The bytes of a whole frame whose checksum agrees.
pub(super) fn decoded(frame: &[u8]) -> Result<Vec<u8>, Bad> {
    match read(frame) {
        Some((bytes, true)) => Ok(bytes),
        Some((_, false)) => Err(Bad("a piece whose checksum does not agree")),
        None => Err(Bad("a piece that is not compressed as it should be")),
    }
}

/// Bytes, and whether there is a checksum that agrees.
fn read(frame: &[u8]) -> Option<(Vec<u8>, bool)> {
    let (mut decoder, mut rest) = (FrameDecoder::new(), frame);
    decoder.init(&mut rest).ok()?;
    decoder.decode_blocks(&mut rest, BlockDecodingStrategy::UptoBytes(MOST)).ok()?;
    if !decoder.is_finished() {
        return None;
    }
    let bytes = decoder.collect().unwrap_or_default();
    let told = decoder.get_checksum_from_data();
    Some((bytes, told.is_some() && told == decoder.get_calculated_checksum()))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// What the program would send of `bytes`.
    pub fn packed(bytes: &[u8]) -> Vec<u8> {
        ruzstd::encoding::compress_to_vec(bytes, ruzstd::encoding::CompressionLevel::Fastest)
    }

    /// `printf 'heap heap heap heap heap heap heap heap' | zstd -1 -q -c`, by zstd 1.5.4.
    const REAL: &[u8] = include_bytes!("recorded/heap.zst");

    #[test]
    fn a_frame_of_the_program_is_read() {
        let mut walk = Walk::default();
        assert_eq!(walk.end(REAL), Ok(Some(REAL.len())));
        assert_eq!(decoded(REAL).as_deref(), Ok(&b"heap heap heap heap heap heap heap heap"[..]));
    }

    #[test]
    fn a_cut_frame_gives_its_whole_blocks_and_a_damaged_one_nothing() {
        let bytes: Vec<u8> = (0..100_000u32).flat_map(|n| n.wrapping_mul(n).to_le_bytes()).collect();
        let frame = packed(&bytes);
        let (mut walk, mut kept) = (Walk::default(), 0);
        for cut in (0..frame.len()).step_by(997) {
            assert_eq!(walk.end(&frame[..cut]), Ok(None), "cut at {cut}");
            let part = walk.cut(&frame[..cut]);
            assert!(bytes.starts_with(&part) && part.len() >= kept, "cut at {cut}: {} kept", part.len());
            kept = part.len();
        }
        assert!(kept >= bytes.len() - (128 << 10), "all but a block: {kept}");
        assert_eq!(walk.end(&frame), Ok(Some(frame.len())));
        assert!(decoded(&frame).is_ok_and(|read| read == bytes));
        let mut bad = frame.clone();
        *bad.last_mut().expect("a checksum") ^= 1;
        assert_eq!(decoded(&bad), Err(Bad("a piece whose checksum does not agree")));
        assert_eq!(Walk::default().end(&[0x28, 0xb5, 0x2f, 0xfd, 0, 0]), Err(Bad("a piece without its checksum")));
    }
}
