//! Strings: one that only grows (a chain of joins), and short parts that keep a long parent.

use super::{Recogniser, Sight, Site, entries};
use crate::heap::format::NodeKind;
use crate::heap::verdict::HolderKind;

pub(super) struct Strings;

impl Recogniser for Strings {
    fn see(&self, site: &Site<'_>) -> Option<Sight> {
        let reader = site.reader;
        let a = reader.a;
        if site.inside().next().is_some_and(|n| a.kind(n).is_string()) {
            return Some(Sight { kind: HolderKind::Strings, detail: Some("one string that is only added to".to_owned()), count: None });
        }
        let (_, strings, all) = site.members.bytes;
        if strings * 5 < all * 4 || all == 0 {
            return None;
        }
        let looked = site.members.sample.len().min(200);
        let parents = site.members.sample[..looked]
            .iter()
            .filter(|&&m| a.dominator_subtree(m).take(8).any(|n| a.kind(n) == NodeKind::SlicedString))
            .count();
        let held = site.inside().take(16).find_map(|n| entries(reader, n))?;
        let detail = (parents * 2 > looked).then(|| "short parts of strings that keep the whole strings".to_owned());
        Some(Sight { kind: held.kind, detail, count: Some(held.count) })
    }
}
