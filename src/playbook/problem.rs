//! What is wrong with a playbook, where, and how to mend it.

use std::fmt::{self, Write as _};

use serde::Serialize;

use crate::base::{Trouble, TroubleKind, mask_lines};

/// Line and column in the file, from 1; 0 when it is not known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Pos {
    /// Line.
    pub line: u32,
    /// Column.
    pub column: u32,
}

/// Whether a playbook with the problem can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Gravity {
    /// It cannot.
    Error,
    /// It can, but a person will stumble over it.
    Warning,
}

/// One thing that is wrong with a playbook. Displayed as `file:line:column: what: remedy`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// Name of the playbook's file as the caller gave it.
    pub file: String,
    /// Where in it.
    pub pos: Pos,
    /// What is wrong.
    pub what: String,
    /// How to mend it. May be empty.
    pub remedy: String,
    /// How bad it is.
    pub gravity: Gravity,
}

impl Problem {
    /// A problem that keeps the playbook from being used.
    pub(super) fn error(pos: Pos, what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { file: String::new(), pos, what: what.into(), remedy: remedy.into(), gravity: Gravity::Error }
    }

    /// A problem that does not.
    pub(super) fn warning(pos: Pos, what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { gravity: Gravity::Warning, ..Self::error(pos, what, remedy) }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if self.pos.line > 0 {
            write!(f, ":{}:{}", self.pos.line, self.pos.column)?;
        }
        let word = if self.gravity == Gravity::Warning { "warning: " } else { "" };
        write!(f, ": {word}{}", self.what)?;
        if self.remedy.is_empty() { Ok(()) } else { write!(f, ": {}", self.remedy) }
    }
}

/// Problems that are told beside the first one.
const ALSO: usize = 4;

/// All problems of a playbook as one trouble of kind `Config`: the first in full, some others in short.
pub fn trouble(problems: &[Problem]) -> Trouble {
    let mut sorted: Vec<&Problem> = problems.iter().collect();
    sorted.sort_by_key(|p| (p.gravity, p.pos));
    let Some((first, others)) = sorted.split_first() else {
        return Trouble::new(TroubleKind::Config, "the playbook cannot be used", "", "compare it with playbooks/node-heap-oom.yaml");
    };
    let place = if first.pos.line > 0 { format!("{}:{}:{}", first.file, first.pos.line, first.pos.column) } else { first.file.clone() };
    let mut remedy = if first.remedy.is_empty() { "mend the playbook".to_owned() } else { first.remedy.clone() };
    for other in others.iter().take(ALSO) {
        let _ = write!(remedy, "; also line {}: {}", other.pos.line, other.what);
    }
    if others.len() > ALSO {
        let _ = write!(remedy, "; and {} more", others.len() - ALSO);
    }
    let words = |text: &str| mask_lines(text).as_str().to_owned();
    Trouble::new(TroubleKind::Config, words(&first.what), place, words(&remedy))
}
