//! What every request handler needs.

use std::sync::Arc;

use crate::demo::faults::Faults;
use crate::demo::kubelet::Kubelet;
use crate::demo::world::Store;

/// Shared by all requests.
pub(crate) struct Context {
    pub store: Arc<Store>,
    pub kubelet: Arc<Kubelet>,
    pub faults: Faults,
    /// The bearer token.
    pub token: String,
}
