//! metrics-server: working set of every pod, as its last scrape had it. A pod younger than that is missing.

use futures::future::BoxFuture;

use super::Source;
use crate::base::ContainerRef;
use crate::cluster::{Error, Rule, Session};
use crate::pressure::PodSample;

/// See the file's opening.
pub struct MetricsServer;

const NEEDS: &[Rule] = &[Rule::new("metrics.k8s.io", "pods", "list")];

impl Source for MetricsServer {
    fn name(&self) -> &'static str {
        "metrics-server"
    }

    fn needs(&self) -> &'static [Rule] {
        NEEDS
    }

    fn poll<'a>(&'a self, session: &'a Session, _: &'a [ContainerRef]) -> BoxFuture<'a, Result<Vec<PodSample>, Error>> {
        Box::pin(async move {
            let mut samples = Vec::new();
            for pod in session.pod_metrics().await? {
                samples.extend(pod.containers.into_iter().map(|(container, working_set)| PodSample {
                    pod: pod.pod.clone(),
                    container,
                    at: pod.at,
                    working_set,
                    source: self.name().to_owned(),
                }));
            }
            Ok(samples)
        })
    }
}
