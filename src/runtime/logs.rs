//! Logs: followed for the screen, and read after a death to say what it died of.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::Word;
use super::hands::Hands;
use crate::app::model::LogLine;
use crate::app::{JobId, News};
use crate::base::{ContainerRef, Trouble};
use crate::cluster::{LogNews, LogOptions, Session};
use crate::pressure::ContainerState;

/// Lines are sent in batches, at most this often: a screen cannot show more.
const EVERY: Duration = Duration::from_millis(100);
/// Lines of a batch; what comes faster is counted, not shown.
const BATCH: usize = 500;
/// Lines of the previous log that tell what a container died of: V8 prints about 40.
const LAST_WORDS: u32 = 200;
/// A dead container's log is there at once or not at all.
const AUTOPSY_WITHIN: Duration = Duration::from_secs(10);

/// Follows a log, or reads the previous one to its end.
pub(super) async fn follow(
    hands: Arc<Hands>,
    job: JobId,
    container: ContainerRef,
    previous: bool,
    to: mpsc::Sender<Word>,
    stop: CancellationToken,
) -> News {
    let options = LogOptions { follow: !previous, previous, since: None, tail: Some(1000) };
    let mut stream = hands.session.logs(&container, options);
    let mut lines = Vec::new();
    let mut skipped = 0;
    let mut every = tokio::time::interval(EVERY);
    let mut trouble = None;
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            _ = every.tick() => flush(job, &mut lines, &mut skipped, &to).await,
            next = stream.next() => match next {
                None => break,
                Some(Err(error)) => {
                    trouble = Some(Trouble::from(error));
                    break;
                }
                Some(Ok(news)) => match line(news) {
                    Some(line) if lines.len() < BATCH => lines.push(line),
                    Some(_) => skipped += 1,
                    None => {}
                },
            },
        }
    }
    flush(job, &mut lines, &mut skipped, &to).await;
    News::LogEnded { job, trouble }
}

async fn flush(job: JobId, lines: &mut Vec<LogLine>, skipped: &mut u64, to: &mpsc::Sender<Word>) {
    if lines.is_empty() && *skipped == 0 {
        return;
    }
    let news = News::LogLines { job, lines: std::mem::take(lines), skipped: std::mem::take(skipped) };
    let _ = to.send(Word::News(Box::new(news))).await;
}

fn line(news: LogNews) -> Option<LogLine> {
    let own = |text: String| Some(LogLine { at: None, text });
    match news {
        LogNews::Line(line) => Some(LogLine { at: line.at, text: line.text.clean() }),
        LogNews::Broken(trouble) => own(format!("── connection lost: {trouble}; resuming without a gap ──")),
        LogNews::Ended => own("── the container ended ──".to_owned()),
        LogNews::Restarted { restarts } => own(format!("── the container started again (restart {restarts}) ──")),
    }
}

/// The log of the life that ended last.
#[derive(Default)]
pub(super) struct LastLog {
    /// Whose words these are.
    pub of: &'static str,
    pub lines: Vec<crate::cluster::LogLine>,
}

/// Reads the log of the life that ended last, its newest `tail` lines; of the present one where the pod is going.
///
/// Measured on a kubelet: while the container is dead and not yet counted as restarted, `previous` is the life *before* the
/// one that just ended; while it waits to be started again both names give that life, but `previous` may be empty.
pub(super) async fn last_log(session: &Session, container: &ContainerRef, tail: u32) -> LastLog {
    let pod = session.pod(&container.pod).await.ok();
    let facts = pod.as_ref().and_then(|pod| pod.containers.iter().find(|c| c.name == container.name));
    let (ended, previous) = ("of the life that ended", "of the life before the present one");
    let order: &[(bool, &'static str)] = match facts.map(|c| &c.state) {
        Some(ContainerState::Terminated(_)) => &[(false, ended)],
        Some(ContainerState::Running { .. }) if pod.as_ref().is_some_and(|pod| pod.deleting) => {
            &[(false, "of the life that is being ended")]
        }
        Some(ContainerState::Running { .. }) => &[(true, previous)],
        Some(ContainerState::Waiting { .. }) | None => &[(true, ended), (false, ended)],
    };
    for (previous, of) in order {
        let options = LogOptions { follow: false, previous: *previous, since: None, tail: Some(tail) };
        let mut stream = session.logs(container, options);
        let mut lines = Vec::new();
        while let Some(Ok(news)) = stream.next().await {
            if let LogNews::Line(line) = news {
                lines.push(line);
            }
        }
        if !lines.is_empty() {
            return LastLog { of, lines };
        }
    }
    LastLog::default()
}

/// What did the container die of? Its last words are read before the next death overwrites them.
pub(super) async fn autopsy(
    hands: Arc<Hands>,
    container: ContainerRef,
    restarts: u32,
    reason: String,
    exit_code: Option<i32>,
    to: mpsc::Sender<Word>,
) {
    // Without the log the exit code has to do.
    let read = tokio::time::timeout(AUTOPSY_WITHIN, last_log(&hands.session, &container, LAST_WORDS)).await.unwrap_or_default();
    let words: Vec<String> = read.lines.iter().map(|line| line.text.clean()).collect();
    let death = crate::node::death(&reason, exit_code.unwrap_or_default(), words.iter().map(String::as_str));
    let news = News::Autopsy { container, restarts, word: death.word(), cause: death.because.to_string() };
    let _ = to.send(Word::News(Box::new(news))).await;
}
