//! The log under view.

use super::effect::Effect;
use super::foot::{end, job};
use super::model::{JobId, LogLine, Logs, Model};
use crate::base::{ContainerRef, Trouble};

/// Shows a log; the one before it is let go.
pub(super) fn show(model: &mut Model, container: ContainerRef, previous: bool) -> Vec<Effect> {
    let mut effects = stop(model);
    let id = job(model, format!("logs {}", container.pod.name));
    model.logs = Logs { of: Some(container.clone()), previous, job: Some(id), ..Logs::default() };
    effects.push(Effect::Logs { job: id, container, previous });
    effects
}

/// Lets the log go.
pub(super) fn stop(model: &mut Model) -> Vec<Effect> {
    match model.logs.job.take() {
        Some(job) => {
            end(model, job);
            vec![Effect::Cancel { job }]
        }
        None => Vec::new(),
    }
}

/// Lines came.
pub(super) fn lines(model: &mut Model, id: JobId, lines: Vec<LogLine>, skipped: u64) {
    if model.logs.job != Some(id) {
        return;
    }
    let logs = &mut model.logs;
    logs.skipped += skipped;
    logs.lines.extend(lines);
    while logs.lines.len() > Logs::KEPT {
        logs.lines.pop_front();
        logs.skipped += 1;
    }
}

/// The log ended.
pub(super) fn ended(model: &mut Model, id: JobId, trouble: Option<&Trouble>) {
    end(model, id);
    if model.logs.job == Some(id) {
        model.logs.job = None;
        model.logs.ended = Some(trouble.map_or_else(|| "end of the log".to_owned(), ToString::to_string));
    }
}
