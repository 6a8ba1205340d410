//! The strings of a snapshot: kept escaped as they stand in the file, decoded one at a time when somebody looks.
//!
//! Decoding is lenient: V8 writes lone surrogates (`\ud800`) for characters beyond the basic plane, which strict JSON decoders refuse.

use std::borrow::Cow;
use std::ops::Range;

use rustc_hash::FxHashMap;

use super::column::Sizes;
use super::ids::StringIx;

/// All strings of a snapshot.
#[derive(Clone, Debug, Default)]
pub struct Strings {
    /// Bodies without quotes, one after the other.
    raw: Vec<u8>,
    /// Length of each body: most are short.
    lengths: Sizes,
    /// Where each [`Strings::BLOCK`]th body begins.
    blocks: Vec<u64>,
    /// Where the body that is being read begins.
    begun: u64,
    declared_whole: bool,
}

super::pack::packed! { Strings { raw, lengths, blocks, begun, declared_whole } }

impl Strings {
    const BLOCK: usize = 16;

    /// How many there are.
    pub fn len(&self) -> usize {
        self.lengths.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether the section was read to its end.
    pub fn is_whole(&self) -> bool {
        self.declared_whole
    }

    /// The text at `ix`, decoded; empty when the file ends before it (see [`Strings::has`]).
    pub fn get(&self, ix: StringIx) -> Cow<'_, str> {
        decode(self.raw(ix))
    }

    /// Whether the file holds the string at `ix`.
    pub fn has(&self, ix: StringIx) -> bool {
        ix.index() < self.len()
    }

    /// The bytes between the quotes, still escaped; empty when the file ends before them.
    pub fn raw(&self, ix: StringIx) -> &[u8] {
        if self.has(ix) { &self.raw[self.range(ix.index())] } else { &[] }
    }

    fn range(&self, i: usize) -> Range<usize> {
        let first = i / Self::BLOCK * Self::BLOCK;
        let start = (first..i).fold(self.blocks[i / Self::BLOCK], |at, k| at + self.lengths.get(k)) as usize;
        start..start + self.lengths.get(i) as usize
    }

    /// The first string that is exactly `text`. One scan over all lengths: look up once, then compare positions.
    pub fn find(&self, text: &str) -> Option<StringIx> {
        self.find_all(&[text])[0]
    }

    /// [`Strings::find`] for several texts in one scan.
    pub fn find_all(&self, texts: &[&str]) -> Vec<Option<StringIx>> {
        let mut wanted: FxHashMap<Vec<u8>, Vec<usize>> = FxHashMap::default();
        for (k, text) in texts.iter().enumerate() {
            wanted.entry(encode(text)).or_default().push(k);
        }
        let mut lengths = vec![false; wanted.keys().map(Vec::len).max().unwrap_or(0) + 1];
        for text in wanted.keys() {
            lengths[text.len()] = true;
        }
        let mut found = vec![None; texts.len()];
        let mut start = 0;
        for i in 0..self.len() {
            let end = start + self.lengths.get(i) as usize;
            if lengths.get(end - start).is_some_and(|&l| l)
                && let Some(places) = wanted.remove(&self.raw[start..end])
            {
                for k in places {
                    found[k] = Some(StringIx(i as u32));
                }
                if wanted.is_empty() {
                    break;
                }
            }
            start = end;
        }
        found
    }

    pub(super) fn raw_bytes(&self) -> &[u8] {
        &self.raw
    }

    /// The string that holds byte `at` of [`Strings::raw_bytes`].
    pub(super) fn holding(&self, at: usize) -> StringIx {
        let block = self.blocks.partition_point(|&start| start as usize <= at).saturating_sub(1);
        let mut i = block * Self::BLOCK;
        while i + 1 < self.len() && self.range(i).end <= at {
            i += 1;
        }
        StringIx(i as u32)
    }

    /// Adds bytes of the string that is being read.
    pub(super) fn extend(&mut self, part: &[u8]) {
        self.raw.extend_from_slice(part);
    }

    /// The string being read ends here.
    pub(super) fn close(&mut self) {
        if self.lengths.len().is_multiple_of(Self::BLOCK) {
            self.blocks.push(self.begun);
        }
        let end = self.raw.len() as u64;
        self.lengths.push(end - self.begun);
        self.begun = end;
    }

    /// The section is over; `whole` when its closing bracket was seen. A string that was being read is dropped.
    pub(super) fn finish(&mut self, whole: bool) {
        self.raw.truncate(self.begun as usize);
        self.declared_whole = whole;
        self.raw.shrink_to_fit();
        self.lengths.shrink_to_fit();
        self.blocks.shrink_to_fit();
    }
}

/// Decodes a JSON string body: what cannot be decoded becomes U+FFFD, an unknown escape stands for itself.
pub(super) fn decode(raw: &[u8]) -> Cow<'_, str> {
    if memchr::memchr(b'\\', raw).is_none() {
        return String::from_utf8_lossy(raw);
    }
    let mut out = Vec::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(at) = memchr::memchr(b'\\', rest) {
        out.extend_from_slice(&rest[..at]);
        let Some(&escape) = rest.get(at + 1) else {
            rest = &rest[at..];
            break;
        };
        rest = &rest[at + 2..];
        let plain = match escape {
            b'b' => 8,
            b'f' => 12,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'u' => {
                let Some(unit) = hex4(rest) else {
                    out.extend_from_slice(b"\\u");
                    continue;
                };
                rest = &rest[4..];
                let mut c = char::from_u32(unit);
                if (0xd800..0xdc00).contains(&unit)
                    && let Some(low) = rest.strip_prefix(b"\\u").and_then(hex4)
                    && (0xdc00..0xe000).contains(&low)
                {
                    c = char::from_u32(0x1_0000 + ((unit - 0xd800) << 10) + (low - 0xdc00));
                    rest = &rest[6..];
                }
                let mut buffer = [0; 4];
                out.extend_from_slice(c.unwrap_or('\u{fffd}').encode_utf8(&mut buffer).as_bytes());
                continue;
            }
            b'"' | b'\\' | b'/' => escape,
            other => {
                out.push(b'\\');
                other
            }
        };
        out.push(plain);
    }
    out.extend_from_slice(rest);
    Cow::Owned(String::from_utf8(out).unwrap_or_else(|e| String::from_utf8_lossy(e.as_bytes()).into_owned()))
}

fn hex4(bytes: &[u8]) -> Option<u32> {
    let digits = bytes.get(..4)?;
    let mut value = 0;
    for &d in digits {
        value = value << 4 | (d as char).to_digit(16)?;
    }
    Some(value)
}

/// Encodes as V8 does (`HeapSnapshotJSONSerializer::SerializeString`): ASCII only, `\uXXXX` in capitals for the rest.
pub(super) fn encode(text: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\u{8}' => out.extend_from_slice(b"\\b"),
            '\u{c}' => out.extend_from_slice(b"\\f"),
            '\n' => out.extend_from_slice(b"\\n"),
            '\r' => out.extend_from_slice(b"\\r"),
            '\t' => out.extend_from_slice(b"\\t"),
            '"' => out.extend_from_slice(b"\\\""),
            '\\' => out.extend_from_slice(b"\\\\"),
            ' '..='~' => out.push(c as u8),
            c => {
                let mut units = [0; 2];
                for unit in c.encode_utf16(&mut units) {
                    out.extend_from_slice(format!("\\u{unit:04X}").as_bytes());
                }
            }
        }
    }
    out
}
