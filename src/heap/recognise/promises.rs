//! Promises that never settle (`reactions_or_result` → `PromiseReaction`) and async functions that wait for them
//! (`parameters_and_registers` of a suspended generator).

use super::{Recogniser, Sight, Site};
use crate::heap::format::NodeKind;
use crate::heap::verdict::HolderKind;

pub(super) struct Promises;

impl Recogniser for Promises {
    fn see(&self, site: &Site<'_>) -> Option<Sight> {
        let a = site.reader.a;
        let through = site.names().any(|(name, _)| name == "reactions_or_result");
        // A sample of members whose insides hold a suspended function or a pending promise's reactions.
        let (mut suspended, mut promises) = (0, 0);
        let looked: Vec<_> = site.members.sample.iter().take(200).collect();
        for &&member in &looked {
            let mut is_suspended = false;
            let mut is_promise = false;
            for node in a.dominator_subtree(member).take(60) {
                let name = a.raw_name(node);
                is_suspended |=
                    a.kind(node) == NodeKind::Object && (name == "AsyncFunctionObject" || name == "Generator" || name == "AsyncGenerator");
                is_promise |= name.starts_with("system / PromiseReaction") || a.kind(node) == NodeKind::Object && name == "Promise";
            }
            suspended += usize::from(is_suspended);
            promises += usize::from(is_promise);
        }
        let most = |n: usize| n * 2 > looked.len() && !looked.is_empty();
        if (through || most(promises)) && most(suspended) {
            return Some(Sight::of(HolderKind::AsyncFrames));
        }
        through.then(|| Sight::of(HolderKind::Promises))
    }
}
