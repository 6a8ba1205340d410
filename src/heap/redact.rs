//! A copy of a snapshot without what people wrote into it: texts of strings, numbers, keys of dictionaries. Node, edge and class names,
//! file paths and the whole graph stay, so that DevTools loads it and every size is the same.
//!
//! One pass over the bytes; only the `strings` section changes. Idea: heap-snapshot-sanitizer (2021), which hides by node type.

use std::collections::BTreeMap;

use super::bits::Bits;
use super::format::{EdgeKind, NodeKind};
use super::snapshot::{Label, Snapshot};
use crate::base::redact::{SecretKind, find};

/// An object with this many property names that no other object has is a dictionary, whose keys are data.
const DICTIONARY: usize = 32;

/// What was hidden.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Redaction {
    /// Strings that stand as they were: names that the program's authors wrote.
    pub kept: u64,
    /// Strings whose text was replaced.
    pub hidden: u64,
    /// Secrets seen in any of them, by kind.
    pub secrets: BTreeMap<SecretKind, u64>,
}

/// Copies a snapshot, hiding what its strings say. Give it the same bytes that `snapshot` was read from.
pub struct Redactor {
    keep: Bits,
    count: usize,
    place: Where,
    /// Bytes of a literal, or of what may be the head of the section, that did not end in the last piece.
    held: Vec<u8>,
    next: usize,
    done: Redaction,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Where {
    /// Before the strings.
    Before,
    /// Between two strings.
    Between,
    /// In a string.
    Inside { escaped: bool },
    /// Behind the strings.
    Behind,
}

const HEAD: &[u8] = b"\"strings\"";

impl Redactor {
    /// Finds out which strings are names. Looks at every node and edge.
    pub fn new(snapshot: &Snapshot) -> Self {
        let count = snapshot.strings().len();
        let mut keep = Bits::new(count);
        let mut seen: Vec<u8> = vec![0; count];
        for node in snapshot.nodes() {
            let contents = snapshot.kind(node).is_string() || matches!(snapshot.kind(node), NodeKind::Number | NodeKind::BigInt);
            if !contents && snapshot.name_ix(node).index() < count {
                keep.put(snapshot.name_ix(node).index());
            }
            for edge in snapshot.edges(node).filter(|e| e.kind == EdgeKind::Property) {
                if let Label::Name(name) = edge.label
                    && let Some(times) = seen.get_mut(name.index())
                {
                    *times = times.saturating_add(1);
                }
            }
        }
        for node in snapshot.nodes() {
            let rare = |name: usize| seen.get(name).is_some_and(|&n| n == 1);
            let names = snapshot.edges(node).filter_map(|e| match e.label {
                Label::Name(name) => Some((e.kind, name.index())),
                Label::Index(_) => None,
            });
            let dictionary = names.clone().filter(|&(kind, name)| kind == EdgeKind::Property && rare(name)).count() >= DICTIONARY;
            for (kind, name) in names {
                if name < count && !(dictionary && kind == EdgeKind::Property && rare(name)) {
                    keep.put(name);
                }
            }
        }
        Self { keep, count, place: Where::Before, held: Vec::new(), next: 0, done: Redaction::default() }
    }

