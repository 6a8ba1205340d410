//! A repository at one revision, and what can be asked about it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::ask::{Answer, ask};
use crate::base::{Masked, Trouble, TroubleKind};
use crate::source::{self, BlamedLine, Change, LastChange};

/// Longest function whose lines are asked about; above it the first lines speak for the whole.
const MOST_LINES: u32 = 80;

/// Why git gave no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// No git on this machine.
    #[error("git cannot be started: {0}")]
    NoGit(String),
    /// The folder is no repository, or its owner is another user (`safe.directory`).
    #[error("no git repository that may be read at {place}: {why}")]
    NoRepository {
        /// The folder.
        place: String,
        /// What git says.
        why: Masked,
    },
    /// The revision does not exist here.
    #[error("revision {0} is not in the repository")]
    NoRevision(Masked),
    /// Git failed.
    #[error("git failed: {0}")]
    Failed(Masked),
    /// Git did not answer in time.
    #[error("git did not answer within {0:?}")]
    TimedOut(Duration),
    /// The answer could not be read.
    #[error(transparent)]
    Answer(#[from] source::Error),
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        let (kind, remedy) = match &error {
            Error::NoGit(_) => (TroubleKind::Failed, "install git, or leave out --repo: only the age of the code is missing"),
            Error::NoRepository { .. } => (
                TroubleKind::NotFound,
                "give the folder of a clone with --repo; if it belongs to another user, `git config --global --add safe.directory DIR`",
            ),
            Error::NoRevision(_) => (TroubleKind::NotFound, "fetch the deployed revision into the clone, or give one that it has"),
            Error::TimedOut(_) => (TroubleKind::TimedOut, "a shallow or local clone answers faster"),
            Error::Failed(_) | Error::Answer(_) => (TroubleKind::Failed, "try the same with `git blame` by hand"),
        };
        Self::new(kind, error.to_string(), "", remedy)
    }
}

/// A repository, the revision that is deployed, and how long git may take for one answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repo {
    dir: PathBuf,
    revision: String,
    deadline: Duration,
}

impl Repo {
    /// The repository that holds `dir`, at `revision` (a commit, tag or branch; `HEAD` when `None`).
    ///
    /// # Errors
    /// [`Error::NoRepository`], [`Error::NoRevision`], [`Error::NoGit`], [`Error::TimedOut`].
    pub fn open(dir: &Path, revision: Option<&str>, deadline: Duration) -> Result<Self, Error> {
        let mut repo = Self { dir: dir.to_owned(), revision: String::new(), deadline };
        let top = repo.ask(&["rev-parse", "--show-toplevel"]).map_err(|error| match error {
            Error::Failed(why) => Error::NoRepository { place: dir.display().to_string(), why },
            other => other,
        })?;
        repo.dir = PathBuf::from(String::from_utf8_lossy(&top).trim_end_matches('\n'));
        let wanted = revision.unwrap_or("HEAD");
        let commit =
            repo.ask(&["rev-parse", "--verify", "--quiet", "--end-of-options", &format!("{wanted}^{{commit}}")]).map_err(|error| {
                match error {
                    Error::Failed(_) => Error::NoRevision(Masked::from(wanted)),
                    other => other,
                }
            })?;
        repo.revision = String::from_utf8_lossy(&commit).trim().to_owned();
        Ok(repo)
    }

    /// Full hash of the revision.
    pub fn revision(&self) -> &str {
        &self.revision
    }

    fn ask(&self, args: &[&str]) -> Result<Vec<u8>, Error> {
        match ask(&self.dir, args, self.deadline) {
            Answer::Good(out) => Ok(out),
            Answer::Failed(why) => Err(Error::Failed(Masked::from(&why))),
            Answer::NoGit(why) => Err(Error::NoGit(why)),
            Answer::TimedOut => Err(Error::TimedOut(self.deadline)),
        }
    }

