//! Acts on the cluster from the command line: shown as the dashboard shows them, asked by name, journalled before and after.

use std::fmt::Write as _;
use std::io::{BufRead, IsTerminal, Write as _};

use anyhow::Result;

use super::Context;
use super::home::Home;
use crate::base::{Masked, Trouble, TroubleKind};
use crate::cluster::Session;
use crate::incident::{Kind, Preview, Receipt, Seq};

/// A preview as people read it.
pub fn page(preview: &Preview) -> String {
    let mut out = String::new();
    let target = &preview.request.target;
    let _ = writeln!(out, "{} {}/{} in {}", preview.request.act, target.kind, target.name, target.namespace);
    for warning in &preview.warnings {
        let _ = writeln!(out, "  ! {warning}");
    }
    let _ = writeln!(out, "  call: {}", preview.call);
    for line in &preview.diff {
        let _ = writeln!(out, "  {line}");
    }
    out
}

/// How a person said yes on the command line.
#[derive(Clone, Copy, Debug, Default)]
pub struct Consent<'a> {
    /// `--yes`: enough where nothing is killed.
    pub yes: bool,
    /// `--confirm NAME`: the name that would have to be typed.
    pub named: Option<&'a str>,
}

/// Asks whether `preview` is to be done: it is shown, and the name of its object has to be typed, unless `consent` says it.
///
/// # Errors
/// Refused (exit 9): no, another name, or nobody there to be asked.
pub fn ask(preview: &Preview, consent: Consent<'_>) -> Result<()> {
    let name = preview.confirm.as_deref().unwrap_or(&preview.request.target.name);
    if consent.named == Some(name) || (consent.yes && preview.confirm.is_none()) {
        return Ok(());
    }
    let refuse = |remedy: String| -> Result<()> {
        Err(Trouble::new(TroubleKind::Refused, format!("{}: nothing was done", preview.request.act), name.to_owned(), remedy).into())
    };
    let mut err = std::io::stderr();
    let _ = write!(err, "{}", page(preview));
    if !std::io::stdin().is_terminal() {
        let by_yes = if preview.confirm.is_none() { "--yes, or " } else { "" };
        return refuse(format!("say {by_yes}--confirm {name}"));
    }
    let _ = write!(err, "Type {name} to do it; Enter alone is No: ");
    let mut typed = String::new();
    std::io::stdin().lock().read_line(&mut typed)?;
    if typed.trim() == name { Ok(()) } else { refuse("what was typed is not its name".to_owned()) }
}

/// Does what `preview` shows, journalled before and after. Gives the intent's number in the journal, if one is open.
///
/// # Errors
/// What the journal or the cluster says.
pub async fn perform(context: &Context, home: &mut Home, session: &Session, preview: &Preview) -> Result<(Receipt, Option<Seq>)> {
    let kind = Kind::ActIntended { request: preview.request.clone(), call: preview.call.clone() };
    let intent = home.record(context, kind)?;
    match session.perform(preview).await {
        Ok(receipt) => {
            if let Some(intent) = intent {
                home.record(context, Kind::ActDone { intent, receipt: receipt.clone() })?;
            }
            Ok((receipt, intent))
        }
        Err(error) => {
            let trouble = Trouble::from(error);
            if let Some(intent) = intent {
                home.record(context, Kind::ActFailed { intent, why: Masked::from(trouble.to_string()) })?;
            }
            Err(trouble.into())
        }
    }
}
