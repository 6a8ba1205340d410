//! How much a structure in one snapshot looks like a leak, and why. No growth is seen here: this only orders what is large.

use crate::heap::format::NodeKind;
use crate::heap::ids::NodeIx;
use crate::heap::recognise::{Entries, Reader, Trail};
use crate::heap::verdict::HolderKind;

/// What the structure itself says.
#[derive(Clone, Debug, Default)]
pub(super) struct Evidence {
    /// Above 1 it looks like a leak, below like something bounded.
    pub factor: f64,
    /// Why, in words that fit behind "since".
    pub because: Vec<&'static str>,
    /// Keys that nothing else holds: entries can never be found again.
    pub unreachable_keys: bool,
}

/// Keys that are looked at.
const SAMPLE: usize = 200;

/// What a collection (or chain) shows.
pub(super) fn evidence(
    reader: &Reader<'_>,
    trail: &Trail<'_>,
    node: NodeIx,
    held: Option<&Entries>,
    kind: HolderKind,
    count: u64,
) -> Evidence {
    let a = reader.a;
    let mut found = Evidence { factor: 1.0, ..Evidence::default() };
    let mut weigh = |factor: f64, why: &'static str| {
        found.factor *= factor;
        if !why.is_empty() {
            found.because.push(why);
        }
    };
    if let Some(held) = held {
        if let Some(holes) = held.holes {
            if holes * 20 > held.count {
                weigh(0.15, "entries are deleted from it");
            } else if held.count >= 200 {
                weigh(1.4, "no entry was deleted since its table was last rebuilt");
            }
        }
        match held.pushed {
            Some(true) if held.count >= 100 => weigh(1.6, "it grew by push"),
            Some(false) if held.count >= 100 => weigh(0.3, "it has a fixed length"),
            _ => {}
        }
        if held.dictionary && held.count >= 200 {
            weigh(1.5, "it has more keys than an object has fields");
        }
        let round = held.count >= 100 && (held.count % 100 == 0 || held.count.is_power_of_two());
        if round && held.pushed != Some(true) {
            weigh(0.8, "its size is a round number, like a bound");
        }
        if held.kind == HolderKind::Map && !held.keys.is_empty() {
            let step = held.keys.len().div_ceil(SAMPLE).max(1);
            let keys: Vec<NodeIx> =
                held.keys.iter().copied().step_by(step).filter(|&k| matches!(a.kind(k), NodeKind::Object | NodeKind::Closure)).collect();
            let alone = keys.iter().filter(|&&k| a.dominates(node, k)).count();
            if keys.len() >= 10 && alone * 10 >= keys.len() * 9 {
                weigh(4.0, "its keys are objects that nothing else holds, so no entry can ever be found again");
                found.unreachable_keys = true;
                // The strongest reason is said first.
                found.because.rotate_right(1);
            }
        }
    }
    let mut weigh = |factor: f64, why: &'static str| {
        found.factor *= factor;
        found.because.push(why);
    };
    match kind {
        HolderKind::Listeners | HolderKind::Subscribers if count > 100 => weigh(4.0, "more than 100 listeners are seldom meant"),
        HolderKind::Timers if count >= 100 => weigh(3.0, "so many timers of one function wait"),
        HolderKind::AsyncContext => weigh(3.0, "request data outlives its request"),
        HolderKind::Promises | HolderKind::AsyncFrames => weigh(3.0, "they wait for what has not come"),
        HolderKind::Closure => weigh(3.0, "each closure keeps the one before"),
        HolderKind::LinkedList if trail.chain().count() >= 200 => weigh(2.0, "the chain is long"),
        HolderKind::Metrics if count >= 200 => weigh(3.0, "so many label sets mean a label without a bound"),
        HolderKind::RequestScope if count >= 100 => weigh(3.0, "request-scoped instances outlive their requests"),
        _ => {}
    }
    found
}
