//! `AsyncLocalStorage`: which store a resource keeps. Node 16 to 22 (and 24 with its flag off) put it under a symbol property
//! `kResourceStore`, Node 24+ keep an `AsyncContextFrame`, a map from storage to store: timers under `kAsyncContextFrame`, handles of native
//! code (sockets) in an internal field without a name, pending promises in their reactions.

use super::reader::Reader;
use crate::heap::format::{EdgeKind, NodeKind};
use crate::heap::ids::NodeIx;
use crate::heap::snapshot::Label;

/// The stores that `resource` (a timer, promise, socket …) keeps.
pub(in crate::heap) fn stores(reader: &Reader<'_>, resource: NodeIx) -> Vec<NodeIx> {
    let a = reader.a;
    let mut found = Vec::new();
    for edge in a.edges(resource).filter(|e| e.kind != EdgeKind::Weak && a.kind(e.to) == NodeKind::Object) {
        if reader.is_named(edge.to, reader.w.async_context_frame) {
            let Some(table) = reader.internal(edge.to, reader.w.table) else { continue };
            found.extend(
                a.edges(table)
                    .filter(|e| e.kind == EdgeKind::Internal && !reader.is_furniture(e) && matches!(e.label, Label::Name(_)))
                    .map(|e| e.to)
                    .filter(|&n| a.kind(n) == NodeKind::Object && a.raw_name(n) != "AsyncLocalStorage"),
            );
        } else if edge.kind == EdgeKind::Property && a.edge_text(&edge) == "<symbol kResourceStore>" {
            found.push(edge.to);
        }
    }
    found
}

/// All resources that keep a store of the first generation: those with a property of that name.
pub(in crate::heap) fn keepers(reader: &Reader<'_>) -> Vec<NodeIx> {
    let a = reader.a;
    let Some(wanted) = a.strings().find("<symbol kResourceStore>") else { return Vec::new() };
    let keeps = |n: NodeIx| a.edges(n).any(|e| e.kind == EdgeKind::Property && e.label == Label::Name(wanted));
    a.nodes().filter(|&n| a.kind(n) == NodeKind::Object && keeps(n)).collect()
}

/// All objects that keep an `AsyncContextFrame`.
pub(in crate::heap) fn frame_keepers(reader: &Reader<'_>) -> Vec<NodeIx> {
    let a = reader.a;
    let frames: Vec<NodeIx> =
        a.nodes().filter(|&n| a.kind(n) == NodeKind::Object && reader.is_named(n, reader.w.async_context_frame)).collect();
    reader.look_up_retainers(frames.iter().copied());
    let mut found: Vec<NodeIx> = frames
        .iter()
        .flat_map(|&f| reader.retainers(f).iter().filter(|e| e.kind != EdgeKind::Weak).map(|e| e.from).collect::<Vec<_>>())
        .filter(|&n| a.kind(n) == NodeKind::Object)
        .collect();
    found.sort_unstable();
    found.dedup();
    found
}

/// The app's variable (or field) that holds the `AsyncLocalStorage`, with the place where it is written down; the first when there are several.
pub(in crate::heap) fn store_name(reader: &Reader<'_>) -> Option<(String, NodeIx, NodeIx)> {
    let a = reader.a;
    a.nodes()
        .filter(|&n| a.kind(n) == NodeKind::Object && reader.is_named(n, reader.w.async_local_storage) && a.location(n).is_some())
        .find_map(|storage| {
            // On Node 24+ every frame's table refers to it: its variable would be lost among those.
            reader.named_retainers(storage).iter().find_map(|e| {
                let name = reader.written_name(e)?;
                (reader.origin(e.from) == super::Origin::App).then(|| (name.into_owned(), storage, e.from))
            })
        })
}
