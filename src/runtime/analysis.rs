//! Files of evidence → whole analyses on the shelf → the verdict; and the age of the code it names.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::Word;
use super::acts::cancelled;
use super::hands::Hands;
use super::snapshots::{self, Kept, Whole};
use super::sources::{Since, Sources};
use crate::app::{JobId, Model, News, Shelf};
use crate::base::{EvidenceId, Masked, Trouble, TroubleKind};
use crate::disk::Reader;
use crate::evidence::CacheKey;
use crate::git::Repo;
use crate::heap::{Analysis, Facts, Options as LeakOptions, Phase, Progress, Summary, Verdict, find_leaks};
use crate::incident::{CodeAge, IncidentId, Place};

/// What is to be analysed.
pub(super) struct Order {
    pub job: JobId,
    pub evidence: Vec<EvidenceId>,
    /// File names in the evidence directory, beside their ids.
    pub files: Vec<(EvidenceId, String)>,
    /// Between the first and the last capture.
    pub seconds: Option<f64>,
    /// Directories of source maps.
    pub source_maps: Vec<PathBuf>,
    /// The service's repository.
    pub repository: Option<PathBuf>,
    /// When it was asked for: what a revert would take back is counted from here.
    pub now: DateTime<Utc>,
}

/// Changes younger than this are what a revert would take back.
const REVERT_WINDOW: TimeDelta = TimeDelta::hours(24);
/// git on a large repository and a cold disk takes seconds.
const GIT_WITHIN: Duration = Duration::from_secs(20);

/// The files of `evidence`, by name in the evidence directory.
pub(super) fn files(model: &Model, evidence: &[EvidenceId]) -> Vec<(EvidenceId, String)> {
    let Some(state) = &model.incident else { return Vec::new() };
    evidence.iter().filter_map(|id| Some((*id, state.capture(*id)?.file.as_ref()?.to_string()))).collect()
}

/// Tells how far it is, and hears that it should stop.
struct Watched {
    job: JobId,
    to: mpsc::Sender<Word>,
    stop: CancellationToken,
    /// Last percent told: progress is a level, told when it moves.
    told: AtomicU32,
}

impl Progress for Watched {
    fn step(&self, phase: Phase, share: f32) -> ControlFlow<()> {
        if self.stop.is_cancelled() {
            return ControlFlow::Break(());
        }
        let key = (phase as u32) * 1000 + (share.clamp(0.0, 1.0) * 100.0) as u32;
        if self.told.swap(key, Ordering::Relaxed) != key {
            let news = News::Analysing { job: self.job, phase: phase.words().to_owned(), share: share.clamp(0.0, 1.0) };
            let _ = self.to.try_send(Word::News(Box::new(news)));
        }
        ControlFlow::Continue(())
    }
}

/// Effect: analyse.
pub(super) async fn run(
    hands: Arc<Hands>,
    order: Order,
    incident: Option<IncidentId>,
    shelf: Shelf,
    to: mpsc::Sender<Word>,
    stop: CancellationToken,
) -> News {
    let (job, evidence) = (order.job, order.evidence.clone());
    let work = tokio::task::spawn_blocking(move || Work { hands, order, incident, shelf, to, stop }.run());
    match work.await {
        Ok(news) => news,
        Err(_) => {
            let what = Trouble::new(TroubleKind::Failed, "the analysis broke down", "", "the file is kept; open it in Chrome DevTools");
            News::Analysed { job, evidence, result: Err(what) }
        }
    }
}

/// A job of analysis, on a thread of its own.
struct Work {
    hands: Arc<Hands>,
    order: Order,
    incident: Option<IncidentId>,
    shelf: Shelf,
    to: mpsc::Sender<Word>,
    stop: CancellationToken,
}

impl Work {
    /// Says the verdict as soon as it is known: at once when the cache knows it, and in any case before the index is written. What comes
    /// after it is told as the end of the job.
    fn run(&self) -> News {
        let kept = Kept::at(&self.hands.cache_dir);
        let result = match self.known(&kept) {
            Some(verdict) => {
                self.tell(Ok(verdict));
                self.analyses(&kept).map(|_| ())
            }
            None => match self.verdict(&kept) {
                Err(trouble) => return self.analysed(Err(trouble)),
                Ok((verdict, fresh)) => {
                    self.tell(Ok(verdict));
                    for file in &fresh {
                        file.keep(&kept);
                    }
                    Ok(())
                }
            },
        };
        let trouble = result.err().filter(|t| t.kind != TroubleKind::Cancelled);
        News::JobEnded { job: self.order.job, trouble }
    }

    fn analysed(&self, result: Result<Verdict, Trouble>) -> News {
        News::Analysed { job: self.order.job, evidence: self.order.evidence.clone(), result: result.map(Box::new) }
    }

    fn tell(&self, result: Result<Verdict, Trouble>) {
        let result = result.map(|mut verdict| {
            locate(&self.order, &mut verdict);
            verdict
        });
        let _ = self.to.blocking_send(Word::News(Box::new(self.analysed(result))));
    }

    /// The verdict of one file that was analysed before.
    fn known(&self, kept: &Kept) -> Option<Verdict> {
        let [id] = self.order.evidence[..] else { return None };
        let key = kept.key(&self.path(id).ok()?)?;
        kept.summary(&key).map(|s| s.verdict)
    }

