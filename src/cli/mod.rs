//! One file a verb; exit codes; wiring of face and hands round the app. `anyhow` lives here and in `main.rs` only.

mod acts;
mod analysis_files;
mod analysis_text;
mod context;
mod dashboard;
mod exit;
mod headless;
mod heap_views;
mod home;
mod incident;
mod json;
mod log;
mod pod;
mod raise;
mod session;
mod snapshot_file;
mod verbs;

use std::ffi::OsString;
use std::io::Write;
use std::process::ExitCode;

use anyhow::Result;
use clap::{ArgMatches, Command};

pub use context::{Context, GlobalArgs};
pub use exit::Exit;

/// A verb of the command line: one file in `verbs/`, one line in its list. Help, man page and completions come from it.
pub trait Verb: Sync {
    /// Name, arguments, help and examples, for clap.
    fn command(&self) -> Command;

    /// Does it.
    ///
    /// # Errors
    /// A [`crate::base::Trouble`] anywhere in the chain decides the exit code; everything else exits 1.
    fn run(&self, context: &Context, args: &ArgMatches) -> Result<Exit>;
}

/// The whole command line.
pub fn command() -> Command {
    let root = <GlobalArgs as clap::Args>::augment_args(Command::new("cutoff"))
        .version(env!("CARGO_PKG_VERSION"))
        .about("Incident response for Node.js services on Kubernetes that die with \"JavaScript heap out of memory\"")
        .long_about(LONG_ABOUT)
        .after_help(AFTER_HELP)
        .propagate_version(true)
        .max_term_width(100);
    verbs::VERBS.iter().fold(root, |root, verb| root.subcommand(verb.command()))
}

const LONG_ABOUT: &str = "\
cutoff declares the incident and enforces the two-hour cut-off for quick fixes with a timer that cannot be ignored, \
lists pods by memory pressure and says when each will die, takes heap snapshots the safest way, analyses them in place \
and names the leak in one sentence, records every step in a timeline that survives anything, and exports the postmortem.

Without a verb it opens the dashboard on the cluster of the kubeconfig.";

const AFTER_HELP: &str = "\
Exit codes:
  0 ok · 1 failure · 2 usage · 3 config or playbook invalid · 4 no such incident, pod or file · 5 credentials or rights
  6 cluster or network unreachable · 7 timed out · 8 evidence incomplete · 9 refused · 10 cut-off passed (status --exit-code)
  130/143 stopped by a signal

First time? `cutoff demo` opens the dashboard on a running outage; it needs no cluster.";

/// Runs the command line and says how it ended.
pub fn main(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let matches = match command().try_get_matches_from(args) {
        Ok(matches) => matches,
        Err(error) => {
            // A closed pipe while help is printed is no error of ours.
            let _ = error.print();
            return if error.use_stderr() { Exit::Usage.into() } else { ExitCode::SUCCESS };
        }
    };
    let verdict = Context::new(&matches).and_then(|context| match matches.subcommand() {
        Some((name, args)) => match verbs::VERBS.iter().find(|verb| verb.command().get_name() == name) {
            Some(verb) => verb.run(&context, args),
            None => Ok(Exit::Usage),
        },
        None => verbs::dashboard(&context),
    });
    match verdict {
        Ok(exit) => exit.into(),
        Err(error) => {
            let exit = Exit::of(&error);
            if exit != Exit::BrokenPipe {
                let _ = write!(std::io::stderr().lock(), "{}", exit::explain(&error));
            }
            exit.into()
        }
    }
}
