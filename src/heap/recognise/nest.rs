//! NestJS: `InstanceWrapper.values` (instances by context id) and `transientMap`: request-scoped instances that the injector keeps.

use super::{Recogniser, Sight, Site};
use crate::heap::verdict::HolderKind;

pub(super) struct RequestScope;

impl Recogniser for RequestScope {
    fn see(&self, site: &Site<'_>) -> Option<Sight> {
        site.names()
            .any(|(name, from)| matches!(name.as_str(), "values" | "transientMap") && site.reader.a.class_name(from) == "InstanceWrapper")
            .then(|| Sight::of(HolderKind::RequestScope))
    }
}
