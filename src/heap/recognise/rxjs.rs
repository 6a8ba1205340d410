//! RxJS: subscribers that a subject keeps in `observers` (6, 7) or `currentObservers`, or in the teardowns of a subscription.

use super::{Origin, Recogniser, Sight, Site};
use crate::heap::verdict::HolderKind;

pub(super) struct Subscribers;

impl Recogniser for Subscribers {
    fn see(&self, site: &Site<'_>) -> Option<Sight> {
        site.names()
            .any(|(name, from)| match name.as_str() {
                "observers" | "currentObservers" => true,
                "_finalizers" | "_teardowns" | "_subscriptions" | "initialTeardown" => {
                    matches!(site.reader.origin(from), Origin::Package(p) if p == "rxjs")
                }
                _ => false,
            })
            .then(|| Sight::of(HolderKind::Subscribers))
    }
}
