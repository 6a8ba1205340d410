//! Where a variable or field is declared, read from a source text (or from its first 1,024 characters, which a snapshot keeps of each
//! script). No parser: declarations are found by how they are written.

/// What a name is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Named {
    /// A variable of a module, function or closure.
    Variable,
    /// A field of an object or class.
    Field,
}

/// Line and column, from 0, of the declaration of `name` in `text`; of several that are alike the first at or after line `from`. `None`
/// when the text (or the part of it that is there) declares no such name.
pub fn declaration(text: &str, name: &str, what: Named, from: u32) -> Option<(u32, u32)> {
    if name.is_empty() {
        return None;
    }
    let mut best: Option<(u8, bool, u32, u32)> = None;
    let mut in_comment = false;
    for (n, line) in (0_u32..).zip(text.lines()) {
        let trimmed = line.trim_start();
        if in_comment || trimmed.starts_with("/*") {
            in_comment = !trimmed.contains("*/");
            continue;
        }
        if trimmed.starts_with("//") {
            continue;
        }
        for (at, _) in line.match_indices(name) {
            let (before, after) = (&line[..at], &line[at + name.len()..]);
            if joined(before.chars().next_back()) && !name.starts_with('#') || joined(after.chars().next()) {
                continue;
            }
            let Some(rank) = rank(before, after, what) else { continue };
            let column = u32::try_from(line[..at].encode_utf16().count()).unwrap_or(u32::MAX);
            let found = (rank, n < from, n, column);
            if best.is_none_or(|b| (found.0, found.1) < (b.0, b.1)) {
                best = Some(found);
            }
        }
    }
    best.map(|(_, _, line, column)| (line, column))
}

fn joined(c: Option<char>) -> bool {
    c.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == '$' || c == '#')
}

/// 0 is the surest way to declare a name of this sort.
fn rank(before: &str, after: &str, what: Named) -> Option<u8> {
    let (head, tail) = (before.trim_end(), after.trim_start());
    let assigned = tail.starts_with('=') && !tail.starts_with("==") && !tail.starts_with("=>");
    let typed = tail.starts_with(':') || tail.starts_with("?:") || tail.starts_with("!:");
    let last = head.rsplit(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or("");
    let keyword = matches!(last, "const" | "let" | "var");
    match what {
        Named::Variable if keyword => Some(0),
        Named::Variable if matches!(last, "function" | "class") => Some(1),
        // `const a = 1, name = …` and what is taken apart: `const { name } = …`.
        Named::Variable
            if (head.ends_with(',') || head.ends_with('{')) && ["const ", "let ", "var "].iter().any(|k| before.contains(k)) =>
        {
            Some(2)
        }
        Named::Variable if assigned && !head.ends_with('.') => Some(3),
        Named::Variable => None,
        Named::Field => {
            let modifier = matches!(last, "static" | "private" | "public" | "protected" | "readonly" | "declare");
            let alone = head.is_empty() || modifier;
            if head.ends_with("this.") && assigned || alone && (assigned || typed || tail.starts_with(';')) {
                Some(0)
            } else if head.ends_with('.') && assigned {
                Some(1)
            } else if (head.ends_with('{') || head.ends_with(',')) && tail.starts_with(':') {
                Some(2)
            } else {
                keyword.then_some(3)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "'use strict';
// cache: a word in a comment
/* const cache = 1;
 */
const a = 1, cache = new Map(), other = cache;
class Book {
  #quotes = new Map();
  static instances = [];
  private readonly seen: Set<string> = new Set();
  constructor() {
    this.records = [];
    this.records.push(cache);
  }
}
class Second {
  constructor() {
    this.records = {};
  }
}
let cacheKeys = [];
globalThis.__spans = [];
exports.table = { rows: [] };
function work(cache) {}
";

    #[test]
    fn a_name_leads_to_its_declaration() {
        use Named::{Field, Variable};
        let cases = [
            ("cache", Variable, 0, Some((4, 13))),
            ("a", Variable, 0, Some((4, 6))),
            ("cacheKeys", Variable, 0, Some((19, 4))),
            ("#quotes", Field, 0, Some((6, 2))),
            ("instances", Field, 0, Some((7, 9))),
            ("seen", Field, 0, Some((8, 19))),
            ("records", Field, 0, Some((10, 9))),
            ("records", Field, 14, Some((16, 9))),
            ("__spans", Field, 0, Some((20, 11))),
            ("rows", Field, 0, Some((21, 18))),
            ("work", Variable, 0, Some((22, 9))),
            ("missing", Variable, 0, None),
            ("", Field, 0, None),
        ];
        for (name, what, from, found) in cases {
            assert_eq!(declaration(TEXT, name, what, from), found, "{name} from {from}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(text in ".{0,200}", name in ".{0,6}") {
            let _ = declaration(&text, &name, Named::Variable, 0);
            let _ = declaration(&text, &name, Named::Field, 3);
        }
    }
}
