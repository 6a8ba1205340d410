//! Declaring the incident: the clock starts.

use super::super::view::Cx;
use super::form::{Field, Form};
use crate::app::Intent;
use crate::incident::Severity;

/// `1`, `sev1`, `SEV1` → severity.
pub fn severity(text: &str) -> Option<Severity> {
    match text.trim().to_lowercase().trim_start_matches("sev") {
        "1" | "" => Some(Severity::Sev1),
        "2" => Some(Severity::Sev2),
        "3" => Some(Severity::Sev3),
        _ => None,
    }
}

/// The form.
pub fn declare(cx: &Cx<'_>, title: &str) -> Form {
    let worst = cx.model.board.rows().first();
    let service = worst.map(|row| row.workload.as_ref().map_or_else(|| row.container.pod.name.clone(), |w| w.name.clone()));
    let hint = format!("{}: JavaScript heap out of memory", service.as_deref().unwrap_or("the service"));
    let fields = vec![
        Field::line("What do users see?", title, &hint),
        Field::line("Severity: 1 all users or money, 2 many, 3 some", "1", "1"),
        Field::line("Service", service.as_deref().unwrap_or(""), "service or workload"),
    ];
    Form::new(
        "DECLARE THE INCIDENT",
        "The clock starts: quick fixes for two hours at most, then a decision. What is left empty is filled in.",
        fields,
        Box::new(|values| {
            let [title, grade, service] = values else { return Ok(Vec::new()) };
            let severity = severity(grade).ok_or_else(|| "severity is 1, 2 or 3".to_owned())?;
            Ok(vec![Intent::Declare { title: title.clone(), severity, service: service.clone() }])
        }),
    )
}