    /// Paths of all files at the revision.
    ///
    /// # Errors
    /// When git does not answer.
    pub fn files(&self) -> Result<Vec<String>, Error> {
        let out = self.ask(&["ls-tree", "-r", "--name-only", "--full-tree", "-z", &self.revision])?;
        Ok(out.split(|&b| b == 0).filter(|f| !f.is_empty()).map(|f| String::from_utf8_lossy(f).into_owned()).collect())
    }

    /// Text of `file` at the revision.
    ///
    /// # Errors
    /// When there is no such file or git does not answer.
    pub fn text(&self, file: &str) -> Result<String, Error> {
        let out = self.ask(&["cat-file", "blob", &format!("{}:{file}", self.revision)])?;
        Ok(String::from_utf8_lossy(&out).into_owned())
    }

    /// Who wrote lines `from..=to` (from 1) of `file`.
    ///
    /// # Errors
    /// When there are no such lines or git does not answer.
    pub fn blame(&self, file: &str, from: u32, to: u32) -> Result<Vec<BlamedLine>, Error> {
        let out = self.ask(&["blame", "--porcelain", "-L", &format!("{from},{to}"), &self.revision, "--", file])?;
        Ok(source::parse_blame(&out)?)
    }

    /// Commits since `time`, newest first, merges left out.
    ///
    /// # Errors
    /// When git does not answer.
    pub fn since(&self, time: DateTime<Utc>) -> Result<Vec<Change>, Error> {
        let since = format!("--since={}", time.timestamp());
        let out = self.ask(&["log", "-z", "--no-merges", "--format=%H%n%ct%n%s", &since, &self.revision])?;
        Ok(source::parse_log(&out))
    }

    /// The commits of the `span` before the newest one: what a revert would take back when nothing else is known.
    ///
    /// # Errors
    /// When git does not answer.
    pub fn recent(&self, span: TimeDelta) -> Result<Vec<Change>, Error> {
        let newest = source::parse_log(&self.ask(&["log", "-z", "-1", "--format=%H%n%ct%n%s", &self.revision])?);
        match newest.first() {
            Some(change) => self.since(change.at - span),
            None => Ok(Vec::new()),
        }
    }

    /// The file of the repository that the script at `path` (as V8 or a source map names it) was made from.
    ///
    /// # Errors
    /// When git does not answer.
    pub fn find(&self, path: &str) -> Result<Option<source::PathMatch>, Error> {
        let files = self.files()?;
        Ok(source::longest_suffix(path, files.iter().map(String::as_str)))
    }

