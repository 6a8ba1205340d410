//! Puts the grounds together to an assessment, and names the ways out.

use crate::base::{Bytes, Masked};
use crate::node::small_heap_mib;

use super::assessment::{Assessment, Check, Figure, Predicted, Reason, Remedy, RemedyKind, Risk};
use super::checks;
use super::situation::{Builds, Demand, Situation};

/// Judges one method by what it demands.
pub fn assess(at: &Situation<'_>, demand: &Demand) -> Assessment {
    let mut reasons = Vec::new();
    let Some(process) = at.process() else {
        let text = if at.facts.processes.is_empty() { "no process was seen" } else { "there is no Node process in this container" };
        reasons.push(Reason::new(Check::Target, Risk::Impossible, text));
        return Assessment::of(demand.method, reasons);
    };
    let others = at.facts.candidates().len();
    if at.pid.is_none() && others > 1 {
        let text = format!("{others} Node processes run here; {} is meant, the largest ({})", process.pid, process.rss);
        reasons.push(Reason::new(Check::Target, Risk::Ok, text));
    }
    let predicted = super::predict::predict(at, demand);
    reasons.extend(checks::memory(at, demand, &predicted));
    reasons.extend(checks::basis(at, demand));
    reasons.extend(checks::freeze(at, &predicted));
    reasons.extend(checks::signal(at, demand));
    reasons.extend(checks::inspector(at, demand));
    reasons.extend(checks::disk(at, demand, &predicted));
    reasons.extend(checks::local_disk(at, demand, &predicted));
    reasons.extend(checks::race(at, demand));
    reasons.extend(checks::policy(at, demand));
    if demand.builds == Builds::Never {
        reasons.push(Reason::new(Check::Memory, Risk::Ok, "builds no snapshot: some megabytes and no stop"));
    } else if let Some(nature) = at.heap.map(|heap| super::nature::nature(&heap, None)).filter(|n| !n.kind.shows_in_snapshot()) {
        reasons.push(Reason::new(Check::Nature, Risk::Unknown, nature.text));
    }
    let mut verdict = Assessment::of(demand.method, reasons);
    // A guess from resident memory is an upper bound: where even that fits, nothing is unknown.
    if verdict.risk == Risk::Unknown && only_the_guess_is_unknown(&verdict) {
        verdict.risk = Risk::Ok;
        verdict.because.sort_by_key(|r| (r.risk == Risk::Unknown, std::cmp::Reverse(r.risk)));
    }
    verdict.inputs = inputs(at, &predicted);
    verdict.predicted = predicted;
    verdict.headroom = at.headroom();
    verdict.liveness = at.liveness();
    verdict.remedies = remedies(at, demand, &verdict);
    verdict
}

fn only_the_guess_is_unknown(verdict: &Assessment) -> bool {
    let guess = |r: &&Reason| r.check == Check::Memory && r.text.as_str().contains("guessed from resident");
    verdict.because.iter().filter(|r| r.risk == Risk::Unknown).all(|r| guess(&r))
        && verdict.because.iter().any(|r| r.check == Check::Memory && r.risk == Risk::Ok)
}

/// The numbers behind it all, each with its source.
fn inputs(at: &Situation<'_>, predicted: &Predicted) -> Vec<Figure> {
    let mut figures = Vec::new();
    let cgroup = at.facts.cgroup.as_ref();
    let from = cgroup.map_or_else(|| "pod".to_owned(), |c| format!("cgroup v{}", c.version));
    let mut add = |name, value: Option<String>, source: &str| figures.extend(value.map(|v| Figure::new(name, v, source)));
    if let Some(process) = at.process() {
        let version = process.version.map_or_else(|| "unknown, taken as v20".to_owned(), |v| v.to_string());
        add("Node", Some(version), "probe");
        add("process", Some(format!("{} · {}", process.pid, process.command)), "probe");
        add("resident memory", Some(process.rss.to_string()), "probe");
    }
    if let Some(heap) = at.reading() {
        let collected = if heap.after_collection { " after a collection" } else { "" };
        add("JS heap used", Some(format!("{}{collected}", heap.used)), heap.source.word());
        add("outside the heap", Some(heap.external.to_string()).filter(|_| heap.external.0 > 0), heap.source.word());
    }
    let heap_limit_source = if at.heap.and_then(|h| h.limit).is_some() { "inspector" } else { "computed from version and limit" };
    add("JS heap limit", at.heap_limit().map(Bytes::binary), heap_limit_source);
    add("memory limit", at.limit().map(Bytes::binary), if cgroup.and_then(|c| c.limit).is_some() { &from } else { "pod spec" });
    add("working set", at.working_set().map(|b| b.to_string()), if cgroup.is_some() { &from } else { "metrics" });
    add("headroom", at.headroom().map(|b| b.to_string()), "limit − working set");
    add("all processes added up", Some(at.facts.rss_of_all().to_string()).filter(|_| at.facts.processes.len() > 1), "probe");
    add("CPU limit", at.cpus().map(|cpus| format!("{cpus} CPU")), &from);
    add("growth", at.pod.slope.map(|s| s.to_string()), "samples");
    let measured = "measured costs of this Node version";
    add("memory on top", predicted.memory.map(|b| b.to_string()), measured);
    add("freeze", predicted.freeze.map(|b| b.to_string()), measured);
    add("file", predicted.file.map(|b| b.to_string()), measured);
    figures
}

