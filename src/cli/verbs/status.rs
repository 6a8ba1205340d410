//! `cutoff status`

use std::io::Write;

use anyhow::Result;
use clap::{ArgMatches, Args, Command, FromArgMatches};

use crate::base::Trouble;
use crate::cli::{Context, Exit, Verb, incident, json};
use crate::journal;

#[derive(Args)]
struct StatusArgs {
    /// List all incidents
    #[arg(long)]
    all: bool,
    /// Exit with 10 when the cut-off has passed without a decision
    #[arg(long)]
    exit_code: bool,
}

/// Prints the state document.
pub struct Status;

impl Verb for Status {
    fn command(&self) -> Command {
        StatusArgs::augment_args(Command::new("status"))
            .about("Print the incident's state document in markdown: summary, clock, what is running, what is needed")
            .after_help("Examples:\n  cutoff status\n  cutoff status --all\n  cutoff status --exit-code || page-the-boss")
    }

    fn run(&self, context: &Context, args: &ArgMatches) -> Result<Exit> {
        let args = StatusArgs::from_arg_matches(args)?;
        let mut out = std::io::stdout().lock();
        if args.all {
            let all = journal::incidents(&context.paths().data_dir).map_err(Trouble::from)?;
            if context.global.json {
                writeln!(out, "{}", json::incidents(&all))?;
                return Ok(Exit::Ok);
            }
            for one in &all {
                let word = if one.open { "open" } else { "resolved" };
                let held = one.held_by.as_ref().map_or_else(String::new, |h| format!("  held by {h}"));
                writeln!(out, "{}  {word:8}  {}  {}{held}", one.id, one.severity, one.title)?;
            }
            return Ok(Exit::Ok);
        }
        let id = incident::meant(context, true)?;
        let (state, _) = incident::read(context, &id)?;
        let now = context.clock().now();
        if context.global.json {
            writeln!(out, "{}", json::status(&state, now))?;
        } else {
            write!(out, "{}", crate::report::status_md(&state, now))?;
        }
        let passed = crate::incident::clock_view(&state, now).undecided;
        Ok(if args.exit_code && passed { Exit::CutoffPassed } else { Exit::Ok })
    }
}
