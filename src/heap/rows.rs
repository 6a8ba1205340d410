//! Numbers in rows: the inner loop of the parser, which may be stopped and taken up at any byte. Large pieces are cut at rows and
//! read by all threads of rayon's current pool.
//!
//! Measured: a plain digit loop is as fast as SIMD tokenizing here (numbers are one to eight digits long; stores and branches bound).

use rayon::prelude::*;

/// Below this many bytes a piece is not shared between threads.
const WORTH_SHARING: usize = 256 << 10;

/// Columns of some rows, filled by one thread.
pub(super) trait Block: Send {
    /// An empty one of the same make.
    fn fresh(&self) -> Self;

    /// Adds a row.
    fn push(&mut self, row: &[u64]);
}

/// A table of `width` numbers a row, being read.
#[derive(Debug)]
pub(super) struct Rows {
    width: usize,
    row: [u64; 64],
    column: usize,
    value: u64,
    digits: bool,
    opened: bool,
}

/// How feeding ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fed {
    /// All bytes were taken; the table goes on.
    All,
    /// The table's closing bracket was the last of this many bytes.
    Closed(usize),
    /// A byte cannot be in a table; the rows before it are in the blocks.
    Wrong,
}

impl Rows {
    /// A table before its opening bracket; `width` is from 1 to 64.
    pub fn new(width: usize) -> Self {
        Self { width, row: [0; 64], column: 0, value: 0, digits: false, opened: false }
    }

    /// Takes bytes and puts the whole rows among them into `blocks` (at least one, all empty), which follow each other. An incomplete row at
    /// the end of the table is dropped.
    pub fn feed<B: Block>(&mut self, bytes: &[u8], blocks: &mut Vec<B>) -> Fed {
        // To the beginning of a row.
        let at = match self.feed_slowly(bytes, &mut blocks[0], true) {
            Ok(at) => at,
            Err(fed) => return fed,
        };
        let rest = &bytes[at..];
        let end = memchr::memchr(b']', rest);
        let body = &rest[..end.unwrap_or(rest.len())];
        let pieces = self.cut(body);
        while blocks.len() < pieces.len() {
            blocks.push(blocks[0].fresh());
        }
        let width = self.width;
        let read = |(k, (piece, block)): (usize, (&&[u8], &mut B))| parse(width, piece, k + 1 < pieces.len() || end.is_some(), block);
        let ends: Vec<Result<usize, usize>> = if pieces.len() == 1 {
            vec![read((0, (&pieces[0], &mut blocks[0])))]
        } else {
            pieces.par_iter().zip(blocks.par_iter_mut()).enumerate().map(read).collect()
        };
        if let Some(wrong) = ends.iter().position(Result::is_err) {
            // What stands behind the damage is not believed.
            blocks.truncate(wrong + 1);
            return Fed::Wrong;
        }
        if let Some(end) = end {
            return Fed::Closed(at + end + 1);
        }
        let last = pieces[pieces.len() - 1];
        let taken = ends[ends.len() - 1].unwrap_or(last.len());
        let tail = &last[taken..];
        let into = pieces.len() - 1;
        match self.feed_slowly(tail, &mut blocks[into], false) {
            Ok(_) => Fed::All,
            Err(fed) => fed,
        }
    }

