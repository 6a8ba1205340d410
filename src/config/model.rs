//! All that can be set, put together from the rooms' own options.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use crate::{cluster, incident, metrics, notify, pressure, ui};

/// The configuration of cutoff. Every key can also be given as `--set a.b=c`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The clock's plan, in seconds from the declaration.
    #[serde(deserialize_with = "section")]
    pub plan: incident::Plan,
    /// Which cluster, and how long to wait for it.
    #[serde(deserialize_with = "section")]
    pub cluster: cluster::Options,
    /// How memory is measured.
    #[serde(deserialize_with = "section")]
    pub metrics: metrics::Options,
    /// How slopes of memory are taken.
    #[serde(deserialize_with = "section")]
    pub pressure: pressure::Options,
    /// How changes of the cluster are judged.
    #[serde(deserialize_with = "section")]
    pub changes: ChangeOptions,
    /// Where posts go.
    #[serde(deserialize_with = "section")]
    pub notify: notify::Options,
    /// Capture defaults.
    #[serde(deserialize_with = "section")]
    pub capture: CaptureOptions,
    /// Source code of the service.
    #[serde(deserialize_with = "section")]
    pub source: SourceOptions,
    /// Playbooks.
    #[serde(deserialize_with = "section")]
    pub playbooks: PlaybookOptions,
    /// The exported postmortem.
    #[serde(deserialize_with = "section")]
    pub postmortem: PostmortemOptions,
    /// How the dashboard looks and which keys it has.
    #[serde(deserialize_with = "section")]
    pub ui: ui::Options,
    /// Who you are.
    #[serde(deserialize_with = "section")]
    pub person: PersonOptions,
}

/// A section of which nothing is written (`cluster:` alone) says nothing.
fn section<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(deserializer: D) -> Result<T, D::Error> {
    Option::<T>::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// Capture defaults.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CaptureOptions {
    /// Method that is proposed: `auto` leaves the choice to preflight.
    pub method: String,
    /// Captures that run at the same time, 1 to 16; more wait in a queue, for the sake of this machine's disk and link.
    /// Those that wait for a pod's death do not count.
    #[schemars(range(min = 1, max = 16))]
    pub parallel: u8,
}

impl Default for CaptureOptions {
    fn default() -> Self {
        Self { method: "auto".to_owned(), parallel: 2 }
    }
}

/// How changes of the cluster are judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ChangeOptions {
    /// Seconds of incident time after a change by which its effect on memory is judged at the latest.
    pub judge_by_s: u64,
}

impl Default for ChangeOptions {
    fn default() -> Self {
        Self { judge_by_s: 900 }
    }
}

/// Source code of the service.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SourceOptions {
    /// Git repository, to say how old the leaking code is. Default: the working directory, if it is one.
    pub repository: Option<PathBuf>,
    /// Directory of source maps (`*.map`) of the deployed code.
    pub maps: Option<PathBuf>,
}

/// Playbooks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PlaybookOptions {
    /// Playbook that a new incident follows.
    pub default: String,
    /// More directories of playbooks; one of the same name replaces the built-in one.
    pub dirs: Vec<PathBuf>,
    /// Allow steps of kind `command` to run on this machine.
    pub commands: bool,
}

impl Default for PlaybookOptions {
    fn default() -> Self {
        Self { default: "node-heap-oom".to_owned(), dirs: Vec::new(), commands: false }
    }
}

/// The exported postmortem.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PostmortemOptions {
    /// Template (Jinja) in place of the built-in one.
    pub template: Option<PathBuf>,
    /// Directory that exports go to. Default: the incident's own.
    pub dir: Option<PathBuf>,
}

/// Who you are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PersonOptions {
    /// Name in the timeline. Default: the login name.
    pub name: Option<String>,
}

/// Keys whose values are paths: `~` is the home directory, and what is relative counts from the file it stands in.
/// `[]` stands for each entry of a list.
pub(super) const PATHS: &[&str] = &[
    "cluster.kubeconfig",
    "source.repository",
    "source.maps",
    "playbooks.dirs[]",
    "postmortem.template",
    "postmortem.dir",
    "notify.channels[].url_file",
    "notify.channels[].token_file",
    "notify.channels[].sign_file",
];

/// Environment variables that set a key.
pub(super) const VARIABLES: &[(&str, &str)] =
    &[("CUTOFF_READ_ONLY", "cluster.read_only"), ("CUTOFF_THEME", "ui.theme"), ("CUTOFF_ASCII", "ui.ascii"), ("CUTOFF_WHO", "person.name")];
