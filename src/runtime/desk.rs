//! The desk: model, shelf, clock and hands. It takes messages one by one, lets the app decide, and has the effects
//! performed. It never awaits anything but the next word or the tick, never locks, never touches a file.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::time::{Interval, MissedTickBehavior, interval};

use super::hands::Hands;
use super::jobs::Jobs;
use super::pen::Pen;
use super::{WAITING, Word, acts, analysis, captures, export, logs, pods, posts, watch as eyes};
use crate::app::{Effect, Intent, Model, Msg, News, Shelf, update};
use crate::base::{Clock, ContainerRef};
use crate::incident::Event;
use crate::journal::Journal;
use crate::notify::Letter;

/// How often the clock speaks, in real time.
const TICK: Duration = Duration::from_millis(500);
/// Words taken at once, so that a flood of them cannot keep the screen from being drawn.
const BATCH: usize = 256;
/// Containers worth an exec each round; the meter has its own cap.
const CLOSELY: usize = 8;
/// Jobs get this long to end in order when the program stops: a reader in a pod has to be told to go.
const LEAVE_WITHIN: Duration = Duration::from_secs(2);

/// Where everything meets.
pub struct Desk {
    /// Everything decided so far.
    pub model: Model,
    /// Whole analyses.
    pub shelf: Shelf,
    hands: Arc<Hands>,
    jobs: Jobs,
    pen: Pen,
    clock: Arc<dyn Clock>,
    to: mpsc::Sender<Word>,
    from: mpsc::Receiver<Word>,
    tick: Interval,
    bell: bool,
    /// Containers to be measured directly, the worst first.
    closely: watch::Sender<Vec<ContainerRef>>,
}

impl Desk {
    /// A desk with `model` that begins to watch pods and memory at once. Needs a tokio runtime.
    pub fn new(model: Model, hands: Hands) -> Self {
        let (to, from) = mpsc::channel(WAITING);
        let mut tick = interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let hands = Arc::new(hands);
        let (closely, worst) = watch::channel(Vec::new());
        pods::follow(&hands, &to);
        pods::meter(&hands, &to, worst);
        let pen = Pen::new(hands.data_dir.clone(), hands.holder.clone(), to.clone());
        let clock = hands.clock.clone();
        Self { model, shelf: Shelf::default(), hands, jobs: Jobs::default(), pen, clock, to, from, tick, bell: false, closely }
    }

    /// Takes up an incident: its journal and what was in it.
    pub fn reopen(&mut self, journal: Journal, events: Vec<Event>) {
        self.pen.take(journal);
        self.tell(Msg::News(Box::new(News::Reopened { events })));
    }

    /// Takes an intent.
    pub fn wish(&mut self, intent: Intent) {
        self.tell(Msg::Intent(intent));
    }

    /// Takes a message and performs what the app decides.
    pub fn tell(&mut self, msg: Msg) {
        let at = self.clock.now();
        for effect in update(&mut self.model, at, msg) {
            self.perform(effect);
        }
        self.point();
    }

    /// Tells the meter whom to look at closely: the containers that die first.
    fn point(&self) {
        let worst = self.model.board.closely(CLOSELY);
        self.closely.send_if_modified(|known| {
            let changed = *known != worst;
            if changed {
                *known = worst;
            }
            changed
        });
    }

    /// Waits for the next word or tick, and takes it with all that waits behind it. Safe to drop before it ends.
    pub async fn listen(&mut self) {
        tokio::select! {
            biased;
            word = self.from.recv() => {
                if let Some(word) = word {
                    self.hear(word);
                }
            }
            _ = self.tick.tick() => self.tell(Msg::Tick),
        }
        for _ in 0..BATCH {
            match self.from.try_recv() {
                Ok(word) => self.hear(word),
                Err(_) => break,
            }
        }
    }

    /// Whether the bell was rung since the last question.
    pub fn rang(&mut self) -> bool {
        std::mem::take(&mut self.bell)
    }

    /// Ends jobs in order and writes what waits for the disk; says what is left after two seconds.
    pub async fn leave(mut self) -> usize {
        self.jobs.cancel_all();
        let until = tokio::time::sleep(LEAVE_WITHIN);
        tokio::pin!(until);
        while self.jobs.running() > 0 {
            tokio::select! {
                word = self.from.recv() => if let Some(word) = word { self.hear(word) },
                () = &mut until => break,
            }
        }
        let left = self.jobs.running();
        // Nobody listens any more: the pen must not wait for us while we wait for it.
        self.from.close();
        self.pen.close();
        left
    }

