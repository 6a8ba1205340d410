//! The last resort: new pods with the flags of a capture. It replaces the process, so it is an act of the cluster
//! (`arm`: dry-run, diff, GitOps warning, undo); this is its request. The new pods are then captured by `near-limit`,
//! which finds them armed, or by `signal`.

use crate::incident::{ActRequest, ActTarget};
use crate::node::{dump_options, fitting_heap_mib};

use super::survey::Survey;

/// Where the volume is mounted.
pub const DUMPS: &str = "/var/cutoff-dumps";

/// Arms the workload behind the surveyed pod; `None` when the pod has none or runs no Node. `shrink`: also make the heap
/// so small that its snapshot fits into the container, at the price that the next death comes sooner. Without it V8's
/// default heap is killed while its snapshot is built, wherever half of the limit is heap.
pub fn redeploy(survey: &Survey, container: &str, shrink: bool) -> Option<ActRequest> {
    let workload = survey.pod.workload.clone()?;
    let process = survey.pid.and_then(|pid| survey.facts.process(pid))?;
    let limit = survey.facts.cgroup.as_ref().and_then(|c| c.limit).or(survey.budget.limit);
    let major = process.version.map_or(20, |v| v.major);
    let heap = if shrink { limit.and_then(|limit| fitting_heap_mib(limit, major)) } else { None };
    let args = [
        ("container", container.to_owned()),
        ("variable", "NODE_OPTIONS".to_owned()),
        ("add", dump_options(DUMPS, heap)),
        ("mount", DUMPS.to_owned()),
    ];
    Some(ActRequest {
        act: "arm".to_owned(),
        target: ActTarget { kind: workload.kind, namespace: survey.pod.pod.namespace.clone(), name: workload.name },
        args: args.map(|(name, value)| (name.to_owned(), value)).into(),
    })
}
