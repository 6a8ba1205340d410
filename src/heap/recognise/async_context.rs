//! `AsyncLocalStorage`: which store a resource keeps. Node 16 to 22 (and 24 with its flag off) put it under a symbol property
//! `kResourceStore`, Node 24+ keep an `AsyncContextFrame`, a map from storage to store.

use super::reader::Reader;
use crate::heap::format::{EdgeKind, NodeKind};
use crate::heap::ids::NodeIx;
use crate::heap::snapshot::Label;

/// The stores that `resource` (a timer, promise, socket …) keeps.
pub(in crate::heap) fn stores(reader: &Reader<'_>, resource: NodeIx) -> Vec<NodeIx> {
    let a = reader.a;
    let mut found = Vec::new();
    for edge in a.edges(resource).filter(|e| e.kind == EdgeKind::Property) {
        match a.snapshot().edge_text(&edge).as_ref() {
            "<symbol kResourceStore>" if a.kind(edge.to) == NodeKind::Object => found.push(edge.to),
            "<symbol kAsyncContextFrame>" if a.kind(edge.to) == NodeKind::Object => {
                let Some(table) = reader.internal(edge.to, reader.w.table) else { continue };
                found.extend(
                    a.edges(table)
                        .filter(|e| e.kind == EdgeKind::Internal && !reader.is_furniture(e) && matches!(e.label, Label::Name(_)))
                        .map(|e| e.to)
                        .filter(|&n| a.kind(n) == NodeKind::Object && a.raw_name(n) != "AsyncLocalStorage"),
                );
            }
            _ => {}
        }
    }
    found
}

/// All resources that keep a store.
pub(in crate::heap) fn keepers(reader: &Reader<'_>) -> Vec<NodeIx> {
    let a = reader.a;
    let wanted = a.strings().find_all(&["<symbol kResourceStore>", "<symbol kAsyncContextFrame>"]);
    let keeps = |n: NodeIx| a.edges(n).any(|e| e.kind == EdgeKind::Property && wanted.iter().flatten().any(|&w| e.label == Label::Name(w)));
    a.nodes().filter(|&n| a.kind(n) == NodeKind::Object && keeps(n)).collect()
}

/// The app's variable (or field) that holds the `AsyncLocalStorage`, with the place where it is written down; the first when there are several.
pub(in crate::heap) fn store_name(reader: &Reader<'_>) -> Option<(String, NodeIx, NodeIx)> {
    let a = reader.a;
    a.nodes()
        .filter(|&n| a.kind(n) == NodeKind::Object && reader.is_named(n, reader.w.async_local_storage) && a.location(n).is_some())
        .find_map(|storage| {
            reader.retainers(storage).iter().find_map(|e| {
                let name = reader.written_name(e)?;
                (reader.origin(e.from) == super::Origin::App).then(|| (name.into_owned(), storage, e.from))
            })
        })
}
