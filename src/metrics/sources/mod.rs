//! Sources of memory samples: one file each, one line in [`SOURCES`].

mod cgroup;
mod metrics_server;

use futures::future::BoxFuture;

use crate::base::ContainerRef;
use crate::cluster::{Error, Rule, Session};
use crate::pressure::PodSample;

pub use cgroup::Cgroup;
pub use metrics_server::MetricsServer;

/// Says how much memory containers use.
pub trait Source: Send + Sync {
    /// Its name, shown beside the number.
    fn name(&self) -> &'static str;
    /// The rights it needs.
    fn needs(&self) -> &'static [Rule];
    /// Measures. A source that knows all pods at once ignores `of`; one that asks each looks at those alone. A container
    /// that cannot be measured is left out; an error means that the source gave nothing.
    fn poll<'a>(&'a self, session: &'a Session, of: &'a [ContainerRef]) -> BoxFuture<'a, Result<Vec<PodSample>, Error>>;
}

/// All sources; an exact one before a broad one.
pub const SOURCES: &[&dyn Source] = &[&Cgroup, &MetricsServer];
