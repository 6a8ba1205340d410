//! One container's state as the kubelet keeps it, and the `containerStatuses` entry made of it.

use std::sync::Arc;

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Map, Value, json};

use super::log::LogBook;
use crate::base::parse_quantity;
use crate::demo::pods::Usage;

/// How a container's last life ended.
#[derive(Clone, Debug)]
pub(crate) struct Ended {
    pub code: i32,
    pub reason: String,
    pub started: DateTime<Utc>,
    pub finished: DateTime<Utc>,
    pub id: String,
}

/// Where a container is in its life.
#[derive(Clone, Debug)]
pub(crate) enum State {
    Waiting { reason: &'static str, message: String },
    Running { since: DateTime<Utc> },
    Ended(Ended),
}

/// One container of a pod.
#[derive(Debug)]
pub(crate) struct Container {
    pub name: String,
    pub spec: Value,
    pub restart: u32,
    pub state: State,
    pub last: Option<Ended>,
    pub id: String,
    pub ready: bool,
    /// Resources as the kubelet has applied them.
    pub applied: Value,
    pub usage: Usage,
    pub peak: u64,
    /// How often the limit was hit, and how often that killed.
    pub hits: u64,
    pub kills: u64,
    /// The kill that is under way is the OOM killer's.
    pub oom: bool,
    pub log: Arc<LogBook>,
    pub previous: Option<Arc<LogBook>>,
    /// CPU readings for the metrics: (when, nanoseconds used until then).
    pub cpu: Vec<(DateTime<Utc>, u128)>,
}

fn stamp(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

impl Container {
    /// A container as its pod's spec describes it, before its first start here.
    pub fn new(spec: &Value, status: Option<&Value>) -> Self {
        let restart = status.and_then(|s| s["restartCount"].as_u64()).unwrap_or(0);
        Self {
            name: spec["name"].as_str().unwrap_or_default().to_string(),
            spec: spec.clone(),
            restart: u32::try_from(restart).unwrap_or(0),
            state: State::Waiting { reason: "ContainerCreating", message: String::new() },
            last: status.and_then(|s| ended(&s["lastState"]["terminated"])),
            id: String::new(),
            ready: false,
            applied: spec["resources"].clone(),
            usage: Usage::default(),
            peak: 0,
            hits: 0,
            kills: 0,
            oom: false,
            log: Arc::new(LogBook::new(Vec::new())),
            previous: None,
            cpu: Vec::new(),
        }
    }

    /// The memory limit in force, in bytes.
    pub fn limit(&self) -> Option<u64> {
        parse_quantity(self.applied["limits"]["memory"].as_str()?).map(|b| b.0)
    }

    /// Its entry in `containerStatuses`.
    pub fn status(&self) -> Value {
        let image = self.spec["image"].as_str().unwrap_or_default();
        let state = match &self.state {
            State::Waiting { reason, message } if message.is_empty() => json!({ "waiting": { "reason": reason } }),
            State::Waiting { reason, message } => json!({ "waiting": { "reason": reason, "message": message } }),
            State::Running { since } => json!({ "running": { "startedAt": stamp(*since) } }),
            State::Ended(end) => json!({ "terminated": terminated(end) }),
        };
        let last = self.last.as_ref().map_or(json!({}), |end| json!({ "terminated": terminated(end) }));
        let mut status = json!({
            "name": self.name, "image": image, "imageID": format!("{}@sha256:{:064x}", image.split(':').next().unwrap_or(image), fnv(image)),
            "restartCount": self.restart, "ready": self.ready, "started": matches!(self.state, State::Running { .. }),
            "state": state, "lastState": last,
        });
        let map = status.as_object_mut().unwrap_or_else(|| unreachable!("made as an object above"));
        if !self.id.is_empty() {
            map.insert("containerID".into(), format!("containerd://{}", self.id).into());
        }
        if matches!(self.state, State::Running { .. }) {
            map.insert("resources".into(), self.applied.clone());
            map.insert("allocatedResources".into(), self.applied.get("requests").cloned().unwrap_or(Value::Object(Map::new())));
        }
        status
    }
}

fn fnv(text: &str) -> u128 {
    text.bytes()
        .fold(0x6c62_272e_07bb_0142_62b8_2175_6295_c58d, |h: u128, b| (h ^ u128::from(b)).wrapping_mul(0x0100_0000_0000_0000_0000_013b))
}

fn terminated(end: &Ended) -> Value {
    json!({
        "exitCode": end.code, "reason": end.reason, "startedAt": stamp(end.started), "finishedAt": stamp(end.finished),
        "containerID": format!("containerd://{}", end.id),
    })
}

fn ended(value: &Value) -> Option<Ended> {
    let time = |key: &str| value[key].as_str().and_then(|t| t.parse::<DateTime<Utc>>().ok());
    Some(Ended {
        code: i32::try_from(value["exitCode"].as_i64()?).ok()?,
        reason: value["reason"].as_str()?.to_string(),
        started: time("startedAt")?,
        finished: time("finishedAt")?,
        id: value["containerID"].as_str().unwrap_or_default().trim_start_matches("containerd://").to_string(),
    })
}
