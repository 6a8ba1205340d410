//! A second snapshot of one process: when it is due.

use super::super::view::Cx;
use super::form::{Field, Form};
use crate::app::Intent;
use crate::app::model::Capture;
use crate::base::span;
use crate::incident::PairWhen;

/// The form, for the second snapshot to `first`.
pub fn pair(cx: &Cx<'_>, first: &Capture) -> Form {
    let base = cx.model.board.find(&first.container).and_then(|row| row.working_set);
    let age = span(cx.model.now.mono.saturating_sub(first.began.mono));
    let memory = base.map_or_else(|| "its memory is not measured now".to_owned(), |b| format!("its memory is {b} now"));
    let pid = first.process.as_ref().map_or_else(String::new, |p| format!(", process {}", p.pid));
    let intro = format!(
        "{} of {}{pid} was taken {age} ago; {memory}. The second comes by itself when it is due, if the process is still the same; preflight is asked anew.",
        first.evidence, first.container.pod.name
    );
    let evidence = first.evidence;
    Form::new(
        "SECOND SNAPSHOT",
        intro,
        vec![Field::line("When? +20% or +50MB of growth, a time (10m), or now", if base.is_some() { "+20%" } else { "10m" }, "+20%")],
        Box::new(move |values| {
            let text = values.first().map_or("", String::as_str);
            PairWhen::parse(text, base).map(|when| vec![Intent::Pair { first: evidence, when }])
        }),
    )
}
