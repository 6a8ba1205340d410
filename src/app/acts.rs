//! Changes of the cluster: asked for, checked, shown, confirmed, recorded, done, recorded. The flow is written once.

use super::declare::ensure_incident;
use super::effect::Effect;
use super::foot::{end, job, say};
use super::leftovers;
use super::model::{ActRun, ActStage, JobId, Level, Model, Prompt};
use super::record::{by_person, person, record};
use crate::base::{ContainerRef, Masked, Trouble};
use crate::incident::{ActRequest, Kind, Preview, Receipt, Seq};

/// A wish: RBAC and server-side dry-run are asked first. `for_capture`: the container whose capture it is to make possible.
pub(super) fn begin(model: &mut Model, request: ActRequest, for_capture: Option<ContainerRef>) -> Vec<Effect> {
    if model.setting.read_only {
        say(model, Level::Warn, format!("read-only: {} is not done", request.act));
        return Vec::new();
    }
    if model.acts.iter().any(|a| a.request.target == request.target) {
        say(model, Level::Warn, format!("another change of {} is under way", request.target.name));
        return Vec::new();
    }
    let pod = &request.target.name;
    if request.act == "clean-up" && model.captures.iter().any(|c| c.job.is_some() && c.container.pod.name == *pod) {
        say(model, Level::Warn, format!("a capture of {pod} is under way: it is not deleted now"));
        return Vec::new();
    }
    let mut effects = if leftovers::settles(model, &request) { Vec::new() } else { ensure_incident(model) };
    let id = job(model, format!("check {} {}", request.act, request.target.name));
    model.acts.push(ActRun { job: id, request: request.clone(), stage: ActStage::Checking, for_capture });
    effects.push(Effect::Preview { job: id, request });
    effects
}

/// The dry-run answered: the person is asked.
pub(super) fn previewed(model: &mut Model, id: JobId, result: Result<Preview, Trouble>) -> Vec<Effect> {
    end(model, id);
    match result {
        Ok(preview) => {
            if let Some(act) = model.acts.iter_mut().find(|a| a.job == id) {
                act.stage = ActStage::Asking { preview };
                model.prompts.push_back(Prompt::Act { job: id });
            }
            Vec::new()
        }
        Err(trouble) => {
            let act = model.acts.iter().position(|a| a.job == id).map(|i| model.acts.remove(i));
            if let Some(act) = &act {
                leftovers::not_done(model, &act.request, false);
            }
            let doing = act.map_or_else(|| "change".to_owned(), |a| format!("{} {}", a.request.act, a.request.target.name));
            super::record::trouble(model, &doing, &trouble)
        }
    }
}

/// Yes. Where a name is asked for, `typed` must be it.
pub(super) fn confirm(model: &mut Model, id: JobId, typed: &str) -> Vec<Effect> {
    let Some(act) = model.acts.iter().find(|a| a.job == id) else { return Vec::new() };
    let ActStage::Asking { preview } = &act.stage else { return Vec::new() };
    if let Some(word) = &preview.confirm
        && word != typed.trim()
    {
        let text = format!("type {word} to confirm; nothing was done");
        say(model, Level::Warn, text);
        return Vec::new();
    }
    let preview = preview.clone();
    drop_prompt(model, id);
    let Some(intent) = model.incident.as_ref().map(crate::incident::State::next_seq) else { return Vec::new() };
    if let Some(act) = model.acts.iter_mut().find(|a| a.job == id) {
        act.stage = ActStage::Performing { intent };
    }
    let what = format!("{} {}", preview.request.act, preview.request.target.name);
    model.jobs.insert(id, super::model::Job { what, since: model.now, share: None, note: String::new(), cancelling: false });
    let kind = Kind::ActIntended { request: preview.request.clone(), call: preview.call.clone() };
    by_person(model, kind, vec![Effect::Perform { job: id, intent, preview }])
}

/// No: nothing is done.
pub(super) fn refuse(model: &mut Model, id: JobId) {
    drop_prompt(model, id);
    if let Some(i) = model.acts.iter().position(|a| a.job == id && matches!(a.stage, ActStage::Asking { .. })) {
        let act = model.acts.remove(i);
        leftovers::not_done(model, &act.request, true);
        say(model, Level::Info, format!("{} {}: not done", act.request.act, act.request.target.name));
    }
}

/// A container whose capture an act was to make possible, and the act, which was done.
pub(super) type Enabled = (ContainerRef, ActRequest);

/// The call was made.
pub(super) fn performed(model: &mut Model, id: JobId, intent: Seq, result: Result<Receipt, Trouble>) -> (Vec<Effect>, Option<Enabled>) {
    end(model, id);
    let run = model.acts.iter().position(|a| a.job == id).map(|i| model.acts.remove(i));
    let request = model.incident.as_ref().and_then(|s| s.act(intent)).map(|a| a.request.clone());
    let actor = person(model);
    match result {
        Ok(receipt) => {
            say(model, Level::Good, receipt.summary.to_string());
            let enabled = run.and_then(|run| run.for_capture).zip(request);
            (record(model, actor, Kind::ActDone { intent, receipt }, Vec::new()), enabled)
        }
        Err(trouble) => {
            say(model, Level::Bad, trouble.to_string());
            if let Some(request) = &request {
                leftovers::not_done(model, request, false);
            }
            (record(model, actor, Kind::ActFailed { intent, why: Masked::from(trouble.to_string()) }, Vec::new()), None)
        }
    }
}

fn drop_prompt(model: &mut Model, id: JobId) {
    model.prompts.retain(|p| !matches!(p, Prompt::Act { job } if *job == id));
}
