//! A post: words for people outside the incident, and who they are for.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::base::Masked;

/// Who a post is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Audience {
    /// Users of the service.
    Users,
    /// The own organisation.
    Team,
}

/// What a post is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PostKind {
    /// The incident was declared.
    Declared,
    /// A regular update.
    Update,
    /// It will be LONG.
    LongNotice,
    /// A prompt nobody answers.
    Escalation,
    /// It is over.
    Resolved,
}

/// One post, to all channels that carry its audience.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Post {
    /// What it is.
    pub kind: PostKind,
    /// Who it is for.
    pub audience: Audience,
    /// The words, already masked.
    pub text: Masked,
    /// When the next post is promised.
    pub next_by: Option<DateTime<Utc>>,
    /// Receivers drop a second post with the same key.
    pub dedup: String,
}

impl Post {
    /// Whether people who wait for news learn something from it: updates and notices do, an escalation does not, and
    /// that an incident was declared tells only users something new.
    pub fn informs(&self) -> bool {
        match self.kind {
            PostKind::Update | PostKind::LongNotice | PostKind::Resolved => true,
            PostKind::Declared => self.audience == Audience::Users,
            PostKind::Escalation => false,
        }
    }
}
