//! Closures that keep the context before them: chains of wrappers, and the classic context that two closures share.

use super::{Recogniser, Sight, Site};
use crate::heap::verdict::HolderKind;

pub(super) struct Chain;

impl Recogniser for Chain {
    fn see(&self, site: &Site<'_>) -> Option<Sight> {
        let contexts = site.trail.chain().filter(|&n| site.reader.is_context(n)).count();
        (contexts >= 3).then_some(Sight { kind: HolderKind::Closure, detail: None, count: Some(contexts as u64) })
    }
}
