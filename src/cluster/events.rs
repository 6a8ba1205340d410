//! Events of a pod, as the cluster recorded them. There is none for a container killed by its limit.

use chrono::{DateTime, Utc};

use super::error::Error;
use super::rule::Rule;
use super::session::Session;
use crate::base::{PodRef, Untrusted};

const LIST: Rule = Rule::new("", "events", "list");

/// Something the cluster noted about a pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PodEvent {
    /// When it was noted last.
    pub at: Option<DateTime<Utc>>,
    /// A warning rather than a note.
    pub warning: bool,
    /// `BackOff`, `Unhealthy`, `ResizeError`, …
    pub reason: String,
    /// Its words.
    pub message: Untrusted,
    /// How often.
    pub count: u64,
}

impl Session {
    /// Events about `pod`, oldest first.
    ///
    /// # Errors
    /// As any call.
    pub async fn events(&self, pod: &PodRef) -> Result<Vec<PodEvent>, Error> {
        let path = format!(
            "/api/v1/namespaces/{}/events?fieldSelector=involvedObject.kind%3DPod%2CinvolvedObject.name%3D{}",
            pod.namespace, pod.name
        );
        let list = self.get_json(&LIST, &pod.to_string(), &path).await?;
        let mut events: Vec<PodEvent> = list["items"]
            .as_array()
            .into_iter()
            .flatten()
            // A server that does not know the selector sends all.
            .filter(|e| e["involvedObject"]["name"] == pod.name.as_str())
            .map(|e| PodEvent {
                at: ["lastTimestamp", "eventTime", "firstTimestamp"].iter().find_map(|k| self.local_text(e[*k].as_str()?)),
                warning: e["type"] == "Warning",
                reason: e["reason"].as_str().unwrap_or_default().to_owned(),
                message: Untrusted::new(e["message"].as_str().unwrap_or_default()),
                count: e["count"].as_u64().or_else(|| e["series"]["count"].as_u64()).unwrap_or(1),
            })
            .collect();
        events.sort_by_key(|e| e.at);
        Ok(events)
    }
}