    /// Takes the next bytes of the file and adds those of the copy to `out`.
    pub fn push(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        let mut rest = bytes;
        while let Some(&byte) = rest.first() {
            match self.place {
                Where::Before => {
                    let mut all = std::mem::take(&mut self.held);
                    all.extend_from_slice(rest);
                    match memchr::memmem::find(&all, HEAD).and_then(|at| all[at..].iter().position(|&b| b == b'[').map(|n| at + n + 1)) {
                        Some(end) => {
                            out.extend_from_slice(&all[..end]);
                            self.place = Where::Between;
                            let tail = all.split_off(end);
                            self.push(&tail, out);
                            return;
                        }
                        None => {
                            // The head may go on in the next piece.
                            let certain = all.len().saturating_sub(HEAD.len() + 16);
                            out.extend_from_slice(&all[..certain]);
                            self.held = all.split_off(certain);
                            return;
                        }
                    }
                }
                Where::Between => {
                    match byte {
                        b'"' => self.place = Where::Inside { escaped: false },
                        b']' => {
                            self.place = Where::Behind;
                            out.push(byte);
                        }
                        other => out.push(other),
                    }
                    rest = &rest[1..];
                }
                Where::Inside { escaped } => {
                    let mut escaped = escaped;
                    let mut end = None;
                    for (n, &b) in rest.iter().enumerate() {
                        if escaped {
                            escaped = false;
                        } else if b == b'\\' {
                            escaped = true;
                        } else if b == b'"' {
                            end = Some(n);
                            break;
                        }
                    }
                    match end {
                        Some(n) => {
                            self.held.extend_from_slice(&rest[..n]);
                            let literal = std::mem::take(&mut self.held);
                            self.literal(&literal, out);
                            self.place = Where::Between;
                            rest = &rest[n + 1..];
                        }
                        None => {
                            self.held.extend_from_slice(rest);
                            self.place = Where::Inside { escaped };
                            return;
                        }
                    }
                }
                Where::Behind => {
                    out.extend_from_slice(rest);
                    return;
                }
            }
        }
    }

    /// No more bytes come: what is still held is added to `out`, and what was done is told.
    pub fn finish(self, out: &mut Vec<u8>) -> Redaction {
        // A string that the file's end cut is dropped: half a secret is one too.
        if self.place == Where::Before {
            out.extend_from_slice(&self.held);
        }
        self.done
    }

    fn literal(&mut self, raw: &[u8], out: &mut Vec<u8>) {
        let number = self.next;
        self.next += 1;
        let text = decoded(raw);
        let secrets = find(&text);
        for secret in &secrets {
            *self.done.secrets.entry(secret.kind).or_default() += 1;
        }
        let keep = number == 0 && text == "<dummy>" || self.is_kept(number);
        let new = if let Some(pair) = pair(&text) {
            // The name of a WeakMap entry carries the names of its key and value.
            self.done.hidden += 1;
            pair
        } else if !keep {
            self.done.hidden += 1;
            // The number keeps equal texts equal: V8 writes each text once. A hash could be guessed.
            format!("text {number} of {} characters", text.chars().count())
        } else if secrets.is_empty() {
            self.done.kept += 1;
            out.push(b'"');
            out.extend_from_slice(raw);
            out.push(b'"');
            return;
        } else {
            self.done.hidden += 1;
            let mut masked = String::new();
            let mut at = 0;
            for secret in &secrets {
                masked.push_str(&text[at..secret.start]);
                masked.push_str(secret.kind.label());
                at = secret.end;
            }
            masked.push_str(&text[at..]);
            masked
        };
        out.push(b'"');
        for unit in new.encode_utf16() {
            match unit {
                0x22 | 0x5c => out.extend_from_slice(&[b'\\', unit as u8]),
                0x20..=0x7e => out.push(unit as u8),
                _ => out.extend_from_slice(format!("\\u{unit:04x}").as_bytes()),
            }
        }
        out.push(b'"');
    }

