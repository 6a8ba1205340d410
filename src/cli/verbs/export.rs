//! `cutoff export`

use std::io::Write;
use std::path::PathBuf;

use anyhow::Result;
use clap::{ArgMatches, Args, Command, FromArgMatches};

use crate::cli::{Context, Exit, Verb, incident};
use crate::runtime::write_postmortem;

#[derive(Args)]
struct ExportArgs {
    /// Directory to write to (default: the incident's own `exports`)
    #[arg(short, long, value_name = "DIR")]
    output: Option<PathBuf>,
    /// Print the markdown instead of writing files
    #[arg(long)]
    stdout: bool,
}

/// Writes the postmortem.
pub struct Export;

impl Verb for Export {
    fn command(&self) -> Command {
        ExportArgs::augment_args(Command::new("export"))
            .about("Write the postmortem in markdown, its memory chart beside it; prints the path")
            .after_help("Examples:\n  cutoff export\n  cutoff export --incident INC-20261123-1519-checkout -o docs/postmortems\n  cutoff export --stdout | less")
    }

    fn run(&self, context: &Context, args: &ArgMatches) -> Result<Exit> {
        let args = ExportArgs::from_arg_matches(args)?;
        let id = incident::meant(context, true)?;
        let (state, head) = incident::read(context, &id)?;
        let template = context.template()?;
        let mut out = std::io::stdout().lock();
        if args.stdout {
            let export = crate::runtime::render_postmortem(&state, template.as_deref(), &head)?;
            out.write_all(export.markdown.as_bytes())?;
            return Ok(Exit::Ok);
        }
        let dir = match args.output {
            Some(dir) => dir,
            None => crate::journal::Paths::of(&context.paths().data_dir, &id).exports(),
        };
        let (path, sha256) = write_postmortem(&state, template.as_deref(), &head, &dir)?;
        if context.global.json {
            writeln!(
                out,
                "{}",
                serde_json::json!({ "schema": "cutoff.export/1", "incident": id.as_str(), "file": path, "sha256": sha256 })
            )?;
        } else {
            writeln!(out, "{path}")?;
        }
        Ok(Exit::Ok)
    }
}
