//! The life of one pod on the node: sandbox, containers with their restarts, readiness, in-place resize, end.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};

use super::container::{Container, Ended, State};
use super::log::LogBook;
use crate::demo::machine::Machine;
use crate::demo::pods::StartSpec;
use crate::demo::scenario;
use crate::demo::world::{Kind, Store, events, now, object_at, text};

/// First delay before a restart; doubles to [`LONGEST`]. A real kubelet waits 10 s to 5 min: a demo has less time.
const BACKOFF: Duration = Duration::from_secs(3);
const LONGEST: Duration = Duration::from_secs(24);

/// One pod on the node.
pub(crate) struct Worker {
    pub uid: String,
    pub namespace: String,
    pub name: String,
    pub containers: Mutex<Vec<Container>>,
    pub stopping: AtomicBool,
    pub store: Arc<Store>,
    pub machine: Arc<Machine>,
    /// Resize conditions, when a resize is not settled.
    pub resize: Mutex<Option<Value>>,
}

impl Worker {
    pub fn new(store: &Arc<Store>, machine: &Arc<Machine>, pod: &Value) -> Self {
        let statuses = pod["status"]["containerStatuses"].as_array().cloned().unwrap_or_default();
        let specs = pod["spec"]["containers"].as_array().cloned().unwrap_or_default();
        let containers = specs.iter().map(|spec| Container::new(spec, statuses.iter().find(|s| s["name"] == spec["name"]))).collect();
        Self {
            uid: text(pod, &["metadata", "uid"]).into(),
            namespace: text(pod, &["metadata", "namespace"]).into(),
            name: text(pod, &["metadata", "name"]).into(),
            containers: Mutex::new(containers),
            stopping: AtomicBool::new(false),
            store: store.clone(),
            machine: machine.clone(),
            resize: Mutex::default(),
        }
    }

    pub fn containers(&self) -> MutexGuard<'_, Vec<Container>> {
        self.containers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Works on one container, if the pod has it.
    pub fn with<T>(&self, container: &str, work: impl FnOnce(&mut Container) -> T) -> Option<T> {
        self.containers().iter_mut().find(|c| c.name == container).map(work)
    }

    pub fn pod(&self) -> Option<Arc<Value>> {
        self.store.get(Kind::Pod, &self.namespace, &self.name).filter(|p| p["metadata"]["uid"] == self.uid.as_str())
    }

    pub fn event(&self, warning: bool, reason: &str, message: &str) {
        if let Some(pod) = self.pod() {
            events::record(&self.store, &pod, warning, reason, message, "kubelet");
        }
    }

    /// Writes the pod's status as it is now.
    pub fn publish(&self) {
        let statuses: Vec<Value> = self.containers().iter().map(Container::status).collect();
        let ready = statuses.iter().all(|s| s["ready"] == true);
        let resize = self.resize.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let address = scenario::address(&self.uid);
        if self.pod().is_none() {
            return;
        }
        self.store.touch(Kind::Pod, &self.namespace, &self.name, |pod| {
            let was = pod["status"]["conditions"].as_array().cloned().unwrap_or_default();
            let mut conditions: Vec<Value> = Vec::new();
            for (kind, holds) in [
                ("PodReadyToStartContainers", true),
                ("Initialized", true),
                ("Ready", ready),
                ("ContainersReady", ready),
                ("PodScheduled", true),
            ] {
                let status = if holds { "True" } else { "False" };
                let old = was.iter().find(|c| c["type"] == kind && c["status"] == status).cloned();
                conditions.push(old.unwrap_or_else(|| {
                    let mut condition = json!({ "type": kind, "status": status, "lastProbeTime": null, "lastTransitionTime": now() });
                    if !holds {
                        condition["reason"] = "ContainersNotReady".into();
                    }
                    condition
                }));
            }
            conditions.extend(resize);
            let status = object_at(pod, &["status"]);
            status.insert("conditions".into(), conditions.into());
            status.insert("containerStatuses".into(), statuses.into());
            status.insert("phase".into(), "Running".into());
            status.insert("hostIP".into(), "10.0.0.10".into());
            status.insert("podIP".into(), address.clone().into());
            status.insert("podIPs".into(), json!([{ "ip": address }]));
            status.entry("startTime").or_insert_with(|| now().into());
        });
    }

    /// Lives the pod's life until it is deleted.
    pub async fn live(self: Arc<Self>) {
        self.event(false, "Scheduled", &format!("Successfully assigned {}/{} to {}", self.namespace, self.name, scenario::NODE));
        if let Err(why) = self.machine.sandbox(&self.uid, &self.name).await {
            self.event(true, "FailedCreatePodSandBox", &format!("Failed to create pod sandbox: {why}"));
            return;
        }
        let names: Vec<String> = self.containers().iter().map(|c| c.name.clone()).collect();
        let lives: Vec<_> = names.into_iter().map(|name| tokio::spawn(self.clone().keep(name))).collect();
        self.until_deleted().await;
        self.stopping.store(true, Ordering::SeqCst);
        self.terminate().await;
        for life in &lives {
            life.abort();
        }
        self.machine.remove(&self.uid);
        for container in self.containers().iter() {
            container.log.close();
        }
        if self.pod().is_some() {
            self.store.delete(Kind::Pod, &self.namespace, &self.name);
        }
    }

    async fn until_deleted(&self) {
        let mut changed = self.store.subscribe();
        loop {
            match self.pod() {
                None => return,
                Some(pod) if pod["metadata"].get("deletionTimestamp").is_some() => return,
                Some(_) => {}
            }
            if changed.changed().await.is_err() {
                return;
            }
        }
    }

