//! The pen: one thread that owns the journal and writes one event after the other, each synced. What waits for an event
//! is handed back when it is on disk; an event that could not be written is handed back too, with the trouble.

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use tokio::sync::mpsc;

use super::Word;
use crate::app::{Effect, News};
use crate::base::{Trouble, TroubleKind};
use crate::disk::Holder;
use crate::incident::{Event, Kind};
use crate::journal::Journal;

/// Events that may wait for the disk before the desk has to wait too.
const WAITING: usize = 4096;

enum Line {
    Take(Box<Journal>),
    Write(Box<Event>, Vec<Effect>),
}

/// The desk's end of the pen.
pub(super) struct Pen {
    to: Option<SyncSender<Line>>,
    thread: Option<JoinHandle<()>>,
}

impl Pen {
    /// A pen without a journal: the first declaration makes one below `data_dir`, held by `holder`.
    pub(super) fn new(data_dir: PathBuf, holder: Holder, news: mpsc::Sender<Word>) -> Self {
        let (to, from) = sync_channel(WAITING);
        let thread = std::thread::Builder::new().name("journal".into()).spawn(move || write(&from, &data_dir, &holder, &news)).ok();
        Self { to: Some(to), thread }
    }

    /// Goes on with `journal`.
    pub(super) fn take(&self, journal: Journal) {
        self.send(Line::Take(Box::new(journal)));
    }

    /// Writes `event`; then `then` may be done.
    pub(super) fn write(&self, event: Event, then: Vec<Effect>) {
        self.send(Line::Write(Box::new(event), then));
    }

    fn send(&self, line: Line) {
        if let Some(to) = &self.to {
            // The thread ends only after this end is closed.
            let _ = to.send(line);
        }
    }

    /// Waits until all is written. Blocks for as long as the disk takes.
    pub(super) fn close(&mut self) {
        self.to = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn write(from: &Receiver<Line>, data_dir: &std::path::Path, holder: &Holder, news: &mpsc::Sender<Word>) {
    let mut journal: Option<Journal> = None;
    // After a failure events go back until the failed one comes again: the journal has no gaps.
    let mut failed = false;
    for line in from {
        match line {
            Line::Take(taken) => journal = Some(*taken),
            Line::Write(event, then) => {
                let result = match (&mut journal, &event.kind) {
                    (_, Kind::Declared { .. }) => Journal::create(data_dir, &event, holder).map(|(made, _)| journal = Some(made)),
                    (Some(open), _) => open.append(&event).map(|_| ()),
                    (None, _) => {
                        let trouble = Trouble::new(TroubleKind::Failed, "no journal is open", "", "declare the incident again");
                        give_back(news, event, trouble);
                        continue;
                    }
                };
                match result {
                    Ok(()) => {
                        if std::mem::take(&mut failed) {
                            let _ = news.blocking_send(Word::News(Box::new(News::JournalWritten)));
                        }
                        if !then.is_empty() {
                            let _ = news.blocking_send(Word::Written(then));
                        }
                    }
                    Err(error) => {
                        failed = true;
                        give_back(news, event, Trouble::from(error));
                    }
                }
            }
        }
    }
}

fn give_back(news: &mpsc::Sender<Word>, event: Box<Event>, trouble: Trouble) {
    let _ = news.blocking_send(Word::News(Box::new(News::JournalFailed { event, trouble })));
}
