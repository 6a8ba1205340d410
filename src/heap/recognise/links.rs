//! Objects linked to each other: lists, errors that keep their causes.

use super::{Recogniser, Sight, Site};
use crate::heap::format::NodeKind;
use crate::heap::verdict::HolderKind;

pub(super) struct Linked;

impl Recogniser for Linked {
    fn see(&self, site: &Site<'_>) -> Option<Sight> {
        let a = site.reader.a;
        let objects = site.trail.chain().filter(|&n| a.kind(n) == NodeKind::Object).count() as u64;
        (objects >= 3).then_some(Sight { kind: HolderKind::LinkedList, detail: None, count: Some(objects) })
    }
}
