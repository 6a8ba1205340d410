//! The analysis' verdict as the incident remembers it: small, masked, without heap types.

use crate::base::{Bytes, Masked};
use crate::heap::{Suspect, Verdict};
use crate::incident::{CodeAge, Finding, LargeThing, Place};

/// The first suspect of `verdict`; `None` when nothing is named.
pub fn finding(verdict: &Verdict) -> Option<Finding> {
    let first = verdict.first()?;
    let hop = |step: &crate::heap::Step| Masked::from(format!("{} {}", step.edge, step.node).trim());
    let lacks: Vec<&str> = first.cannot_prove.iter().chain(&verdict.caveats).map(Masked::as_str).collect();
    Some(Finding {
        headline: first.headline.clone(),
        holder: first.holder.clone(),
        growing: first.growing_class.clone(),
        place: first.location.as_ref().map(place),
        retained: Bytes(first.retained_bytes),
        share: first.share,
        growth: first.growth_bytes.and_then(|n| u64::try_from(n).ok()).map(Bytes),
        confidence: Masked::own(first.confidence.word()),
        path: first.path.iter().map(hop).collect(),
        cannot_prove: Masked::from(lacks.join("; ")),
    })
}

/// What is big in `verdict` without being called a leak.
pub fn large(verdict: &Verdict) -> Vec<LargeThing> {
    let thing = |one: &crate::heap::Large| LargeThing {
        what: Masked::from(format!("{} ({})", one.name, one.kind.word())),
        retained: Bytes(one.retained_bytes),
    };
    verdict.large.iter().map(thing).collect()
}

/// The age of a suspect's code; `None` until git was asked, or when the suspect has no place.
pub fn code_age(suspect: &Suspect) -> Option<CodeAge> {
    let (age, at) = (suspect.age.as_ref()?, suspect.location.as_ref()?);
    Some(CodeAge {
        place: Place { file: age.file.clone(), line: at.line, column: at.column },
        commit: age.commit.clone(),
        written: age.changed,
        subject: age.subject.clone(),
        younger_changes: age.older_than,
        changes: age.changes,
    })
}

fn place(at: &crate::heap::Place) -> Place {
    Place { file: at.file.clone(), line: at.line, column: at.column }
}
