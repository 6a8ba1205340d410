//! What `cutoff analyze` says to people: the headline first.

use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::base::{Bytes, Count, Masked};
use crate::cli::heap_views::Table;
use crate::cli::snapshot_file::SnapshotFile;
use crate::heap::{self, Facts, Profile, Verdict};
use crate::node::Report;
use crate::report::age_words;

/// The classes of a heap, largest first.
pub fn classes(facts: &Facts, top: usize) -> Table {
    let rows = facts
        .classes
        .iter()
        .take(top)
        .map(|c| vec![Masked::from(&*c.name).as_str().into(), c.count.into(), c.shallow.into(), c.retained.into()])
        .collect();
    Table { name: "classes", columns: &["class", "count", "shallow_bytes", "retained_bytes"], rows }
}

/// Lines, each without blanks at its end.
#[derive(Default)]
struct Lines(String);

impl Lines {
    fn say(&mut self, text: impl AsRef<str>) {
        self.0.push_str(text.as_ref().trim_end());
        self.0.push('\n');
    }

    /// A name and what belongs to it, aligned.
    fn pair(&mut self, name: &str, text: impl std::fmt::Display) {
        self.say(format!("   {name:<13} {text}"));
    }
}

fn spoken(p: &heap::Place) -> String {
    format!("{}:{}:{}", p.file, p.line, p.column)
}

/// The verdict, then the files it comes from.
pub fn verdict(files: &[SnapshotFile], borrowed: u64, verdict: &Verdict, now: DateTime<Utc>) -> String {
    let mut out = Lines::default();
    match verdict.first() {
        Some(first) => out.say(first.headline.as_str()),
        None => out.say(verdict.reason.as_str()),
    }
    for (n, s) in verdict.suspects.iter().enumerate() {
        if n > 0 {
            out.say(format!("\n{}. {}", n + 1, s.headline));
        }
        suspect(&mut out, s, now);
    }
    if !verdict.large.is_empty() {
        out.say("\nlarge, not called a leak");
        for l in &verdict.large {
            let count = if l.count > 0 { format!(", {} members", Count(l.count)) } else { String::new() };
            let size = Bytes(l.retained_bytes).to_string();
            out.say(format!("   {size:>9}  {:>4.1} %  {} ({}{count})", l.share * 100.0, l.name, l.kind.word()));
        }
    }
    for caveat in &verdict.caveats {
        out.say(format!("\ncaution: {caveat}"));
    }
    if !verdict.next_capture.is_empty() {
        out.say(format!("\nnext capture: {}", verdict.next_capture));
    }
    out.say("");
    sources(&mut out, files, borrowed);
    out.0
}

fn suspect(out: &mut Lines, s: &heap::Suspect, now: DateTime<Utc>) {
    if let Some(at) = &s.location {
        out.pair("written at", spoken(at));
    }
    if let Some(at) = &s.class_location {
        out.say(format!("   {} at {}", s.growing_class, spoken(at)));
    }
    if let Some(age) = &s.age {
        out.pair("that code", format!("{} \"{}\"", age_words(age, Some(now)), age.subject));
    }
    if let Some(stored) = &s.stored_in {
        out.pair("stored in", format!("{stored}{}", s.package.as_ref().map(|p| format!(" of {p}")).unwrap_or_default()));
    }
    if let Some(rate) = s.growth_per_minute {
        out.pair("growth", format!("{}/min", Bytes(rate.max(0.0) as u64)));
    }
    out.pair("confidence", format!("{}   fingerprint {}   @{}", s.confidence.word(), s.fingerprint, s.holder_id));
    out.pair("path", path(s));
    for site in &s.allocated_at {
        let at = site.place.as_ref().map(|p| format!(" at {}", spoken(p))).unwrap_or_default();
        let by = site.callers.first().map(|c| format!(", called by {c}")).unwrap_or_default();
        out.pair("allocated by", format!("{}{at} ({:.0} %{by})", site.function, site.share * 100.0));
    }
    for sample in s.samples.iter().take(3) {
        out.pair("member", sample);
    }
    if let Some(t) = &s.trigger {
        let (new, old) = t.split.words();
        let (share, before) = (t.new_share * 100.0, t.old_share * 100.0);
        out.pair("trigger", format!("{} is {} in {share:.0} % of {new}, in {before:.0} % of {old}", t.property, t.value));
    }
    for lack in &s.cannot_prove {
        out.pair("not proven", lack);
    }
}