    fn hear(&mut self, word: Word) {
        match word {
            Word::News(news) => self.tell(Msg::News(news)),
            Word::End(job, news) => {
                self.jobs.ended(job);
                self.tell(Msg::News(news));
            }
            Word::Written(then) => then.into_iter().for_each(|effect| self.perform(effect)),
            Word::Shelved(id, analysis) => self.shelf.put(id, analysis),
        }
    }

    fn perform(&mut self, effect: Effect) {
        let (hands, to) = (self.hands.clone(), self.to.clone());
        match effect {
            Effect::Record { event, then } => self.pen.write(*event, then),
            Effect::Preview { job, request } => self.jobs.start(job, &to, |stop| acts::preview(hands, job, request, stop)),
            Effect::Perform { job, intent, preview } => self.jobs.start(job, &to, |_| acts::perform(hands, job, intent, preview)),
            Effect::Survey { job, container, deep } => {
                let pressure = captures::pressure_of(&self.model, &container);
                self.jobs.start(job, &to, |stop| captures::survey(hands, job, container, pressure, deep, stop));
            }
            Effect::Capture { job, evidence, container, method, who, accepted, same, armed } => {
                let progress = to.clone();
                let pressure = captures::pressure_of(&self.model, &container);
                let order = captures::Order { job, evidence, container, method, who, accepted, same, armed, pressure };
                let incident = self.model.incident.as_ref().map(|s| s.id.clone());
                self.jobs.start(job, &to, |stop| captures::take(hands, order, incident, progress, stop));
            }
            Effect::Collect { job, evidence, container, what, .. } => {
                let progress = to.clone();
                let incident = self.model.incident.as_ref().map(|s| s.id.clone());
                self.jobs.start(job, &to, |stop| captures::collect(hands, (job, evidence, container, what), incident, progress, stop));
            }
            Effect::Watch { job, container, since } => {
                let news = to.clone();
                self.jobs.start(job, &to, |stop| eyes::follow(hands, job, container, since, news, stop));
            }
            Effect::Analyse { job, evidence, seconds } => {
                let files = analysis::files(&self.model, &evidence);
                let setting = &self.model.setting;
                let order = analysis::Order {
                    job,
                    evidence,
                    files,
                    seconds,
                    source_maps: setting.source_maps.iter().map(std::path::PathBuf::from).collect(),
                    repository: setting.repository.as_ref().map(std::path::PathBuf::from),
                    now: self.clock.now().wall,
                };
                let incident = self.model.incident.as_ref().map(|s| s.id.clone());
                let progress = to.clone();
                self.shelf.keep(&order.evidence);
                let shelf = self.shelf.clone();
                self.jobs.start(job, &to, |stop| analysis::run(hands, order, incident, shelf, progress, stop));
            }
            Effect::Blame { job, evidence, place, repository } => {
                let now = self.clock.now().wall;
                self.jobs.start(job, &to, |_| analysis::blame(job, evidence, place, repository, now));
            }
            Effect::History { job, workload, namespace } => {
                self.jobs.start(job, &to, |stop| acts::history(hands, job, workload, namespace, stop));
            }
            Effect::Logs { job, container, previous } => {
                let lines = to.clone();
                self.jobs.start(job, &to, |stop| logs::follow(hands, job, container, previous, lines, stop));
            }
            Effect::Autopsy { container, restarts, reason, exit_code } => {
                super::jobs::spawn(logs::autopsy(hands, container, restarts, reason, exit_code, to));
            }
            Effect::Send { queued, channels, .. } => {
                if let Some(letter) = self.model.incident.as_ref().and_then(|state| Letter::of(state, queued)) {
                    posts::send(&hands, &letter, &channels, &to);
                }
            }
            Effect::Export { job, state } => self.jobs.start(job, &to, |_| export::run(hands, job, state)),
            Effect::Cancel { job } => self.jobs.cancel(job),
            Effect::Bell => self.bell = true,
            Effect::Quit => self.model.leaving = true,
        }
    }
}