/// Ways out, best first; none where nothing is wrong.
fn remedies(at: &Situation<'_>, demand: &Demand, verdict: &Assessment) -> Vec<Remedy> {
    let mut ways = Vec::new();
    if verdict.risk == Risk::Ok {
        return ways;
    }
    let worst = |check: Check| verdict.because.iter().filter(|r| r.check == check).map(|r| r.risk).max().unwrap_or(Risk::Ok);
    let mut offer = |kind, text: String| ways.push(Remedy { kind, text: Masked::from(text) });
    if worst(Check::Memory) >= Risk::Risky {
        if let (Some(from), Some(working_set), Some(need)) = (at.limit(), at.working_set(), verdict.predicted.memory)
            && !at.pod.resize_restarts
        {
            // The upper bound: it is put back afterwards, and a heap of tiny objects took it all (measured in a pod).
            let want = working_set.0.saturating_add(need.high.0);
            let to = Bytes(want.div_ceil(64 << 20) * (64 << 20));
            if to > from {
                let qos = if at.pod.qos == "Guaranteed" { "; the request must rise with it, as the pod is Guaranteed" } else { "" };
                let text = format!(
                    "raise the memory limit in place from {} to {} for the capture and put it back: no restart, the node must have the room{qos}",
                    from.binary(),
                    to.binary()
                );
                offer(RemedyKind::Resize { from, to }, text);
            }
        }
        if at.pod.has_controller {
            let old_space_mib = at.limit().map_or(256, small_heap_mib);
            let text = format!(
                "a copy of the pod without probes and with a heap of {old_space_mib} MiB: the leak shows as well, and its snapshot fits"
            );
            offer(RemedyKind::DebugCopy { old_space_mib }, text);
        }
    }
    if worst(Check::Freeze) >= Risk::Risky && at.pod.has_controller {
        let text =
            "take the pod out of its Service by label: its controller starts another, the freeze hurts nobody; the liveness probe stays";
        offer(RemedyKind::Isolate, text.to_owned());
    }
    if worst(Check::Disk) >= Risk::Risky
        && let Some(dir) = at.facts.dirs.iter().find(|dir| {
            let fits = verdict.predicted.file.is_none_or(|file| dir.free.is_some_and(|free| free >= file.high));
            !dir.is_memory() && fits && at.process().is_some_and(|p| dir.writable_by(p) == Some(true))
        })
    {
        offer(RemedyKind::Directory { path: Masked::from(dir.path.as_str()) }, format!("{} can be written to and has the room", dir.path));
    }
    if demand.usr2 && worst(Check::Signal) >= Risk::Risky {
        offer(RemedyKind::Method { name: "cdp".to_owned() }, "through the inspector: no flag, no file in the pod, no restart".to_owned());
    }
    if demand.inspector && demand.builds != Builds::Never && worst(Check::Inspector).max(worst(Check::Signal)) >= Risk::Impossible {
        let process = at.process();
        if process.is_some_and(|p| p.flags.usr2_is_snapshot()) {
            offer(RemedyKind::Method { name: "signal".to_owned() }, "SIGUSR2: this process runs with --heapsnapshot-signal".to_owned());
        } else {
            offer(
                RemedyKind::Method { name: "redeploy".to_owned() },
                "start new pods with the flags of a capture; needs the next death".to_owned(),
            );
        }
    }
    if demand.builds != Builds::Never && worst(Check::Memory).max(worst(Check::Freeze)) >= Risk::Risky {
        let text = "the sampling profiler: 60 KB, no spike, names the allocating lines of what grows from now on";
        offer(RemedyKind::Sampling, text.to_owned());
    }
    ways
}
