//! An incident that was left (or lost to kill -9) is taken up again: the fold of its journal, and what hung in the air.

use super::effect::Effect;
use super::foot::say;
use super::model::{AnalysisRow, Capture, Level, Model, Prompt};
use super::record::by_tool;
use crate::base::{Bytes, Masked};
use crate::incident::{ActOutcome, Event, Kind, Outcome, State};
use crate::preflight::CaptureState;

/// Takes up the incident of `events`.
pub(super) fn reopened(model: &mut Model, events: &[Event]) -> Vec<Effect> {
    let Some(state) = State::replay(events) else {
        say(model, Level::Bad, "the journal does not begin with a declaration; it was not opened");
        return Vec::new();
    };
    model.captures = state.captures.iter().map(shown).collect();
    model.analyses = state
        .findings
        .iter()
        .map(|f| &f.evidence)
        .chain(state.nothing.iter().map(|n| &n.evidence))
        .map(|evidence| AnalysisRow { evidence: evidence.clone(), job: None, verdict: None, trouble: None })
        .collect();
    let open = state.is_open();
    let undecided = open && state.cutoff.open_since().is_some();
    let (due, level) = (state.cutoff.due, state.cutoff.level);
    model.incident = Some(state);
    super::guide::replay(model, events);
    if !open {
        return Vec::new();
    }
    let mut effects = by_tool(model, Kind::Resumed { tool: model.setting.tool.clone() });
    effects.extend(close_what_hung(model));
    effects.extend(super::watch::resume(model));
    if undecided {
        super::clock::raise(model, due, level);
    }
    effects.extend(super::comms::outbox(model));
    // The newest finding is looked at again, so that its objects can be walked.
    let newest = model.analyses.last().map(|a| a.evidence.clone()).or_else(|| usable(model));
    if let Some(evidence) = newest {
        effects.extend(super::analysis::begin(model, evidence));
    }
    say(model, Level::Info, "the incident goes on where it was left");
    effects
}

/// A capture that ended and was never analysed.
fn usable(model: &Model) -> Option<Vec<crate::base::EvidenceId>> {
    let last = model.captures.iter().rev().find(|c| c.is_heap() && matches!(c.state, CaptureState::Complete { .. }))?;
    Some(vec![last.evidence])
}

fn shown(record: &crate::incident::Capture) -> Capture {
    let at = crate::base::Stamp::at(record.ended.unwrap_or(record.mark.at));
    let state = match record.outcome {
        Some(Outcome::Complete) => CaptureState::Complete { bytes: record.bytes },
        Some(Outcome::KilledEmpty) => CaptureState::KilledEmpty { why: record.remark.clone() },
        Some(Outcome::Cancelled) => CaptureState::Cancelled,
        Some(Outcome::Truncated | Outcome::Failed) | None => CaptureState::Failed { why: record.remark.clone() },
    };
    Capture {
        job: None,
        evidence: record.evidence,
        container: record.container.clone().unwrap_or_else(unknown_container),
        method: record.method.to_string(),
        state,
        bytes: record.bytes,
        expected: None,
        began: crate::base::Stamp::at(record.mark.at),
        last: at,
        process: record.provenance.as_ref().map(|p| p.process.clone()),
        remark: record.remark.to_string(),
        assessment: None,
    }
}

fn unknown_container() -> crate::base::ContainerRef {
    crate::base::ContainerRef { pod: crate::base::PodRef::new("", "(file)"), name: String::new() }
}

/// What was under way when the tool was lost has no end in the journal: it gets one that claims nothing.
fn close_what_hung(model: &mut Model) -> Vec<Effect> {
    let Some(state) = &model.incident else { return Vec::new() };
    let mut kinds = Vec::new();
    for act in state.acts.iter().filter(|a| matches!(a.outcome, ActOutcome::Pending)) {
        let why = Masked::own("cutoff was gone before the answer came: it may have been done; look at the object");
        kinds.push(Kind::ActFailed { intent: act.mark.seq, why });
    }
    for capture in state.captures.iter().filter(|c| c.outcome.is_none()) {
        kinds.push(Kind::CaptureEnded {
            evidence: capture.evidence,
            outcome: Outcome::Failed,
            bytes: Bytes(0),
            sha256: None,
            file: None,
            provenance: None,
            remark: Masked::own(match capture.method.as_str() {
                "watch" | "near-limit" => "cutoff was gone while it waited for a heap",
                _ => "cutoff was gone during the capture; what came is in the evidence directory",
            }),
        });
    }
    for kind in &kinds {
        if let Kind::CaptureEnded { evidence, remark, .. } = kind
            && let Some(capture) = model.captures.iter_mut().find(|c| c.evidence == *evidence)
        {
            capture.state = CaptureState::Failed { why: remark.clone() };
        }
    }
    model.prompts.retain(|p| matches!(p, Prompt::Cutoff { .. }));
    kinds.into_iter().flat_map(|kind| by_tool(model, kind)).collect()
}
