//! `cutoff redact`

use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Result;
use clap::{ArgMatches, Args, Command, FromArgMatches};

use crate::base::{Count, Trouble, TroubleKind};
use crate::cli::snapshot_file;
use crate::cli::{Context, Exit, Verb};
use crate::disk;
use crate::heap::{Redactor, Unwatched};
use crate::runtime::snapshots;

#[derive(Args)]
struct RedactArgs {
    /// Heap snapshot (.heapsnapshot, plain or .gz)
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The copy; it must not exist
    #[arg(short, long, value_name = "OUT")]
    output: PathBuf,
}

/// Copies a snapshot without what its strings say.
pub struct Redact;

impl Verb for Redact {
    fn command(&self) -> Command {
        RedactArgs::augment_args(Command::new("redact"))
            .about("Copy a heap snapshot without string contents, and report the secrets found")
            .long_about(
                "Copies a heap snapshot without string contents: texts, numbers and dictionary keys are replaced, names of classes, \
                 functions, properties and files stay. DevTools loads the copy, and every size is the same.",
            )
            .after_help("Example:\n  cutoff redact heap.heapsnapshot -o for-the-vendor.heapsnapshot")
    }

    fn run(&self, context: &Context, args: &ArgMatches) -> Result<Exit> {
        let args = RedactArgs::from_arg_matches(args)?;
        if disk::entry(&args.output).map_err(Trouble::from)?.is_some() {
            return Err(Trouble::new(
                TroubleKind::Refused,
                "the copy would overwrite a file",
                args.output.display().to_string(),
                "give another name with -o",
            )
            .into());
        }
        let progress: Arc<dyn crate::heap::Progress> = Arc::new(Unwatched);
        let file = snapshot_file::open(&args.file)?;
        let name = args.file.display().to_string();
        let (analysis, _) = snapshots::analyse(&file, false, &name, &progress)?;
        if analysis.cut().is_some() {
            return Err(Trouble::new(
                TroubleKind::Incomplete,
                "the snapshot is cut, so its names cannot be told from its contents",
                name,
                "redact a whole file",
            )
            .into());
        }
        let mut redactor = Redactor::new(analysis.snapshot());
        let mut copy = disk::Appender::create(&args.output).map_err(Trouble::from)?;
        let mut out = Vec::new();
        snapshots::pieces(&file, false, |piece| {
            out.clear();
            redactor.push(piece, &mut out);
            copy.append(&out).map_err(Trouble::from)
        })?;
        out.clear();
        let done = redactor.finish(&mut out);
        copy.append(&out).map_err(Trouble::from)?;
        copy.sync().map_err(Trouble::from)?;
        let mut stdout = std::io::stdout().lock();
        if context.global.json {
            writeln!(stdout, "{}", crate::cli::json::redaction(&args.output, &done))?;
        } else {
            writeln!(stdout, "{}: {} texts hidden, {} names kept", args.output.display(), Count(done.hidden), Count(done.kept))?;
            for (kind, count) in &done.secrets {
                writeln!(stdout, "  {:>8} {}", Count(*count).to_string(), kind.label())?;
            }
            if !done.secrets.is_empty() {
                writeln!(stdout, "The original holds these secrets: treat it as one, and rotate what left the house.")?;
            }
        }
        Ok(Exit::Ok)
    }
}
