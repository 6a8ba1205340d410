//! The end of the incident.

use super::super::view::Cx;
use super::form::{Field, Form};
use crate::app::Intent;

/// The form; `None` without an open incident.
pub fn resolve(cx: &Cx<'_>) -> Option<Form> {
    cx.model.incident.as_ref().filter(|s| s.is_open())?;
    Some(Form::new(
        "RESOLVE",
        "The clock stops and a last post is sent. The postmortem is written afterwards.",
        vec![Field::text("What ended it?", "", "rolled back, fixed in …, the feed was switched off", 4)],
        Box::new(|values| match values.first().filter(|t| !t.is_empty()) {
            Some(text) => Ok(vec![Intent::Resolve { text: text.clone() }]),
            None => Err("say what ended it; it stands in the postmortem".to_owned()),
        }),
    ))
}
