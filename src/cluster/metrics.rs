//! What `metrics.k8s.io` says. Reading it is here; when, and what else there is, is `metrics/`'s business.

use chrono::{DateTime, Utc};

use super::error::Error;
use super::rule::Rule;
use super::session::Session;
use crate::base::{Bytes, PodRef, parse_quantity};

const LIST: Rule = Rule::new("metrics.k8s.io", "pods", "list");

/// Memory of a pod's containers at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PodMetrics {
    /// The pod.
    pub pod: PodRef,
    /// When it was measured (18 to 75 seconds ago is normal).
    pub at: DateTime<Utc>,
    /// Working set by container name.
    pub containers: Vec<(String, Bytes)>,
}

impl Session {
    /// Memory of all pods that the options name. A young pod is missing from it, which is no error.
    ///
    /// # Errors
    /// [`Error::MetricsAbsent`], [`Error::MetricsIll`], or as any call.
    pub async fn pod_metrics(&self) -> Result<Vec<PodMetrics>, Error> {
        let scope = if self.options().all_namespaces { String::new() } else { format!("namespaces/{}/", self.namespace()) };
        let labels = self.options().labels.as_ref().map(|l| format!("?labelSelector={}", percent(l))).unwrap_or_default();
        let path = format!("/apis/metrics.k8s.io/v1beta1/{scope}pods{labels}");
        let list = self.get_json(&LIST, "", &path).await.map_err(|error| match error {
            Error::NotFound { .. } => Error::MetricsAbsent,
            Error::Server { code: 500..=599, why, .. } => Error::MetricsIll { why },
            other => other,
        })?;
        Ok(list["items"].as_array().into_iter().flatten().filter_map(|item| self.pod_metrics_of(item)).collect())
    }

    fn pod_metrics_of(&self, item: &serde_json::Value) -> Option<PodMetrics> {
        let meta = &item["metadata"];
        let containers = item["containers"]
            .as_array()?
            .iter()
            .filter_map(|c| Some((c["name"].as_str()?.to_owned(), parse_quantity(c["usage"]["memory"].as_str()?)?)));
        Some(PodMetrics {
            pod: PodRef::new(meta["namespace"].as_str()?, meta["name"].as_str()?),
            at: self.local_text(item["timestamp"].as_str()?)?,
            containers: containers.collect(),
        })
    }
}

/// Percent-encodes a query value.
fn percent(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for b in text.bytes() {
        if b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(b));
        } else {
            out.push_str(&format!("%{b:02X}"));
        }
    }
    out
}
