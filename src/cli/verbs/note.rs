//! `cutoff note`

use std::io::{Read, Write};

use anyhow::Result;
use clap::{ArgMatches, Args, Command, FromArgMatches};

use crate::app::Intent;
use crate::base::{Trouble, TroubleKind};
use crate::cli::{Context, Exit, Verb, incident, json};

#[derive(Args)]
struct NoteArgs {
    /// The note; `-` reads it from standard input
    #[arg(required = true)]
    text: Vec<String>,
}

/// Adds a note to the timeline.
pub struct Note;

impl Verb for Note {
    fn command(&self) -> Command {
        NoteArgs::augment_args(Command::new("note"))
            .about("Add a note to the timeline of the incident, also beside a running dashboard")
            .after_help("Examples:\n  cutoff note \"reverted 4812, no change\"\n  kubectl describe pod api-0 | cutoff note -")
    }

    fn run(&self, context: &Context, args: &ArgMatches) -> Result<Exit> {
        let args = NoteArgs::from_arg_matches(args)?;
        let mut text = args.text.join(" ");
        if text == "-" {
            text.clear();
            std::io::stdin().lock().take(64 << 10).read_to_string(&mut text)?;
        }
        if text.trim().is_empty() {
            return Err(Trouble::new(TroubleKind::Usage, "an empty note", "", "say what happened").into());
        }
        let id = incident::meant(context, false)?;
        let state = incident::wish(context, &id, Intent::Note { text })?;
        if context.global.json {
            writeln!(std::io::stdout().lock(), "{}", json::status(&state, context.clock().now()))?;
        }
        Ok(Exit::Ok)
    }
}
