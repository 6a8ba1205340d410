//! What a closure keeps: the variables of its scope with their sizes, and whether any function that is alive uses them. V8 keeps one scope for all
//! functions made in it, so one that lives keeps what only dead ones used.
//!
//! Use is told from the text of the functions, as far as the snapshot has it (the first 1,024 characters of each script, or as many as
//! `--heap-snapshot-string-limit` says): a name that is in no text is used by nobody; `eval` may use everything.

use crate::heap::format::{EdgeKind, NodeKind};
use crate::heap::ids::NodeIx;

use super::reader::Reader;

/// References to one scope, and functions and scopes below one, that are looked at.
const MOST: usize = 64;
/// Above this many edges the functions of a scope are not looked for: that takes a pass over all of them, for each scope.
const LARGE: usize = 4_000_000;

/// A variable of a scope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::heap) struct Captured {
    /// Its name.
    pub name: String,
    /// Bytes that it keeps.
    pub bytes: u64,
    /// What it holds.
    pub value: NodeIx,
    /// Whether a function that is alive uses it; `None` when not all their texts are in the snapshot.
    pub used: Option<bool>,
}

/// The variables that `node` (a function or a scope) keeps, biggest first.
pub(in crate::heap) fn captured(reader: &Reader<'_>, node: NodeIx) -> Vec<Captured> {
    let a = reader.a;
    let scope = if reader.is_context(node) { Some(node) } else { reader.internal(node, reader.w.context) };
    let Some(scope) = scope.filter(|&s| reader.is_context(s)) else { return Vec::new() };
    let texts = texts(reader, scope);
    let mut found: Vec<Captured> = a
        .edges(scope)
        .filter(|e| e.kind == EdgeKind::Context)
        .filter_map(|e| {
            let name = reader.written_name(&e)?.into_owned();
            let used = texts.as_ref().map(|all| all.iter().any(|t| mentions(t, &name)));
            Some(Captured { bytes: a.retained_size(e.to), value: e.to, name, used })
        })
        .collect();
    found.sort_by(|x, y| (y.bytes, &x.name).cmp(&(x.bytes, &y.name)));
    found
}

/// Texts of all functions that see the scope; `None` when one is missing.
fn texts(reader: &Reader<'_>, scope: NodeIx) -> Option<Vec<String>> {
    let a = reader.a;
    if a.edge_count() > LARGE {
        return None;
    }
    let mut found = Vec::new();
    let mut scopes = vec![scope];
    let mut at = 0;
    while let Some(&scope) = scopes.get(at) {
        at += 1;
        let edges = reader.retainers(scope);
        if edges.len() >= MOST {
            return None;
        }
        for edge in edges.iter() {
            let name = match edge.label {
                crate::heap::snapshot::Label::Name(name) => Some(name),
                crate::heap::snapshot::Label::Index(_) => None,
            };
            if edge.kind != EdgeKind::Internal || name.is_none() {
                continue;
            }
            if a.kind(edge.from) == NodeKind::Closure && name == reader.w.context {
                found.push(text(reader, edge.from)?);
            } else if reader.is_context(edge.from) && name == reader.w.previous && !scopes.contains(&edge.from) {
                scopes.push(edge.from);
            } else if a.kind(edge.from) == NodeKind::Object && name == reader.w.context {
                // A suspended function: it goes on in the middle of its text.
                found.push(text(reader, reader.internal(edge.from, reader.w.function)?)?);
            }
            if found.len() + scopes.len() > MOST {
                return None;
            }
        }
    }
    Some(found)
}

/// The text of a function, from its parameters to the brace that closes it; `None` when the snapshot does not have all of it.
fn text(reader: &Reader<'_>, closure: NodeIx) -> Option<String> {
    let source = reader.source_of(closure)?;
    let location = reader.a.location(closure)?;
    let line = source.split_inclusive('\n').take(location.line as usize).map(str::len).sum::<usize>();
    let rest = source.get(line..)?;
    let column = rest.char_indices().scan(0, |units, (at, c)| {
        let here = *units;
        *units += c.len_utf16();
        Some((here, at))
    });
    let from = column.take_while(|(units, _)| *units <= location.column as usize).last()?.1;
    // Regular expressions and templates may hold anything: such a text is not believed to be read to its end.
    body(rest.get(from..)?).filter(|t| !t.contains(['/', '`'])).map(str::to_owned)
}

/// What of `text` belongs to the function that begins with it.
fn body(text: &str) -> Option<&str> {
    let (mut depth, mut quote, mut escaped, mut braces) = (0_u32, None, false, false);
    for (at, c) in text.char_indices() {
        match (quote, c) {
            _ if escaped => escaped = false,
            (Some(_), '\\') => escaped = true,
            (Some(q), c) if c == q => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'' | '`') => quote = Some(c),
            (None, '{' | '(' | '[') => {
                depth += 1;
                braces |= c == '{' && depth == 1;
            }
            (None, '}' | ')' | ']') => {
                // The end of what an arrow function without braces stands in.
                if depth == 0 {
                    return Some(&text[..at]);
                }
                depth -= 1;
                if depth == 0 && braces && c == '}' {
                    return Some(&text[..=at]);
                }
            }
            (None, ';' | ',') if depth == 0 => return Some(&text[..at]),
            _ => {}
        }
    }
    None
}

/// Whether `text` has `name` as a word of its own, or may use anything.
fn mentions(text: &str, name: &str) -> bool {
    let word = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || matches!(c, '_' | '$'));
    let has = |name: &str| {
        text.match_indices(name).any(|(at, _)| !word(text[..at].chars().next_back()) && !word(text[at + name.len()..].chars().next()))
    };
    has(name) || has("eval") || has("arguments")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_ends_where_its_brace_does() {
        let cases = [
            ("() {\n  return '}';\n},\n next", Some("() {\n  return '}';\n}")),
            ("(a = {}, b = ')') { if (a) { b(); } }; more", Some("(a = {}, b = ')') { if (a) { b(); } }")),
            ("(x) => x.id + total, other", Some("(x) => x.id + total")),
            ("x => x.id)", Some("x => x.id")),
            ("() => { this.beats += 1; }, 10)", Some("() => { this.beats += 1; }")),
            ("() { cut in the mid", None),
        ];
        for (text, found) in cases {
            assert_eq!(body(text), found, "{text}");
        }
    }

    #[test]
    fn names_are_words() {
        for (text, name, yes) in [
            ("() { return previous.text }", "previous", true),
            ("() { return previousText }", "previous", false),
            ("() { eval(code) }", "previous", true),
            ("$previous", "previous", false),
            ("", "x", false),
        ] {
            assert_eq!(mentions(text, name), yes, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(text in ".{0,120}", name in ".{1,4}") {
            let _ = (body(&text), mentions(&text, &name));
        }
    }
}
