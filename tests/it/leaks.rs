//! Does the first suspect name the true holder? Programs of `tests/leaks/` on real Node, each beside healthy caches, and controls that do
//! not leak.
//!
//! `CUTOFF_NODES` may name node binaries (separated by `:`); else the `node` on PATH is taken, and without one the live tests are skipped
//! by name. `CUTOFF_LEAKS=all` runs all programs instead of ten. `RECORD=1` writes the table to `tests/leaks/RESULTS.md`.
#![allow(clippy::print_stderr, reason = "a skipped test says so, and the table is what a reader wants")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use cutoff::heap::{self, Analysis, Confidence, Options, Split, Suspect, Unwatched, Verdict};

use crate::oracle::analysed;

/// What a program's comments promise.
#[derive(Debug, Default)]
struct Promise {
    holders: Vec<(String, u32)>,
    second: Option<String>,
    class: Option<String>,
    steady: bool,
    /// Two snapshots cannot tell it from a leak, three can.
    filling: bool,
}

fn programs() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/leaks")
}

fn promise(text: &str) -> Promise {
    let mut promise = Promise { steady: text.contains("@steady"), filling: text.contains("@filling"), ..Promise::default() };
    for (n, line) in (1..).zip(text.lines()) {
        let after = |mark: &str| line.split_once(mark).map(|(_, rest)| rest.split_whitespace().next().unwrap_or_default().to_owned());
        promise.holders.extend(after("// @holder ").map(|name| (name, n)));
        promise.second = promise.second.or_else(|| after("// @second "));
        promise.class = promise.class.or_else(|| after("// @class "));
    }
    promise
}

/// How a verdict compares with the promise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Mark {
    /// The first suspect names the holder and the line.
    Right,
    /// The first suspect names the holder, but another line of its file.
    Holder,
    /// The holder is a suspect, but not the first.
    Later,
    /// It is not named.
    Missed,
    /// A control that is called a leak.
    FalseAlarm,
}

impl Mark {
    fn word(self) -> &'static str {
        match self {
            Self::Right => "right",
            Self::Holder => "holder, other line",
            Self::Later => "not first",
            Self::Missed => "**missed**",
            Self::FalseAlarm => "**false alarm**",
        }
    }
}

fn names(suspect: &Suspect, holder: &str) -> bool {
    let name = suspect.holder.as_str();
    name.split(['.', ' ']).any(|part| part == holder) || holder.contains(':') && name.contains(holder)
}

fn mark(promise: &Promise, verdict: &Verdict, file: &str) -> Mark {
    if promise.steady {
        // One snapshot of a big cache may name it, but never claim more than that it is big.
        let least = if verdict.snapshots == 1 {
            Confidence::Low
        } else if promise.filling && verdict.snapshots == 2 {
            Confidence::Medium
        } else {
            return if verdict.suspects.is_empty() { Mark::Right } else { Mark::FalseAlarm };
        };
        let claims = verdict.suspects.iter().any(|s| s.confidence > least);
        return if claims { Mark::FalseAlarm } else { Mark::Right };
    }
    let is = |s: &Suspect| promise.holders.iter().any(|(h, _)| names(s, h));
    let Some(first) = verdict.first() else { return Mark::Missed };
    if !is(first) {
        return if verdict.suspects.iter().any(is) { Mark::Later } else { Mark::Missed };
    }
    let line =
        first.location.as_ref().is_some_and(|p| p.file.as_str().ends_with(file) && promise.holders.iter().any(|&(_, l)| l == p.line));
    if line { Mark::Right } else { Mark::Holder }
}

fn verdict(analyses: &[&Analysis]) -> Verdict {
    heap::find_leaks(analyses, &Options::default(), &Unwatched).expect("nobody cancels")
}

