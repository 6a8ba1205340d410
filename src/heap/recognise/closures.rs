//! Closures that keep the context before them: chains of wrappers, and the classic context that two closures share.

use super::{Recogniser, Sight, Site, captured};
use crate::heap::ids::NodeIx;
use crate::heap::verdict::HolderKind;

pub(super) struct Chain;

impl Recogniser for Chain {
    fn see(&self, site: &Site<'_>) -> Option<Sight> {
        let contexts: Vec<NodeIx> = site.trail.chain().filter(|&n| site.reader.is_context(n)).collect();
        if contexts.len() < 3 {
            return None;
        }
        // The last of the chain is whole: those before it may be held by the next alone.
        let unused = contexts.iter().rev().take(3).flat_map(|&c| captured(site.reader, c)).find(|v| v.used == Some(false));
        let detail = unused.map(|v| format!("each scope keeps `{}`, which no function that is alive uses", v.name));
        Some(Sight { kind: HolderKind::Closure, detail, count: Some(contexts.len() as u64) })
    }
}