    /// SIGTERM, the grace period, SIGKILL.
    async fn terminate(&self) {
        let grace = self.pod().and_then(|p| p["metadata"]["deletionGracePeriodSeconds"].as_u64()).unwrap_or(0);
        let names: Vec<String> = self.containers().iter().map(|c| c.name.clone()).collect();
        for name in &names {
            self.event(false, "Killing", &format!("Stopping container {name}"));
            if grace > 0 {
                self.machine.term(&self.uid, name).await;
            }
        }
        let deadline = tokio::time::Instant::now() + Duration::from_secs(grace.min(30));
        while tokio::time::Instant::now() < deadline && self.containers().iter().any(|c| matches!(c.state, State::Running { .. })) {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        for name in &names {
            self.machine.kill(&self.uid, name);
        }
        let last = tokio::time::Instant::now() + Duration::from_secs(2);
        while tokio::time::Instant::now() < last && self.containers().iter().any(|c| matches!(c.state, State::Running { .. })) {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Starts a container again and again.
    async fn keep(self: Arc<Self>, name: String) {
        let mut delay = BACKOFF;
        loop {
            let lived = self.run_once(&name).await;
            if self.stopping.load(Ordering::SeqCst) {
                return;
            }
            if lived > Duration::from_secs(600) {
                delay = BACKOFF;
            }
            let message = format!(
                "back-off {}s restarting failed container={name} pod={}_{}({})",
                delay.as_secs(),
                self.name,
                self.namespace,
                self.uid
            );
            self.event(
                true,
                "BackOff",
                &format!("Back-off restarting failed container {name} in pod {}_{}({})", self.name, self.namespace, self.uid),
            );
            self.with(&name, |c| {
                if let State::Ended(end) = &c.state {
                    c.last = Some(end.clone());
                }
                c.state = State::Waiting { reason: "CrashLoopBackOff", message };
            });
            self.publish();
            tokio::time::sleep(delay).await;
            delay = (delay * 2).min(LONGEST);
            self.with(&name, |c| c.restart += 1);
        }
    }

    /// One life of a container; gives how long it was.
    async fn run_once(&self, name: &str) -> Duration {
        let started = crate::demo::clock::now();
        let Some(spec) = self.start_spec(name) else { return Duration::ZERO };
        let id =
            format!("{:016x}{:016x}{:016x}{:016x}", self.store.random(), self.store.random(), self.store.random(), self.store.random());
        self.publish_cgroup(name);
        let running = self.machine.start(&spec).await;
        let log = Arc::new(LogBook::new(Vec::new()));
        let mut running = match running {
            Ok(running) => running,
            Err(why) => {
                self.event(true, "Failed", &format!("Error: {why}"));
                let end = Ended { code: 128, reason: "StartError".into(), started, finished: crate::demo::clock::now(), id };
                self.with(name, |c| c.state = State::Ended(end));
                self.publish();
                return Duration::ZERO;
            }
        };
        self.with(name, |c| {
            // The log of the life before becomes the previous one; the first life here may have one from before the demo.
            if c.restart > 0 && (c.previous.is_none() || !c.id.is_empty()) {
                let known = scenario::previous_log(spec.image, c.restart, started);
                c.previous = Some(if c.id.is_empty() { Arc::new(LogBook::new(known)) } else { c.log.clone() });
            }
            c.log = log.clone();
            c.id.clone_from(&id);
            c.state = State::Running { since: started };
            (c.oom, c.hits, c.kills, c.peak, c.ready) = (false, 0, 0, 0, false);
            c.cpu.clear();
        });
        self.event(false, "Started", &format!("Started container {name}"));
        self.publish();
        let readable = scenario::ready_line(spec.image);
        if readable.is_none() {
            self.set_ready(name);
        }
        while let Some(line) = running.lines.recv().await {
            let is_ready = readable.is_some_and(|mark| String::from_utf8_lossy(&line.bytes).contains(mark));
            log.push(line);
            if is_ready {
                self.set_ready(name);
            }
        }
        let code = running.exit.await.unwrap_or(255);
        log.close();
        self.machine.ended(&self.uid, name, spec.restart);
        let finished = crate::demo::clock::now();
        let killed = self.with(name, |c| {
            let reason = match code {
                _ if c.oom => "OOMKilled",
                0 => "Completed",
                _ => "Error",
            };
            let code = if c.oom { 137 } else { code };
            c.ready = false;
            c.state = State::Ended(Ended { code, reason: reason.into(), started, finished, id });
            c.oom
        });
        self.publish();
        if killed == Some(true) {
            self.event(true, "OOMKilling", &format!("Memory cgroup out of memory: killed container {name}"));
        }
        (finished - started).to_std().unwrap_or_default()
    }

    fn set_ready(&self, name: &str) {
        self.with(name, |c| c.ready = true);
        self.publish();
    }

    fn start_spec(&self, name: &str) -> Option<StartSpec> {
        self.with(name, |c| {
            let words =
                |key: &str| c.spec[key].as_array().into_iter().flatten().filter_map(Value::as_str).map(String::from).collect::<Vec<_>>();
            let variables = c.spec["env"].as_array().into_iter().flatten();
            let mut argv = words("command");
            argv.extend(words("args"));
            StartSpec {
                uid: self.uid.clone(),
                container: name.to_string(),
                image: scenario::image_folder(c.spec["image"].as_str().unwrap_or_default()),
                argv,
                env: variables.map(|v| (text(v, &["name"]).to_string(), text(v, &["value"]).to_string())).collect(),
                restart: c.restart,
            }
        })
    }

    /// The log of a container's present or previous life; the inner `None`: it has no previous one.
    pub fn log(&self, container: &str, previous: bool) -> Option<Option<Arc<LogBook>>> {
        self.with(container, |c| if previous { c.previous.clone() } else { Some(c.log.clone()) })
    }
}
