//! Listeners of an `EventEmitter` (`_events` → event → closure or array) or an `EventTarget` (`kEvents` map → linked listeners).

use super::{Recogniser, Sight, Site};
use crate::heap::verdict::HolderKind;

pub(super) struct Listeners;

impl Recogniser for Listeners {
    fn see(&self, site: &Site<'_>) -> Option<Sight> {
        let names: Vec<String> = site.names().map(|(n, _)| n).collect();
        let detail = |event: &str| (!event.is_empty() && !event.chars().all(|c| c.is_ascii_digit())).then(|| format!("event \"{event}\""));
        if let Some(at) = names.iter().position(|n| n == "_events") {
            return Some(Sight { kind: HolderKind::Listeners, detail: names.get(at + 1).and_then(|e| detail(e)), count: None });
        }
        if names.iter().any(|n| n == "<symbol kEvents>")
            || site.names().any(|(n, from)| n == "listener" && site.reader.a.class_name(from) == "Listener")
        {
            return Some(Sight::of(HolderKind::Listeners));
        }
        None
    }
}
