//! Source maps, version 3 (ECMA-426): from a position in the compiled file to the one a person wrote.

use base64::Engine;
use serde::Deserialize;

use super::{Error, vlq};

/// A position in a file; line and column from 0, columns in UTF-16 units as V8 and source maps count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// Line, from 0.
    pub line: u32,
    /// Column, from 0.
    pub column: u32,
}

/// Where a compiled position was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Original<'a> {
    /// Path of the source as the map names it, with `sourceRoot` in front.
    pub source: &'a str,
    /// Position in it.
    pub at: Position,
    /// The whole text of the source, when the map carries it.
    pub content: Option<&'a str>,
}

#[derive(Clone, Copy, Debug)]
struct Segment {
    generated: Position,
    /// Index into `sources`; `None`: this stretch was written by the compiler.
    source: Option<u32>,
    original: Position,
}

/// A source map, ready to be asked.
#[derive(Clone, Debug, Default)]
pub struct SourceMap {
    sources: Vec<String>,
    contents: Vec<Option<String>>,
    segments: Vec<Segment>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Json {
    version: Option<u32>,
    source_root: Option<String>,
    #[serde(default)]
    sources: Vec<Option<String>>,
    #[serde(default)]
    sources_content: Vec<Option<String>>,
    #[serde(default)]
    mappings: String,
    #[serde(default)]
    sections: Vec<Section>,
}

#[derive(Deserialize)]
struct Section {
    offset: Offset,
    map: Json,
}

#[derive(Deserialize)]
struct Offset {
    line: u32,
    column: u32,
}

impl SourceMap {
    /// Reads a map: plain or indexed (`sections`), with or without the `)]}'` line in front.
    ///
    /// # Errors
    /// [`Error::NotAMap`] when it is not JSON or not version 3, [`Error::Mappings`] when the mappings are damaged.
    pub fn parse(text: &[u8]) -> Result<Self, Error> {
        let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
        let text = if text.starts_with(b")]}") { text.iter().position(|&b| b == b'\n').map_or(&[][..], |n| &text[n..]) } else { text };
        let json: Json = serde_json::from_slice(text).map_err(|e| Error::NotAMap(format!("line {}, column {}", e.line(), e.column())))?;
        if json.version != Some(3) {
            return Err(Error::NotAMap("only version 3 is known".to_owned()));
        }
        let mut map = Self::default();
        map.take(json, Position::default())?;
        map.segments.sort_by_key(|s| s.generated);
        Ok(map)
    }

    fn take(&mut self, json: Json, offset: Position) -> Result<(), Error> {
        let first_source = u32::try_from(self.sources.len()).unwrap_or(u32::MAX);
        let root = json.source_root.unwrap_or_default();
        let join = |s: String| match root.as_str() {
            "" => s,
            root if root.ends_with('/') => format!("{root}{s}"),
            root => format!("{root}/{s}"),
        };
        let count = json.sources.len();
        self.sources.extend(json.sources.into_iter().map(|s| s.map(join).unwrap_or_default()));
        self.contents.extend(json.sources_content.into_iter().chain(std::iter::repeat(None)).take(count));
        self.mappings(&json.mappings, offset, first_source)?;
        for section in json.sections {
            // Offsets of sections add up only for the first line of a section.
            let column = if section.offset.line == 0 { offset.column.saturating_add(section.offset.column) } else { section.offset.column };
            let at = Position { line: offset.line.saturating_add(section.offset.line), column };
            if !section.map.sections.is_empty() {
                return Err(Error::NotAMap("sections inside sections".to_owned()));
            }
            self.take(section.map, at)?;
        }
        Ok(())
    }

