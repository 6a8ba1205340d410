//! Metrics: prom-client keeps one entry a label set in `hashMap`; OpenTelemetry one an attribute set in its storages.

use super::{Origin, Recogniser, Sight, Site};
use crate::heap::verdict::HolderKind;

pub(super) struct LabelSets;

impl Recogniser for LabelSets {
    fn see(&self, site: &Site<'_>) -> Option<Sight> {
        site.names()
            .any(|(name, from)| {
                let Origin::Package(package) = site.reader.origin(from) else { return false };
                name == "hashMap" && package == "prom-client" || package.starts_with("@opentelemetry/sdk-metrics")
            })
            .then(|| Sight { kind: HolderKind::Metrics, detail: Some("one entry a label set".to_owned()), count: None })
    }
}