    fn is_kept(&self, number: usize) -> bool {
        number < self.count && self.keep.has(number)
    }
}

fn decoded(raw: &[u8]) -> String {
    let mut quoted = Vec::with_capacity(raw.len() + 2);
    quoted.push(b'"');
    quoted.extend_from_slice(raw);
    quoted.push(b'"');
    // Lone surrogates, which V8 writes, are no JSON: such a text is looked at as it stands.
    serde_json::from_slice(&quoted).unwrap_or_else(|_| String::from_utf8_lossy(raw).into_owned())
}

/// `12 / part of key (user @3) -> value (token @5) pair in WeakMap (table @7)` without the two names; DevTools' pattern still fits.
fn pair(text: &str) -> Option<String> {
    let (number, rest) = text.split_once(" / part of key (")?;
    let (before, table) = rest.rsplit_once(" pair in WeakMap (table @")?;
    number.bytes().all(|b| b.is_ascii_digit()).then_some(())?;
    let (key, value) = before.rsplit_once(") -> value (")?;
    let id = |name: &str| name.trim_end_matches(')').rsplit_once('@').map(|(_, id)| id.to_owned());
    Some(format!("{number} / part of key (- @{}) -> value (- @{}) pair in WeakMap (table @{table}", id(key)?, id(value)?))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::heap::{Unwatched, analyse};

    /// A small heap: an object with a secret, one with a dictionary's worth of keys, a WeakMap entry.
    fn file() -> String {
        let keys: Vec<String> = (0..40).map(|n| format!("\"customer-{n}@example.org\"")).collect();
        let edges: Vec<String> = (0..40).map(|n| format!("0,{},12", 8 + n)).collect();
        format!(
            concat!(
                r#"{{"snapshot":{{"meta":{{"node_fields":["type","name","id","self_size","edge_count"],"node_types":[["synthetic","object","string"]],"#,
                r#""edge_fields":["type","name_or_index","to_node"],"edge_types":[["property","shortcut","internal"]]}},"node_count":4,"edge_count":43}},"#,
                r#""nodes":[0,1,1,0,1,1,2,3,16,42,2,3,5,32,0,1,4,7,8,0],"edges":[1,5,5,0,6,10,{edges},2,7,15],"#,
                r#""strings":["<dummy>","(root)","Session","Bearer abcdef0123456789 \u00e9\ud800","Handle","global","token","12 / part of key (jane @3) -> value (s3cret @5) pair in WeakMap (table @9)",{keys}]}}"#
            ),
            edges = edges.join(","),
            keys = keys.join(",")
        )
    }

    fn redacted(file: &str, piece: usize) -> (String, Redaction) {
        let analysis = analyse(file.as_bytes(), Arc::new(Unwatched)).expect("a snapshot");
        let mut redactor = Redactor::new(analysis.snapshot());
        let mut out = Vec::new();
        for piece in file.as_bytes().chunks(piece) {
            redactor.push(piece, &mut out);
        }
        let done = redactor.finish(&mut out);
        (String::from_utf8(out).expect("ASCII"), done)
    }

    #[test]
    fn names_stay_and_contents_go() {
        let (copy, done) = redacted(&file(), usize::MAX);
        for secret in ["abcdef0123456789", "example.org", "jane", "s3cret"] {
            assert!(!copy.contains(secret), "{secret} in {copy}");
        }
        for name in ["Session", "Handle", "global", "(table @9)", "-> value (- @5)"] {
            assert!(copy.contains(name), "{name} not in {copy}");
        }
        assert_eq!(done.secrets[&SecretKind::Bearer], 1);
        assert_eq!(done.secrets[&SecretKind::Email], 40);
    }

    #[test]
    fn the_copy_has_the_same_graph() {
        let file = file();
        let (copy, _) = redacted(&file, usize::MAX);
        let (before, after) = (
            analyse(file.as_bytes(), Arc::new(Unwatched)).expect("a snapshot"),
            analyse(copy.as_bytes(), Arc::new(Unwatched)).expect("a snapshot"),
        );
        assert_eq!(before.digests(), after.digests());
        let shape =
            |a: &crate::heap::Analysis| a.class_rows().iter().map(|c| (c.name.to_string(), c.count, c.retained)).collect::<Vec<_>>();
        assert_eq!(shape(&before), shape(&after));
    }

    #[test]
    fn pieces_of_any_size_give_the_same_copy() {
        let file = file();
        let whole = redacted(&file, usize::MAX);
        for piece in [1, 2, 3, 7, 64, 1000] {
            assert_eq!(redacted(&file, piece), whole, "pieces of {piece}");
        }
    }
}