    fn verdict(&self, kept: &Kept) -> Result<(Verdict, Vec<Fresh>), Trouble> {
        let (analyses, fresh) = self.analyses(kept)?;
        let all: Vec<&Analysis> = analyses.iter().map(AsRef::as_ref).collect();
        let options = LeakOptions { seconds: self.order.seconds, ..LeakOptions::default() };
        let verdict = find_leaks(&all, &options, self.progress().as_ref()).map_err(|_| cancelled())?;
        if let ([_], [file]) = (&all[..], &fresh[..])
            && let Some(key) = &file.key
        {
            let (facts, note) = (Facts::of(&file.analysis), file.whole.sha256.clone());
            kept.keep_summary(key, &Summary { facts, verdict: verdict.clone(), note });
        }
        Ok((verdict, fresh))
    }

    /// Puts all files on the shelf; those that had to be parsed are given back too.
    fn analyses(&self, kept: &Kept) -> Result<(Vec<Arc<Analysis>>, Vec<Fresh>), Trouble> {
        let progress = self.progress();
        let (mut analyses, mut fresh) = (Vec::new(), Vec::new());
        for &id in &self.order.evidence {
            if let Some(known) = self.shelf.get(id) {
                analyses.push(known);
                continue;
            }
            let path = self.path(id)?;
            let key = kept.key(&path);
            let analysis = match key.as_ref().and_then(|key| kept.analysis(key)) {
                Some(known) => Arc::new(known),
                None => {
                    // It was parsed while it came, or is read now.
                    let (analysis, whole) = match self.hands.early.take(id, &progress) {
                        Some(known) => known,
                        None => {
                            let file = Reader::open(&path).map_err(Trouble::from)?;
                            let place = path.file_name().unwrap_or_default().to_string_lossy();
                            snapshots::analyse(&file, true, &place, &progress)?
                        }
                    };
                    let analysis = Arc::new(analysis);
                    fresh.push(Fresh { analysis: analysis.clone(), whole, key });
                    analysis
                }
            };
            if self.stop.is_cancelled() {
                return Err(cancelled());
            }
            warm(&analysis);
            let _ = self.to.blocking_send(Word::Shelved(id, analysis.clone()));
            analyses.push(analysis);
        }
        Ok((analyses, fresh))
    }

    fn path(&self, id: EvidenceId) -> Result<PathBuf, Trouble> {
        let file = self.order.files.iter().find(|(known, _)| *known == id).map(|(_, file)| file);
        let file = file
            .ok_or_else(|| Trouble::new(TroubleKind::NotFound, format!("{id} has no file"), "", "capture again; nothing was kept of it"))?;
        Ok(self.hands.evidence_dir(self.incident.as_ref()).join(file))
    }

    fn progress(&self) -> Arc<dyn Progress> {
        Arc::new(Watched { job: self.order.job, to: self.to.clone(), stop: self.stop.clone(), told: AtomicU32::new(u32::MAX) })
    }
}

/// A file that was parsed.
struct Fresh {
    analysis: Arc<Analysis>,
    whole: Whole,
    key: Option<CacheKey>,
}

impl Fresh {
    /// Lets the cache know it, so that the views of a reopened incident need not wait.
    fn keep(&self, kept: &Kept) {
        if let Some(key) = &self.key {
            kept.keep_analysis(key, self.whole.size, &self.analysis);
        }
    }
}

/// Places as people wrote them, as far as source maps and the repository tell; what fails is said, and leaves the compiled place.
fn locate(order: &Order, verdict: &mut Verdict) {
    let since = Since::Time(order.now - REVERT_WINDOW);
    let mut look = |maps: &[PathBuf], repository: Option<&Path>| {
        let found = Sources::open(maps, repository.map(|dir| (dir, "HEAD")), since).and_then(|mut sources| sources.locate(verdict));
        if let Err(trouble) = found {
            verdict.caveats.push(Masked::from(format!("where it was written is not looked up: {} {}", trouble.what, trouble.place)));
        }
    };
    if !order.source_maps.is_empty() {
        look(&order.source_maps, None);
    }
    if let Some(dir) = &order.repository {
        look(&[], Some(dir));
    }
}

/// Paths and the dominator tree are made when they are first asked for: here, not when a tab is opened on the desk's task.
fn warm(analysis: &Analysis) {
    if let Some(root) = analysis.dominators_first().next() {
        let _ = (analysis.path(root), analysis.dominated(root).next());
    }
}

/// Effect: how old is the code at `place`?
pub(super) async fn blame(job: JobId, evidence: Vec<EvidenceId>, place: Place, repository: String, now: DateTime<Utc>) -> News {
    let work = tokio::task::spawn_blocking(move || code_age(&place, &PathBuf::from(repository), now));
    let result = match work.await {
        Ok(result) => result,
        Err(_) => Err(Trouble::new(TroubleKind::Failed, "git broke down", "", "see the log file")),
    };
    News::Aged { job, evidence, result }
}

fn code_age(place: &Place, repository: &Path, now: DateTime<Utc>) -> Result<CodeAge, Trouble> {
    let repo = Repo::open(repository, None, GIT_WITHIN).map_err(Trouble::from)?;
    let changes = repo.since(now - REVERT_WINDOW).map_err(Trouble::from)?;
    let found = repo.last_changed(place.file.as_str(), place.line, &changes).map_err(Trouble::from)?;
    let found = found.ok_or_else(|| {
        Trouble::new(
            TroubleKind::NotFound,
            format!("{place} is not in the repository"),
            repository.display().to_string(),
            "give the repository of the service with --repo, and source maps if the code is compiled",
        )
    })?;
    Ok(CodeAge {
        place: Place { file: found.file.into(), line: place.line, column: place.column },
        commit: found.commit.chars().take(12).collect::<String>().into(),
        written: found.changed,
        subject: found.subject,
        younger_changes: found.older_than,
        changes: found.changes,
    })
}
