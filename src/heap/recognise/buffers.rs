//! Bytes outside the heap: a `Buffer` or typed array is small, its `backing_store` is not.

use super::{Recogniser, Sight, Site, entries};
use crate::heap::verdict::HolderKind;

pub(super) struct OffHeap;

impl Recogniser for OffHeap {
    fn see(&self, site: &Site<'_>) -> Option<Sight> {
        let (buffers, _, all) = site.members.bytes;
        if buffers * 2 < all || all == 0 {
            return None;
        }
        // A collection of buffers is named after the collection.
        let held = site.inside().take(16).find_map(|n| entries(site.reader, n));
        Some(Sight {
            kind: held.as_ref().map_or(HolderKind::Buffers, |e| e.kind),
            detail: Some("most of it outside the heap, in buffers".to_owned()),
            count: held.map(|e| e.count),
        })
    }
}
