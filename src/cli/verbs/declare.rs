//! `cutoff declare`

use std::io::Write;

use anyhow::Result;
use clap::{ArgMatches, Args, Command, FromArgMatches};

use crate::app::Intent;
use crate::base::{Trouble, TroubleKind};
use crate::cli::{Context, Exit, Verb, incident, json};
use crate::incident::Severity;
use crate::journal;

#[derive(Args)]
struct DeclareArgs {
    /// What users see, in a line
    title: String,
    /// 1 (all users or money), 2 (many users), 3 (some users)
    #[arg(short, long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=3))]
    severity: u8,
    /// Service or workload it is about (default: the namespace)
    #[arg(long, value_name = "NAME", default_value = "")]
    service: String,
    /// Declare a second one although an incident is open
    #[arg(long)]
    another: bool,
}

/// Declares an incident.
pub struct Declare;

impl Verb for Declare {
    fn command(&self) -> Command {
        DeclareArgs::augment_args(Command::new("declare")).about("Declare the incident: the clock starts").after_help(
            "Examples:\n  cutoff declare \"content import is down\" --service content-import\n  cutoff declare \"checkout is slow\" -s 2",
        )
    }

    fn run(&self, context: &Context, args: &ArgMatches) -> Result<Exit> {
        let args = DeclareArgs::from_arg_matches(args)?;
        let data_dir = context.paths().data_dir.clone();
        if let Some(open) = journal::newest_open(&data_dir).map_err(Trouble::from)?
            && !args.another
        {
            let remedy = "add a note to it, resolve it first, or declare a second one with --another";
            return Err(Trouble::new(TroubleKind::Refused, "an incident is open already", open.id.as_str(), remedy).into());
        }
        let severity = match args.severity {
            1 => Severity::Sev1,
            2 => Severity::Sev2,
            _ => Severity::Sev3,
        };
        let state = incident::declare(context, Intent::Declare { title: args.title, severity, service: args.service })?;
        let mut out = std::io::stdout().lock();
        if context.global.json {
            writeln!(out, "{}", json::status(&state, context.clock().now()))?;
        } else {
            writeln!(out, "{}", state.id)?;
            writeln!(std::io::stderr(), "cutoff: declared; quick fixes end at {}", state.cutoff.due.format("%H:%M:%SZ"))?;
        }
        Ok(Exit::Ok)
    }
}
