//! Incidents without a dashboard: which one is meant, reading it, and one intent written by this process alone (or handed
//! to the dashboard that holds the journal).

use anyhow::Result;

use super::Context;
use crate::app::{Effect, Intent, Model, Msg, update};
use crate::base::{Trouble, TroubleKind};
use crate::disk::Holder;
use crate::incident::{IncidentId, State};
use crate::journal::{self, Journal};
use crate::pressure::Board;
use crate::runtime::socket::{self, Ask};

/// The incident that is meant: `--incident`, else the newest open one, else (where `closed` will do) the newest.
///
/// # Errors
/// NotFound with what to do.
pub fn meant(context: &Context, closed: bool) -> Result<IncidentId> {
    let data_dir = context.paths().data_dir.clone();
    if let Some(text) = &context.global.incident {
        return IncidentId::parse(text).ok_or_else(|| {
            let remedy = "ids look like INC-20261123-1519-checkout; `cutoff status --all` lists them";
            Trouble::new(TroubleKind::Usage, "this is no incident id", text.as_str(), remedy).into()
        });
    }
    let all = journal::incidents(&data_dir).map_err(Trouble::from)?;
    let open = all.iter().find(|i| i.open);
    match open.or_else(|| all.first().filter(|_| closed)) {
        Some(incident) => Ok(incident.id.clone()),
        None => {
            let remedy = "declare one: cutoff declare \"what users see\"";
            Err(Trouble::new(TroubleKind::NotFound, "there is no open incident", data_dir.display().to_string(), remedy).into())
        }
    }
}

/// The state of `id`, read without holding it.
///
/// # Errors
/// When it is not there or does not begin with a declaration.
pub fn read(context: &Context, id: &IncidentId) -> Result<(State, String)> {
    let data_dir = context.paths().data_dir.clone();
    let reading = journal::read(&data_dir, id).map_err(Trouble::from)?;
    for flaw in &reading.flaws {
        tracing::warn!(?flaw, incident = id.as_str(), "journal");
    }
    let state = State::replay(&reading.events).ok_or_else(|| {
        let place = journal::Paths::of(&data_dir, id).journal().display().to_string();
        Trouble::new(TroubleKind::NotFound, "the journal does not begin with a declaration", place, "see the file; nothing was changed")
    })?;
    Ok((state, reading.head))
}

/// Has `intent` done on the incident `id`: by the dashboard that holds it, else by this process.
///
/// # Errors
/// When it is held by something that does not answer, or the journal cannot be written.
pub fn wish(context: &Context, id: &IncidentId, intent: Intent) -> Result<State> {
    let data_dir = context.paths().data_dir.clone();
    match Journal::open(&data_dir, id, &holder(context)) {
        Ok(opened) => {
            let mut model = model(context)?;
            let clock = context.clock();
            // Taking it up would write that it was resumed; a note is no return.
            model.incident = State::replay(&opened.events);
            let effects = update(&mut model, clock.now(), Msg::Intent(intent));
            if !effects.iter().any(|e| matches!(e, Effect::Record { .. })) {
                let why = model.toasts.back().map_or_else(|| "nothing was recorded".to_owned(), |t| t.text.clone());
                return Err(Trouble::new(TroubleKind::Refused, why, id.as_str(), "").into());
            }
            let mut journal = opened.journal;
            write(&mut journal, effects)?;
            Ok(model.incident.ok_or_else(|| Trouble::new(TroubleKind::Failed, "the journal is empty", id.as_str(), ""))?)
        }
        Err(journal::Error::Disk(crate::disk::Error::Locked { .. })) => {
            let ask = match intent {
                Intent::Note { text } => Ask::Note { text },
                Intent::Resolve { text } => Ask::Resolve { text },
                _ => return Err(Trouble::new(TroubleKind::Refused, "the dashboard holds this incident", id.as_str(), "do it there").into()),
            };
            context.runtime()?.block_on(socket::ask(&super::context::socket_at(&data_dir), &ask))?;
            read(context, id).map(|(state, _)| state)
        }
        Err(error) => Err(Trouble::from(error).into()),
    }
}

/// Declares an incident without a dashboard.
///
/// # Errors
/// When the journal cannot be written.
pub fn declare(context: &Context, intent: Intent) -> Result<State> {
    let mut model = model(context)?;
    let effects = update(&mut model, context.clock().now(), Msg::Intent(intent));
    let data_dir = context.paths().data_dir.clone();
    let mut effects = effects.into_iter();
    let Some(Effect::Record { event, .. }) = effects.next() else {
        return Err(Trouble::new(TroubleKind::Failed, "nothing was declared", "", "").into());
    };
    let (mut journal, _) = Journal::create(&data_dir, &event, &holder(context)).map_err(Trouble::from)?;
    write(&mut journal, effects.collect())?;
    Ok(model.incident.ok_or_else(|| Trouble::new(TroubleKind::Failed, "nothing was declared", "", ""))?)
}

/// Writes what is to be recorded. What would be sent stays in the outbox: the next dashboard sends it.
fn write(journal: &mut Journal, effects: Vec<Effect>) -> Result<()> {
    for effect in effects {
        if let Effect::Record { event, .. } = effect {
            journal.append(&event).map_err(Trouble::from)?;
        }
    }
    Ok(())
}

/// Who holds a journal that this process opens.
pub fn holder(context: &Context) -> Holder {
    Holder::this_process(format!("cutoff of {}", context.who()), context.clock().now().wall)
}

fn model(context: &Context) -> Result<Model> {
    let config = context.config()?;
    Ok(Model::new(context.setting(&config, "", "")?, Board::new(config.pressure), context.clock().now()))
}
