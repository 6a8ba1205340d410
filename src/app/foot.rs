//! What runs and what was said: jobs and the messages at the foot of the screen, since every topic needs them.

use super::model::{Job, JobId, Level, Model, Toast};

/// Messages kept.
const TOASTS: usize = 50;

/// A new job, shown while it runs.
pub(super) fn job(model: &mut Model, what: impl Into<String>) -> JobId {
    let id = JobId(model.next_job);
    model.next_job += 1;
    let job = Job { what: what.into(), since: model.now, share: None, note: String::new(), cancelling: false };
    model.jobs.insert(id, job);
    id
}

/// A job that is not shown: it goes on for hours and is ended in its own way, not by the key that stops what runs.
pub(super) fn quiet_job(model: &mut Model) -> JobId {
    let id = JobId(model.next_job);
    model.next_job += 1;
    id
}

/// A job ended.
pub(super) fn end(model: &mut Model, job: JobId) {
    model.jobs.remove(&job);
}

/// A message at the foot of the screen.
pub(super) fn say(model: &mut Model, level: Level, text: impl Into<String>) {
    if model.toasts.len() == TOASTS {
        model.toasts.pop_front();
    }
    model.toasts.push_back(Toast { at: model.now, level, text: text.into() });
}
