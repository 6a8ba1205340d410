//! Drafts and receivers, as the forms show them.

use super::super::view::Cx;
use crate::incident::{Audience, PostKind, State};

/// The draft of a post for users, from the present state.
pub fn draft(cx: &Cx<'_>, state: &State, kind: PostKind) -> String {
    crate::report::draft(state, cx.model.now, kind, Audience::Users).text.as_str().to_owned()
}

/// The channels that reach `audience`, by name.
pub fn channels(cx: &Cx<'_>, audience: Audience) -> Vec<String> {
    cx.model.setting.channels.iter().filter(|c| c.audiences.contains(&audience)).map(|c| c.name.clone()).collect()
}

/// Where a post for users goes, in a sentence.
pub fn goes_to(cx: &Cx<'_>) -> String {
    let names = channels(cx, Audience::Users);
    if names.is_empty() {
        "no channel reaches users: it is kept in the timeline only (config: notify.channels)".to_owned()
    } else {
        format!("it goes to {} and cannot be taken back", names.join(", "))
    }
}
