//! `cutoff completions SHELL`

use anyhow::Result;
use clap::{ArgMatches, Args, Command, FromArgMatches};

use crate::cli::{Context, Exit, Verb, command};

#[derive(Args)]
struct CompletionsArgs {
    /// bash, elvish, fish, powershell or zsh
    shell: clap_complete::Shell,
}

/// Prints a shell's completions.
pub struct Completions;

impl Verb for Completions {
    fn command(&self) -> Command {
        CompletionsArgs::augment_args(
            Command::new("completions")
                .about("Print completions for a shell")
                .after_help("Example:\n  cutoff completions bash > ~/.local/share/bash-completion/completions/cutoff"),
        )
    }

    fn run(&self, _: &Context, args: &ArgMatches) -> Result<Exit> {
        let args = CompletionsArgs::from_arg_matches(args)?;
        let mut text = Vec::new();
        clap_complete::generate(args.shell, &mut command(), "cutoff", &mut text);
        std::io::Write::write_all(&mut std::io::stdout().lock(), &text)?;
        Ok(Exit::Ok)
    }
}
