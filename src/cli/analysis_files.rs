//! The files of `cutoff analyze`, told apart by what is in them: snapshots of one process, sampled allocations, diagnostic reports.

use std::path::{Path, PathBuf};

use crate::base::{Bytes, Trouble, TroubleKind};
use crate::cli::snapshot_file::{self, SnapshotFile};
use crate::disk;
use crate::heap::Profile;
use crate::node::Report;
use crate::runtime::snapshots;

/// Larger profiles and reports are not read whole.
const LARGEST: Bytes = Bytes(1 << 30);

/// What was given, each kind in the order of the command line.
#[derive(Default)]
pub struct Given {
    /// Files that are read as snapshots, oldest first.
    pub snapshots: Vec<PathBuf>,
    /// Names of files, and what they say about who allocated.
    pub profiles: Vec<(String, Profile)>,
    /// Names of files, and what they say about the heap and the process.
    pub reports: Vec<(String, Report)>,
}

/// Tells the files apart, and reads those that are no snapshots.
///
/// # Errors
/// A file that is missing, or a report or profile that is damaged.
pub fn sorted(paths: &[PathBuf]) -> Result<Given, Trouble> {
    let mut given = Given::default();
    for path in paths {
        let name = path.display().to_string();
        let placed = |trouble: Trouble| Trouble { place: name.clone(), ..trouble };
        match kind(path)? {
            Kind::Snapshot => given.snapshots.push(path.clone()),
            Kind::Profile => {
                let profile = Profile::parse(&whole(path)?).map_err(|e| {
                    let remedy = "give a .heapprofile of --heap-prof, the inspector or DevTools";
                    placed(Trouble::new(TroubleKind::NotFound, e.to_string(), "", remedy))
                })?;
                given.profiles.push((name, profile));
            }
            Kind::Report => {
                let report = Report::parse(&whole(path)?).map_err(|e| placed(e.into()))?;
                given.reports.push((name, report));
            }
        }
    }
    Ok(given)
}

/// Gives snapshots that were cut the names of the last whole one before them, as far as it is of the same process, and says how many objects
/// got one. What cannot be compared is said by the verdict.
pub fn borrow_names(files: &mut [SnapshotFile]) -> u64 {
    let mut borrowed = 0;
    for n in 1..files.len() {
        let (earlier, later) = files.split_at_mut(n);
        if let Some(whole) = earlier.iter().rev().filter(|f| f.facts.cut.is_none()).find_map(SnapshotFile::analysis) {
            borrowed += later[0].borrow_names(whole);
        }
    }
    borrowed
}

enum Kind {
    Snapshot,
    Profile,
    Report,
}

/// By the first key of the file; what is none of the three is read as a snapshot, which says best what is wrong with it.
fn kind(path: &Path) -> Result<Kind, Trouble> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let name = name.strip_suffix(".gz").or_else(|| name.strip_suffix(".zst")).unwrap_or(&name);
    if name.ends_with(".heapprofile") {
        return Ok(Kind::Profile);
    }
    if snapshot_file::is_pipe(path) {
        return Ok(Kind::Snapshot);
    }
    let file = snapshot_file::open(path)?;
    let mut head = [0; 64];
    let read = file.read_at(0, &mut head).map_err(Trouble::from)?;
    let text: String = String::from_utf8_lossy(&head[..read]).split_whitespace().collect();
    Ok(match text.as_str() {
        text if text.starts_with("{\"header\":") => Kind::Report,
        text if text.starts_with("{\"head\":") => Kind::Profile,
        _ => Kind::Snapshot,
    })
}

fn whole(path: &Path) -> Result<Vec<u8>, Trouble> {
    let file = snapshot_file::open(path)?;
    let mut whole = Vec::new();
    snapshots::pieces(&file, false, |piece| {
        if whole.len() as u64 + piece.len() as u64 > LARGEST.0 {
            let size = Bytes(whole.len() as u64 + piece.len() as u64);
            return Err(disk::Error::TooLarge { path: path.to_owned(), size, limit: LARGEST }.into());
        }
        whole.extend_from_slice(piece);
        Ok(())
    })?;
    Ok(whole)
}
