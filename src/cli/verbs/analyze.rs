//! `cutoff analyze`

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use chrono::TimeDelta;
use clap::{ArgMatches, Args, Command, FromArgMatches};
use serde_json::{Value, json};

use crate::base::{Bytes, Count, Masked, Trouble, TroubleKind, parse_span};
use crate::cli::heap_views::{self, Table};
use crate::cli::snapshot_file::{self, SnapshotFile};
use crate::cli::sources::Sources;
use crate::cli::{Context, Exit, Verb};
use crate::heap::{self, Analysis, Facts, Options, Profile, Unwatched, Verdict};
use crate::report::age_words;
use crate::runtime::snapshots::{self, Kept};

#[derive(Args)]
struct AnalyzeArgs {
    /// Heap snapshots of one process, oldest first (.heapsnapshot, plain, .gz or .zst; - reads a pipe); or one .heapprofile
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Git clone of the service: tells how old the leaking code is
    #[arg(long, value_name = "DIR")]
    repo: Option<PathBuf>,
    /// Deployed revision in that clone
    #[arg(long, value_name = "REV", requires = "repo", default_value = "HEAD")]
    revision: String,
    /// Directory with source maps (*.map): places are given in the original files
    #[arg(long, value_name = "DIR")]
    source_maps: Option<PathBuf>,
    /// Time between the first and the last snapshot, for growth per minute (10m)
    #[arg(long, value_name = "SPAN", value_parser = |s: &str| parse_span(s).ok_or("a span like 90s or 10m"))]
    between: Option<Duration>,
    /// Rows of each table (default: 10; with --json all classes)
    #[arg(long, value_name = "N")]
    top: Option<usize>,
    /// Objects of a class, largest first
    #[arg(long, value_name = "NAME", help_heading = "Ask the heap")]
    class: Option<String>,
    /// One object: its path from the root and what it refers to
    #[arg(long, value_name = "@ID", value_parser = heap_views::parse_id, help_heading = "Ask the heap")]
    object: Option<u32>,
    /// The dominator tree, from --object or the root
    #[arg(long, help_heading = "Ask the heap")]
    dominators: bool,
    /// Who refers to --object
    #[arg(long, requires = "object", help_heading = "Ask the heap")]
    retainers: bool,
    /// Classes that came and went between the first and the last snapshot
    #[arg(long, help_heading = "Ask the heap")]
    diff: bool,
    /// Texts that are in the heap more than once
    #[arg(long, help_heading = "Ask the heap")]
    strings: bool,
    /// Five SHA-256 over all nodes, to be compared with Chrome DevTools
    #[arg(long, help_heading = "Ask the heap")]
    digests: bool,
    /// Read the file itself: neither use what was computed from it before, nor keep it
    #[arg(long)]
    no_cache: bool,
}

impl AnalyzeArgs {
    fn rows(&self) -> usize {
        self.top.unwrap_or(10)
    }

    /// Whether there is a question that a verdict and the class table do not answer.
    fn asks_the_graph(&self) -> bool {
        self.class.is_some() || self.object.is_some() || self.dominators || self.diff || self.strings || self.digests
    }
}

/// Analyses snapshots in place and names the leak.
pub struct Analyze;

impl Verb for Analyze {
    fn command(&self) -> Command {
        AnalyzeArgs::augment_args(Command::new("analyze"))
            .visible_alias("analyse")
            .about("Analyse heap snapshots and name the leak in one sentence")
            .long_about(
                "Analyses heap snapshots and names the leak in one sentence: what grows, who holds it, the file and line.\n\n\
                 One snapshot shows what is large; two of the same process, 5 to 10 minutes apart, prove what grows.\n\
                 A snapshot that was cut gives what can be said and exits 8; a file that is none exits 4.",
            )
            .after_help(
                "Examples:\n  cutoff analyze Heap.1.heapsnapshot Heap.2.heapsnapshot --between 10m --repo ~/src/content-import\n  \
                 cutoff analyze heap.heapsnapshot.gz --class ImportedContent\n  kubectl exec POD -- cat /tmp/heap.heapsnapshot | cutoff analyze -\n  cutoff analyze heap.heapsnapshot --object @12345 --retainers\n  \
                 cutoff analyze a.heapsnapshot b.heapsnapshot --json | jq '.suspects[0]'",
            )
    }

