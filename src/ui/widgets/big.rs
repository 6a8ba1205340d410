//! Digits three rows high, for the clock on wide screens.

const GLYPHS: [(char, [&str; 3]); 12] = [
    ('0', ["█▀█", "█ █", "▀▀▀"]),
    ('1', [" ▀█", "  █", "  ▀"]),
    ('2', ["▀▀█", "█▀▀", "▀▀▀"]),
    ('3', ["▀▀█", " ▀█", "▀▀▀"]),
    ('4', ["█ █", "▀▀█", "  ▀"]),
    ('5', ["█▀▀", "▀▀█", "▀▀▀"]),
    ('6', ["█▀▀", "█▀█", "▀▀▀"]),
    ('7', ["▀▀█", "  █", "  ▀"]),
    ('8', ["█▀█", "█▀█", "▀▀▀"]),
    ('9', ["█▀█", "▀▀█", "▀▀▀"]),
    (':', ["▄", "▄", " "]),
    ('-', ["  ", "▀▀", "  "]),
];

/// `text` (digits, `:` and `-`; anything else is left out) as three rows of equal width.
pub fn big(text: &str) -> [String; 3] {
    let mut rows = [String::new(), String::new(), String::new()];
    for c in text.chars() {
        let Some((_, glyph)) = GLYPHS.iter().find(|(g, _)| *g == c) else { continue };
        for (row, part) in rows.iter_mut().zip(glyph) {
            if !row.is_empty() {
                row.push(' ');
            }
            row.push_str(part);
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::super::text::width;
    use super::*;

    #[test]
    fn rows_are_of_one_width() {
        for text in ["01:47:12", "0123456789", "-00:05:00", "x"] {
            let [a, b, c] = big(text);
            assert_eq!((width(&a), width(&b)), (width(&b), width(&c)), "{text}");
        }
        assert_eq!(big("17")[0], " ▀█ ▀▀█");
    }
}
