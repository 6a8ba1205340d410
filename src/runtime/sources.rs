//! From the places of a verdict to the lines that people wrote, and their age: source maps in a directory, a clone of the repository.

use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use crate::base::{Bytes, Masked, Trouble, TroubleKind};
use crate::disk;
use crate::git::Repo;
use crate::heap::{HolderKind, Named, Place, Suspect, Verdict, declaration};
use crate::report::verdict_age;
use crate::source::{Change, Position, SourceMap, longest_suffix};

/// git on a large repository and a cold disk takes seconds.
const GIT_WITHIN: Duration = Duration::from_secs(20);
/// No source map that a person waits for is bigger.
const LARGEST_MAP: Bytes = Bytes(256 << 20);
/// Deepest folder that is looked into for maps.
const DEEPEST: usize = 12;
/// Suspects whose code is looked up.
const SUSPECTS: usize = 3;

/// Which changes are in question: those whose revert is being considered.
#[derive(Clone, Copy, Debug)]
pub enum Since {
    /// This long before the newest commit.
    Before(TimeDelta),
    /// From here on.
    Time(DateTime<Utc>),
}

/// Where original code can be found.
pub struct Sources {
    maps: Vec<PathBuf>,
    read: Vec<(PathBuf, Option<SourceMap>)>,
    repo: Option<(Repo, Vec<Change>)>,
}

impl Sources {
    /// Looks at directories of maps and a clone at a revision. `since` says which commits a revert would take back.
    ///
    /// # Errors
    /// When one of them cannot be read.
    pub fn open(maps: &[PathBuf], repo: Option<(&Path, &str)>, since: Since) -> Result<Self, Trouble> {
        let mut found = Vec::new();
        for dir in maps {
            let before = found.len();
            collect(dir, 0, &mut found)?;
            if found.len() == before {
                return Err(Trouble::new(
                    TroubleKind::NotFound,
                    "no source map (*.map) in this directory",
                    dir.display().to_string(),
                    "give the folder of the build that was deployed",
                ));
            }
        }
        let repo = match repo {
            Some((dir, revision)) => {
                let repo = Repo::open(dir, Some(revision), GIT_WITHIN).map_err(Trouble::from)?;
                let changes = match since {
                    Since::Before(window) => repo.recent(window),
                    Since::Time(from) => repo.since(from),
                }
                .map_err(Trouble::from)?;
                Some((repo, changes))
            }
            None => None,
        };
        Ok(Self { maps: found, read: Vec::new(), repo })
    }

    /// Replaces the places of a verdict by the original ones, as far as they can be found, and adds the age of the code.
    ///
    /// # Errors
    /// When git fails; a source map that is damaged only leaves the compiled place.
    pub fn locate(&mut self, verdict: &mut Verdict) -> Result<(), Trouble> {
        for (n, s) in verdict.suspects.iter_mut().enumerate() {
            let name = field(s);
            if let Some(place) = s.location.take() {
                s.location = Some(self.original(place, name.as_ref()));
            }
            if let Some(place) = s.class_location.take() {
                s.class_location = Some(self.original(place, None));
            }
            if n < SUSPECTS {
                self.age(s, name.as_ref())?;
            }
        }
        Ok(())
    }

    fn original(&mut self, place: Place, name: Option<&(String, Named)>) -> Place {
        let wanted = format!("{}.map", place.file);
        let paths: Vec<String> = self.maps.iter().map(|p| p.to_string_lossy().into_owned()).collect();
        let Some(found) = longest_suffix(&wanted, paths.iter().map(String::as_str)) else { return place };
        let path = PathBuf::from(&found.file);
        if !self.read.iter().any(|(p, _)| *p == path) {
            let map = disk::read_bytes(&path, LARGEST_MAP).ok().and_then(|text| SourceMap::parse(&text).ok());
            self.read.push((path.clone(), map));
        }
        let Some((_, Some(map))) = self.read.iter().find(|(p, _)| *p == path) else { return place };
        let at = Position { line: place.line.saturating_sub(1), column: place.column.saturating_sub(1) };
        // Where V8 points at the start of a line that the compiler indented, the first mapping of the line speaks.
        let Some(original) = map.original(at).or_else(|| map.original(Position { line: at.line, column: u32::MAX })) else { return place };
        let declared = name.and_then(|(name, what)| declaration(original.content?, name, *what, original.at.line));
        let (line, column) = declared.unwrap_or((original.at.line, original.at.column));
        let file = original.source.trim_start_matches("webpack://").trim_start_matches("../").trim_start_matches("./");
        Place { file: Masked::from(file), line: line + 1, column: column + 1, generated: Some(Box::new(place)) }
    }

    fn age(&self, s: &mut Suspect, name: Option<&(String, Named)>) -> Result<(), Trouble> {
        let (Some((repo, changes)), Some(place)) = (&self.repo, &mut s.location) else { return Ok(()) };
        let Some(found) = repo.find(place.file.as_str()).map_err(Trouble::from)? else { return Ok(()) };
        if let Some((name, what)) = name {
            let text = repo.text(&found.file).map_err(Trouble::from)?;
            let there = text.lines().nth(place.line.saturating_sub(1) as usize).is_some_and(|l| l.contains(name.as_str()));
            // A snapshot keeps the beginning of a script only: the repository has the rest.
            if let Some((line, column)) = declaration(&text, name, *what, place.line.saturating_sub(1)).filter(|_| !there) {
                place.line = line + 1;
                place.column = column + 1;
            }
        }
        let (file, line) = (place.file.as_str().to_owned(), place.line);
        s.age = repo.last_changed(&file, line, changes).map_err(Trouble::from)?.map(|c| verdict_age(&c));
        Ok(())
    }
}

/// The variable or field whose declaration is looked for.
fn field(s: &Suspect) -> Option<(String, Named)> {
    if matches!(s.holder_kind, HolderKind::Timers | HolderKind::AsyncContext) {
        return None;
    }
    let holder = s.holder.as_str();
    match holder.rsplit_once('.') {
        Some((_, field)) => Some((field.to_owned(), Named::Field)),
        None => Some((holder.to_owned(), Named::Variable)),
    }
}

fn collect(dir: &Path, depth: usize, found: &mut Vec<PathBuf>) -> Result<(), Trouble> {
    for entry in disk::list(dir).map_err(Trouble::from)? {
        let path = entry.path;
        if entry.is_dir {
            if depth < DEEPEST && entry.name != "node_modules" && entry.name != ".git" {
                collect(&path, depth + 1, found)?;
            }
        } else if path.extension().is_some_and(|e| e == "map") {
            found.push(path);
        }
    }
    Ok(())
}