    /// Cuts `body`, which begins with a row, into pieces that do so too.
    fn cut<'a>(&self, body: &'a [u8]) -> Vec<&'a [u8]> {
        let threads = rayon::current_num_threads();
        if threads == 1 || body.len() < WORTH_SHARING {
            return vec![body];
        }
        let size = body.len().div_ceil(threads);
        let commas: Vec<usize> = body.par_chunks(size).map(|part| memchr::memchr_iter(b',', part).count()).collect();
        // V8 writes the comma between two rows after the line break; a body may begin with it.
        let led = body.iter().find(|b| !b.is_ascii_whitespace()) == Some(&b',');
        let mut starts = vec![0];
        let mut before = 0;
        for (k, count) in commas[..commas.len() - 1].iter().enumerate() {
            before += count;
            let cut = (k + 1) * size;
            let value = before - usize::from(led && before > 0);
            let missing = (self.width - value % self.width) % self.width;
            let start = match missing {
                0 if body[cut - 1] == b',' => Some(cut),
                // In the middle of a number: the row begins `width` numbers further on.
                0 => memchr::memchr_iter(b',', &body[cut..]).nth(self.width - 1).map(|c| cut + c + 1),
                _ => memchr::memchr_iter(b',', &body[cut..]).nth(missing - 1).map(|c| cut + c + 1),
            };
            let Some(start) = start else { break };
            starts.push(start);
        }
        starts.push(body.len());
        starts.windows(2).map(|w| &body[w[0]..w[1]]).collect()
    }

    /// Byte by byte, either all or until a row is complete; returns how many bytes were taken.
    fn feed_slowly<B: Block>(&mut self, bytes: &[u8], block: &mut B, one_row: bool) -> Result<usize, Fed> {
        if one_row && self.opened && self.column == 0 && !self.digits {
            return Ok(0);
        }
        for (i, &b) in bytes.iter().enumerate() {
            if self.opened && b.is_ascii_digit() {
                self.value = self.value.wrapping_mul(10).wrapping_add(u64::from(b - b'0'));
                self.digits = true;
                continue;
            }
            // Whatever is no digit ends a number: a damaged file must read the same byte by byte and at once.
            let mut stop = false;
            if self.digits {
                self.row[self.column] = self.value;
                self.column += 1;
                self.value = 0;
                self.digits = false;
                if self.column == self.width {
                    self.column = 0;
                    block.push(&self.row[..self.width]);
                    stop = true;
                }
            }
            match b {
                b']' if self.opened => return Err(Fed::Closed(i + 1)),
                b',' if self.opened => {}
                b' ' | b'\n' | b'\r' | b'\t' => {}
                b'[' if !self.opened => {
                    self.opened = true;
                    stop = true;
                }
                _ => return Err(Fed::Wrong),
            }
            if one_row && stop {
                return Ok(i + 1);
            }
        }
        if one_row { Err(Fed::All) } else { Ok(bytes.len()) }
    }
}

fn parse<B: Block>(width: usize, bytes: &[u8], ends_a_row: bool, block: &mut B) -> Result<usize, usize> {
    match width {
        3 => parse_width::<3, B>(width, bytes, ends_a_row, block),
        5 => parse_width::<5, B>(width, bytes, ends_a_row, block),
        6 => parse_width::<6, B>(width, bytes, ends_a_row, block),
        7 => parse_width::<7, B>(width, bytes, ends_a_row, block),
        _ => parse_width::<0, B>(width, bytes, ends_a_row, block),
    }
}

/// Reads rows from `bytes`, which begin with one. Returns how many bytes the whole rows take (the rest is part of a row; a number at the
/// very end is whole only when the bytes end a row), or where a byte stands that cannot be there. `W` is the width, or 0 for any.
fn parse_width<const W: usize, B: Block>(width: usize, bytes: &[u8], ends_a_row: bool, block: &mut B) -> Result<usize, usize> {
    let width = if W == 0 { width } else { W };
    let mut row = [0u64; 64];
    let mut i = 0;
    loop {
        let begin = i;
        for value in &mut row[..width] {
            let mut v = loop {
                let Some(&b) = bytes.get(i) else { return Ok(begin) };
                i += 1;
                let digit = b.wrapping_sub(b'0');
                if digit < 10 {
                    break u64::from(digit);
                }
                if !matches!(b, b',' | b'\n' | b' ' | b'\r' | b'\t') {
                    return Err(i - 1);
                }
            };
            while let Some(&b) = bytes.get(i) {
                let digit = b.wrapping_sub(b'0');
                if digit >= 10 {
                    break;
                }
                v = v.wrapping_mul(10).wrapping_add(u64::from(digit));
                i += 1;
            }
            *value = v;
        }
        if i == bytes.len() && !ends_a_row {
            return Ok(begin);
        }
        block.push(&row[..width]);
    }
}
