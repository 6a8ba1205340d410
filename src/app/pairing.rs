//! What became of second snapshots that were asked for: each plan ends with exactly one event.

use super::effect::Effect;
use super::foot::say;
use super::model::{Level, Model};
use super::record::by_tool;
use crate::base::{ContainerRef, EvidenceId};
use crate::incident::{Kind, PairRecord};

/// Second snapshots that are planned.
pub(super) fn open(model: &Model) -> Vec<PairRecord> {
    model.incident.iter().flat_map(|state| state.pairs.iter().filter(|p| p.ended.is_none()).cloned()).collect()
}

/// The capture that was asked for has begun.
pub(super) fn taken(model: &mut Model, container: &ContainerRef, second: EvidenceId) -> Vec<Effect> {
    let Some(first) = model.pairing.remove(container) else { return Vec::new() };
    by_tool(model, Kind::PairEnded { first, second: Some(second), why: "both are analysed together when it is here".into() })
}

/// It will not begin.
pub(super) fn dropped(model: &mut Model, container: &ContainerRef, why: &str) -> Vec<Effect> {
    let Some(first) = model.pairing.remove(container) else { return Vec::new() };
    say(model, Level::Warn, format!("no second snapshot to {first}: {why}"));
    by_tool(model, Kind::PairEnded { first, second: None, why: why.into() })
}
