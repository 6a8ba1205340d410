//! `cutoff evidence`

use std::io::Write;
use std::ops::ControlFlow;
use std::path::PathBuf;

use anyhow::Result;
use clap::{ArgMatches, Args, Command, FromArgMatches, Subcommand};

use crate::base::{Bytes, EvidenceId, Trouble, TroubleKind};
use crate::cli::{Context, Exit, Verb, incident};
use crate::evidence::{Item, Standing, Store};
use crate::incident::{Actor, IncidentId, State};
use crate::journal::{Journal, Paths};

#[derive(Args)]
struct EvidenceArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// List the files with what is known of them
    List,
    /// Read the files again and compare them with the hashes in the journal (exit 8 when one differs)
    Verify,
    /// Copy a file with its record, verified while it is copied
    Export {
        /// Its id (E1)
        #[arg(value_parser = id)]
        id: EvidenceId,
        /// Directory
        #[arg(short, long, value_name = "DIR", default_value = ".")]
        output: PathBuf,
    },
    /// Delete a file; its record and hash stay, and the timeline says why
    Delete {
        /// Its id (E1)
        #[arg(value_parser = id)]
        id: EvidenceId,
        /// Why, for the timeline
        #[arg(long)]
        why: String,
    },
}

fn id(text: &str) -> Result<EvidenceId, String> {
    text.trim_start_matches(['E', 'e']).parse().map(EvidenceId).map_err(|_| "an id like E1".to_owned())
}

/// Lists, verifies, exports and deletes files of evidence.
pub struct Evidence;

impl Verb for Evidence {
    fn command(&self) -> Command {
        EvidenceArgs::augment_args(Command::new("evidence")).about("List, verify, export or delete the incident's files of evidence").after_help(
            "Examples:\n  cutoff evidence list\n  cutoff evidence verify --incident INC-20261123-1519-checkout\n  cutoff evidence export E1 -o /mnt/usb\n  \
             cutoff evidence delete E2 --why \"holds customer data\"",
        )
    }

    fn run(&self, context: &Context, args: &ArgMatches) -> Result<Exit> {
        let args = EvidenceArgs::from_arg_matches(args)?;
        let incident = incident::meant(context, true)?;
        let (state, _) = incident::read(context, &incident)?;
        let dir = Paths::of(&context.paths().data_dir, &incident).evidence();
        let store = Store::open(&dir, Bytes(0)).map_err(Trouble::from)?;
        match args.what {
            What::List => list(context, &store),
            What::Verify => verify(context, &store, &state),
            What::Export { id, output } => {
                let exported = store.export(id, &output, |_| ControlFlow::Continue(())).map_err(Trouble::from)?;
                if let Some(exported) = exported {
                    writeln!(std::io::stdout().lock(), "{}", exported.file.display())?;
                }
                Ok(Exit::Ok)
            }
            What::Delete { id, why } => delete(context, &incident, &store, id, &why),
        }
    }
}

fn word(standing: &Standing) -> String {
    match standing {
        Standing::Sealed => "sealed".to_owned(),
        Standing::Unsealed(bytes) => format!("unsealed, {bytes}"),
        Standing::Changed { expected, found } => format!("CHANGED: {found} instead of {expected}"),
        Standing::Deleted => "deleted".to_owned(),
        Standing::Missing => "MISSING".to_owned(),
    }
}

fn row(item: &Item, standing: &Standing) -> serde_json::Value {
    serde_json::json!({
        "evidence": item.record.evidence.to_string(),
        "file": item.path.display().to_string(),
        "bytes": item.record.bytes.0,
        "sha256": item.record.sha256,
        "outcome": item.record.outcome,
        "standing": word(standing),
        "provenance": item.record.provenance,
    })
}

fn print(context: &Context, rows: &[(Item, Standing)]) -> Result<()> {
    let mut out = std::io::stdout().lock();
    if context.global.json {
        let rows: Vec<_> = rows.iter().map(|(item, standing)| row(item, standing)).collect();
        writeln!(out, "{}", serde_json::json!({ "schema": "cutoff.evidence/1", "files": rows }))?;
        return Ok(());
    }
    for (item, standing) in rows {
        let from = item.record.provenance.as_ref().map_or_else(String::new, |p| format!("  {} by {}", p.container.pod.name, p.method));
        let sha = item.record.sha256.as_deref().map_or("-", |s| &s[..s.len().min(12)]);
        writeln!(
            out,
            "{:<4} {:>9}  {sha:<12}  {}  {}{from}",
            item.record.evidence,
            item.record.bytes.to_string(),
            word(standing),
            item.record.file
        )?;
    }
    Ok(())
}

fn items(store: &Store) -> Result<Vec<Item>> {
    let (items, unreadable) = store.list().map_err(Trouble::from)?;
    for error in unreadable {
        let _ = writeln!(std::io::stderr(), "cutoff: {}", Trouble::from(error));
    }
    Ok(items)
}

fn list(context: &Context, store: &Store) -> Result<Exit> {
    let rows: Vec<_> = items(store)?.into_iter().map(|item| (item.clone(), item.standing)).collect();
    print(context, &rows)?;
    Ok(Exit::Ok)
}

fn verify(context: &Context, store: &Store, state: &State) -> Result<Exit> {
    let mut rows = Vec::new();
    for item in items(store)? {
        let journal = state.capture(item.record.evidence).and_then(|c| c.sha256.clone());
        let standing = store.verify(item.record.evidence, journal.as_deref(), |_| ControlFlow::Continue(())).map_err(Trouble::from)?;
        rows.push((item.clone(), standing.unwrap_or(item.standing)));
    }
    print(context, &rows)?;
    let wrong = rows.iter().any(|(_, s)| matches!(s, Standing::Changed { .. } | Standing::Missing));
    Ok(if wrong { Exit::Incomplete } else { Exit::Ok })
}

/// The reason is in the journal before the file goes.
fn delete(context: &Context, incident: &IncidentId, store: &Store, id: EvidenceId, why: &str) -> Result<Exit> {
    if why.trim().is_empty() {
        return Err(Trouble::new(TroubleKind::Usage, "say why the file is deleted", id.to_string(), "--why \"…\"").into());
    }
    let kind = store.deletion(id, why.into()).map_err(Trouble::from)?;
    let opened = Journal::open(&context.paths().data_dir, incident, &incident::holder(context)).map_err(Trouble::from)?;
    let mut journal = opened.journal;
    let state = State::replay(&opened.events)
        .ok_or_else(|| Trouble::new(TroubleKind::NotFound, "the journal does not begin with a declaration", incident.as_str(), ""))?;
    let now = context.clock().now();
    let event = state.event(now, Actor::Person(context.who()), kind);
    journal.append(&event).map_err(Trouble::from)?;
    store.delete(id, now.wall, why.into()).map_err(Trouble::from)?;
    Ok(Exit::Ok)
}
