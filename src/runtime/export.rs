//! Writes the postmortem and its chart.

use std::path::Path;
use std::sync::Arc;

use super::hands::Hands;
use crate::app::{JobId, News};
use crate::base::{Trouble, TroubleKind};
use crate::disk;
use crate::incident::State;
use crate::report::{Export, ExportOptions, postmortem};

/// The postmortem of `state` as text. `head` is the hash of the journal's last line.
///
/// # Errors
/// When the user's template is wrong: says in which line.
pub fn render_postmortem(state: &State, template: Option<&str>, head: &str) -> Result<Export, Trouble> {
    postmortem(state, &ExportOptions { format: "", template, journal: head }).map_err(|error| {
        Trouble::new(TroubleKind::Config, error.to_string(), "postmortem template", "mend it, or leave `template` out of the config")
    })
}

/// Writes the postmortem of `state` into `dir` and gives its path and hex sha256.
///
/// # Errors
/// When the template is wrong or the disk is full.
pub fn write_postmortem(state: &State, template: Option<&str>, head: &str, dir: &Path) -> Result<(String, String), Trouble> {
    let export = render_postmortem(state, template, head)?;
    disk::private_dir(dir).map_err(Trouble::from)?;
    if let Some(svg) = &export.svg {
        disk::write_private(&dir.join(&export.svg_file), svg.as_bytes()).map_err(Trouble::from)?;
    }
    let path = dir.join(&export.file);
    disk::write_private(&path, export.markdown.as_bytes()).map_err(Trouble::from)?;
    Ok((path.display().to_string(), disk::sha256_hex(export.markdown.as_bytes())))
}

/// Effect: export. The journal's head is read from the disk, so that the page names what is really there.
pub(super) async fn run(hands: Arc<Hands>, job: JobId, state: Box<State>) -> News {
    let work = tokio::task::spawn_blocking(move || {
        let head = crate::journal::read(&hands.data_dir, &state.id).map_or_else(|_| String::new(), |reading| reading.head);
        let dir = crate::journal::Paths::of(&hands.data_dir, &state.id).exports();
        write_postmortem(&state, hands.template.as_deref(), &head, &dir)
    });
    let result = match work.await {
        Ok(result) => result,
        Err(_) => Err(Trouble::new(TroubleKind::Failed, "the export broke down", "", "see the log file")),
    };
    News::Exported { job, result }
}
