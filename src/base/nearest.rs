//! "Did you mean …?": the known word that is nearest to a mistyped one.

/// The word of `known` that a person most likely meant by `word`: at most a third of its letters differ
/// (optimal string alignment distance). `None` when nothing is near, or `word` itself is known.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let typed: Vec<char> = word.chars().take(64).flat_map(char::to_lowercase).collect();
    let most = if typed.len() < 2 { 0 } else { (typed.len() / 3).max(1) };
    let mut best: Option<(usize, &str)> = None;
    for candidate in known {
        if candidate == word {
            return None;
        }
        let letters: Vec<char> = candidate.chars().take(64).collect();
        let d = distance(&typed, &letters);
        if d <= most && best.is_none_or(|(least, _)| d < least) {
            best = Some((d, candidate));
        }
    }
    best.map(|(_, word)| word)
}

/// A message of serde as (what is wrong, remedy): the list of what was expected becomes a guess at what was meant.
pub fn explain(message: &str) -> (String, String) {
    let what = message.split(" at line ").next().unwrap_or(message).lines().next().unwrap_or("").trim();
    let what = what.split(", set DuplicateKeyPolicy").next().unwrap_or(what);
    let (what, expected) = what.split_once(", expected ").map_or((what, ""), |(what, list)| (what, list));
    let wrong = what.split('`').nth(1).unwrap_or("");
    let list = expected.strip_prefix("one of ").unwrap_or(expected).replace('`', "");
    let remedy = match () {
        () if wrong.is_empty() || list.is_empty() => String::new(),
        () => match nearest(wrong, list.split(", ").flat_map(|one| one.split(" or "))) {
            Some(near) => format!("did you mean `{near}`?"),
            None if list.len() <= 120 => format!("known are {list}"),
            None => String::new(),
        },
    };
    (what.to_owned(), remedy)
}

fn distance(a: &[char], b: &[char]) -> usize {
    let mut rows = vec![vec![0usize; b.len() + 1]; a.len() + 1];
    for (i, row) in rows.iter_mut().enumerate() {
        row[0] = i;
    }
    for (j, cell) in rows[0].iter_mut().enumerate() {
        *cell = j;
    }
    for i in 1..=a.len() {
        for j in 1..=b.len() {
            let swap = usize::from(a[i - 1] != b[j - 1]);
            let mut least = (rows[i - 1][j] + 1).min(rows[i][j - 1] + 1).min(rows[i - 1][j - 1] + swap);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                least = least.min(rows[i - 2][j - 2] + 1);
            }
            rows[i][j] = least;
        }
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_becomes_a_remedy() {
        let cases = [
            ("unknown field `tilte`, expected one of title, n at line 1, column 1", "unknown field `tilte`", "did you mean `title`?"),
            ("unknown variant `x`, expected `read` or `write`", "unknown variant `x`", "known are read or write"),
            ("invalid u32 at line 2, column 4", "invalid u32", ""),
            ("duplicate mapping key: a, set DuplicateKeyPolicy in Options if acceptable", "duplicate mapping key: a", ""),
        ];
        for (message, what, remedy) in cases {
            assert_eq!(explain(message), (what.to_owned(), remedy.to_owned()), "{message}");
        }
    }

    #[test]
    fn a_slip_of_the_finger_finds_its_word() {
        let known = ["timebox", "timeout", "title", "when"];
        for (typed, meant) in
            [("tmieout", Some("timeout")), ("Titel", Some("title")), ("whne", Some("when")), ("colour", None), ("when", None)]
        {
            assert_eq!(nearest(typed, known), meant, "{typed}");
        }
    }
}
