//! Reading `git blame --porcelain` and `git log`: when was this code last changed, and is that before the changes of today?
//!
//! Formats: git-blame(1) "THE PORCELAIN FORMAT"; `git log -z --format=%H%n%ct%n%s`.

use std::collections::HashMap;

use chrono::{DateTime, Utc};

use super::Error;
use crate::base::{Masked, Untrusted};

/// One line of a file and the commit that wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlamedLine {
    /// Line in the file that was asked for, from 1.
    pub line: u32,
    /// Full hash of the commit; all zeros for a change that is not committed.
    pub commit: String,
    /// Author's date.
    pub changed: DateTime<Utc>,
    /// Subject of the commit, masked.
    pub subject: Masked,
}

impl BlamedLine {
    /// Whether the line stands only in the work tree.
    pub fn uncommitted(&self) -> bool {
        self.commit.bytes().all(|b| b == b'0')
    }
}

/// A commit, as `git log` tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Full hash.
    pub commit: String,
    /// Committer's date: when it came into this history.
    pub at: DateTime<Utc>,
    /// Subject, masked.
    pub subject: Masked,
}

/// When a stretch of code was last changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastChange {
    /// Path in the repository.
    pub file: String,
    /// Full hash of the newest commit among the lines.
    pub commit: String,
    /// Its author's date.
    pub changed: DateTime<Utc>,
    /// Its subject, masked.
    pub subject: Masked,
    /// How many of `changes` are younger than it.
    pub older_than: u32,
    /// How many changes were in question.
    pub changes: u32,
}

/// Reads the answer of `git blame --porcelain`.
///
/// # Errors
/// [`Error::Blame`] with the number of the line that does not fit the format.
pub fn parse_blame(text: &[u8]) -> Result<Vec<BlamedLine>, Error> {
    let mut known: HashMap<String, (DateTime<Utc>, Masked)> = HashMap::new();
    let mut out = Vec::new();
    let mut current: Option<(String, u32)> = None;
    let (mut time, mut subject) = (None, None);
    for (n, line) in text.split(|&b| b == b'\n').enumerate() {
        let bad = || Error::Blame(n + 1);
        if line.first() == Some(&b'\t') {
            let (commit, number) = current.take().ok_or_else(bad)?;
            if let Some(at) = time.take() {
                known.insert(commit.clone(), (at, subject.take().unwrap_or_default()));
            }
            let (changed, subject) = known.get(&commit).cloned().ok_or_else(bad)?;
            out.push(BlamedLine { line: number, commit, changed, subject });
        } else if current.is_none() {
            if line.is_empty() {
                continue;
            }
            let mut words = line.split(|&b| b == b' ');
            let commit =
                words.next().filter(|c| (c.len() == 40 || c.len() == 64) && c.iter().all(u8::is_ascii_hexdigit)).ok_or_else(bad)?;
            let number = words.nth(1).and_then(|w| std::str::from_utf8(w).ok()).and_then(|w| w.parse().ok()).ok_or_else(bad)?;
            current = Some((String::from_utf8_lossy(commit).into_owned(), number));
        } else if let Some(seconds) = line.strip_prefix(b"author-time ") {
            let seconds = std::str::from_utf8(seconds).ok().and_then(|s| s.trim().parse().ok()).ok_or_else(bad)?;
            time = Some(DateTime::from_timestamp(seconds, 0).ok_or_else(bad)?);
        } else if let Some(text) = line.strip_prefix(b"summary ") {
            subject = Some(Masked::from(&Untrusted::new(text)));
        }
    }
    if current.is_some() {
        return Err(Error::Blame(text.split(|&b| b == b'\n').count()));
    }
    Ok(out)
}

/// Reads the answer of `git log -z --format=%H%n%ct%n%s`; rows that do not fit are skipped.
pub fn parse_log(text: &[u8]) -> Vec<Change> {
    text.split(|&b| b == 0)
        .filter_map(|row| {
            let mut lines = row.splitn(3, |&b| b == b'\n');
            let commit = String::from_utf8(lines.next()?.to_vec()).ok().filter(|c| c.len() >= 40)?;
            let seconds = std::str::from_utf8(lines.next()?).ok()?.trim().parse().ok()?;
            let subject = Masked::from(&Untrusted::new(lines.next().unwrap_or_default()));
            Some(Change { commit, at: DateTime::from_timestamp(seconds, 0)?, subject })
        })
        .collect()
}

