//! Recognisers: what a structure means to a person. One file a kind of structure, one line in [`ALL`].

mod async_context;
mod buffers;
mod captured;
mod closures;
mod collections;
mod entries;
mod links;
mod listeners;
mod members;
mod metrics;
mod nest;
mod promises;
mod reader;
mod rxjs;
mod strings;
mod timers;
mod trail;

pub(super) use async_context::{frame_keepers, keepers, store_name, stores};
pub(super) use captured::captured;
pub(super) use collections::entries;
pub(super) use entries::Entries;
pub(super) use members::{Members, label, members, thinned};
pub(super) use reader::{Origin, Reader, origin_of, place};
pub(super) use timers::{Pending, pending};
pub(super) use trail::Trail;

use super::ids::NodeIx;
use super::verdict::HolderKind;

/// What is to be recognised: the way to what grows, where on it the holder's name stands, and what piles up at its end.
pub(super) struct Site<'a> {
    /// Reads structures.
    pub reader: &'a Reader<'a>,
    /// The way.
    pub trail: &'a Trail<'a>,
    /// Position of the naming step in the trail.
    pub hop: usize,
    /// What piles up.
    pub members: &'a Members,
}

impl Site<'_> {
    /// Objects from the one that the holder's name leads to, to the end of the trail.
    pub fn inside(&self) -> impl DoubleEndedIterator<Item = NodeIx> + '_ {
        self.trail.hops[self.hop..].iter().map(|h| h.to)
    }

    /// Names of the steps from the holder's on, root side first, capped: a chain has thousands.
    pub fn names(&self) -> impl Iterator<Item = (String, NodeIx)> + '_ {
        self.trail.hops[self.hop..].iter().take(64).map(|h| (self.reader.a.snapshot().edge_text(h).into_owned(), h.from))
    }
}

/// What was recognised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sight {
    /// What holds the objects.
    pub kind: HolderKind,
    /// More about it, for the sentence: `event "reload"`.
    pub detail: Option<String>,
    /// How many members, when the structure itself tells.
    pub count: Option<u64>,
}

impl Sight {
    fn of(kind: HolderKind) -> Self {
        Self { kind, detail: None, count: None }
    }
}

/// One kind of structure.
pub(super) trait Recogniser: Sync {
    /// What this is, if it is of this kind.
    fn see(&self, site: &Site<'_>) -> Option<Sight>;
}

/// Most special first: the first that recognises speaks.
pub(super) const ALL: [&dyn Recogniser; 10] = [
    &metrics::LabelSets,
    &rxjs::Subscribers,
    &nest::RequestScope,
    &listeners::Listeners,
    &promises::Promises,
    &closures::Chain,
    &links::Linked,
    &buffers::OffHeap,
    &strings::Strings,
    &collections::Collections,
];

/// What this site is.
pub(super) fn recognise(site: &Site<'_>) -> Sight {
    ALL.iter().find_map(|r| r.see(site)).unwrap_or_else(|| Sight::of(HolderKind::Object))
}