    fn run(&self, context: &Context, args: &ArgMatches) -> Result<Exit> {
        let args = AnalyzeArgs::from_arg_matches(args)?;
        let mut out = std::io::stdout().lock();
        if let [file] = args.files.as_slice()
            && file.extension().is_some_and(|e| e == "heapprofile")
        {
            profile(&mut out, file, args.rows(), context.global.json)?;
            return Ok(Exit::Ok);
        }
        let progress: Arc<dyn heap::Progress> = Arc::new(Unwatched);
        if args.files.iter().filter(|f| snapshot_file::is_pipe(f)).count() > 1 {
            let what = "the standard input is one snapshot, not several";
            return Err(Trouble::new(TroubleKind::Usage, what, "", "write the snapshots to files and give those").into());
        }
        let kept = if args.no_cache { Kept::none() } else { Kept::at(&context.paths().cache_dir) };
        let enough = args.files.len() == 1 && !args.asks_the_graph();
        let mut files = Vec::new();
        for path in &args.files {
            files.push(SnapshotFile::read(path, &kept, enough, &progress)?);
        }
        let exit = if files.iter().any(|f| f.facts.cut.is_some()) { Exit::Incomplete } else { Exit::Ok };
        let tables = tables(&args, &files)?;
        let Some(newest) = files.last() else { return Ok(Exit::Usage) };
        if let (true, Some(analysis)) = (args.digests, newest.analysis()) {
            let digests = crate::cli::json::digests(&analysis.digests());
            writeln!(out, "{}", if context.global.json { json!({ "schema": "cutoff.digests/1", "digests": digests }) } else { digests })?;
            return Ok(exit);
        }
        let mut verdict = match (files.as_slice(), newest.verdict()) {
            ([_], Some(known)) => known.clone(),
            _ => {
                let analyses: Vec<&Analysis> = files.iter().filter_map(SnapshotFile::analysis).collect();
                let options = Options { seconds: args.between.map(|b| b.as_secs_f64()), ..Options::default() };
                let verdict = heap::find_leaks(&analyses, &options, progress.as_ref()).map_err(Trouble::from)?;
                if let [file] = files.as_slice() {
                    file.keep_verdict(&kept, &verdict);
                }
                verdict
            }
        };
        let mut sources = Sources::open(
            args.source_maps.as_deref(),
            args.repo.as_deref().map(|dir| (dir, args.revision.as_str())),
            TimeDelta::hours(24),
        )?;
        sources.locate(&mut verdict)?;
        if context.global.json {
            let mut whole = crate::cli::json::analysis(&files, &verdict, args.top.unwrap_or(usize::MAX));
            for table in &tables {
                whole[table.0.name] = table.0.json();
                if let Some(why) = &table.1 {
                    whole["not_comparable"] = Value::String(why.clone());
                }
            }
            serde_json::to_writer_pretty(&mut out, &whole)?;
            writeln!(out)?;
        } else {
            write!(out, "{}", text(&files, &verdict, context))?;
            if tables.is_empty() {
                write!(out, "{}", classes(&newest.facts, args.rows()).text())?;
            }
            for (table, why) in &tables {
                write!(out, "{}", table.text())?;
                if let Some(why) = why {
                    writeln!(out, "compared by shape, since {why}")?;
                }
            }
        }
        out.flush()?;
        // Who asked the graph once asks again. It is kept when the answer stands, since that takes its time.
        if !enough {
            for file in &files {
                file.keep_analysis(&kept);
            }
        }
        Ok(exit)
    }
}

