//! Secrets by name: read from a file or a command at each try, so that a rotated one is found; never logged.

use std::path::{Path, PathBuf};
use std::time::Duration;

use secrecy::SecretString;

use super::failure::Failure;
use super::run::run;
use crate::base::Trouble;

/// Longest time that a command may take to tell a secret.
const DEADLINE: Duration = Duration::from_secs(10);

/// Reads a small text file. The room does not touch the disk itself; `disk::read_text` fits.
pub type ReadText<'a> = dyn Fn(&Path) -> Result<String, Trouble> + Sync + 'a;

/// Where a secret is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Secret {
    /// In the config itself, since it is none.
    Plain(String),
    /// First line of a file.
    File(PathBuf),
    /// First line of a command's output.
    Command(Vec<String>),
}

impl Secret {
    pub(super) fn of(plain: Option<&String>, file: Option<&PathBuf>, command: Option<&Vec<String>>) -> Option<Self> {
        let plain = plain.map(|text| Self::Plain(text.clone()));
        plain.or_else(|| file.map(|path| Self::File(path.clone()))).or_else(|| command.map(|argv| Self::Command(argv.clone())))
    }

    /// Its value.
    pub(super) fn read(&self, read: &ReadText<'_>) -> Result<SecretString, Failure> {
        let (text, place) = match self {
            Self::Plain(text) => (text.clone(), "the config".to_owned()),
            Self::File(path) => (read(path).map_err(|trouble| Failure::passing(trouble.to_string()))?, path.display().to_string()),
            Self::Command(argv) => {
                let output = run(argv, b"", DEADLINE)?;
                (String::from_utf8_lossy(&output).into_owned(), format!("the output of `{}`", argv.first().map_or("", String::as_str)))
            }
        };
        let line = text.lines().next().unwrap_or("").trim().to_owned();
        if line.is_empty() { Err(Failure::lasting(format!("{place} is empty"))) } else { Ok(SecretString::from(line)) }
    }
}
