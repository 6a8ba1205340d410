//! Takes a capture by name and finds out afterwards what it really cost.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::base::{Bytes, Masked, Stamp, TroubleKind};
use crate::incident::{Outcome, Provenance};
use crate::node::Process;
use crate::preflight::{Assessment, CaptureState, Compared, Risk, compare};

use super::error::Error;
use super::helper::probe;
use super::landing::Landing;
use super::method::{Done, Order, Tell};
use super::methods::find;
use super::place::Place;
use super::survey::Survey;

/// A capture that has ended, with all that the journal keeps of it.
#[derive(Clone, Debug)]
pub struct Captured {
    /// How.
    pub done: Done,
    /// The same in the journal's words.
    pub outcome: Outcome,
    /// Where the file comes from; `who`, `began` and `ended` are the caller's to set.
    pub provenance: Option<Provenance>,
    /// Predictions beside what happened.
    pub compared: Vec<Compared>,
    /// Restarts of the container before and after; `None` when the pod is gone.
    pub restarts: (u32, Option<u32>),
    /// Whether the very process lives on.
    pub process_lives: Option<bool>,
    /// What the container has in use afterwards, and its limit: a snapshot's memory does not come back.
    pub left: Option<Left>,
}

/// Memory of the container before and after a capture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Left {
    /// Working set before.
    pub before: Bytes,
    /// Working set after.
    pub after: Bytes,
    /// The limit; `None` when there is none.
    pub limit: Option<Bytes>,
    /// Memory that the capture took on top at its peak, if it was seen.
    pub took: Option<Bytes>,
}

impl Left {
    /// What a person should know, if memory stayed high; `None` where it did not.
    fn remark(&self) -> Option<Masked> {
        let more = self.after.saturating_sub(self.before);
        if more < Bytes(self.before.0 / 5).max(Bytes(16_000_000)) {
            return None;
        }
        let Some(limit) = self.limit else {
            return Some(Masked::from(format!("memory stays at {} ({} before): V8 does not give it back", self.after, self.before)));
        };
        let free = limit.saturating_sub(self.after);
        // What is freed inside the process is used again by the next snapshot; only what it then lacks is new.
        let again = self.took.map_or(Bytes(0), |took| took.saturating_sub(more));
        let next = if free < again || free.0 < limit.0 / 10 {
            "it is near its limit, and a second capture may be refused"
        } else {
            "a second one has less room"
        };
        Some(Masked::from(format!(
            "memory stays at {} ({} before), {free} below the limit of {}: {next}",
            self.after,
            self.before,
            limit.binary()
        )))
    }
}

/// Takes a capture by the method of `assessment`. `accepted`: the worst risk that a person accepted, [`Risk::Ok`] for none.
/// `who` and `now` go into the provenance: `now` is asked at the beginning and at the end.
pub async fn take(
    place: &dyn Place,
    survey: &Survey,
    assessment: &Assessment,
    accepted: Risk,
    landing: &mut dyn Landing,
    tell: Tell<'_>,
    stop: CancellationToken,
) -> Captured {
    let done = run(place, survey, assessment, accepted, landing, tell, stop).await;
    conclude(place, survey, assessment, done).await
}

/// What a capture that ended was: its outcome, where it comes from, and what it really cost.
pub(super) async fn conclude(place: &dyn Place, survey: &Survey, assessment: &Assessment, done: Done) -> Captured {
    let restarts = restarts_of(&survey.pod, place);
    let outcome = outcome(&done.state);
    let mut captured = Captured {
        outcome,
        provenance: survey.provenance(place),
        compared: Vec::new(),
        restarts: (restarts.unwrap_or(0), restarts),
        process_lives: None,
        left: None,
        done,
    };
    if let Some(provenance) = &mut captured.provenance {
        provenance.method = Masked::from(assessment.method.as_str());
        provenance.command = captured.done.command.clone();
        provenance.path = captured.done.origin.path.clone();
        provenance.same_in_pod = captured.done.origin.same;
    }
    // What it cost: the peak of the process's memory is the kernel's own count. A capture that never began cost nothing.
    let began = !matches!(captured.done.state, CaptureState::Failed { .. } | CaptureState::Cancelled);
    if began {
        look_again(place, survey, &mut captured).await;
    }
    captured.compared = compare(&assessment.predicted, &captured.done.measured);
    captured
}

async fn run(
    place: &dyn Place,
    survey: &Survey,
    assessment: &Assessment,
    accepted: Risk,
    landing: &mut dyn Landing,
    tell: Tell<'_>,
    stop: CancellationToken,
) -> Done {
    let command = Masked::default();
    let Some(method) = find(&assessment.method) else {
        return Done::failed(Error::NoMethod(assessment.method.clone()), command);
    };
    let Some(pid) = survey.pid.filter(|pid| survey.facts.process(*pid).is_some()) else {
        return Done::failed(Error::NoTarget, command);
    };
    // The last gate: whoever calls, what may kill is not done unasked, a yes to less is no yes, and what cannot work is not
    // tried.
    if assessment.risk == Risk::Impossible || (assessment.risk.wants_yes() && assessment.risk > accepted) {
        return Done::failed(Error::Refused(Masked::from(assessment.headline())), command);
    }
    method.take(Order { place, facts: &survey.facts, pid, landing, tell, stop }).await
}

