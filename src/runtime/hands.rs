//! What the hands hold: connections, channels, directories.

use std::path::PathBuf;
use std::sync::Arc;

use crate::base::{Clock, ContainerRef, ProcessKey, Stamp};
use crate::cluster::Session;
use crate::notify::Channel;
use crate::preflight::Holdings;

/// The first look at the process of each container: which life, when, what it held. With V8's numbers as soon as there
/// are any.
pub type FirstLooks = std::sync::Mutex<std::collections::BTreeMap<ContainerRef, (ProcessKey, Stamp, Holdings)>>;

/// All that effects need of the world. Shared by all jobs.
pub struct Hands {
    /// Incident time.
    pub clock: Arc<dyn Clock>,
    /// The cluster.
    pub session: Session,
    /// How memory is measured.
    pub metrics: crate::metrics::Options,
    /// Who holds the journal.
    pub holder: crate::disk::Holder,
    /// Where incidents are kept.
    pub data_dir: PathBuf,
    /// Cache of analyses.
    pub cache_dir: PathBuf,
    /// Channels of posts.
    pub channels: Vec<Arc<dyn Channel>>,
    /// A postmortem template of the user's, instead of the built-in one.
    pub template: Option<String>,
    /// Version of the tool.
    pub tool: String,
    /// The first look at each process, to tell what grows by a later one.
    pub first_looks: FirstLooks,
    /// What is analysed while it comes.
    pub early: super::Early,
}

impl Hands {
    /// Where the files of an incident are kept.
    pub fn evidence_dir(&self, incident: Option<&crate::incident::IncidentId>) -> PathBuf {
        let id = incident.map_or("none", crate::incident::IncidentId::as_str);
        self.data_dir.join("incidents").join(id).join("evidence")
    }
}
