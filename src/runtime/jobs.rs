//! Jobs: one tokio task each, with an id, a cancellation token, and exactly one piece of news at its end, also when it
//! was cancelled or panicked.

use std::collections::BTreeMap;
use std::future::Future;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::Word;
use crate::app::{JobId, News};
use crate::base::{Trouble, TroubleKind};

/// Running jobs by id.
#[derive(Default)]
pub(super) struct Jobs(BTreeMap<JobId, CancellationToken>);

impl Jobs {
    /// Starts `work` as `job`. It gets a token that tells when to stop; what it returns is the job's last news.
    pub(super) fn start<F, W>(&mut self, job: JobId, to: &mpsc::Sender<Word>, work: W)
    where
        F: Future<Output = News> + Send + 'static,
        W: FnOnce(CancellationToken) -> F,
    {
        let token = CancellationToken::new();
        self.0.insert(job, token.clone());
        let work = work(token);
        let to = to.clone();
        spawn(async move {
            // A panic in a job must not leave a row that turns for ever.
            let news = match spawn(work).await {
                Ok(news) => news,
                Err(error) => {
                    tracing::error!(%error, job = job.0, "job panicked");
                    let trouble = Trouble::new(TroubleKind::Failed, "a job broke down", "", "see the log file; the incident goes on");
                    News::JobEnded { job, trouble: Some(trouble) }
                }
            };
            let _ = to.send(Word::End(job, Box::new(news))).await;
        });
    }

    /// Asks `job` to stop.
    pub(super) fn cancel(&self, job: JobId) {
        if let Some(token) = self.0.get(&job) {
            token.cancel();
        }
    }

    /// `job` has ended.
    pub(super) fn ended(&mut self, job: JobId) {
        self.0.remove(&job);
    }

    /// Asks all to stop.
    pub(super) fn cancel_all(&self) {
        self.0.values().for_each(CancellationToken::cancel);
    }

    /// How many run.
    pub(super) fn running(&self) -> usize {
        self.0.len()
    }
}

/// The one place where a task begins.
#[expect(clippy::disallowed_methods, reason = "the owner of tasks")]
pub(super) fn spawn<F>(work: F) -> tokio::task::JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    tokio::spawn(work)
}
