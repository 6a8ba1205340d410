//! Who holds it: the variable or field that a person can change, and where it is written.
//!
//! The first name above what grows is often private to a package (`_map`, `observers`); the app's variable stands one to three steps
//! further up. Both are said, the app's leads; only when no code of the app is on the way is it the package's.

use crate::heap::declare::Named;
use crate::heap::format::{EdgeKind, NodeKind};
use crate::heap::ids::NodeIx;
use crate::heap::recognise::{Origin, Reader, Trail};
use crate::heap::snapshot::Edge;
use crate::heap::verdict::Place;

/// How many names of packages may lie between what grows and the app's variable.
const FURTHEST: usize = 6;
/// How many steps above what grows other holders are looked for.
const NEAR: usize = 8;

/// The holder of what grows.
#[derive(Clone, Debug)]
pub(super) struct Holder {
    /// `parsedContentCache`, `trail.records`, `Widget.instances`.
    pub name: String,
    /// The object that is held under this name.
    pub node: NodeIx,
    /// Position of the naming step in the trail.
    pub hop: usize,
    /// Whose code it is.
    pub origin: Origin,
    /// The package's or Node's own name for the store, when the app's stands above it.
    pub stored_in: Option<String>,
    /// The package that stores.
    pub package: Option<String>,
    /// Where it is written.
    pub place: Option<Place>,
}

/// The holder on this trail; `None` when nothing on it has a name that a person wrote.
pub(super) fn holder(reader: &Reader<'_>, trail: &Trail<'_>) -> Option<Holder> {
    let hops = trail.outside();
    let mut private: Option<(usize, String, Origin)> = None;
    let mut names_of_others = 0;
    let mut plain: Vec<(usize, String)> = Vec::new();
    for (at, hop) in hops.iter().enumerate().rev() {
        let Some(name) = trail.name(hop) else { continue };
        let global = is_global(reader, hop.from);
        let origin = if global { global_origin(reader, hop.to) } else { trail.origin(hop) };
        match origin {
            Origin::App => {
                let (package, stored_in) = match &private {
                    Some((_, name, Origin::Package(package))) => (Some(package.clone()), Some(name.clone())),
                    Some((_, name, _)) => (None, Some(name.clone())),
                    None => (None, None),
                };
                // Fields of plain objects between what grows and the variable are part of its name; a package's insides are not.
                let tail: Vec<&(usize, String)> = if private.is_some() { Vec::new() } else { plain.iter().rev().collect() };
                let held = tail.last().map_or(at, |t| t.0);
                let mut full = if global { format!("globalThis.{name}") } else { based(reader, trail, at, &name) };
                for (_, field) in &tail {
                    full.push('.');
                    full.push_str(field);
                }
                let place = if global { reader.declared_global(&name) } else { written(reader, hop, &name) };
                return Some(Holder { name: full, node: hops[held].to, hop: at, origin: Origin::App, stored_in, package, place });
            }
            Origin::Unknown => plain.push((at, name.into_owned())),
            other => {
                names_of_others += 1;
                if private.is_none() {
                    let class = reader.a.class_name(hop.from);
                    let full = if reader.a.raw_name(hop.to) == "process" {
                        "process".to_owned()
                    } else if hop.kind == EdgeKind::Context {
                        name.into_owned()
                    } else {
                        format!("{class}.{name}")
                    };
                    private = Some((at, full, other));
                    plain.clear();
                }
                if names_of_others > FURTHEST {
                    break;
                }
            }
        }
    }
    if let Some(found) = beside(reader, trail, private.as_ref().map(|p| &p.1), private.as_ref().map(|p| &p.2)) {
        return Some(found);
    }
    let (at, name, origin) = private.or_else(|| plain.first().map(|(at, name)| (*at, name.clone(), Origin::Unknown)))?;
    let package = if let Origin::Package(package) = &origin { Some(package.clone()) } else { None };
    let place = written(reader, &hops[at], name.rsplit('.').next().unwrap_or(&name));
    Some(Holder { name, node: hops[at].to, hop: at, origin, stored_in: None, package, place })
}

