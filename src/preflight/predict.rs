//! What a method will cost here, from the measured costs of Node and the heap as it will be then.

use std::time::Duration;

use crate::base::Bytes;
use crate::node::cost;

use super::assessment::{Between, Predicted};
use super::situation::{Builds, Demand, Situation};

/// JS heap at the moment when the snapshot is built.
pub(super) fn heap_at_capture(at: &Situation<'_>, demand: &Demand) -> Option<Bytes> {
    match demand.builds {
        Builds::Never => None,
        Builds::Now => at.reading().map(|heap| heap.used),
        Builds::AtHeapLimit => at.heap_limit(),
    }
}

/// What the method will cost.
pub(super) fn predict(at: &Situation<'_>, demand: &Demand) -> Predicted {
    let Some(heap) = heap_at_capture(at, demand) else { return Predicted::default() };
    let between = |(low, high)| Some(Between { low, high });
    let (low, high) = cost::freeze(heap, at.major(), at.shape, at.cpus());
    Predicted {
        memory: between(cost::memory(heap, at.major(), at.shape)),
        freeze: Some(Between { low, high }),
        file: between(cost::file(heap, at.shape)),
    }
}

/// Time to an out-of-memory death at `slope`, by whichever limit comes first.
pub(super) fn time_left(room: Bytes, slope: f64) -> Option<Duration> {
    (slope > 1.0).then(|| Duration::from_secs_f64((room.0 as f64 / slope).min(1e8)))
}
