//! The list of verbs. A new verb is a file here and a line in [`VERBS`].

mod act;
mod analyze;
mod capture;
mod completions;
mod config;
mod copy;
mod declare;
mod demo;
mod evidence;
mod export;
mod man;
mod note;
mod playbook;
mod pods;
mod preflight;
mod redact;
mod resolve;
mod status;
mod watch;

use anyhow::Result;

use super::{Context, Exit, Verb, session};

/// All verbs, in the order of `--help`.
pub const VERBS: &[&dyn Verb] = &[
    &demo::DemoVerb,
    &pods::Pods,
    &preflight::Preflight,
    &capture::Capture,
    &copy::Copy,
    &watch::Watch,
    &act::ActVerb,
    &analyze::Analyze,
    &redact::Redact,
    &declare::Declare,
    &note::Note,
    &status::Status,
    &resolve::Resolve,
    &export::Export,
    &evidence::Evidence,
    &playbook::PlaybookVerb,
    &config::ConfigVerb,
    &completions::Completions,
    &man::Man,
];

/// What `cutoff` without a verb does.
pub fn dashboard(context: &Context) -> Result<Exit> {
    context.runtime()?.block_on(session::dashboard(context, None))
}
