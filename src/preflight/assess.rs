//! Puts the grounds together to an assessment, and names the ways out.

use crate::base::Bytes;

use super::assessment::{Assessment, Check, Figure, Predicted, Reason, Risk};
use super::checks;
use super::remedies::remedies;
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
    let nature = super::nature::nature(&at.holdings(), at.earlier.as_ref());
    reasons.extend(checks::memory(at, demand, &predicted));
    reasons.extend(checks::basis(at, demand));
    reasons.extend(checks::freeze(at, &predicted));
    reasons.extend(checks::signal(at, demand));
    reasons.extend(checks::by_hand(at, demand));
    reasons.extend(checks::inspector(at, demand));
    reasons.extend(checks::disk(at, demand, &predicted));
    reasons.extend(checks::local_disk(at, demand, &predicted));
    reasons.extend(checks::race(at, demand));
    reasons.extend(checks::policy(at, demand));
    if demand.builds == Builds::Never {
        reasons.push(Reason::new(Check::Memory, Risk::Ok, "builds no snapshot: some megabytes and no stop"));
    } else if !nature.kind.shows_in_snapshot() {
        reasons.push(Reason::new(Check::Nature, Risk::Unknown, nature.text.clone()));
    }
    reasons.extend(checks::elsewhere(at));
    reasons.extend(checks::children(at));
    let mut verdict = Assessment::of(demand.method, reasons);
    // A guess from resident memory is an upper bound: where even that fits, nothing is unknown.
    if verdict.risk == Risk::Unknown && only_the_guess_is_unknown(&verdict) {
        verdict.risk = Risk::Ok;
        verdict.because.sort_by_key(|r| (r.risk == Risk::Unknown, std::cmp::Reverse(r.risk)));
    }
    verdict.nature = Some(nature);
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