/// The best way may go through a package's registry although a variable of the app holds the same object: that variable.
fn beside(reader: &Reader<'_>, trail: &Trail<'_>, stored_in: Option<&String>, origin: Option<&Origin>) -> Option<Holder> {
    let a = reader.a;
    for (at, hop) in trail.outside().iter().enumerate().rev().take(NEAR) {
        if a.kind(hop.to) != NodeKind::Object || reader.is_context(hop.to) {
            continue;
        }
        // What many variables hold is a shared thing, not a store.
        let others: Vec<Edge> = reader
            .retainers(hop.to)
            .iter()
            .filter(|e| reader.written_name(e).is_some() && reader.origin(e.from) == Origin::App && !a.dominates(hop.to, e.from))
            .copied()
            .collect();
        let Some(edge) = others.iter().filter(|_| others.len() <= 3).min_by_key(|e| (e.kind != EdgeKind::Context, e.from)) else {
            continue;
        };
        let name = reader.written_name(edge)?.into_owned();
        let place = written(reader, edge, &name);
        let package = if let Some(Origin::Package(package)) = origin { Some(package.clone()) } else { None };
        return Some(Holder { name, node: hop.to, hop: at, origin: Origin::App, stored_in: stored_in.cloned(), package, place });
    }
    None
}

/// Who put a property on the global object: functions and objects of Node's own are Node's.
fn global_origin(reader: &Reader<'_>, value: NodeIx) -> Origin {
    let a = reader.a;
    match reader.origin(value) {
        Origin::Unknown => match a.kind(value) {
            NodeKind::Closure => Origin::Node,
            NodeKind::Object => {
                let name = a.raw_name(value);
                let own = [
                    "process",
                    "console",
                    "Console",
                    "global",
                    "Navigator",
                    "Crypto",
                    "Performance",
                    "Storage",
                    "Math",
                    "JSON",
                    "Intl",
                    "Reflect",
                    "Atomics",
                    "WebAssembly",
                ];
                if own.contains(&name.as_ref()) || name.starts_with("global ") { Origin::Node } else { Origin::App }
            }
            _ => Origin::App,
        },
        known => known,
    }
}

fn is_global(reader: &Reader<'_>, node: NodeIx) -> bool {
    let name = reader.a.raw_name(node);
    reader.a.kind(node) == NodeKind::Object && (name == "global" || name.starts_with("global / ") || name.starts_with("global ("))
}

/// `name` with what it belongs to in front: the variable that holds the object, else the object's class.
fn based(reader: &Reader<'_>, trail: &Trail<'_>, at: usize, name: &str) -> String {
    let mut full = name.to_owned();
    let mut at = at;
    for _ in 0..3 {
        let hop = &trail.hops[at];
        if hop.kind == EdgeKind::Context {
            return full;
        }
        // A variable that holds the object says more than the way the path took to it.
        if let Some(variable) = variable_of(reader, hop.from) {
            return format!("{variable}.{full}");
        }
        let above = at.checked_sub(1).map(|n| &trail.hops[n]);
        match above.and_then(|h| trail.name(h).filter(|_| matches!(trail.origin(h), Origin::App)).map(|n| (h, n))) {
            // The injector's own record of a provider says less than the provider's class.
            Some((hop, outer)) if reader.a.class_name(hop.from) != "InstanceWrapper" => {
                full = format!("{outer}.{full}");
                at -= 1;
            }
            _ => {
                let owner = hop.from;
                let class = match reader.a.kind(owner) {
                    NodeKind::Closure => reader.function_name(owner),
                    _ => reader.a.raw_name(owner).into_owned(),
                };
                return if class.is_empty() || class == "Object" { full } else { format!("{class}.{full}") };
            }
        }
    }
    full
}

/// The variable of the app that holds an object, the nearest to the roots; `None` when none does.
fn variable_of(reader: &Reader<'_>, object: NodeIx) -> Option<String> {
    let mut found: Option<Edge> = None;
    for &edge in reader.retainers(object).iter() {
        if edge.kind != EdgeKind::Context || reader.origin(edge.from) != Origin::App || reader.a.dominates(object, edge.from) {
            continue;
        }
        // Closures that come and go (of a timer, of a request) hold it too, under the same name or another: the longest-lived is the nearest.
        let nearer = |a: &Edge, b: &Edge| (reader.a.distance(a.from), a.from) < (reader.a.distance(b.from), b.from);
        if found.as_ref().is_none_or(|held| nearer(&edge, held)) {
            found = Some(edge);
        }
    }
    found.and_then(|e| reader.written_name(&e)).map(std::borrow::Cow::into_owned)
}

/// Where the variable or field of this step is written: its declaration, else the class or a function beside it.
fn written(reader: &Reader<'_>, hop: &Edge, name: &str) -> Option<Place> {
    if hop.kind == EdgeKind::Context {
        return reader.declared(hop.from, name, Named::Variable).or_else(|| reader.context_place(hop.from));
    }
    reader.declared(hop.from, name, Named::Field).or_else(|| reader.place(hop.from))
}
