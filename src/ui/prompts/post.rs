//! A status update: drafted from the state, edited by a person, never sent unseen.

use super::super::view::Cx;
use super::form::{Field, Form};
use super::words::{draft, goes_to};
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
    let draft = draft(cx, state, kind);
    Some(Form::new(
        if kind == PostKind::Declared { "FIRST POST" } else { "STATUS UPDATE" },
        format!("Edit it: {}.", goes_to(cx)),
        vec![Field::text("Words for users", &draft, "what users see, what is done, when the next post comes", 10)],
        Box::new(move |values| match values.first().filter(|t| !t.is_empty()) {
            Some(text) => Ok(vec![Intent::Post { kind, text: text.clone() }]),
            None => Err("an empty post is not sent; esc leaves".to_owned()),
        }),
    ))
}
