//! `cutoff analyze`

use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use chrono::TimeDelta;
use clap::{ArgMatches, Args, Command, FromArgMatches};
use serde_json::{Value, json};

use crate::base::{Masked, Trouble, TroubleKind, parse_span};
use crate::cli::analysis_files::{self, Given};
use crate::cli::analysis_text;
use crate::cli::heap_views::{self, Table};
use crate::cli::snapshot_file::{self, SnapshotFile};
use crate::cli::{Context, Exit, Verb};
use crate::heap::{self, Analysis, Options, Unwatched};
use crate::runtime::snapshots::Kept;
use crate::runtime::{Since, Sources};

#[derive(Args)]
struct AnalyzeArgs {
    /// Heap snapshots of one process, oldest first (.heapsnapshot, plain, .gz or .zst; - reads a pipe); beside them or alone diagnostic reports
    /// (report.*.json) and profiles (.heapprofile)
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
    source_maps: Vec<PathBuf>,
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
                 A snapshot that was cut gives what can be said and exits 8; behind a whole one of its process it takes names from that.\n\
                 A diagnostic report says what the heap's spaces held and what ran, a .heapprofile who allocated. A file that is none of these \
                 exits 4.",
            )
            .after_help(
                "Examples:\n  cutoff analyze Heap.1.heapsnapshot Heap.2.heapsnapshot --between 10m --repo ~/src/content-import\n  \
                 cutoff analyze heap.heapsnapshot.gz --class ImportedContent\n  kubectl exec POD -- cat /tmp/heap.heapsnapshot | cutoff analyze -\n  cutoff analyze heap.heapsnapshot --object @12345 --retainers\n  \
                 cutoff analyze report.20261124.101500.1.0.001.json heap.heapsnapshot\n  \
                 cutoff analyze a.heapsnapshot b.heapsnapshot --json | jq '.suspects[0]'",
            )
    }

    fn run(&self, context: &Context, args: &ArgMatches) -> Result<Exit> {
        let args = AnalyzeArgs::from_arg_matches(args)?;
        let mut out = std::io::stdout().lock();
        let progress: Arc<dyn heap::Progress> = Arc::new(Unwatched);
        if args.files.iter().filter(|f| snapshot_file::is_pipe(f)).count() > 1 {
            let what = "the standard input is one snapshot, not several";
            return Err(Trouble::new(TroubleKind::Usage, what, "", "write the snapshots to files and give those").into());
        }
        let given = analysis_files::sorted(&args.files)?;
        let kept = if args.no_cache { Kept::none() } else { Kept::at(&context.paths().cache_dir) };
        let enough = given.snapshots.len() == 1 && !args.asks_the_graph();
        let mut files = Vec::new();
        for path in &given.snapshots {
            files.push(SnapshotFile::read(path, &kept, enough, &progress)?);
        }
        let borrowed = analysis_files::borrow_names(&mut files);
        let exit = if files.iter().any(|f| f.facts.cut.is_some()) { Exit::Incomplete } else { Exit::Ok };
        let tables = tables(&args, &files)?;
        let Some(newest) = files.last() else {
            without_snapshot(&mut out, &given, args.rows(), context.global.json)?;
            return Ok(Exit::Ok);
        };
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
            &args.source_maps,
            args.repo.as_deref().map(|dir| (dir, args.revision.as_str())),
            Since::Before(TimeDelta::hours(24)),
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
            whole["borrowed_names"] = borrowed.into();
            whole["reports"] = crate::cli::json::reports(&given.reports);
            whole["profiles"] = crate::cli::json::profiles(&given.profiles, args.rows());
            serde_json::to_writer_pretty(&mut out, &whole)?;
            writeln!(out)?;
        } else {
            write!(out, "{}", analysis_text::verdict(&files, borrowed, &verdict, context.clock().now().wall))?;
            if tables.is_empty() {
                write!(out, "{}", analysis_text::classes(&newest.facts, args.rows()).text())?;
            }
            for (table, why) in &tables {
                write!(out, "{}", table.text())?;
                if let Some(why) = why {
                    writeln!(out, "compared by shape, since {why}")?;
                }
            }
            beside(&mut out, &given, args.rows(), "\n")?;
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

/// Reports and profiles, as people read them.
fn beside(out: &mut impl Write, given: &Given, top: usize, before: &str) -> Result<()> {
    let mut before = before;
    for (name, report) in &given.reports {
        write!(out, "{before}{}", analysis_text::report(name, report))?;
        before = "\n";
    }
    for (_, profile) in &given.profiles {
        let (words, table) = analysis_text::profile(profile, top);
        write!(out, "{before}{words}{}", table.text())?;
        before = "\n";
    }
    Ok(())
}

/// Only profiles and reports were given.
fn without_snapshot(out: &mut impl Write, given: &Given, top: usize, as_json: bool) -> Result<()> {
    if !as_json {
        return beside(out, given, top, "");
    }
    let whole = match (given.profiles.as_slice(), given.reports.as_slice()) {
        ([(_, profile)], []) => {
            let sites = analysis_text::profile(profile, top).1.json();
            json!({ "schema": "cutoff.profile/1", "total_bytes": profile.total_bytes, "sites": sites })
        }
        (profiles, reports) => json!({
            "schema": "cutoff.report/1",
            "reports": crate::cli::json::reports(reports),
            "profiles": crate::cli::json::profiles(profiles, top),
        }),
    };
    serde_json::to_writer_pretty(&mut *out, &whole)?;
    writeln!(out)?;
    Ok(())
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