fn path(s: &heap::Suspect) -> String {
    let hops = s.path.iter().map(|h| {
        let more = if h.folded > 0 { "… " } else { "" };
        format!("{more}{} → {}", h.edge, h.node)
    });
    hops.collect::<Vec<_>>().join(" ")
}

fn sources(out: &mut Lines, files: &[SnapshotFile], borrowed: u64) {
    for f in files {
        let version = f.facts.node_version.as_ref().map(|v| format!(", Node {v}")).unwrap_or_default();
        let told = f.facts.cut.as_ref().is_none_or(|c| c.root_edges);
        let kind = if told { f.facts.kind.words() } else { "snapshot of a kind that the cut file does not tell" };
        out.say(format!(
            "{}: {kind} ({}{version}), heap {}, {} objects, sha256 {}",
            f.name,
            f.size,
            Bytes(f.facts.total_bytes),
            Count(f.facts.nodes),
            &f.sha256[..16]
        ));
        if let Some(cut) = &f.facts.cut {
            let share = |have: u64, whole: u64| if whole == 0 { 100.0 } else { have as f64 * 100.0 / whole as f64 };
            out.say(format!(
                "   CUT in its {}: {:.0} % of the objects, {:.0} % of the references, {:.0} % of the objects have their name",
                cut.at.word(),
                share(cut.nodes.0, cut.nodes.1),
                share(cut.edges.0, cut.edges.1),
                share(cut.named_nodes, cut.nodes.0)
            ));
        }
    }
    if borrowed > 0 {
        out.say(format!("   {} names come from the earlier snapshot of the process, by id", Count(borrowed)));
    }
}

/// Who allocated what is alive.
pub fn profile(profile: &Profile, top: usize) -> (String, Table) {
    let mut out = Lines::default();
    if let Some(first) = profile.sites.first() {
        let at = first.place.as_ref().map(|p| format!(" at {}:{}", p.file, p.line)).unwrap_or_default();
        out.say(format!(
            "{}{at} allocated {} of the {} that are alive (by sampling; who holds them is not in this file)",
            first.function,
            Bytes(first.self_bytes),
            Bytes(profile.total_bytes)
        ));
    }
    let rows = profile.sites.iter().take(top).map(|s| {
        let at = s.place.as_ref().map_or(Value::Null, |p| format!("{}:{}", p.file, p.line).into());
        let caller = s.callers.first().map_or(Value::Null, |c| c.as_str().into());
        vec![s.function.as_str().into(), at, s.self_bytes.into(), s.total_bytes.into(), caller]
    });
    (out.0, Table { name: "sites", columns: &["function", "place", "self_bytes", "total_bytes", "caller"], rows: rows.collect() })
}

/// What a diagnostic report says of the heap.
pub fn report(name: &str, r: &Report) -> String {
    let mut out = Lines::default();
    out.say(r.sentence().as_str());
    let at = r.at.map(|at| format!(", {}", at.format("%Y-%m-%d %H:%M:%SZ"))).unwrap_or_default();
    let version = r.version.map(|v| format!(", Node {v}")).unwrap_or_default();
    let thread = r.thread.filter(|&t| t > 0).map(|t| format!(", worker thread {t}")).unwrap_or_default();
    out.pair("written for", format!("{} ({}){at}, process {}{thread}{version}", r.event, r.trigger, r.pid));
    out.pair("command", &r.command);
    out.pair("heap", format!("{} used of {}, {} of objects outside it", r.heap_used, r.heap_limit, r.external));
    let limit = r.constrained.map(|l| format!(" of {l} that the container may have")).unwrap_or_default();
    out.pair("resident", format!("{}{limit}; {} of it neither heap nor buffers", r.rss, r.native()));
    for (space, used) in r.spaces.iter().filter(|s| s.1.0 > 0) {
        let share = used.0 as f64 * 100.0 / r.heap_used.0.max(1) as f64;
        out.pair("space", format!("{:>9} {share:>3.0} %  {space}: {}", used.to_string(), Report::space_words(space)));
    }
    if r.contexts.1 > 0 {
        out.pair("contexts", format!("{}, of which {} are detached and still held", r.contexts.0, r.contexts.1));
    }
    if let Some(message) = &r.message {
        out.pair("error", message);
    }
    for line in &r.stack {
        out.pair("stack", line);
    }
    for line in &r.native_stack {
        out.pair("native", line);
    }
    out.say(format!("{name}: diagnostic report; its environment was not read"));
    out.0
}
