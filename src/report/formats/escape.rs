//! Text of the incident inside CommonMark (0.31, §2.4 backslash escapes; tables as in GFM §4.10).

/// `text` as one line of markdown that shows exactly these characters.
pub(in crate::report) fn inline(text: &str) -> String {
    let chars: Vec<char> = text.chars().map(|c| if c == '\n' || c == '\r' { ' ' } else { c }).collect();
    let mut out = String::with_capacity(text.len() + 8);
    for (i, &c) in chars.iter().enumerate() {
        let word = |at: Option<&char>| at.is_some_and(|c| c.is_alphanumeric());
        let special = match c {
            '\\' | '`' | '*' | '[' | ']' | '<' | '>' | '|' | '~' | '&' => true,
            // Inside a word it is no emphasis, and names stay readable.
            '_' => !(i > 0 && word(chars.get(i - 1)) && word(chars.get(i + 1))),
            '#' | '+' | '-' | '=' => i == 0,
            '.' | ')' => i > 0 && i < 10 && chars[..i].iter().all(char::is_ascii_digit),
            // `!` makes an image of the link that follows; that bracket is escaped already.
            _ => false,
        };
        if special {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// `text` as a block quote, lines kept.
pub(super) fn quote(text: &str) -> String {
    let line = |line: &str| if line.trim().is_empty() { ">".to_owned() } else { format!("> {}  ", inline(line.trim())) };
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

/// `text` as code, with a fence longer than any run of backticks in it (CommonMark §6.1). In a table, pipes must still be
/// escaped (GFM §4.10).
pub(super) fn code(text: &str) -> String {
    let text = text.replace(['\n', '\r'], " ").replace('|', "\\|");
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    let pad = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    if text.is_empty() { String::new() } else { format!("{fence}{pad}{text}{pad}{fence}") }
}

/// `text` as a double-quoted YAML scalar, for the front matter.
pub(super) fn yaml(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_be_markup_is_shown_as_it_is() {
        let cases = [
            ("a | b", "a \\| b"),
            ("# no heading", "\\# no heading"),
            ("issue #3", "issue #3"),
            ("1. no list", "1\\. no list"),
            ("v1.2", "v1.2"),
            ("- no list - here", "\\- no list - here"),
            ("heap_used and _it_", "heap_used and \\_it\\_"),
            ("<b>&amp;", "\\<b\\>\\&amp;"),
            ("two\nlines", "two lines"),
        ];
        for (text, shown) in cases {
            assert_eq!(inline(text), shown);
        }
        assert_eq!(code("a`b"), "``a`b``");
        assert_eq!(code("`"), "`` ` ``");
        assert_eq!(quote("a\n\n# b"), "> a  \n>\n> \\# b  ");
        assert_eq!(yaml("a \"b\" \\\n"), "\"a \\\"b\\\" \\\\\\n\"");
    }
}
