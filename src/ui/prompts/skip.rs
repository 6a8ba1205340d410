//! Skipping a step of the playbook needs a reason.

use super::form::{Field, Form};
use crate::app::Intent;

/// The form for step `id`, called `title`.
pub fn skip(id: &str, title: &str) -> Form {
    let step = id.to_owned();
    Form::new(
        "SKIP THIS STEP",
        title,
        vec![Field::line("Why?", "", "stands in the postmortem")],
        Box::new(move |values| match values.first().filter(|t| !t.is_empty()) {
            Some(reason) => Ok(vec![Intent::SkipStep { step: step.clone(), reason: reason.clone() }]),
            None => Err("skipping needs a reason; esc leaves".to_owned()),
        }),
    )
}
