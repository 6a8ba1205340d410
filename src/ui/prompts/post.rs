//! A status update: drafted from the state, edited by a person, never sent unseen.

use super::super::view::Cx;
use super::form::{Field, Form};
use crate::app::Intent;
use crate::incident::{PostKind, State};

/// The kind that is due: the first post says that there is an incident.
pub fn kind(state: &State) -> PostKind {
    if state.posts.is_empty() { PostKind::Declared } else { PostKind::Update }
}

/// The form; `None` without an incident.
pub fn post(cx: &Cx<'_>) -> Option<Form> {
    let state = cx.model.incident.as_ref()?;
    let kind = kind(state);
    let draft = crate::report::draft(state, kind, cx.model.now);
    let to = match cx.model.setting.channels.as_slice() {
        [] => "No channel is configured: it is kept in the timeline only (config: notify.channels).".to_owned(),
        channels => format!("Goes to {} and cannot be taken back.", channels.join(", ")),
    };
    Some(Form::new(
        if kind == PostKind::Declared { "FIRST POST" } else { "STATUS UPDATE" },
        to,
        vec![Field::text("Words for users", draft.as_str(), "what users see, what is done, when the next post comes", 10)],
        Box::new(move |values| match values.first().filter(|t| !t.is_empty()) {
            Some(text) => Ok(vec![Intent::Post { kind, text: text.clone() }]),
            None => Err("an empty post is not sent; esc leaves".to_owned()),
        }),
    ))
}