    fn mappings(&mut self, text: &str, offset: Position, first_source: u32) -> Result<(), Error> {
        let bytes = text.as_bytes();
        let (mut line, mut column) = (0_u32, 0_i64);
        let (mut source, mut original_line, mut original_column) = (0_i64, 0_i64, 0_i64);
        let mut at = 0;
        let bad = |at, why| Error::Mappings { at, why };
        while at < bytes.len() {
            match bytes[at] {
                b';' => {
                    line += 1;
                    column = 0;
                    at += 1;
                }
                b',' => at += 1,
                _ => {
                    let end = bytes[at..].iter().position(|b| matches!(b, b';' | b',')).map_or(bytes.len(), |n| at + n);
                    let mut fields = [0_i64; 5];
                    let mut count = 0;
                    let mut digits = bytes[at..end].iter().copied().peekable();
                    while digits.peek().is_some() {
                        let number = vlq::decode(&mut digits).ok_or(bad(at, "no base64 number"))?;
                        if let Some(slot) = fields.get_mut(count) {
                            *slot = i64::from(number);
                        }
                        count += 1;
                    }
                    column += fields[0];
                    if count >= 4 {
                        source += fields[1];
                        original_line += fields[2];
                        original_column += fields[3];
                    } else if count != 1 {
                        return Err(bad(at, "a segment has 1, 4 or 5 numbers"));
                    }
                    let small = |n: i64, why| u32::try_from(n).map_err(|_| bad(at, why));
                    let generated_column = small(column, "column below 0")?;
                    self.segments.push(Segment {
                        generated: Position {
                            line: offset.line.saturating_add(line),
                            column: if line == 0 { offset.column.saturating_add(generated_column) } else { generated_column },
                        },
                        source: if count >= 4 { Some(first_source.saturating_add(small(source, "source below 0")?)) } else { None },
                        original: Position {
                            line: small(original_line, "original line below 0")?,
                            column: small(original_column, "original column below 0")?,
                        },
                    });
                    at = end;
                }
            }
        }
        Ok(())
    }

    /// Where the code at `generated` was written: the mapping at or before it on its line. `None` where the compiler
    /// wrote the code itself or the map says nothing.
    pub fn original(&self, generated: Position) -> Option<Original<'_>> {
        let after = self.segments.partition_point(|s| s.generated <= generated);
        let segment = self.segments.get(after.checked_sub(1)?)?;
        if segment.generated.line != generated.line {
            return None;
        }
        let source = segment.source? as usize;
        Some(Original {
            source: self.sources.get(source)?,
            at: segment.original,
            content: self.contents.get(source).and_then(Option::as_deref),
        })
    }

    /// Paths of all sources, as the map names them.
    pub fn sources(&self) -> impl Iterator<Item = &str> {
        self.sources.iter().map(String::as_str)
    }

    /// Text of the source at `path` (as [`SourceMap::sources`] names it), when the map carries it.
    pub fn content(&self, path: &str) -> Option<&str> {
        let n = self.sources.iter().position(|s| s == path)?;
        self.contents.get(n)?.as_deref()
    }
}

/// What a script says about its map.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MapUrl {
    /// The map itself, in a `data:` URL.
    Inline(Vec<u8>),
    /// A path beside the script, or a URL.
    File(String),
}

/// The map that `script` names in its last `//# sourceMappingURL=` line.
pub fn mapping_url(script: &str) -> Option<MapUrl> {
    let line =
        script.lines().rev().map(str::trim).find(|l| l.starts_with("//# sourceMappingURL=") || l.starts_with("//@ sourceMappingURL="))?;
    let url = line.split_once('=')?.1.trim();
    let Some(data) = url.strip_prefix("data:") else {
        return (!url.is_empty()).then(|| MapUrl::File(url.to_owned()));
    };
    let (kind, data) = data.split_once(',')?;
    if kind.ends_with(";base64") {
        base64::engine::general_purpose::STANDARD.decode(data).ok().map(MapUrl::Inline)
    } else {
        Some(MapUrl::Inline(percent_decoded(data)))
    }
}

