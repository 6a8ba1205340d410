//! Collects what preflight judges by: the probe, the pod, the rights, and V8's own numbers if they are wanted.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::base::{Bytes, BytesPerSecond, Masked, ProcessKey};
use crate::incident::Provenance;
use crate::node::cost::Shape;
use crate::node::{Process, ProcessFacts};
use crate::preflight::{Assessment, HeapReading, Holdings, PodBudget, Situation, assess};
use crate::pressure::PodFacts;

use super::error::Error;
use super::helper::probe;
use super::methods::{METHODS, find};
use super::place::Place;
use super::{inspect, methods};

/// How deep to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// The read-only probe alone: the heap's size is guessed from resident memory.
    Probe,
    /// V8's own numbers too: opens the inspector by SIGUSR1 where that is proved harmless, and closes it again.
    Inspector,
}

/// What was found.
#[derive(Clone, Debug)]
pub struct Survey {
    /// The pod.
    pub pod: PodFacts,
    /// What its container allows.
    pub budget: PodBudget,
    /// What the probe said.
    pub facts: ProcessFacts,
    /// V8's numbers.
    pub heap: Option<HeapReading>,
    /// What an earlier look at the same process saw, and how long ago; the caller knows.
    pub earlier: Option<(Holdings, Duration)>,
    /// The process that is meant, by pid.
    pub pid: Option<u32>,
    /// The life of that process.
    pub process: Option<ProcessKey>,
    /// Rights that are missing, by method.
    refused: BTreeMap<&'static str, Vec<String>>,
}

/// Looks at a container. `pid`: a process a person named; `working_set` and `slope` as metrics know them.
///
/// # Errors
/// When the pod cannot be reached or nothing can be run in the container. A container without Node is an answer.
pub async fn survey(
    place: &dyn Place,
    pid: Option<u32>,
    pressure: (Option<Bytes>, Option<BytesPerSecond>),
    depth: Depth,
) -> Result<Survey, Error> {
    let (pod, rules) = (place.pod().await?, methods::rules());
    let container = &place.container().name;
    let budget = PodBudget::of(&pod, container).unwrap_or_default().measured(pressure.0, pressure.1);
    // Rights are asked for beside the probe; a server that will not say is not believed to refuse.
    let (facts, refused) = tokio::join!(probe(place), place.refused(&rules));
    let (facts, missing) = (facts?, refused.unwrap_or_default());
    let refused = METHODS
        .iter()
        .map(|method| {
            let lacks = method.needs().iter().filter(|rule| missing.contains(rule)).map(ToString::to_string).collect();
            (method.spec().name, lacks)
        })
        .collect();
    let pid = pid.or(facts.target);
    let process = pid.and_then(|pid| facts.process(pid)).map(|process| key(&pod, container, process));
    let mut survey = Survey { pod, budget, facts, heap: None, earlier: None, pid, process, refused };
    if depth == Depth::Inspector
        && let Some(pid) = pid
        && let Ok(mut inspector) = inspect::open(place, &survey.facts, pid).await
    {
        let cpus = survey.facts.cgroup.as_ref().and_then(|c| c.cpus).map(crate::node::MilliCpu::cpus);
        survey.heap = inspect::weigh(&mut inspector.session, cpus, survey.budget.bears().map(|budget| budget.until_kill)).await;
        inspector.close().await;
    }
    Ok(survey)
}

/// The life of a process: object ids are compared only inside one.
fn key(pod: &PodFacts, container: &str, process: &Process) -> ProcessKey {
    let facts = pod.containers.iter().find(|c| c.name == container);
    let since = facts.and_then(|c| match &c.state {
        crate::pressure::ContainerState::Running { since } => *since,
        crate::pressure::ContainerState::Waiting { .. } | crate::pressure::ContainerState::Terminated(_) => None,
    });
    // A process that is not the container's first may have started later. The start by the container's clock moves a
    // little between two probes, the kubelet's does not.
    let started = if process.pid == 1 { since.or(process.started) } else { process.started.map(whole_minute).or(since) };
    ProcessKey {
        pod_uid: pod.uid.clone(),
        container_id: facts.map_or_else(String::new, |c| c.id.clone()),
        restart: facts.map_or(0, |c| c.restarts),
        pid: process.pid,
        started: started.unwrap_or_default(),
    }
}

