//! `cutoff playbook`

use std::io::Write;
use std::path::PathBuf;

use anyhow::Result;
use clap::{ArgMatches, Args, Command, FromArgMatches, Subcommand};

use crate::base::{Bytes, Trouble};
use crate::cli::{Context, Exit, Verb};
use crate::playbook::{self, Gravity, Names};

#[derive(Args)]
struct PlaybookArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Print the steps of the playbook that a new incident follows
    Show,
    /// Check playbook files (exit 3 when one has an error)
    Lint {
        /// Files
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
    /// Print the JSON schema, for editors
    Schema,
}

/// Shows and checks playbooks.
pub struct PlaybookVerb;

impl Verb for PlaybookVerb {
    fn command(&self) -> Command {
        PlaybookArgs::augment_args(Command::new("playbook")).about("Show the playbook, or check playbook files").after_help(
            "Examples:\n  cutoff playbook show\n  cutoff playbook lint playbooks/*.yaml\n  cutoff playbook schema > schema.json",
        )
    }

    fn run(&self, context: &Context, args: &ArgMatches) -> Result<Exit> {
        let mut out = std::io::stdout().lock();
        match PlaybookArgs::from_arg_matches(args)?.what {
            What::Show => {
                let book = context.playbook(&context.config()?)?;
                writeln!(out, "{}: {}", book.name, book.title)?;
                let mut phase = "";
                for (of, step) in book.steps() {
                    if of.title != phase {
                        phase = &of.title;
                        writeln!(out, "\n{phase}")?;
                    }
                    writeln!(out, "  [ ] {:<42} {}", step.title, step.id)?;
                }
                Ok(Exit::Ok)
            }
            What::Lint { files } => lint(&mut out, &files),
            What::Schema => {
                writeln!(out, "{}", serde_json::to_string_pretty(&playbook::schema())?)?;
                Ok(Exit::Ok)
            }
        }
    }
}

fn lint(out: &mut impl Write, files: &[PathBuf]) -> Result<Exit> {
    let acts: Vec<&str> = crate::cluster::acts::ACTS.iter().map(|act| act.name).collect();
    let methods: Vec<&str> = crate::capture::METHODS.iter().map(|m| m.spec().name).collect();
    let views: Vec<&str> = crate::ui::names().collect();
    let mut exit = Exit::Ok;
    for file in files {
        let name = file.display().to_string();
        let text = crate::disk::read_text(file, Bytes(1 << 20)).map_err(Trouble::from)?;
        let problems = match playbook::parse(&name, &text) {
            Ok(book) => playbook::lint(&name, &book, &Names { acts: &acts, methods: &methods, views: &views }),
            Err(problems) => problems,
        };
        if problems.iter().any(|p| matches!(p.gravity, Gravity::Error)) {
            exit = Exit::Config;
        }
        for problem in &problems {
            writeln!(out, "{problem}")?;
        }
        if problems.is_empty() {
            writeln!(out, "{name}: good")?;
        }
    }
    Ok(exit)
}
