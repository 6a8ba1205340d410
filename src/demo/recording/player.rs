//! Plays the recording back in the place of real processes: memory, logs, deaths, the answers of the probe's files, and an
//! inspector that serves the recorded snapshot.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::sync::{Notify, mpsc, oneshot};

use super::answers;
use super::inspector;
use super::played::{PORT, Played, lock};
use super::tape::{Life, lives};
use crate::demo::pods::{ExecRefusal, Line, Running, Session, StartSpec, Tunnel, Usage};

/// Updates a second of the recorded replica: the tempo 1.
const RECORDED_RATE: f64 = 165.0;
const STEP: Duration = Duration::from_millis(200);
/// Pod uid and container.
type Key = (String, String);
type Cells = HashMap<Key, Arc<Mutex<Played>>>;
type Files = BTreeMap<&'static str, String>;
/// Tempo of each pod that has a partition of the feed.
type Tempos = Arc<Mutex<HashMap<String, f64>>>;

/// Plays pods back.
#[derive(Debug, Default)]
pub(crate) struct Player {
    cells: Mutex<Cells>,
    tempos: Tempos,
    cgroups: Mutex<HashMap<Key, Files>>,
}

fn key(uid: &str, container: &str) -> Key {
    (uid.to_string(), container.to_string())
}

impl Player {
    fn cell(&self, uid: &str, container: &str) -> Option<Arc<Mutex<Played>>> {
        lock(&self.cells).get(&key(uid, container)).cloned()
    }

    /// Starts to play a container.
    pub fn start(&self, spec: &StartSpec) -> Result<Running, String> {
        let image = if spec.image.is_empty() { "log-shipper" } else { spec.image };
        let life = lives().get(image).ok_or_else(|| format!("nothing is recorded of {image}"))?;
        let end = Arc::new(Notify::new());
        let at = key(&spec.uid, &spec.container);
        let played = Played {
            image,
            life,
            argv: spec.argv.clone(),
            at: 0.0,
            up: 0.0,
            inspector: false,
            cgroup: lock(&self.cgroups).get(&at).cloned().unwrap_or_default(),
            said: Vec::new(),
            end: end.clone(),
            code: 137,
        };
        let cell = Arc::new(Mutex::new(played));
        lock(&self.cells).insert(at, cell.clone());
        let (into, lines) = mpsc::channel(256);
        let (exited, exit) = oneshot::channel();
        let (tempos, uid, leaks) = (self.tempos.clone(), spec.uid.clone(), image == "content-import");
        tokio::spawn(async move {
            let code = tokio::select! {
                code = play(&cell, life, leaks.then_some((tempos, uid)), into) => code,
                () = end.notified() => lock(&cell).code,
            };
            let _ = exited.send(code);
        });
        Ok(Running { lines, exit })
    }

    /// Ends a container with an exit code.
    pub fn end(&self, uid: &str, container: &str, code: i32) {
        if let Some(cell) = self.cell(uid, container) {
            let mut played = lock(&cell);
            played.code = code;
            played.end.notify_one();
        }
    }

    /// Forgets a container that has ended.
    pub fn ended(&self, uid: &str, container: &str) {
        lock(&self.cells).remove(&key(uid, container));
    }

    /// Forgets a pod.
    pub fn remove(&self, uid: &str) {
        for (at, cell) in lock(&self.cells).iter() {
            if at.0 == uid {
                lock(cell).end.notify_one();
            }
        }
        lock(&self.cells).retain(|at, _| at.0 != uid);
        lock(&self.cgroups).retain(|at, _| at.0 != uid);
    }

    /// What a container uses now.
    pub fn usage(&self, uid: &str, container: &str) -> Option<Usage> {
        Some(lock(&*self.cell(uid, container)?).usage())
    }

