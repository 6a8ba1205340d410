//! The strings of a snapshot: kept escaped as they stand in the file, decoded one at a time when somebody looks.
//!
//! Decoding is lenient: V8 writes lone surrogates (`\ud800`) for characters beyond the basic plane, which strict JSON decoders refuse.

use std::borrow::Cow;

use rustc_hash::FxHashMap;

use super::ids::StringIx;

/// All strings of a snapshot.
#[derive(Clone, Debug, Default)]
pub struct Strings {
    /// Bodies without quotes, one after the other.
    raw: Vec<u8>,
    /// Low words of where each body ends.
    ends: Vec<u32>,
    /// Strings at which the high word goes up by one.
    wraps: Vec<u32>,
    declared_whole: bool,
}

super::pack::packed! { Strings { raw, ends, wraps, declared_whole } }

impl Strings {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
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
        ix.index() < self.ends.len()
    }

    /// The bytes between the quotes, still escaped; empty when the file ends before them.
    pub fn raw(&self, ix: StringIx) -> &[u8] {
        let i = ix.index();
        if i >= self.ends.len() {
            return &[];
        }
        let start = if i == 0 { 0 } else { self.end(i - 1) };
        &self.raw[start..self.end(i)]
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
        for i in 0..self.ends.len() {
            let end = self.end(i);
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

    fn end(&self, i: usize) -> usize {
        let low = self.ends[i] as usize;
        if self.wraps.is_empty() { low } else { low + (self.wraps.partition_point(|&w| w as usize <= i) << 32) }
    }

    pub(super) fn raw_bytes(&self) -> &[u8] {
        &self.raw
    }

    /// The string that holds byte `at` of [`Strings::raw_bytes`].
    pub(super) fn holding(&self, at: usize) -> StringIx {
        let (mut lo, mut hi) = (0, self.ends.len());
        while lo < hi {
            let mid = usize::midpoint(lo, hi);
            if self.end(mid) <= at { lo = mid + 1 } else { hi = mid }
        }
        StringIx(lo as u32)
    }

    /// Adds bytes of the string that is being read.
    pub(super) fn extend(&mut self, part: &[u8]) {
        self.raw.extend_from_slice(part);
    }

    /// The string being read ends here.
    pub(super) fn close(&mut self) {
        let end = self.raw.len();
        let high = (end as u64 >> 32) as usize;
        while self.wraps.len() < high {
            self.wraps.push(self.ends.len() as u32);
        }
        self.ends.push(end as u32);
    }

    /// The section is over; `whole` when its closing bracket was seen. A string that was being read is dropped.
    pub(super) fn finish(&mut self, whole: bool) {
        let end = self.ends.len().checked_sub(1).map_or(0, |last| self.end(last));
        self.raw.truncate(end);
        self.declared_whole = whole;
        self.raw.shrink_to_fit();
        self.ends.shrink_to_fit();
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
