//! Posts: queued in the journal, then sent; queued without sent is the outbox.

use chrono::TimeDelta;

use super::effect::Effect;
use super::foot::say;
use super::model::{Level, Model};
use super::record::{by_person, by_tool, record};
use crate::base::{Masked, Trouble};
use crate::incident::{Actor, Audience, Kind, Post, PostKind, Seq};

/// Queues a post by the person and sends it.
pub(super) fn post(model: &mut Model, kind: PostKind, text: &str) -> Vec<Effect> {
    if text.trim().is_empty() {
        say(model, Level::Warn, "an empty post is not sent");
        return Vec::new();
    }
    let Some(state) = &model.incident else {
        say(model, Level::Warn, "no incident: declare it first");
        return Vec::new();
    };
    let queued = state.next_seq();
    let plan = state.plan;
    let every =
        if state.cutoff.deep_since.is_some() || kind == PostKind::LongNotice { plan.long_update_every_s } else { plan.update_every_s };
    let next_by = match kind {
        PostKind::Resolved | PostKind::Escalation => None,
        PostKind::Declared | PostKind::Update | PostKind::LongNotice => {
            model.now.wall.checked_add_signed(TimeDelta::seconds(i64::try_from(every).unwrap_or(i64::MAX / 1000)))
        }
    };
    let incident = state.id.as_str().to_owned();
    let audience = if kind == PostKind::Escalation { Audience::Team } else { Audience::Users };
    let post = Post { kind, audience, text: crate::base::mask_lines(text.trim()), next_by, dedup: format!("{incident}-{queued}") };
    let channels: Vec<String> = model.setting.channels.iter().filter(|c| c.audiences.contains(&audience)).map(|c| c.name.clone()).collect();
    if channels.is_empty() {
        say(model, Level::Warn, "no channel carries this post: it is in the timeline only (config: notify)");
    }
    let send = Effect::Send { queued, post: post.clone(), incident, channels: channels.clone() };
    let kind = Kind::PostQueued { post, channels: channels.into_iter().map(Masked::from).collect() };
    match audience {
        Audience::Team => record(model, Actor::Tool, kind, vec![send]),
        Audience::Users => by_person(model, kind, vec![send]),
    }
}

/// What the journal says is unsent, after a restart.
pub(super) fn outbox(model: &Model) -> Vec<Effect> {
    let Some(state) = &model.incident else { return Vec::new() };
    state
        .outbox()
        .map(|p| Effect::Send {
            queued: p.mark.seq,
            post: p.post.clone(),
            incident: state.id.as_str().to_owned(),
            channels: p.pending().map(|(channel, _)| channel.to_string()).collect(),
        })
        .collect()
}

/// A channel answered.
pub(super) fn delivered(
    model: &mut Model,
    queued: Seq,
    channel: String,
    tries: u32,
    result: Result<String, (Trouble, bool)>,
) -> Vec<Effect> {
    let channel = Masked::from(channel);
    match result {
        Ok(answer) => {
            say(model, Level::Good, format!("posted to {channel}"));
            by_tool(model, Kind::PostSent { queued, channel, tries, answer: answer.into() })
        }
        Err((trouble, last)) => {
            let goes_on = if last { "given up" } else { "will be tried again" };
            say(model, if last { Level::Bad } else { Level::Warn }, format!("{channel}: {trouble}; {goes_on}"));
            by_tool(model, Kind::PostFailed { queued, channel, tries, why: Masked::from(trouble.to_string()), last })
        }
    }
}
