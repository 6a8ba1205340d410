//! Files of evidence → verdict → how old the code is.

use super::effect::Effect;
use super::foot::{end, job, say};
use super::model::{AnalysisRow, JobId, Level, Model};
use super::record::by_tool;
use crate::base::{EvidenceId, Trouble};
use crate::heap::Verdict;
use crate::incident::{CodeAge, Kind};

/// Analyses `evidence`, oldest first.
pub(super) fn begin(model: &mut Model, evidence: Vec<EvidenceId>) -> Vec<Effect> {
    if evidence.is_empty() || model.analyses.iter().any(|a| a.evidence == evidence && a.job.is_some()) {
        return Vec::new();
    }
    let names = evidence.iter().map(ToString::to_string).collect::<Vec<_>>().join(" + ");
    let id = job(model, format!("analyse {names}"));
    model.analyses.retain(|a| a.evidence != evidence);
    model.analyses.push(AnalysisRow { evidence: evidence.clone(), job: Some(id), verdict: None, trouble: None });
    let seconds = seconds_between(model, &evidence);
    vec![Effect::Analyse { job: id, evidence, seconds }]
}

/// Between the beginnings of the first and the last capture: a heap is walked right after its capture began.
fn seconds_between(model: &Model, evidence: &[EvidenceId]) -> Option<f64> {
    let began = |id: &EvidenceId| model.capture(*id).map(|c| c.began.wall);
    let (first, last) = (began(evidence.first()?)?, began(evidence.last()?)?);
    let seconds = (last - first).num_milliseconds() as f64 / 1000.0;
    (seconds > 0.0).then_some(seconds)
}

/// An analysis goes on.
pub(super) fn goes_on(model: &mut Model, id: JobId, phase: String, share: f32) {
    if let Some(job) = model.jobs.get_mut(&id) {
        job.share = Some(share);
        job.note = phase;
    }
}

/// An analysis ended.
pub(super) fn ended(model: &mut Model, id: JobId, evidence: Vec<EvidenceId>, result: Result<Box<Verdict>, Trouble>) -> Vec<Effect> {
    end(model, id);
    let Some(row) = model.analyses.iter_mut().find(|a| a.evidence == evidence) else { return Vec::new() };
    row.job = None;
    match result {
        Err(trouble) => {
            row.trouble = Some(trouble.clone());
            super::record::trouble(model, "analysis", &trouble)
        }
        Ok(verdict) => {
            row.verdict = Some(verdict.as_ref().clone());
            let Some(finding) = crate::report::finding(&verdict) else {
                say(model, Level::Info, format!("analysis: {}", verdict.reason));
                let large = crate::report::large(&verdict);
                return by_tool(model, Kind::NothingFound { evidence, reason: verdict.reason.clone(), large });
            };
            say(model, Level::Good, finding.headline.to_string());
            // After a restart the newest files are looked at again; what the journal has is not said twice.
            let known = model
                .incident
                .as_ref()
                .is_some_and(|s| s.findings.iter().any(|f| f.evidence == evidence && f.finding.headline == finding.headline));
            if known {
                return Vec::new();
            }
            let place = finding.place.clone();
            let mut effects = by_tool(model, Kind::LeakFound { evidence: evidence.clone(), finding: Box::new(finding) });
            if let (Some(place), Some(repository)) = (place, model.setting.repository.clone()) {
                let job = job(model, "how old is that code?");
                effects.push(Effect::Blame { job, evidence, place, repository });
            }
            effects
        }
    }
}

/// The age of the code is known.
pub(super) fn aged(model: &mut Model, id: JobId, evidence: Vec<EvidenceId>, result: Result<CodeAge, Trouble>) -> Vec<Effect> {
    end(model, id);
    match result {
        Err(trouble) => super::record::trouble(model, "age of the code", &trouble),
        Ok(age) => {
            if let Some(suspect) = model
                .analyses
                .iter_mut()
                .find(|a| a.evidence == evidence)
                .and_then(|a| a.verdict.as_mut())
                .and_then(|v| v.suspects.first_mut())
            {
                suspect.age = Some(crate::heap::Age {
                    commit: age.commit.clone(),
                    subject: age.subject.clone(),
                    changed: age.written,
                    file: age.place.file.clone(),
                    older_than: age.younger_changes,
                    changes: age.changes,
                });
            }
            by_tool(model, Kind::CodeAged { evidence, age })
        }
    }
}
