//! A post with what a receiver wants to know about its incident, and its JSON.

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value, json};

use crate::base::Masked;
use crate::incident::{Audience, IncidentId, Post, PostKind, Severity, State};

/// Version of the JSON that webhooks and commands receive. Keys are only ever added to a version.
pub const VERSION: u32 = 1;

/// One post on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// The incident.
    pub incident: IncidentId,
    /// Its title.
    pub title: Masked,
    /// Its service.
    pub service: Masked,
    /// Its severity.
    pub severity: Severity,
    /// Number of the event that queued the post.
    pub event: u64,
    /// When it was queued.
    pub at: DateTime<Utc>,
    /// The post.
    pub post: Post,
}

impl Letter {
    /// The post queued in event `event` of `state`, if there is one.
    pub fn of(state: &State, event: u64) -> Option<Self> {
        let record = state.posts.iter().find(|record| record.mark.seq == event)?;
        Some(Self {
            incident: state.id.clone(),
            title: state.title.clone(),
            service: state.service.clone(),
            severity: state.severity,
            event,
            at: record.mark.at,
            post: record.post.clone(),
        })
    }

    /// What webhooks and commands receive.
    pub fn json(&self) -> Value {
        let time = |at: DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::Secs, true);
        json!({
            "version": VERSION,
            "incident_id": self.incident.as_str(),
            "event_id": format!("{}#{}", self.incident, self.event),
            "dedup_key": self.post.dedup,
            "type": kind(self.post.kind),
            "audience": audience(self.post.audience),
            "at": time(self.at),
            "severity": self.severity.to_string(),
            "service": self.service.as_str(),
            "title": self.title.as_str(),
            "text": self.post.text.as_str(),
            "next_update_by": self.post.next_by.map(time),
        })
    }
}

/// The name of a kind of post in JSON and in playbooks.
pub const fn kind(kind: PostKind) -> &'static str {
    match kind {
        PostKind::Declared => "declared",
        PostKind::Update => "update",
        PostKind::LongNotice => "long_notice",
        PostKind::Escalation => "escalation",
        PostKind::Resolved => "resolved",
    }
}

const fn audience(audience: Audience) -> &'static str {
    match audience {
        Audience::Users => "users",
        Audience::Team => "team",
    }
}

/// At most `most` characters of `text`, with an ellipsis in the place of what was cut. Counts characters, as receivers do.
pub(super) fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most.saturating_sub(1)).chain(std::iter::once('…')).collect()
}