/// Two probes of one process compute its start from clocks with whole seconds: rounded, they agree (a pid that is used
/// again within a minute in the same container life is not to be feared).
fn whole_minute(at: chrono::DateTime<chrono::Utc>) -> chrono::DateTime<chrono::Utc> {
    let minute = (at.timestamp() + 30).div_euclid(60) * 60;
    chrono::DateTime::from_timestamp(minute, 0).unwrap_or(at)
}

impl Survey {
    /// Who holds the memory, to be compared with a later look.
    pub fn holdings(&self) -> Holdings {
        Holdings::of(&self.facts, self.pid, self.heap)
    }

    /// Judges every method, the best first: what may start before what may not, then by the order of the list.
    /// `local_free`: room for evidence here.
    pub fn assess(&self, local_free: Option<Bytes>) -> Vec<Assessment> {
        let mut all: Vec<Assessment> = METHODS.iter().map(|method| self.assess_by(method.spec().name, local_free)).collect();
        all.sort_by_key(|assessment| {
            let opt_in = find(&assessment.method).is_none_or(|method| method.spec().opt_in);
            // A profile is no heap, and says nothing of what is held already: it comes after every snapshot that may start,
            // also after a risky one, which asks first and offers the profile.
            let profile = find(&assessment.method).is_some_and(|method| method.spec().extension == "heapprofile");
            let safe = assessment.risk <= crate::preflight::Risk::Unknown;
            (!assessment.risk.may_start(), opt_in, profile, !safe)
        });
        all
    }

    /// Judges the method called `name`.
    pub fn assess_by(&self, name: &str, local_free: Option<Bytes>) -> Assessment {
        let none = Vec::new();
        let situation = Situation {
            facts: &self.facts,
            pid: self.pid,
            heap: self.heap,
            earlier: self.earlier,
            pod: &self.budget,
            shape: Shape::Unknown,
            local_free,
            link: None,
            refused: self.refused.get(name).unwrap_or(&none),
        };
        match find(name) {
            Some(method) => method.assess(&situation),
            None => assess(
                &situation,
                &crate::preflight::Demand {
                    method: "unknown",
                    builds: crate::preflight::Builds::Never,
                    inspector: false,
                    usr2: false,
                    writes: false,
                    restarts: false,
                    brings_file: false,
                },
            ),
        }
    }

    /// Where a file of this process comes from, but for what the capture itself knows (times, method, who, command).
    pub(super) fn provenance(&self, place: &dyn Place) -> Option<Provenance> {
        let process = self.pid.and_then(|pid| self.facts.process(pid))?;
        Some(Provenance { process: self.process.clone()?, ..self.provenance_of(place, Some(process)) })
    }

    /// The same of `process`, or of the container alone. The life of the process is the caller's to set.
    pub(super) fn provenance_of(&self, place: &dyn Place, process: Option<&Process>) -> Provenance {
        let container = self.pod.containers.iter().find(|c| c.name == place.container().name);
        let flags = process.map_or_else(Masked::default, |process| match &process.node_options {
            Some(options) => Masked::from(format!("{} (NODE_OPTIONS={options})", process.command)),
            None => process.command.clone(),
        });
        let at = self.facts.now;
        let nobody = || ProcessKey {
            pod_uid: self.pod.uid.clone(),
            container_id: container.map_or_else(String::new, |c| c.id.clone()),
            restart: container.map_or(0, |c| c.restarts),
            pid: 0,
            started: DateTime::<Utc>::default(),
        };
        Provenance {
            container: place.container().clone(),
            process: nobody(),
            image: container
                .map_or_else(Masked::default, |c| Masked::from(if c.image_id.is_empty() { &c.image } else { &c.image_id }.as_str())),
            node: self.pod.node.clone(),
            node_version: process.and_then(|process| process.version).map(|v| v.to_string()),
            flags,
            method: Masked::default(),
            who: Masked::default(),
            began: at,
            ended: at,
            command: Masked::default(),
            tool: Masked::own(concat!("cutoff ", env!("CARGO_PKG_VERSION"))),
            path: None,
            same_in_pod: None,
        }
    }
}
