//! Decides: (model, stamp, intent or news) → model + effects. The face can only make intents, the hands only news.
//!
//! [`update`] is the only place where the model changes. It is pure: a whole outage can be lived through in a test.
//! `model` holds the data, `effect` and `message` what goes out and comes in, one file a topic the rules.

mod acts;
mod analysis;
mod captures;
mod clock;
mod comms;
mod declare;
pub mod effect;
mod foot;
mod guide;
mod launch;
mod leftovers;
mod logs;
pub mod message;
pub mod model;
mod next;
mod pair;
mod pairing;
mod playbook;
mod pods;
mod put_back;
mod queue;
mod race;
mod record;
mod resume;
mod shelf;
#[cfg(test)]
mod stories;
#[cfg(test)]
mod stories_ways;
mod watch;
#[cfg(test)]
mod watch_stories;
mod ways;

use crate::base::Stamp;
use crate::incident::{Audience, Decision, Kind, PostKind};

pub use effect::{Effect, Gather};
pub use leftovers::{LeftBehind, left_behind};
pub use message::{ArmChoice, CaptureEnd, Intent, Msg, News};
pub use model::{JobId, Level, Model, Prompt, Setting};
pub use next::{Next, after_end, next};
pub use race::{Race, race};
pub use shelf::Shelf;
pub use watch::{Proposal, proposal, redeploys};

/// Takes one message at `at` and says what the world is asked to do, in order.
pub fn update(model: &mut Model, at: Stamp, msg: Msg) -> Vec<Effect> {
    let before = model.now;
    model.now = at;
    match msg {
        Msg::Tick => {
            let mut effects = clock::tick(model, before);
            effects.extend(pods::judge(model));
            effects.extend(put_back::tick(model));
            effects.extend(guide::pass(model));
            effects.extend(watch::look(model));
            effects.extend(pair::check(model));
            effects
        }
        Msg::Intent(intent) => wish(model, intent),
        Msg::News(news) => hear(model, *news),
    }
}

fn wish(model: &mut Model, intent: Intent) -> Vec<Effect> {
    match intent {
        Intent::Declare { title, severity, service } => declare::declare(model, &title, severity, &service),
        Intent::Note { text } => {
            if text.trim().is_empty() {
                return Vec::new();
            }
            let mut effects = declare::ensure_incident(model);
            effects.extend(record::by_person(model, Kind::Noted { text: crate::base::mask_lines(text.trim()) }, Vec::new()));
            effects
        }
        Intent::Severity { severity } => record::by_person(model, Kind::SeverityChanged { severity }, Vec::new()),
        Intent::GoDeep { notice } => {
            let mut effects = clock::decide(model, Decision::GoDeep);
            if !effects.is_empty() {
                effects.extend(comms::post(model, PostKind::LongNotice, &notice));
            }
            effects
        }
        Intent::Extend { minutes, reason } => clock::extend(model, minutes, &reason),
        Intent::History { workload } => {
            let namespace = model.setting.namespace.clone();
            pods::history(model, workload, namespace)
        }
        Intent::Act { request } => acts::begin(model, request, None),
        Intent::Confirm { job, typed } => acts::confirm(model, job, &typed),
        Intent::Refuse { job } => {
            acts::refuse(model, job);
            Vec::new()
        }
        Intent::Preflight { container } => captures::preflight(model, container, None),
        Intent::Capture { container, method } => captures::begin(model, container, method.as_deref()),
        Intent::AcceptRisk { container, typed } => captures::accept(model, &container, &typed),
        Intent::RefuseRisk { container } => captures::refuse(model, &container),
        Intent::Arm { containers } => watch::ask(model, containers),
        Intent::ArmAs { containers, choice } => watch::arm(model, &containers, choice),
        Intent::RefuseArm => {
            watch::refuse(model);
            Vec::new()
        }
        Intent::Disarm { containers } => watch::disarm(model, &containers),
        Intent::Pair { first, when } => pair::plan(model, first, when),
        Intent::CancelPair { first } => pair::cancel(model, first),
        Intent::Unqueue { container } => queue::remove(model, &container),
        Intent::WayOut { container, way } => ways::take(model, container, &way),
        Intent::TakeReady { container } => captures::take_ready(model, &container),
        Intent::Analyse { evidence } => analysis::begin(model, evidence),
        Intent::Logs { container, previous } => logs::show(model, container, previous),
        Intent::StopLogs => logs::stop(model),
        Intent::TickStep { step } => playbook::by_hand(model, &step, None),
        Intent::SkipStep { step, reason } => playbook::by_hand(model, &step, Some(&reason)),
        Intent::UsePlaybook { playbook } => {
            playbook::choose(model, *playbook);
            Vec::new()
        }
        Intent::Post { kind, text } => comms::post(model, kind, &text),
        Intent::Resolve { text } => resolve(model, &text),
        Intent::Export => export(model),
        Intent::Cancel { job } => match model.jobs.get_mut(&job) {
            Some(running) => {
                running.cancelling = true;
                vec![Effect::Cancel { job }]
            }
            None => Vec::new(),
        },
        Intent::RetryJournal => record::retry_journal(model),
        Intent::Quit => {
            model.leaving = true;
            vec![Effect::Quit]
        }
    }
}