fn percent_decoded(text: &str) -> Vec<u8> {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let pair = bytes.get(at + 1..at + 3).and_then(|h| std::str::from_utf8(h).ok()).and_then(|h| u8::from_str_radix(h, 16).ok());
        match (bytes[at], pair) {
            (b'%', Some(byte)) => {
                out.push(byte);
                at += 3;
            }
            (byte, _) => {
                out.push(byte);
                at += 1;
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `tsc --sourceMap` makes of a class with a field and a method.
    const COMPILED: &str = r#"{"version":3,"file":"cache.js","sourceRoot":"","sources":["../src/cache.ts"],"names":[],"mappings":";;;AAAA,MAAa,KAAK;IAAlB;QACU,YAAO,GAAG,IAAI,GAAG,EAAkB,CAAC;IAI9C,CAAC;CAAA"}"#;

    #[test]
    fn a_place_in_compiled_code_leads_to_the_line_a_person_wrote() {
        let map = SourceMap::parse(COMPILED.as_bytes()).expect("a map of tsc");
        let at = |line, column| map.original(Position { line, column }).map(|o| (o.source.to_owned(), o.at.line, o.at.column));
        assert_eq!(at(3, 0), Some(("../src/cache.ts".to_owned(), 0, 0)));
        assert_eq!(at(3, 8), Some(("../src/cache.ts".to_owned(), 0, 13)), "between two segments the one before counts");
        assert_eq!(at(5, 8), Some(("../src/cache.ts".to_owned(), 1, 10)));
        assert_eq!(at(0, 0), None, "the compiler's own prologue");
        assert_eq!(at(99, 0), None);
    }

    #[test]
    fn sections_are_laid_one_after_the_other() {
        let text = r#"{"version":3,"sections":[
            {"offset":{"line":0,"column":0},"map":{"version":3,"sources":["a.ts"],"mappings":"AAAA","names":[]}},
            {"offset":{"line":2,"column":4},"map":{"version":3,"sourceRoot":"src","sources":["b.ts"],"sourcesContent":["let b"],"mappings":"AACA;AACA","names":[]}}]}"#;
        let map = SourceMap::parse(text.as_bytes()).expect("an indexed map");
        let b = map.original(Position { line: 2, column: 4 }).expect("mapped");
        assert_eq!((b.source, b.at.line, b.content), ("src/b.ts", 1, Some("let b")));
        assert!(map.original(Position { line: 2, column: 3 }).is_none());
        assert_eq!(map.original(Position { line: 3, column: 0 }).map(|o| o.at.line), Some(2));
    }

    #[test]
    fn damage_is_said_with_its_place() {
        for (text, what) in [
            ("nonsense", "not a source map"),
            (r#"{"version":2,"mappings":""}"#, "version 3"),
            (r#"{"version":3,"sources":[],"mappings":"AA"}"#, "character 0"),
            (r#"{"version":3,"sources":[],"mappings":"AAAA,?"}"#, "character 5"),
            (r#"{"version":3,"sources":[],"mappings":"D"}"#, "column below 0"),
        ] {
            let error = SourceMap::parse(text.as_bytes()).expect_err(text).to_string();
            assert!(error.contains(what), "{text}: {error}");
        }
    }

    #[test]
    fn a_script_names_its_map() {
        assert_eq!(mapping_url("x\n//# sourceMappingURL=cache.js.map\n"), Some(MapUrl::File("cache.js.map".into())));
        assert_eq!(mapping_url("//# sourceMappingURL=data:application/json;base64,e30="), Some(MapUrl::Inline(b"{}".to_vec())));
        assert_eq!(mapping_url("//# sourceMappingURL=data:application/json,%7b%7D"), Some(MapUrl::Inline(b"{}".to_vec())));
        assert_eq!(mapping_url("no map"), None);
        assert_eq!(mapping_url("//# sourceMappingURL=data:application/json;base64,???"), None);
    }

    type Row = Vec<(u32, u32, u32)>;

    proptest::proptest! {
        /// Any mapping that is written down is found again, whatever the order of its original positions.
        #[test]
        fn what_was_mapped_is_found(lines in proptest::collection::vec(proptest::collection::vec((0_u32..500, 0_u32..2000, 0_u32..300), 0..6), 0..12)) {
            let (mut mappings, mut old_line, mut old_column) = (String::new(), 0_i32, 0_i32);
            let mut expected: Vec<Row> = Vec::new();
            for line in lines {
                let mut generated = 0_i32;
                let mut row: Row = Vec::new();
                for (step, l, c) in line {
                    let (l, c, step) = (l as i32, c as i32, step as i32 + 1);
                    mappings += &[vlq::encode(step), vlq::encode(0), vlq::encode(l - old_line), vlq::encode(c - old_column)].concat();
                    mappings.push(',');
                    generated += step;
                    (old_line, old_column) = (l, c);
                    row.push((generated as u32, l as u32, c as u32));
                }
                mappings.push(';');
                expected.push(row);
            }
            let text = serde_json::json!({"version": 3, "sources": ["a.ts"], "names": [], "mappings": mappings}).to_string();
            let map = SourceMap::parse(text.as_bytes()).expect("written as the specification says");
            for (line, row) in expected.iter().enumerate() {
                for &(column, l, c) in row {
                    let found = map.original(Position { line: line as u32, column }).expect("mapped");
                    proptest::prop_assert_eq!(found.at, Position { line: l, column: c });
                }
            }
        }

        #[test]
        fn no_text_makes_it_panic(text: Vec<u8>, mappings in "[A-Za-z0-9+/;,?]{0,80}") {
            let _ = SourceMap::parse(&text);
            let _ = SourceMap::parse(serde_json::json!({"version": 3, "sources": ["a"], "mappings": mappings}).to_string().as_bytes());
            let _ = mapping_url(&String::from_utf8_lossy(&text));
        }
    }
}
