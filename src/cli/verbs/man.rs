//! `cutoff man`

use anyhow::Result;
use clap::{ArgMatches, Command};

use crate::cli::{Context, Exit, Verb, command};

/// Prints the man page: the program's and, below it, each verb's.
pub struct Man;

impl Verb for Man {
    fn command(&self) -> Command {
        Command::new("man").about("Print the man page (roff)").after_help("Example:\n  cutoff man | man -l -")
    }

    fn run(&self, _: &Context, _: &ArgMatches) -> Result<Exit> {
        let mut text = Vec::new();
        let root = command();
        clap_mangen::Man::new(root.clone()).render(&mut text)?;
        for verb in root.get_subcommands() {
            let page = clap_mangen::Man::new(verb.clone());
            page.render_synopsis_section(&mut text)?;
            page.render_description_section(&mut text)?;
            page.render_options_section(&mut text)?;
        }
        std::io::Write::write_all(&mut std::io::stdout().lock(), &text)?;
        Ok(Exit::Ok)
    }
}
