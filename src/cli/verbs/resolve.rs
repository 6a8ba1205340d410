//! `cutoff resolve`

use std::io::Write;

use anyhow::Result;
use clap::{ArgMatches, Args, Command, FromArgMatches};

use crate::app::Intent;
use crate::cli::{Context, Exit, Verb, incident, json};

#[derive(Args)]
struct ResolveArgs {
    /// What ended it
    #[arg(required = true)]
    text: Vec<String>,
}

/// Ends the incident.
pub struct Resolve;

impl Verb for Resolve {
    fn command(&self) -> Command {
        ResolveArgs::augment_args(Command::new("resolve"))
            .about("Resolve the incident: the clock stops")
            .after_help("Example:\n  cutoff resolve \"cache is keyed by id again, deployed as rev 8\"")
    }

    fn run(&self, context: &Context, args: &ArgMatches) -> Result<Exit> {
        let args = ResolveArgs::from_arg_matches(args)?;
        let id = incident::meant(context, false)?;
        let state = incident::wish(context, &id, Intent::Resolve { text: args.text.join(" ") })?;
        if context.global.json {
            writeln!(std::io::stdout().lock(), "{}", json::status(&state, context.clock().now()))?;
        }
        Ok(Exit::Ok)
    }
}