/// When the newest of `lines` was written, and how many of `changes` came after it. `None` when no line is committed.
pub fn last_change(file: &str, lines: &[BlamedLine], changes: &[Change]) -> Option<LastChange> {
    let newest = lines.iter().filter(|l| !l.uncommitted()).max_by_key(|l| l.changed)?;
    // The commit itself is never younger than its own lines, even where it was applied after its author's date.
    let older_than = changes.iter().filter(|c| c.commit != newest.commit && c.at > newest.changed).count();
    let small = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    Some(LastChange {
        file: file.to_owned(),
        commit: newest.commit.clone(),
        changed: newest.changed,
        subject: newest.subject.clone(),
        older_than: small(older_than),
        changes: small(changes.len()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &str = "1111111111111111111111111111111111111111";
    const NEW: &str = "2222222222222222222222222222222222222222";

    fn porcelain() -> String {
        format!(
            "{OLD} 3 3 2\nauthor A\nauthor-mail <a@example.org>\nauthor-time 1700000000\nauthor-tz +0100\ncommitter A\ncommitter-time 1700000001\nsummary Cache what was parsed\nboundary\nfilename src/a.js\n\tconst cache = new Map();\n{OLD} 4 4\n\t\n{NEW} 5 5 1\nauthor B\nauthor-time 1700090000\nsummary token=abcdef123\nprevious {OLD} src/a.js\nfilename src/a.js\n\t\tx\n"
        )
    }

    #[test]
    fn lines_know_their_commit_and_its_date() {
        let lines = parse_blame(porcelain().as_bytes()).expect("porcelain");
        let rows: Vec<_> = lines.iter().map(|l| (l.line, l.commit.as_str(), l.changed.timestamp(), l.subject.as_str())).collect();
        assert_eq!(
            rows,
            [
                (3, OLD, 1_700_000_000, "Cache what was parsed"),
                (4, OLD, 1_700_000_000, "Cache what was parsed"),
                (5, NEW, 1_700_090_000, "token=[secret]")
            ]
        );
    }

    #[test]
    fn old_code_is_older_than_the_changes_of_today() {
        let lines = parse_blame(porcelain().as_bytes()).expect("porcelain");
        let change =
            |at| Change { commit: format!("{at:040}"), at: DateTime::from_timestamp(at, 0).expect("a date"), subject: Masked::own("x") };
        let today = [change(1_700_000_500), change(1_700_100_000), change(1_700_200_000)];
        let old = last_change("src/a.js", &lines[..2], &today).expect("committed");
        assert_eq!((old.older_than, old.changes), (3, 3));
        let touched = last_change("src/a.js", &lines, &today).expect("committed");
        assert_eq!((touched.older_than, touched.commit.as_str()), (2, NEW), "the newest line counts");
    }

    #[test]
    fn uncommitted_lines_have_no_age() {
        let text = "0000000000000000000000000000000000000000 1 1 1\nauthor-time 1700000000\nsummary Version of a.js\n\tx\n";
        assert_eq!(last_change("a.js", &parse_blame(text.as_bytes()).expect("porcelain"), &[]), None);
    }

    #[test]
    fn what_is_no_porcelain_is_said_with_its_line() {
        assert_eq!(parse_blame(b"fatal: no such path\n"), Err(Error::Blame(1)));
        assert_eq!(parse_blame(b"\tx"), Err(Error::Blame(1)));
        assert!(parse_blame(format!("{OLD} 1 1 1\nauthor-time 5\n").as_bytes()).is_err(), "cut");
        assert_eq!(parse_blame(b""), Ok(vec![]));
    }

    #[test]
    fn the_log_is_read_and_damage_skipped() {
        let text = format!("{NEW}\n1700000000\nFix typo\0garbage\0{OLD}\n1600000000\n");
        let rows: Vec<_> = parse_log(text.as_bytes()).into_iter().map(|c| (c.commit, c.at.timestamp(), c.subject.to_string())).collect();
        assert_eq!(rows, [(NEW.to_owned(), 1_700_000_000, "Fix typo".to_owned()), (OLD.to_owned(), 1_600_000_000, String::new())]);
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_it_panic(text: Vec<u8>) {
            let _ = parse_blame(&text);
            let _ = parse_log(&text);
        }
    }
}
