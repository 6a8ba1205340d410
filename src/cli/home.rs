//! Where a file goes that a verb brings: the evidence of the open incident, if nobody else holds it, else a directory.

use std::io::Write;
use std::path::Path;

use anyhow::Result;

use super::{Context, incident};
use crate::base::{Bytes, EvidenceId, Trouble};
use crate::evidence::Store;
use crate::incident::{Actor, Kind, Seq, State};
use crate::journal::{self, Journal};

/// Room on the local disk that is left to everything else.
const KEEP_FREE: Bytes = Bytes(256 << 20);

/// A line for a person, beside what the verb prints.
pub fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "cutoff: {text}");
}

/// Where the file goes: the open incident, if nobody else holds it, else a directory.
pub struct Home {
    /// The directory.
    pub store: Store,
    /// The incident that is open, held by this process.
    pub incident: Option<(Journal, State)>,
}

impl Home {
    /// Opens it. `output`: a directory that was named.
    ///
    /// # Errors
    /// What the disk says.
    pub fn of(context: &Context, output: Option<&Path>) -> Result<Self> {
        let data_dir = &context.paths().data_dir;
        let open = journal::newest_open(data_dir).map_err(Trouble::from)?;
        let incident = match open {
            Some(listed) => match Journal::open(data_dir, &listed.id, &incident::holder(context)) {
                Ok(opened) => State::replay(&opened.events).map(|state| (opened.journal, state)),
                Err(journal::Error::Disk(crate::disk::Error::Locked { .. })) => {
                    say("the dashboard holds the incident: this capture is not in its timeline; press C there instead");
                    None
                }
                Err(error) => return Err(Trouble::from(error).into()),
            },
            None => None,
        };
        let dir = match (output, &incident) {
            (Some(dir), _) => dir.to_owned(),
            (None, Some((journal, _))) => journal.paths().evidence(),
            (None, None) => std::env::current_dir()?,
        };
        let store = Store::open(&dir, KEEP_FREE).map_err(Trouble::from)?;
        Ok(Self { store, incident })
    }

    /// The name of the next file.
    ///
    /// # Errors
    /// What the disk says.
    pub fn next(&self) -> Result<EvidenceId> {
        let (items, _) = self.store.list().map_err(Trouble::from)?;
        let last = items.iter().map(|item| item.record.evidence.0).max().unwrap_or(0);
        let recorded = self.incident.as_ref().map_or(1, |(_, state)| state.next_evidence().0);
        Ok(EvidenceId(recorded.max(last + 1)))
    }

    /// Writes `kind` into the open incident's journal, if there is one; gives its number there.
    ///
    /// # Errors
    /// When it cannot be written: what waits for it must not be done then.
    pub fn record(&mut self, context: &Context, kind: Kind) -> Result<Option<Seq>> {
        let Some((journal, state)) = &mut self.incident else { return Ok(None) };
        let event = state.event(context.clock().now(), Actor::Person(context.who()), kind);
        journal.append(&event).map_err(Trouble::from)?;
        state.fold(&event);
        Ok(Some(event.seq))
    }
}