async fn look_again(place: &dyn Place, survey: &Survey, captured: &mut Captured) {
    let Some(before) = survey.pid.and_then(|pid| survey.facts.process(pid)) else { return };
    for look in 0..LOOKS {
        if look > 0 {
            tokio::time::sleep(LOOK_AGAIN).await;
        }
        let restarts = match place.pod().await {
            Ok(pod) => restarts_of(&pod, place),
            Err(trouble) if trouble.kind == TroubleKind::NotFound => None,
            Err(_) => continue,
        };
        captured.restarts.1 = restarts;
        if restarts != Some(captured.restarts.0) {
            captured.process_lives = Some(false);
            return;
        }
        let Ok(after) = probe(place).await else { continue };
        let now = after.process(before.pid).filter(|now| same_life(before, now));
        captured.process_lives = Some(now.is_some());
        captured.left = survey.facts.cgroup.as_ref().zip(after.cgroup.as_ref()).filter(|_| now.is_some()).map(|(before, after)| Left {
            before: before.working_set(),
            after: after.working_set(),
            limit: after.limit,
            took: now.map(|now| now.rss_peak.saturating_sub(before_rss(survey, now.pid))),
        });
        captured.done.measured.cpu = now.and_then(|now| now.cpu.checked_sub(before.cpu));
        if let Some(now) = now.filter(|now| now.rss_peak > before.rss_peak.max(before.rss)) {
            captured.done.measured.memory = Some(now.rss_peak.saturating_sub(before.rss));
        }
        return;
    }
}

fn before_rss(survey: &Survey, pid: u32) -> Bytes {
    survey.facts.process(pid).map_or(Bytes(0), |process| process.rss)
}

/// The kubelet tells a death only a second or two after it (measured); until then the pod looks as it did, but nothing
/// can be run in it.
const LOOKS: u32 = 6;
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// Whether both are one process: its start, computed from clocks with whole seconds, has stayed.
fn same_life(before: &Process, now: &Process) -> bool {
    match (before.started, now.started) {
        (Some(before), Some(now)) => (now - before).abs() < chrono::TimeDelta::seconds(5),
        _ => true,
    }
}

pub(super) fn restarts_of(pod: &crate::pressure::PodFacts, place: &dyn Place) -> Option<u32> {
    pod.containers.iter().find(|c| c.name == place.container().name).map(|c| c.restarts)
}

pub(super) fn outcome(state: &CaptureState) -> Outcome {
    match state {
        CaptureState::Complete { .. } => Outcome::Complete,
        CaptureState::Truncated { .. } => Outcome::Truncated,
        CaptureState::KilledEmpty { .. } => Outcome::KilledEmpty,
        CaptureState::Cancelled => Outcome::Cancelled,
        CaptureState::Failed { .. }
        | CaptureState::Armed { .. }
        | CaptureState::Preparing { .. }
        | CaptureState::Building { .. }
        | CaptureState::Writing { .. }
        | CaptureState::Copying { .. } => Outcome::Failed,
    }
}

impl Captured {
    /// Bytes that were kept.
    pub fn bytes(&self) -> Bytes {
        self.done.bytes()
    }

    /// The provenance with what only the caller knows.
    pub fn provenance_by(&self, who: &Masked, began: Stamp, ended: Stamp) -> Option<Provenance> {
        self.provenance.clone().map(|provenance| Provenance { who: who.clone(), began: began.wall, ended: ended.wall, ..provenance })
    }

    /// What a person should read below the state: what is left behind, what it cost against what was said, restarts.
    pub fn remarks(&self) -> Vec<Masked> {
        let mut all: Vec<Masked> = Vec::new();
        if !self.done.remark.is_empty() {
            all.push(self.done.remark.clone());
        }
        if self.process_lives == Some(false) {
            all.push(Masked::own("the process did not survive"));
        }
        all.extend(self.left.and_then(|left| left.remark()));
        all.extend(self.compared.iter().map(|c| Masked::from(format!("{}: {}", c.what, c.text))));
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_that_stays_is_said_with_the_limit() {
        let mb = |n: u64| Bytes(n * 1_000_000);
        // Measured in a pod: 106 MB before, 906 MB after.
        let left = Left { before: mb(106), after: mb(906), limit: Some(Bytes::mib(1024)), took: Some(mb(820)) };
        assert_eq!(
            left.remark().expect("it stayed").as_str(),
            "memory stays at 906 MB (106 MB before), 168 MB below the limit of 1.00 GiB: a second one has less room"
        );
        let near = Left { limit: Some(Bytes::mib(900)), ..left };
        assert!(near.remark().expect("it stayed").as_str().ends_with("it is near its limit, and a second capture may be refused"));
        assert!(Left { limit: None, ..left }.remark().is_some());
        assert_eq!(Left { after: mb(110), ..left }.remark(), None, "it came back");
    }
}