    /// When the code at `line` (from 1) of the script at `path` was last changed (the whole function that starts there),
    /// and how many of `changes` are younger. `None` when the script is not of this repository or the line is not in it.
    ///
    /// # Errors
    /// When git does not answer.
    pub fn last_changed(&self, path: &str, line: u32, changes: &[Change]) -> Result<Option<LastChange>, Error> {
        let Some(found) = self.find(path)? else { return Ok(None) };
        let text = self.text(&found.file)?;
        if line == 0 || line as usize > text.lines().count() {
            return Ok(None);
        }
        let (from, to) = source::function_span(&text, line, MOST_LINES);
        let to = to.min(u32::try_from(text.lines().count()).unwrap_or(u32::MAX));
        Ok(source::last_change(&found.file, &self.blame(&found.file, from, to)?, changes))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::disallowed_methods, reason = "tests make a repository on disk")]
    use std::process::Command;

    use super::*;

    const DEADLINE: Duration = Duration::from_secs(30);

    struct Made {
        dir: tempfile::TempDir,
    }

    impl Made {
        fn new() -> Self {
            let made = Self { dir: tempfile::tempdir().expect("a folder") };
            made.git("2026-04-01T10:00:00Z", &["init", "-q", "-b", "main"]);
            made
        }

        fn git(&self, date: &str, args: &[&str]) {
            let status = Command::new("git")
                .arg("-C")
                .arg(self.dir.path())
                .args(["-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"])
                .args(args)
                .env("GIT_AUTHOR_DATE", date)
                .env("GIT_COMMITTER_DATE", date)
                .env("GIT_CONFIG_GLOBAL", "/dev/null")
                .status()
                .expect("git is on this machine");
            assert!(status.success(), "git {args:?}");
        }

        fn commit(&self, date: &str, file: &str, text: &str, subject: &str) {
            let path = self.dir.path().join(file);
            std::fs::create_dir_all(path.parent().expect("below the folder")).expect("made");
            std::fs::write(path, text).expect("written");
            self.git(date, &["add", "-A"]);
            self.git(date, &["commit", "-q", "-m", subject]);
        }

        fn open(&self) -> Repo {
            Repo::open(self.dir.path(), None, DEADLINE).expect("a repository")
        }
    }

    #[test]
    fn seven_month_old_code_is_older_than_the_three_patches_of_today() {
        let made = Made::new();
        let old = "const cache = new Map();\nfunction parse(u) {\n  cache.set(u, u);\n}\n";
        made.commit("2026-04-01T10:00:00Z", "src/import/parse.js", old, "Cache parsed content");
        made.commit("2026-11-24T08:00:00Z", "src/ä.js", "1\n", "Raise a timeout");
        made.commit("2026-11-24T09:00:00Z", "README.md", "2\n", "Say more");
        made.commit("2026-11-24T10:00:00Z", "src/import/parse.js", &format!("{old}module.exports = parse;\n"), "Export it");
        let repo = made.open();
        assert_eq!(repo.files().expect("files"), ["README.md", "src/import/parse.js", "src/ä.js"]);
        let today = repo.recent(TimeDelta::hours(24)).expect("log");
        assert_eq!(today.iter().map(|c| c.subject.as_str()).collect::<Vec<_>>(), ["Export it", "Say more", "Raise a timeout"]);
        let age = repo.last_changed("/usr/src/app/src/import/parse.js", 2, &today).expect("git answers").expect("known");
        assert_eq!((age.file.as_str(), age.older_than, age.changes), ("src/import/parse.js", 3, 3));
        assert_eq!(age.changed.to_rfc3339(), "2026-04-01T10:00:00+00:00");
        let touched = repo.last_changed("src/import/parse.js", 5, &today).expect("git answers").expect("known");
        assert_eq!(touched.older_than, 0);
        assert_eq!(repo.last_changed("/app/other.js", 1, &today), Ok(None));
        assert_eq!(repo.last_changed("/app/src/import/parse.js", 900, &today), Ok(None));
        assert_eq!(repo.blame("src/import/parse.js", 1, 1).expect("blame").len(), 1);
    }

    #[test]
    fn what_is_missing_is_named_with_its_remedy() {
        let made = Made::new();
        made.commit("2026-04-01T10:00:00Z", "a.js", "1\n", "A");
        let plain = tempfile::tempdir().expect("a folder");
        assert!(matches!(Repo::open(plain.path(), None, DEADLINE), Err(Error::NoRepository { .. })));
        assert!(matches!(Repo::open(made.dir.path(), Some("v9"), DEADLINE), Err(Error::NoRevision(_))));
        assert!(matches!(Repo::open(made.dir.path(), Some("--help"), DEADLINE), Err(Error::NoRevision(_))), "never an option");
        assert!(made.open().text("missing.js").is_err());
        let trouble = Trouble::from(Repo::open(made.dir.path(), Some("v9"), DEADLINE).expect_err("no such tag"));
        assert!(!trouble.remedy.is_empty());
    }

    #[test]
    fn a_git_that_hangs_is_left_behind() {
        let made = Made::new();
        made.commit("2026-04-01T10:00:00Z", "a.js", "1\n", "A");
        let answer = ask(made.dir.path(), &["-c", "alias.hang=!sleep 30", "hang"], Duration::from_millis(200));
        assert!(matches!(answer, Answer::TimedOut));
    }
}