/// The questions that were asked, each with its table.
fn tables(args: &AnalyzeArgs, files: &[SnapshotFile]) -> Result<Vec<(Table, Option<String>)>, Trouble> {
    let Some(newest) = files.last().and_then(SnapshotFile::analysis) else { return Ok(Vec::new()) };
    let mut tables = Vec::new();
    if let Some(class) = &args.class {
        let table = heap_views::of_class(newest, class, args.rows());
        if table.rows.is_empty() {
            return Err(Trouble::new(
                TroubleKind::NotFound,
                format!("no object of class {}", Masked::from(class.as_str())),
                "",
                "class names stand in the class table, `{id, title}` with its braces",
            ));
        }
        tables.push((table, None));
    }
    let object = args.object.map(|id| heap_views::object(newest, id)).transpose()?;
    if let Some(node) = object {
        tables.extend(heap_views::one(newest, node, args.rows()).into_iter().map(|t| (t, None)));
        if args.retainers {
            tables.push((heap_views::retainers(newest, node, args.rows()), None));
        }
    }
    if args.dominators {
        tables.push((heap_views::dominators(newest, object.unwrap_or(newest.root()), args.rows()), None));
    }
    if args.diff {
        let [Some(first), .., _] = files.iter().map(SnapshotFile::analysis).collect::<Vec<_>>()[..] else {
            return Err(Trouble::new(
                TroubleKind::Usage,
                "--diff compares two snapshots",
                "",
                "give the earlier file first, then the later one",
            ));
        };
        tables.push(heap_views::changes(first, newest, args.rows()));
    }
    if args.strings {
        tables.push((heap_views::duplicate_strings(newest, args.rows()), None));
    }
    Ok(tables)
}

fn classes(facts: &Facts, top: usize) -> Table {
    let rows = facts
        .classes
        .iter()
        .take(top)
        .map(|c| vec![Masked::from(&*c.name).as_str().into(), c.count.into(), c.shallow.into(), c.retained.into()])
        .collect();
    Table { name: "classes", columns: &["class", "count", "shallow_bytes", "retained_bytes"], rows }
}

/// The verdict for people: the headline first.
fn text(files: &[SnapshotFile], verdict: &Verdict, context: &Context) -> String {
    let mut out = String::new();
    let mut line = |text: String| {
        out.push_str(text.trim_end());
        out.push('\n');
    };
    match verdict.first() {
        Some(first) => line(first.headline.to_string()),
        None => line(verdict.reason.to_string()),
    }
    for (n, s) in verdict.suspects.iter().enumerate() {
        if n > 0 {
            line(format!("\n{}. {}", n + 1, s.headline));
        }
        let place = |p: &Option<heap::Place>| p.as_ref().map(|p| format!("{}:{}:{}", p.file, p.line, p.column));
        if let Some(at) = place(&s.location) {
            line(format!("   written at   {at}"));
        }
        if let Some(at) = place(&s.class_location) {
            line(format!("   {} at {at}", s.growing_class));
        }
        if let Some(age) = &s.age {
            line(format!("   that code     {} \"{}\"", age_words(age, Some(context.clock().now().wall)), age.subject));
        }
        if let Some(stored) = &s.stored_in {
            line(format!("   stored in     {stored}{}", s.package.as_ref().map(|p| format!(" of {p}")).unwrap_or_default()));
        }
        if let Some(rate) = s.growth_per_minute {
            line(format!("   growth        {}/min", Bytes(rate.max(0.0) as u64)));
        }
        line(format!("   confidence    {}   fingerprint {}   @{}", s.confidence.word(), s.fingerprint, s.holder_id));
        line(format!("   path          {}", path(s)));
        for site in &s.allocated_at {
            let at = place(&site.place).map(|at| format!(" at {at}")).unwrap_or_default();
            let by = site.callers.first().map(|c| format!(", called by {c}")).unwrap_or_default();
            line(format!("   allocated by  {}{at} ({:.0} %{by})", site.function, site.share * 100.0));
        }
        for sample in s.samples.iter().take(3) {
            line(format!("   member        {sample}"));
        }
        if let Some(t) = &s.trigger {
            let (new, old) = t.split.words();
            line(format!(
                "   trigger       {} is {} in {:.0} % of {new}, in {:.0} % of {old}",
                t.property,
                t.value,
                t.new_share * 100.0,
                t.old_share * 100.0
            ));
        }
        for lack in &s.cannot_prove {
            line(format!("   not proven    {lack}"));
        }
    }
    if !verdict.large.is_empty() {
        line("\nlarge, not called a leak".to_owned());
        for l in &verdict.large {
            let count = if l.count > 0 { format!(", {} members", Count(l.count)) } else { String::new() };
            line(format!(
                "   {:>9}  {:>4.1} %  {} ({}{count})",
                Bytes(l.retained_bytes).to_string(),
                l.share * 100.0,
                l.name,
                l.kind.word()
            ));
        }
    }
    for caveat in &verdict.caveats {
        line(format!("\ncaution: {caveat}"));
    }
    if !verdict.next_capture.is_empty() {
        line(format!("\nnext capture: {}", verdict.next_capture));
    }
    line(String::new());
    for f in files {
        let version = f.facts.node_version.as_ref().map(|v| format!(", Node {v}")).unwrap_or_default();
        line(format!(
            "{}: {} ({}{version}), heap {}, {} objects, sha256 {}",
            f.name,
            f.facts.kind.words(),
            f.size,
            Bytes(f.facts.total_bytes),
            Count(f.facts.nodes),
            &f.sha256[..16]
        ));
        if let Some(cut) = &f.facts.cut {
            let share = |(have, whole): (u64, u64)| if whole == 0 { 100.0 } else { have as f64 * 100.0 / whole as f64 };
            line(format!(
                "   CUT in its {}: {:.0} % of the objects, {:.0} % of the references",
                cut.at.word(),
                share(cut.nodes),
                share(cut.edges)
            ));
        }
    }
    out
}

