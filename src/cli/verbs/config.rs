//! `cutoff config`

use std::io::Write;

use anyhow::Result;
use clap::{ArgMatches, Args, Command, FromArgMatches, Subcommand};

use crate::cli::{Context, Exit, Verb};
use crate::config;

#[derive(Args)]
struct ConfigArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Check the settings, the channels and the playbook (exit 3 when something is wrong)
    Check,
    /// Print every key with its value and where that came from
    Show,
    /// Print an example with every key
    Example,
    /// Print the JSON schema, for editors
    Schema,
}

/// Shows and checks the settings.
pub struct ConfigVerb;

impl Verb for ConfigVerb {
    fn command(&self) -> Command {
        ConfigArgs::augment_args(Command::new("config"))
            .about("Show the settings and where each came from, check them, print an example or the schema")
            .after_help("Examples:\n  cutoff config show\n  cutoff config example > ~/.config/cutoff/config.yaml\n  cutoff config check --set plan.cutoff_s=3600")
    }

    fn run(&self, context: &Context, args: &ArgMatches) -> Result<Exit> {
        let mut out = std::io::stdout().lock();
        match ConfigArgs::from_arg_matches(args)?.what {
            What::Check => {
                let config = context.config()?;
                context.channels(&config)?;
                context.playbook(&config)?;
                context.template()?;
                crate::ui::Face::new(&config.ui)?;
                writeln!(out, "the settings are good")?;
            }
            What::Show => {
                let loaded = context.loaded()?;
                for file in &loaded.files {
                    writeln!(out, "# {}", file.display())?;
                }
                for (key, value, origin) in loaded.rows() {
                    writeln!(out, "{key} = {value}  # {origin}")?;
                }
            }
            What::Example => write!(out, "{}", config::example())?,
            What::Schema => writeln!(out, "{}", serde_json::to_string_pretty(&config::schema())?)?,
        }
        Ok(Exit::Ok)
    }
}
