//! A note for the timeline.

use super::form::{Field, Form};
use crate::app::Intent;

/// The form.
pub fn note() -> Form {
    Form::new(
        "NOTE",
        "",
        vec![Field::text("What was seen, done or decided? Secrets are masked.", "", "markdown", 8)],
        Box::new(|values| match values.first().filter(|t| !t.is_empty()) {
            Some(text) => Ok(vec![Intent::Note { text: text.clone() }]),
            None => Err("an empty note is not kept; esc leaves".to_owned()),
        }),
    )
}
