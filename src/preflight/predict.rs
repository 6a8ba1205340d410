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
    let (major, cpus) = (at.major(), at.cpus());
    let (memory, freeze, file) = match at.reading().and_then(|reading| Some((reading.census?, reading.used))) {
        // At the limit there will be more of the same; how much more of which is not known.
        Some((census, used)) => {
            let census = census.grown(heap.0 as f64 / used.0.max(1) as f64);
            (cost::memory_of(&census), cost::freeze_of(&census, major, cpus), cost::file_of(&census))
        }
        None => {
            let (low, high) = cost::memory(heap, major, at.shape);
            // Only an array above 128 KiB has so many indexes that they count.
            let bound = at.reading().and_then(|reading| reading.large).filter(|_| demand.builds == Builds::Now);
            let high = bound.map_or(high, |large| high.min(cost::memory_with_large(heap, large, major)));
            ((low.min(high), high), cost::freeze(heap, major, at.shape, cpus), cost::file(heap, at.shape))
        }
    };
    // Others on the node want its CPUs as well: how much of them it gets is known only between bounds.
    let busy = at.facts.load.map_or(1.0, crate::node::Load::contention);
    let freeze = (freeze.0, freeze.1.mul_f64(busy));
    fn between<T>((low, high): (T, T)) -> Option<Between<T>> {
        Some(Between { low, high })
    }
    Predicted { memory: between(memory), freeze: between(freeze), file: between(file) }
}

/// Time to an out-of-memory death at `slope`, by whichever limit comes first.
pub(super) fn time_left(room: Bytes, slope: f64) -> Option<Duration> {
    (slope > 1.0).then(|| Duration::from_secs_f64((room.0 as f64 / slope).min(1e8)))
}
