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
use crate::app::{JobId, Model, News, Shelf};
use crate::base::{EvidenceId, Trouble, TroubleKind};
use crate::disk::Reader;
use crate::git::Repo;
use crate::heap::{Analysis, Options as LeakOptions, Phase, Pipeline, Progress, Stop, Verdict, find_leaks};
use crate::incident::{CodeAge, IncidentId, Place};

/// What is to be analysed.
pub(super) struct Order {
    pub job: JobId,
    pub evidence: Vec<EvidenceId>,
    /// File names in the evidence directory, beside their ids.
    pub files: Vec<(EvidenceId, String)>,
    /// Between the first and the last capture.
    pub seconds: Option<f64>,
}

/// Changes younger than this are what a revert would take back.
const REVERT_WINDOW: TimeDelta = TimeDelta::hours(24);
/// git on a large repository and a cold disk takes seconds.
const GIT_WITHIN: Duration = Duration::from_secs(20);
/// Bytes given to the parser at once.
const PIECE: usize = 4 << 20;

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
    let work = tokio::task::spawn_blocking(move || verdict(&hands, &order, incident.as_ref(), &shelf, &to, &stop));
    let result = match work.await {
        Ok(result) => result.map(Box::new),
        Err(_) => Err(Trouble::new(TroubleKind::Failed, "the analysis broke down", "", "the file is kept; open it in Chrome DevTools")),
    };
    News::Analysed { job, evidence, result }
}

fn verdict(
    hands: &Hands,
    order: &Order,
    incident: Option<&IncidentId>,
    shelf: &Shelf,
    to: &mpsc::Sender<Word>,
    stop: &CancellationToken,
) -> Result<Verdict, Trouble> {
    let progress: Arc<dyn Progress> =
        Arc::new(Watched { job: order.job, to: to.clone(), stop: stop.clone(), told: AtomicU32::new(u32::MAX) });
    let mut analyses = Vec::new();
    for id in &order.evidence {
        let analysis = match shelf.get(*id) {
            Some(known) => known,
            None => {
                let file = order.files.iter().find(|(known, _)| known == id).map(|(_, file)| file);
                let file = file.ok_or_else(|| {
                    Trouble::new(TroubleKind::NotFound, format!("{id} has no file"), "", "capture again; nothing was kept of it")
                })?;
                let path = hands.evidence_dir(incident).join(file);
                let analysis = Arc::new(analyse_file(&path, &progress)?);
                warm(&analysis);
                let _ = to.blocking_send(Word::Shelved(*id, analysis.clone()));
                analysis
            }
        };
        analyses.push(analysis);
    }
    let all: Vec<&Analysis> = analyses.iter().map(AsRef::as_ref).collect();
    let options = LeakOptions { seconds: order.seconds, ..LeakOptions::default() };
    find_leaks(&all, &options, progress.as_ref()).map_err(|_| cancelled())
}

/// Paths and the dominator tree are made when they are first asked for: here, not when a tab is opened on the desk's task.
fn warm(analysis: &Analysis) {
    if let Some(root) = analysis.dominators_first().next() {
        let _ = (analysis.path(root), analysis.dominated(root).next());
    }
}

/// Reads the snapshot at `path`, in pieces.
fn analyse_file(path: &Path, progress: &Arc<dyn Progress>) -> Result<Analysis, Trouble> {
    let file = Reader::open(path).map_err(Trouble::from)?;
    let mut pipeline = Pipeline::new(progress.clone());
    let mut piece = vec![0; PIECE];
    let mut at = 0;
    loop {
        let n = file.read_at(at, &mut piece).map_err(Trouble::from)?;
        if n == 0 {
            break;
        }
        at += n as u64;
        pipeline.push(&piece[..n]).map_err(|stop| stopped(stop, path))?;
    }
    pipeline.finish().map_err(|stop| stopped(stop, path))
}

fn stopped(stop: Stop, path: &Path) -> Trouble {
    match stop {
        Stop::Cancelled => cancelled(),
        stop @ Stop::NotASnapshot { .. } => {
            Trouble { place: path.file_name().unwrap_or_default().to_string_lossy().into_owned(), ..Trouble::from(stop) }
        }
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