/// The three verdicts that an engineer may get: from the last snapshot alone, from a pair, from three.
fn verdicts(snapshots: &[Analysis]) -> [(&'static str, Verdict); 3] {
    let all: Vec<&Analysis> = snapshots.iter().collect();
    [("one", verdict(&all[2..])), ("two", verdict(&all[..2])), ("three", verdict(&all))]
}

fn read(dir: &Path) -> Vec<Analysis> {
    (0..3)
        .map(|n| {
            let bytes = std::fs::read(dir.join(format!("{n}.heapsnapshot"))).expect("the program wrote it");
            heap::analyse(&bytes, Arc::new(Unwatched)).expect("a snapshot")
        })
        .collect()
}

fn list() -> Vec<(String, Promise)> {
    let mut all: Vec<(String, Promise)> = std::fs::read_dir(programs())
        .expect("tests/leaks")
        .filter_map(|e| e.ok()?.file_name().into_string().ok())
        .filter(|f| (f.ends_with(".js") || f.ends_with(".mjs")) && f != "harness.js")
        .map(|f| {
            let text = std::fs::read_to_string(programs().join(&f)).expect("readable");
            (f, promise(&text))
        })
        .collect();
    all.sort_by(|a, b| a.0.cmp(&b.0));
    all
}

fn nodes() -> Vec<PathBuf> {
    match std::env::var("CUTOFF_NODES") {
        Ok(list) => list.split(':').map(PathBuf::from).collect(),
        Err(_) => std::env::var_os("PATH")
            .iter()
            .flat_map(std::env::split_paths)
            .map(|d| d.join("node"))
            .find(|p| p.exists())
            .into_iter()
            .collect(),
    }
}

/// Run where nothing else is asked for (`CUTOFF_LEAKS=all` runs all): one of each kind of holder, and a control.
const FEW: [&str; 10] = [
    "async-local-storage",
    "emitter-listeners",
    "linked-list",
    "memoize-package",
    "nest-content-import",
    "pending-promises",
    "private-fields",
    "rxjs-subscribers",
    "steady-caches",
    "timeouts-long",
];

/// Runs a program and gives its three snapshots.
fn run(node: &Path, program: &str) -> Vec<Analysis> {
    let dir = tempfile::tempdir().expect("a folder");
    let app = dir.path().join("src");
    let copy = |from: &Path, to: &Path| {
        let status = Command::new("cp").arg("-r").arg(from).arg(to).status().expect("cp");
        assert!(status.success());
    };
    std::fs::create_dir(&app).expect("made");
    for file in ["lib", "harness.js", program] {
        copy(&programs().join(file), &app);
    }
    copy(&programs().join("vendor"), &dir.path().join("node_modules"));
    let out = dir.path().join("out");
    std::fs::create_dir(&out).expect("made");
    let done = Command::new(node)
        .env_clear()
        .arg("src/harness.js")
        .arg(format!("src/{program}"))
        .arg("out")
        .args(["3", "300"])
        .current_dir(dir.path())
        .output()
        .expect("node starts");
    assert!(done.status.success(), "{program}: {}", String::from_utf8_lossy(&done.stderr));
    read(&out)
}

fn major(node: &Path) -> String {
    let out = Command::new(node).arg("--version").output().expect("node starts").stdout;
    String::from_utf8_lossy(&out).trim().trim_start_matches('v').split('.').next().unwrap_or_default().to_owned()
}

#[test]
fn the_first_suspect_names_the_holder() {
    let recorded = std::env::var("CUTOFF_RECORDED").ok();
    let nodes = nodes();
    if nodes.is_empty() && recorded.is_none() {
        crate::skips::skipped("the_first_suspect_names_the_holder", "no node on PATH, and CUTOFF_NODES names none");
        return;
    }
    let majors: Vec<(String, Option<PathBuf>)> = match &recorded {
        Some(_) => {
            std::env::var("CUTOFF_MAJORS").unwrap_or_else(|_| "18 20 22 24 26".into()).split(' ').map(|m| (m.to_owned(), None)).collect()
        }
        None => nodes.into_iter().map(|n| (major(&n), Some(n))).collect(),
    };
    let only = std::env::var("CUTOFF_PROGRAM").ok();
    let mut table: BTreeMap<String, BTreeMap<(String, &'static str), Mark>> = BTreeMap::new();
    for (program, promise) in list() {
        let name = program.rsplit_once('.').map_or(program.as_str(), |(n, _)| n).to_owned();
        if only.as_ref().is_some_and(|o| !o.split(',').any(|o| o == name)) {
            continue;
        }
        if only.is_none() && recorded.is_none() && std::env::var("CUTOFF_LEAKS").is_err() && !FEW.contains(&name.as_str()) {
            continue;
        }
        for (major, node) in &majors {
            let snapshots = match (node, &recorded) {
                (Some(node), _) => run(node, &program),
                (None, Some(dir)) => read(&Path::new(dir).join(major).join(&name)),
                (None, None) => continue,
            };
            for (mode, verdict) in verdicts(&snapshots) {
                let mark = mark(&promise, &verdict, &format!("src/{program}"));
                if mark > Mark::Right || only.is_some() {
                    eprintln!("{name} Node {major} {mode}: {} (wanted {:?})", mark.word(), promise.holders);
                    for s in verdict.suspects.iter().take(3) {
                        eprintln!("    {} [{}; {:?}; class {}]", s.headline, s.rule, s.confidence, s.growing_class);
                        if only.is_some() {
                            eprintln!(
                                "        path {}",
                                s.path.iter().map(|p| format!("{}→{}", p.edge, p.node)).collect::<Vec<_>>().join(" ")
                            );
                            eprintln!(
                                "        samples {:?} trigger {:?} class at {:?} stored {:?}",
                                s.samples, s.trigger, s.class_location, s.stored_in
                            );
                        }
                    }
                    if verdict.suspects.is_empty() {
                        eprintln!("    {} {:?}", verdict.reason, verdict.large.iter().take(3).map(|l| l.name.as_str()).collect::<Vec<_>>());
                    }
                }
                table.entry(name.clone()).or_default().insert((major.clone(), mode), mark);
            }
        }
    }
    let text = render(&table);
    eprintln!("{text}");
    if std::env::var_os("RECORD").is_some() {
        std::fs::write(programs().join("RESULTS.md"), &text).expect("written");
    }
    let grown: Vec<(&String, Mark)> =
        table.iter().flat_map(|(p, row)| row.iter().filter(|((_, mode), _)| *mode != "one").map(move |(_, m)| (p, *m))).collect();
    let right = grown.iter().filter(|(_, m)| *m <= Mark::Holder).count();
    assert!(right * 100 >= grown.len() * 90, "{right} of {} verdicts from several snapshots name the holder", grown.len());
    let alarms: Vec<_> = grown.iter().filter(|(_, m)| *m == Mark::FalseAlarm).collect();
    assert!(alarms.is_empty(), "steady heaps called leaks: {alarms:?}");
}

fn render(table: &BTreeMap<String, BTreeMap<(String, &'static str), Mark>>) -> String {
    let columns: Vec<(String, &'static str)> =
        table.values().flat_map(|r| r.keys().cloned()).collect::<std::collections::BTreeSet<_>>().into_iter().collect();
    let majors: Vec<String> = columns.iter().map(|c| c.0.clone()).collect::<std::collections::BTreeSet<_>>().into_iter().collect();
    let mut out = String::from(
        "# Results\nWritten by `RECORD=1 cargo test --test it leaks::` (see `tests/it/leaks.rs`). Each cell: verdict from one, two and three snapshots.\n`right`: the first suspect names the holder and its line; for a control (`steady-…`): no suspect.\n\n| program |",
    );
    for major in &majors {
        let _ = write!(out, " Node {major} |");
    }
    out.push_str("\n|---|");
    out.push_str(&"---|".repeat(majors.len()));
    out.push('\n');
    let mut sums: BTreeMap<(&str, Mark), usize> = BTreeMap::new();
    for (program, row) in table {
        let _ = write!(out, "| {program} |");
        for major in &majors {
            let cell: Vec<&str> =
                ["one", "two", "three"].iter().filter_map(|mode| row.get(&(major.clone(), *mode))).map(|m| m.word()).collect();
            let cell =
                if cell.windows(2).all(|w| w[0] == w[1]) { cell.first().copied().unwrap_or("–").to_owned() } else { cell.join(" / ") };
            let _ = write!(out, " {cell} |");
        }
        out.push('\n');
        for ((_, mode), mark) in row {
            *sums.entry((mode, *mark)).or_default() += 1;
        }
    }
    out.push('\n');
    for mode in ["one", "two", "three"] {
        let all: usize = sums.iter().filter(|((m, _), _)| *m == mode).map(|(_, n)| n).sum();
        let parts: Vec<String> =
            sums.iter().filter(|((m, _), _)| *m == mode).map(|((_, mark), n)| format!("{n} {}", mark.word())).collect();
        let _ = writeln!(out, "- {mode} snapshot{}: {} of {all}", if mode == "one" { "" } else { "s" }, parts.join(", "));
    }
    out
}

/// The incident that this tool was made for, on committed snapshots of five majors: old code keeps what it parsed in a module-level map
/// keyed by fresh objects, beside healthy caches.
#[test]
fn the_content_import_leak_is_named_on_every_major() {
    for major in [18, 20, 22, 24, 26] {
        let (before, after) = (analysed(&format!("node{major}-0")), analysed(&format!("node{major}-1")));
        for (mode, analyses) in [("pair", vec![&before, &after]), ("single", vec![&after])] {
            let verdict = verdict(&analyses);
            let first = verdict.first().unwrap_or_else(|| panic!("Node {major} {mode}: {}", verdict.reason));
            assert_eq!(first.holder.as_str(), "parsedContentCache", "Node {major} {mode}: {}", first.headline);
            assert_eq!(first.growing_class.as_str(), "ImportedContent", "Node {major} {mode}");
            let place = first.location.as_ref().expect("a place");
            assert!(place.file.as_str().ends_with("src/nest-content-import.js"), "Node {major} {mode}: {place:?}");
            assert_eq!(place.line, 20, "Node {major} {mode}");
            assert_eq!(first.growth_bytes.is_some(), mode == "pair");
        }
    }
}

/// The same from the file that Node writes as it dies. It holds V8's internals, and the stack of the leaking code.
#[test]
fn near_the_heap_limit_the_leak_is_named_too() {
    for name in ["node20-limit", "node26-limit"] {
        let analysis = analysed(name);
        let verdict = verdict(&[&analysis]);
        let first = verdict.first().unwrap_or_else(|| panic!("{name}: {}", verdict.reason));
        assert_eq!(first.holder.as_str(), "parsedContentCache", "{name}: {}", first.headline);
        assert!(!verdict.next_capture.is_empty(), "{name}: growth is unproven");
    }
}

/// A fingerprint must be the same on every major and from one snapshot or two.
#[test]
fn the_same_leak_has_one_fingerprint() {
    let mut prints: Vec<String> = Vec::new();
    for major in [18, 20, 22, 24, 26] {
        let (before, after) = (analysed(&format!("node{major}-0")), analysed(&format!("node{major}-1")));
        for analyses in [vec![&before, &after], vec![&after]] {
            prints.extend(verdict(&analyses).first().map(|s| s.fingerprint.as_str().to_owned()));
        }
    }
    assert_eq!(prints.len(), 10);
    prints.dedup();
    assert_eq!(prints.len(), 1, "{prints:?}");
}

/// The feed whose articles came when it began to leak is in the new members and not in the old: by id with a pair, by the order in which a Map
/// keeps its entries with one snapshot.
#[test]
fn what_the_new_members_have_in_common_is_found() {
    for major in [18, 20, 22, 24, 26] {
        let (before, after) = (analysed(&format!("node{major}-0")), analysed(&format!("node{major}-1")));
        for (split, analyses) in [(Split::Snapshots, vec![&before, &after]), (Split::Order, vec![&after])] {
            let verdict = verdict(&analyses);
            let trigger = verdict.first().and_then(|s| s.trigger.as_ref()).unwrap_or_else(|| panic!("Node {major} {split:?}"));
            assert_eq!((trigger.property.as_str(), trigger.value.as_str()), (".source", "\"partner-feed-v2\""), "Node {major}");
            assert!(trigger.new_share > 0.9 && trigger.old_share == 0.0 && trigger.split == split, "Node {major}: {trigger:?}");
        }
    }
}

/// A snapshot that was taken while allocations were tracked says which function made the members.
#[test]
fn the_function_that_allocated_is_named_when_it_was_tracked() {
    let analysis = analysed("node26-tracked");
    assert!(analysis.is_tracked() && !analysed("node26-1").is_tracked());
    let verdict = verdict(&[&analysis]);
    let first = verdict.first().expect("a suspect");
    assert_eq!(first.holder.as_str(), "parsedContentCache");
    let site = first.allocated_at.first().expect("a site");
    let place = site.place.as_ref().expect("a place");
    assert_eq!((site.function.as_str(), place.line, site.share), ("parse", 54, 1.0), "{:?}", first.allocated_at);
    assert!(place.file.as_str().ends_with("src/nest-content-import.js"));
    assert!(site.callers[0].as_str().starts_with("handleUpdate "), "{:?}", site.callers);
    // The timeline tells when: what tracking saw is younger than its beginning, what was there before has no time.
    let content = analysis.nodes().find(|&n| analysis.class_name(n) == "ImportedContent" && !analysis.allocation_stack(n).is_empty());
    assert!(content.is_some_and(|n| analysis.allocated_within(n).is_some()));
}
