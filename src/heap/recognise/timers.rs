//! Timers that wait: `Timeout` and `Immediate` objects by the function they will call. They hang on lists of Node's own, so the only
//! name is that function's, or the `AsyncLocalStorage` store they keep.

use rustc_hash::FxHashMap;

use super::reader::{Origin, Reader};
use super::stores;
use crate::heap::format::NodeKind;
use crate::heap::ids::NodeIx;

/// Timers that will call one function.
#[derive(Clone, Debug)]
pub(in crate::heap) struct Pending {
    /// Script, line, column of the function.
    pub key: (u32, u32, u32),
    /// One of its closures.
    pub function: NodeIx,
    /// The timers.
    pub timers: Vec<NodeIx>,
    /// Bytes that die with the timers.
    pub bytes: u64,
    /// Of these, bytes of `AsyncLocalStorage` stores.
    pub stores: u64,
}

/// All waiting timers of the app and its packages, by function.
pub(in crate::heap) fn pending(reader: &Reader<'_>) -> Vec<Pending> {
    let a = reader.a;
    let mut groups: FxHashMap<(u32, u32, u32), Pending> = FxHashMap::default();
    for timer in a.nodes().filter(|&n| a.kind(n) == NodeKind::Object && reader.is_named(n, reader.w.timeout)) {
        let Some(function) = reader.property(timer, reader.w.on_timeout).filter(|&f| a.kind(f) == NodeKind::Closure) else { continue };
        // `setTimeout(f.bind(x))` calls what was bound.
        let function = reader.internal(function, reader.w.bound_function).unwrap_or(function);
        let Some(location) = a.location(function) else { continue };
        if matches!(reader.origin(function), Origin::Node | Origin::Unknown) {
            continue;
        }
        let key = (location.script, location.line, location.column);
        let group = groups.entry(key).or_insert_with(|| Pending { key, function, timers: Vec::new(), bytes: 0, stores: 0 });
        group.timers.push(timer);
        group.bytes += a.retained_size(timer);
        group.stores += stores(reader, timer).into_iter().map(|s| a.retained_size(s)).sum::<u64>();
    }
    let mut all: Vec<Pending> = groups.into_values().collect();
    all.sort_by_key(|g| (std::cmp::Reverse(g.bytes), g.key));
    all
}