    /// Keeps the container's cgroup files.
    pub fn publish_cgroup(&self, uid: &str, container: &str, files: &[(&'static str, String)]) {
        let files: Files = files.iter().cloned().collect();
        if let Some(cell) = self.cell(uid, container) {
            lock(&cell).cgroup.clone_from(&files);
        }
        lock(&self.cgroups).insert(key(uid, container), files);
    }

    /// The faster the feed, the faster the recording runs.
    pub fn assign(&self, uid: &str, assignment: &str) {
        let rate = serde_json::from_str::<serde_json::Value>(assignment).ok().and_then(|a| a["updatesPerSecond"].as_f64());
        lock(&self.tempos).insert(uid.to_string(), rate.unwrap_or(0.0) / RECORDED_RATE);
    }

    /// Answers a command from the recording.
    pub fn exec(&self, uid: &str, container: &str, argv: &[String]) -> Result<Session, ExecRefusal> {
        let cell = self.cell(uid, container).ok_or(ExecRefusal::NotRunning)?;
        let answer = answers::answer(&mut lock(&cell), argv);
        let Some(answer) = answer else { return Err(ExecRefusal::NotFound(argv.first().cloned().unwrap_or_default())) };
        let (mut out, stdout) = tokio::io::duplex(64 * 1024);
        let (mut err, stderr) = tokio::io::duplex(64 * 1024);
        let (exited, exit) = oneshot::channel();
        tokio::spawn(async move {
            let _ = out.write_all(&answer.stdout).await;
            let _ = err.write_all(answer.stderr.as_bytes()).await;
            drop((out, err));
            let _ = exited.send(answer.code);
        });
        Ok(Session { stdin: Some(Box::new(tokio::io::sink())), stdout: Box::new(stdout), stderr: Box::new(stderr), exit })
    }

    /// Connects to a port of a pod: the inspector, when SIGUSR1 opened it.
    pub fn connect(&self, uid: &str, port: u16) -> Result<Tunnel, String> {
        let open = |cell: &&Arc<Mutex<Played>>| lock(cell).inspector;
        let cell = lock(&self.cells).iter().filter(|(at, _)| at.0 == uid).map(|(_, cell)| cell).find(open).cloned();
        let cell = cell.filter(|_| port == PORT).ok_or("connection refused")?;
        let (ours, theirs) = tokio::io::duplex(256 * 1024);
        tokio::spawn(inspector::serve(theirs, cell));
        let (reader, writer) = tokio::io::split(ours);
        Ok(Tunnel { reader: Box::new(reader), writer: Box::new(writer) })
    }
}

/// Plays one life; gives its exit code.
async fn play(cell: &Mutex<Played>, life: &'static Life, tempo: Option<(Tempos, String)>, into: mpsc::Sender<Line>) -> i32 {
    let mut next = 0;
    loop {
        let (said, now) = {
            let mut played = lock(cell);
            // Start-up is as fast in every pod; what the feed brings follows the feed.
            let tempo = tempo.as_ref().filter(|_| played.at > 2.0).map_or(1.0, |(t, uid)| lock(t).get(uid).copied().unwrap_or(0.0));
            played.at += STEP.as_secs_f64() * tempo;
            played.up += STEP.as_secs_f64();
            if life.death.is_none() && played.at > life.length() {
                played.at = life.length() / 2.0;
                next = life.log.iter().position(|l| l.0 as f64 / 1000.0 > played.at).unwrap_or(0);
            }
            (std::mem::take(&mut played.said), played.at)
        };
        let is_dead = life.death.is_some_and(|(at, _)| now >= at);
        let mut lines = said;
        while let Some((ms, line)) = life.log.get(next) {
            if *ms as f64 / 1000.0 > now && !is_dead {
                break;
            }
            lines.push(line.replace("{time}", &crate::demo::clock::now().format("%Y-%m-%d %H:%M:%S").to_string()));
            next += 1;
        }
        for line in lines {
            if into.send(Line { at: crate::demo::clock::now(), bytes: line.into_bytes() }).await.is_err() {
                return 137;
            }
        }
        if let Some((_, code)) = life.death.filter(|_| is_dead) {
            return code;
        }
        tokio::time::sleep(STEP).await;
    }
}