fn hear(model: &mut Model, news: News) -> Vec<Effect> {
    match news {
        News::Pods { pods } => {
            let effects = pods::all(model, pods);
            lives(model, effects)
        }
        News::Pod { pod } => {
            let effects = pods::one(model, *pod);
            lives(model, effects)
        }
        News::PodGone { pod } => {
            let effects = pods::gone(model, &pod);
            lives(model, effects)
        }
        News::LinkDown { trouble } => pods::link_down(model, &trouble),
        News::LinkUp => {
            pods::link_up(model);
            Vec::new()
        }
        News::Samples { samples } => {
            let mut effects = pods::samples(model, &samples);
            effects.extend(pair::check(model));
            effects
        }
        News::MeterTrouble { trouble } => {
            pods::meter_trouble(model, trouble);
            Vec::new()
        }
        News::Reopened { events } => resume::reopened(model, &events),
        News::JournalFailed { event, trouble } => {
            record::journal_failed(model, *event, trouble);
            Vec::new()
        }
        News::JournalWritten => {
            foot::say(model, Level::Good, "the journal is written again");
            Vec::new()
        }
        News::Previewed { job, result } => acts::previewed(model, job, result),
        News::Performed { job, intent, result } => {
            let armed = model.act(job).map(|a| a.request.clone()).filter(|r| r.act == "arm" && result.is_ok());
            let (mut effects, enabled) = acts::performed(model, job, intent, result);
            if let Some((container, request)) = enabled {
                effects.extend(ways::done(model, &container, &request));
            }
            if let Some(request) = armed {
                effects.extend(watch::redeployed(model, &request));
            }
            effects
        }
        News::Surveyed { job, container, ceiling, arms, result } => {
            captures::surveyed(model, job, container, ceiling, arms.map(|a| *a), result)
        }
        News::Sign { container, sign, what, path } => watch::sign(model, &container, sign, &what, path),
        News::Capturing { job, evidence, state, bytes, expected, process } => {
            captures::goes_on(model, job, evidence, state, bytes, expected, process)
        }
        News::Captured { job, evidence, state, end } => {
            let outcome = end.outcome;
            let mut effects = captures::ended(model, job, evidence, &state, *end);
            effects.extend(watch::captured(model, evidence, outcome));
            effects.extend(queue::next(model));
            effects.extend(pair::check(model));
            effects
        }
        News::Analysing { job, phase, share } => {
            analysis::goes_on(model, job, phase, share);
            Vec::new()
        }
        News::Analysed { job, evidence, result } => analysis::ended(model, job, evidence, result),
        News::Aged { job, evidence, result } => analysis::aged(model, job, evidence, result),
        News::History { job, result } => pods::history_came(model, job, result),
        News::LogLines { job, lines, skipped } => {
            logs::lines(model, job, lines, skipped);
            Vec::new()
        }
        News::LogEnded { job, trouble } => {
            logs::ended(model, job, trouble.as_ref());
            Vec::new()
        }
        News::Autopsy { container, restarts, word, cause } => pods::died(model, container, restarts, &word, &cause),
        News::Delivered { queued, channel, tries, result } => comms::delivered(model, queued, channel, tries, result),
        News::Exported { job, result } => exported(model, job, result),
        News::JobEnded { job, trouble } => {
            foot::end(model, job);
            model.acts.retain(|a| a.job != job);
            watch::blind(model, job);
            let mut effects = captures::lost(model, job);
            effects.extend(trouble.map_or_else(Vec::new, |t| record::trouble(model, "job", &t)));
            effects
        }
    }
}

/// The pods are told anew: what watches and plans make of their lives.
fn lives(model: &mut Model, mut effects: Vec<Effect>) -> Vec<Effect> {
    effects.extend(ways::awaited(model));
    effects.extend(watch::look(model));
    effects.extend(pair::check(model));
    effects
}

fn resolve(model: &mut Model, text: &str) -> Vec<Effect> {
    if !model.incident.as_ref().is_some_and(crate::incident::State::is_open) {
        foot::say(model, Level::Warn, "no open incident");
        return Vec::new();
    }
    if text.trim().is_empty() {
        foot::say(model, Level::Warn, "say what ended it; nothing was recorded");
        return Vec::new();
    }
    model.prompts.retain(|p| !matches!(p, Prompt::Cutoff { .. }));
    if let left @ 1.. = left_behind(model).len() {
        foot::say(model, Level::Warn, format!("resolved, but {left} left behind in the cluster: see to it"));
    }
    let mut effects = watch::end_all(model, "the incident is resolved");
    effects.extend(pair::end_all(model, "the incident is resolved"));
    effects.extend(record::by_person(model, Kind::Resolved { text: text.trim().into() }, Vec::new()));
    if let Some(state) = &model.incident {
        let draft = crate::report::draft(state, model.now, PostKind::Resolved, Audience::Users).text;
        effects.extend(comms::post(model, PostKind::Resolved, draft.as_str()));
    }
    effects
}

fn export(model: &mut Model) -> Vec<Effect> {
    let Some(state) = model.incident.clone() else {
        foot::say(model, Level::Warn, "no incident: there is nothing to export");
        return Vec::new();
    };
    let job = foot::job(model, "write the postmortem");
    vec![Effect::Export { job, state: Box::new(state) }]
}

fn exported(model: &mut Model, job: JobId, result: Result<(String, String), crate::base::Trouble>) -> Vec<Effect> {
    foot::end(model, job);
    match result {
        Ok((file, sha256)) => {
            foot::say(model, Level::Good, format!("postmortem: {file}"));
            model.exported = Some(file.clone());
            let name = file.rsplit('/').next().unwrap_or(&file).to_owned();
            record::by_person(model, Kind::Exported { file: name.into(), sha256 }, Vec::new())
        }
        Err(trouble) => record::trouble(model, "postmortem", &trouble),
    }
}
