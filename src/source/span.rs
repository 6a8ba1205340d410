//! The lines of the function that starts at a line: what `git blame` is to be asked about.

/// Lines `from..=to` (from 1) of the block that opens on `line` (from 1): up to the brace that closes it, `most` lines at
/// most. A line that opens no block, or opens a class (whose age is that of its newest method), stands for itself.
pub fn function_span(text: &str, line: u32, most: u32) -> (u32, u32) {
    let alone = (line, line);
    let mut lines = text.lines().skip(line.saturating_sub(1) as usize);
    let Some(first) = lines.next() else { return alone };
    let trimmed = first.trim_start();
    let class = ["class ", "export class ", "export default class ", "abstract class ", "export abstract class "]
        .iter()
        .any(|c| trimmed.starts_with(c));
    if class {
        return alone;
    }
    let mut depth = 0_i64;
    let mut opened = false;
    for (n, text) in (0..most).zip(std::iter::once(first).chain(lines)) {
        let mut quote = None;
        let mut before = '\0';
        for c in text.chars() {
            match (quote, c) {
                (Some(q), c) if c == q && before != '\\' => quote = None,
                (Some(_), _) => {}
                (None, '"' | '\'' | '`') => quote = Some(c),
                (None, '/') if before == '/' => break,
                (None, '{') => {
                    depth += 1;
                    opened = true;
                }
                (None, '}') => depth -= 1,
                _ => {}
            }
            before = c;
        }
        if depth <= 0 && (opened || n == 0) {
            return (line, line + n);
        }
    }
    (line, line.saturating_add(most.saturating_sub(1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "const cache = new Map();\nfunction parse(update) {\n  if (cache.has(update)) {\n    return '}';\n  }\n  return 1; // }\n}\nclass Service {\n  run() {}\n}\n";

    #[test]
    fn a_function_is_its_lines_and_a_declaration_its_own() {
        for (line, span) in [(1, (1, 1)), (2, (2, 7)), (3, (3, 5)), (8, (8, 8)), (9, (9, 9)), (99, (99, 99))] {
            assert_eq!(function_span(TEXT, line, 40), span, "line {line}");
        }
        assert_eq!(function_span(TEXT, 2, 3), (2, 4), "capped");
    }
}
