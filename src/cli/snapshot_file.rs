//! A snapshot file, and what was read from it or is known of it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::base::{Bytes, Trouble};
use crate::disk::Reader;
use crate::evidence::CacheKey;
use crate::heap::{Analysis, Facts, Progress, Summary, Verdict};
use crate::runtime::snapshots::{self, Kept};

/// A file with what is in it.
pub struct SnapshotFile {
    /// Its name as given.
    pub name: String,
    /// Its size, as it lies on disk.
    pub size: Bytes,
    /// SHA-256 of it, as it lies on disk.
    pub sha256: String,
    /// What is in it, in numbers.
    pub facts: Facts,
    /// Its graph; absent when a summary of it was enough.
    analysis: Option<Analysis>,
    /// Its verdict, when it is known.
    verdict: Option<Verdict>,
    path: PathBuf,
    key: Option<CacheKey>,
    /// Whether the graph comes from the cache.
    known: bool,
}

/// Opens a file of a snapshot.
///
/// # Errors
/// What the disk says; a missing file is not found.
pub fn open(path: &Path) -> Result<Reader, Trouble> {
    Reader::open(path).map_err(Trouble::from)
}

/// Whether it is the standard input that is meant.
pub fn is_pipe(path: &Path) -> bool {
    path == Path::new("-")
}

impl SnapshotFile {
    /// The file at `path` (`-`: the standard input). When `kept` knows its summary and that is `enough`, nothing is read; when it knows its
    /// index, nothing is parsed.
    ///
    /// # Errors
    /// No such file, or no snapshot in it: both are not found.
    pub fn read(path: &Path, kept: &Kept, enough: bool, progress: &Arc<dyn Progress>) -> Result<Self, Trouble> {
        let name = path.display().to_string();
        let made = |size, sha256, facts, analysis: Option<Analysis>, key| Self {
            name: name.clone(),
            size,
            sha256,
            facts,
            analysis,
            verdict: None,
            path: path.to_owned(),
            key,
            known: false,
        };
        if is_pipe(path) {
            let (analysis, whole) = snapshots::analyse_pipe(std::io::stdin(), "standard input", progress)?;
            return Ok(made(whole.size, whole.sha256, Facts::of(&analysis), Some(analysis), None));
        }
        let file = open(path)?;
        let size = Bytes(file.size().map_err(Trouble::from)?);
        let key = kept.key(path);
        if let Some(Summary { facts, verdict, note }) = key.as_ref().and_then(|k| kept.summary(k)) {
            let analysis = if enough { None } else { key.as_ref().and_then(|k| kept.analysis(k)) };
            if enough || analysis.is_some() {
                let known = analysis.is_some();
                return Ok(Self { verdict: Some(verdict), known, ..made(size, note, facts, analysis, key) });
            }
        }
        let (analysis, whole) = snapshots::analyse(&file, true, &name, progress)?;
        Ok(made(size, whole.sha256, Facts::of(&analysis), Some(analysis), key))
    }

    /// Its graph; `None` when a summary was said to be enough.
    pub fn analysis(&self) -> Option<&Analysis> {
        self.analysis.as_ref()
    }

    /// Takes the names that were cut off from an earlier snapshot of the process, by id; how many objects got one.
    pub fn borrow_names(&mut self, earlier: &Analysis) -> u64 {
        let Some(analysis) = self.analysis.as_mut().filter(|a| a.cut().is_some_and(|c| c.named_nodes < c.nodes.0)) else { return 0 };
        let borrowed = analysis.borrow_names(earlier).unwrap_or(0);
        self.facts = Facts::of(analysis);
        borrowed
    }

    /// The verdict of this file alone, when it is known.
    pub fn verdict(&self) -> Option<&Verdict> {
        self.verdict.as_ref()
    }

    /// Lets `kept` know the verdict of this file alone.
    pub fn keep_verdict(&self, kept: &Kept, verdict: &Verdict) {
        if let Some(key) = self.unchanged(kept) {
            let summary = Summary { facts: self.facts.clone(), verdict: verdict.clone(), note: self.sha256.clone() };
            kept.keep_summary(key, &summary);
        }
    }

    /// Lets `kept` know the graph.
    pub fn keep_analysis(&self, kept: &Kept) {
        if let (Some(key), Some(analysis), false) = (self.unchanged(kept), &self.analysis, self.known) {
            kept.keep_analysis(key, self.size, analysis);
        }
    }

    /// The key, if the file is still the one that was read.
    fn unchanged(&self, kept: &Kept) -> Option<&CacheKey> {
        self.key.as_ref().filter(|key| kept.key(&self.path).as_ref() == Some(*key))
    }
}