fn path(s: &heap::Suspect) -> String {
    let hops = s.path.iter().map(|h| {
        let more = if h.folded > 0 { "… " } else { "" };
        format!("{more}{} → {}", h.edge, h.node)
    });
    hops.collect::<Vec<_>>().join(" ")
}

fn profile(out: &mut impl Write, path: &Path, top: usize, as_json: bool) -> Result<()> {
    let file = snapshot_file::open(path)?;
    let mut whole = Vec::new();
    snapshots::pieces(&file, false, |piece| {
        whole.extend_from_slice(piece);
        Ok(())
    })?;
    let profile = Profile::parse(&whole).map_err(|e| {
        Trouble::new(
            TroubleKind::NotFound,
            e.to_string(),
            path.display().to_string(),
            "give a .heapprofile of --heap-prof, the inspector or DevTools",
        )
    })?;
    let rows = profile
        .sites
        .iter()
        .take(top)
        .map(|s| {
            let at = s.place.as_ref().map_or(Value::Null, |p| format!("{}:{}", p.file, p.line).into());
            vec![
                s.function.as_str().into(),
                at,
                s.self_bytes.into(),
                s.total_bytes.into(),
                s.callers.first().map_or(Value::Null, |c| c.as_str().into()),
            ]
        })
        .collect();
    let table = Table { name: "sites", columns: &["function", "place", "self_bytes", "total_bytes", "caller"], rows };
    if as_json {
        writeln!(out, "{}", json!({ "schema": "cutoff.profile/1", "total_bytes": profile.total_bytes, "sites": table.json() }))?;
    } else {
        if let Some(first) = profile.sites.first() {
            let at = first.place.as_ref().map(|p| format!(" at {}:{}", p.file, p.line)).unwrap_or_default();
            writeln!(
                out,
                "{}{at} allocated {} of the {} that are alive (by sampling; who holds them is not in this file)",
                first.function,
                Bytes(first.self_bytes),
                Bytes(profile.total_bytes)
            )?;
        }
        write!(out, "{}", table.text())?;
    }
    Ok(())
}
