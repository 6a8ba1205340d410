//! The ways out when an assessment says no, best first. Each is something that is done with one key: an act with its own
//! dry-run, or another method. What cannot be done from here is not offered.

use crate::base::{Bytes, Masked};
use crate::node::{copy_size, fitting_heap_mib};

use super::assessment::{Assessment, Check, Remedy, RemedyKind, Risk};
use super::situation::{Builds, Demand, Situation};

/// Limits are rounded up to this.
const STEP: u64 = 64 << 20;

/// Ways out, best first; none where nothing is wrong.
pub(super) fn remedies(at: &Situation<'_>, demand: &Demand, verdict: &Assessment) -> Vec<Remedy> {
    if verdict.risk == Risk::Ok {
        return Vec::new();
    }
    let worst = |check: Check| verdict.because.iter().filter(|r| r.check == check).map(|r| r.risk).max().unwrap_or(Risk::Ok);
    let mut ways = Vec::new();
    let more_room = if worst(Check::Memory) >= Risk::Risky { resize(at, verdict) } else { None };
    // Nothing can make room in place: the next life gets a heap whose snapshot fits.
    let cramped = worst(Check::Memory) >= Risk::WouldKill && more_room.is_none();
    ways.extend(more_room);
    if worst(Check::Freeze) >= Risk::Risky && at.pod.has_controller {
        let text =
            "take the pod out of its Service by label: its controller starts another, the freeze hurts nobody; the liveness probe stays";
        ways.push(Remedy { kind: RemedyKind::Isolate, text: Masked::own(text) });
    }
    if worst(Check::Memory).max(worst(Check::Freeze)) >= Risk::Risky && at.pod.has_controller {
        ways.extend(debug_copy(at));
    }
    ways.extend(other_method(at, demand, worst(Check::Signal), worst(Check::Inspector), worst(Check::Disk)));
    if cramped && !ways.iter().any(|way| matches!(way.kind, RemedyKind::Redeploy { .. })) {
        ways.extend(redeploy(at));
    }
    if demand.builds != Builds::Never && worst(Check::Memory).max(worst(Check::Freeze)) >= Risk::Risky {
        let text = "the sampling profiler: 60 KB, no spike, names the allocating lines of what grows from now on";
        ways.push(Remedy { kind: RemedyKind::Sampling, text: Masked::own(text) });
    }
    ways
}

/// The upper bound of the need: the limit is put back afterwards, and a heap of tiny objects took it all (measured in a pod).
fn resize(at: &Situation<'_>, verdict: &Assessment) -> Option<Remedy> {
    let (from, working_set, need) = (at.limit()?, at.working_set()?, verdict.predicted.memory?);
    if at.pod.resize_restarts {
        return None;
    }
    let to = Bytes(working_set.0.saturating_add(need.high.0).div_ceil(STEP) * STEP);
    let qos = if at.pod.qos == "Guaranteed" { "; the request must rise with it, as the pod is Guaranteed" } else { "" };
    let text = format!(
        "raise the memory limit in place from {} to {} for the capture and put it back: no restart, the node must have the room{qos}",
        from.binary(),
        to.binary()
    );
    (to > from).then(|| Remedy { kind: RemedyKind::Resize { from, to }, text: Masked::from(text) })
}

fn debug_copy(at: &Situation<'_>) -> Option<Remedy> {
    let (old_space_mib, limit) = copy_size(at.limit()?);
    let memory = (Some(limit) > at.limit()).then_some(limit);
    let room = memory.map_or_else(String::new, |limit| format!(" (its limit is {})", limit.binary()));
    let text = format!(
        "a copy of the pod outside of its Service, without probes and with a heap of {old_space_mib} MiB{room}: the leak shows as well, and \
         a snapshot of it, which usually fits, is written by itself when the heap is full"
    );
    Some(Remedy { kind: RemedyKind::DebugCopy { old_space_mib, memory }, text: Masked::from(text) })
}

/// Another method that reaches the same heap; and as the last one new pods with the flags of a capture.
fn other_method(at: &Situation<'_>, demand: &Demand, signal: Risk, inspector: Risk, disk: Risk) -> Option<Remedy> {
    let method = |name: &str, text: &'static str| Remedy { kind: RemedyKind::Method { name: name.to_owned() }, text: Masked::own(text) };
    if (demand.usr2 && signal >= Risk::Risky) || (demand.writes && demand.builds == Builds::Now && disk >= Risk::Risky) {
        return Some(method("cdp", "through the inspector: no flag, no file in the pod, no restart"));
    }
    if !demand.inspector || demand.builds == Builds::Never || inspector.max(signal) < Risk::Impossible {
        return None;
    }
    if at.process().is_some_and(|p| p.flags.usr2_is_snapshot()) {
        return Some(method("signal", "SIGUSR2: this process runs with --heapsnapshot-signal"));
    }
    redeploy(at)
}

fn redeploy(at: &Situation<'_>) -> Option<Remedy> {
    if !at.pod.has_controller {
        return None;
    }
    let old_space_mib = redeployed_heap_mib(at);
    let heap = old_space_mib.map_or_else(String::new, |mib| format!(" and a heap of {mib} MiB whose snapshot fits"));
    let heap_prof = (at.heap.is_some_and(|heap| heap.handles_sigterm) && at.major() >= 20).then(|| at.major());
    let profile = if heap_prof.is_some() { "; it handles SIGTERM, so --heap-prof leaves a profile at its exit too" } else { "" };
    let text =
        format!("start new pods with the flags of a capture{heap}: this heap is lost, the next death leaves its own on a volume{profile}");
    Some(Remedy { kind: RemedyKind::Redeploy { old_space_mib, heap_prof }, text: Masked::from(text) })
}

/// The heap that new pods get: `None` where the present one fits already, or nothing would.
fn redeployed_heap_mib(at: &Situation<'_>) -> Option<u64> {
    let fitting = fitting_heap_mib(at.limit()?, at.major())?;
    let now = at.heap_limit().map_or(u64::MAX, |limit| limit.0 >> 20);
    (fitting < now).then_some(fitting)
}
