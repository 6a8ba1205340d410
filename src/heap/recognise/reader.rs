//! How V8 and Node lay out what a snapshot shows: contexts, functions, scripts, backing stores; the same on Node 14 to 26.
//!
//! Source: V8's `heap-snapshot-generator.cc` (the names of internal edges), measured on Node 18, 20, 22, 24 and 26.

use std::borrow::Cow;
use std::sync::{Arc, Mutex, PoisonError};

use rayon::prelude::*;
use rustc_hash::FxHashMap;

use super::entries::Entries;

use crate::base::{Masked, Untrusted};
use crate::heap::analysis::Analysis;
use crate::heap::declare::{Named, declaration};
use crate::heap::format::{EdgeKind, NodeKind, code};
use crate::heap::ids::{EdgeIx, NodeIx, StringIx};
use crate::heap::snapshot::{Edge, Label, TARGET, TARGET_BITS};
use crate::heap::verdict::Place;

macro_rules! words {
    ($($field:ident = $text:literal),* $(,)?) => {
        /// Positions of the texts that edges and nodes are recognised by; `None` where the file has no such text.
        pub(in crate::heap) struct Words { $(pub $field: Option<StringIx>),* }

        impl Words {
            fn of(analysis: &Analysis) -> Self {
                let found = analysis.strings().find_all(&[$($text),*]);
                let mut found = found.into_iter();
                Self { $($field: found.next().flatten()),* }
            }
        }
    };
}

words! {
    table = "table",
    elements = "elements",
    properties = "properties",
    context = "context",
    previous = "previous",
    shared = "shared",
    script = "script",
    script_or_debug_info = "script_or_debug_info",
    source = "source",
    proto = "__proto__",
    map_edge = "map",
    system_context = "system / Context",
    set = "Set",
    weak_map = "WeakMap",
    weak_set = "WeakSet",
    array = "Array",
    generator = "Generator",
    timeout = "Timeout",
    on_timeout = "_onTimeout",
    bound_function = "bound_function",
    array_buffer_data = "system / JSArrayBufferData",
    function = "function",
    async_local_storage = "AsyncLocalStorage",
    parameters_and_registers = "parameters_and_registers",
    async_context_frame = "AsyncContextFrame",
    reactions_or_result = "reactions_or_result",
}

/// Who wrote a piece of code.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(in crate::heap) enum Origin {
    /// The application itself.
    App,
    /// A package under `node_modules`.
    Package(String),
    /// Node's own JavaScript.
    Node,
    /// It cannot be told: a plain object, a built-in class.
    Unknown,
}

/// Reads structures out of an analysis.
pub(in crate::heap) struct Reader<'a> {
    /// What is read.
    pub a: &'a Analysis,
    /// Positions of known texts.
    pub w: Words,
    /// Context → a function that was made in it, to learn its script from.
    functions: FxHashMap<u32, u32>,
    /// Collections that took long to read: each is looked at from several sides.
    collections: Mutex<FxHashMap<u32, Arc<Entries>>>,
    /// The last references to nodes that were asked for.
    retainers: Mutex<FxHashMap<u32, Arc<[Edge]>>>,
}

/// How many references to an object are looked at.
const LOOKED_AT: usize = 64;
/// From this many entries on a collection is kept.
const LARGE: u64 = 512;

impl<'a> Reader<'a> {
    /// A reader of `analysis`. Looks at every closure once.
    pub fn of(analysis: &'a Analysis) -> Self {
        let w = Words::of(analysis);
        let mut reader =
            Self { a: analysis, w, functions: FxHashMap::default(), collections: Mutex::default(), retainers: Mutex::default() };
        let mut functions: FxHashMap<u32, u32> = FxHashMap::default();
        // Most functions of a context are made by the same few pieces of code.
        let mut told: FxHashMap<(u32, u32), (u8, std::cmp::Reverse<u32>)> = FxHashMap::default();
        for node in analysis.nodes().filter(|&n| analysis.kind(n) == NodeKind::Closure) {
            let Some(context) = reader.internal(node, reader.w.context) else { continue };
            if reader.is_context(context) && analysis.location(node).is_some() {
                let held = functions.entry(context.0).or_insert(node.0);
                let mut telling = |node: NodeIx| {
                    let line = analysis.location(node).map_or(0, |l| l.line);
                    *told.entry((analysis.name_ix(node).0, line)).or_insert_with(|| reader.telling(node))
                };
                if node.0 != *held && telling(node) < telling(NodeIx(*held)) {
                    *held = node.0;
                }
            }
        }
        // A context that only inner contexts refer to takes its script from them.
        let inner: Vec<(u32, u32)> = functions.iter().map(|(&c, &f)| (c, f)).collect();
        for (context, function) in inner {
            let mut at = NodeIx(context);
            for _ in 0..64 {
                let Some(outer) = reader.internal(at, reader.w.previous).filter(|&c| reader.is_context(c)) else { break };
                match functions.get_mut(&outer.0) {
                    // Of several the lowest, so that the choice does not depend on the order of a hash table.
                    Some(held) if function < *held && reader.internal(NodeIx(*held), reader.w.context) != Some(outer) => *held = function,
                    Some(_) => break,
                    None => {
                        functions.insert(outer.0, function);
                    }
                }
                at = outer;
            }
        }
        reader.functions = functions;
        reader
    }

    /// A collection that was kept.
    pub fn known_collection(&self, node: NodeIx) -> Option<Arc<Entries>> {
        self.collections.lock().unwrap_or_else(PoisonError::into_inner).get(&node.0).cloned()
    }

    /// Keeps what a collection holds, if it is large.
    pub fn keep_collection(&self, node: NodeIx, held: &Arc<Entries>) {
        if held.count >= LARGE {
            self.collections.lock().unwrap_or_else(PoisonError::into_inner).insert(node.0, Arc::clone(held));
        }
    }

    /// Looks for the references to many nodes at once, which costs no more than for one.
    pub fn look_up_retainers(&self, nodes: impl IntoIterator<Item = NodeIx>) {
        let mut known = self.retainers.lock().unwrap_or_else(PoisonError::into_inner);
        let wanted: Vec<NodeIx> = nodes.into_iter().filter(|n| !known.contains_key(&n.0)).collect();
        if !wanted.is_empty() {
            known.extend(self.a.last_retainers(wanted, LOOKED_AT).into_iter().map(|(node, edges)| (node, edges.into())));
        }
    }

    /// The last references to `node`, some dozens at most, in DevTools' order.
    pub fn retainers(&self, node: NodeIx) -> Arc<[Edge]> {
        self.look_up_retainers([node]);
        let known = self.retainers.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(&node.0).map_or_else(|| Arc::from([]), Arc::clone)
    }

    /// All references to `node` from variables and properties, in the order of the file. A pass over all edges.
    pub fn named_retainers(&self, node: NodeIx) -> Vec<Edge> {
        let snapshot = self.a.snapshot();
        let names = |packed: u32| packed & TARGET == node.0 && matches!(packed >> TARGET_BITS, code::CONTEXT | code::PROPERTY);
        let found = snapshot.edges.to.par_iter().enumerate().with_min_len(1 << 16).filter(|(_, packed)| names(**packed));
        let found: Vec<EdgeIx> = found.map(|(e, _)| EdgeIx(e as u32)).collect();
        found.into_iter().map(|e| snapshot.edge(e)).collect()
    }

    /// How little a function tells about its scope: classes most, of these the last of a module (a service stands behind its helpers);
    /// helpers of compilers (`__decorate`) least.
    fn telling(&self, function: NodeIx) -> (u8, std::cmp::Reverse<u32>) {
        let name = self.a.name(function);
        let rank = match name.chars().next() {
            _ if name.starts_with("__") => 3,
            Some(c) if c.is_uppercase() => 0,
            Some(_) => 1,
            None => 2,
        };
        (rank, std::cmp::Reverse(self.a.location(function).map_or(0, |l| l.line)))
    }

    /// Target of the edge of `kind` named `name`.
    pub fn target(&self, node: NodeIx, kind: EdgeKind, name: Option<StringIx>) -> Option<NodeIx> {
        self.a.edge_named(node, kind, name?).map(|e| e.to)
    }

    /// Target of an internal edge.
    pub fn internal(&self, node: NodeIx, name: Option<StringIx>) -> Option<NodeIx> {
        self.target(node, EdgeKind::Internal, name)
    }

    /// Target of a property.
    pub fn property(&self, node: NodeIx, name: Option<StringIx>) -> Option<NodeIx> {
        self.target(node, EdgeKind::Property, name)
    }

    /// Whether the node's name is this known text.
    pub fn is_named(&self, node: NodeIx, name: Option<StringIx>) -> bool {
        name.is_some() && Some(self.a.name_ix(node)) == name
    }

    /// Whether it is the context of a function or module. (V8 15 writes the scope's number behind the name.)
    pub fn is_context(&self, node: NodeIx) -> bool {
        matches!(self.a.kind(node), NodeKind::Object | NodeKind::Hidden)
            && (self.is_named(node, self.w.system_context) || self.a.raw_name(node).starts_with("system / Context"))
    }

    /// Whether the edge is a hidden class, a prototype or another thing that every object has.
    pub fn is_furniture(&self, edge: &Edge) -> bool {
        match edge.label {
            Label::Name(name) => Some(name) == self.w.proto || edge.kind == EdgeKind::Internal && Some(name) == self.w.map_edge,
            Label::Index(_) => false,
        }
    }

    /// The script of a function, as a node.
    fn script_node(&self, closure: NodeIx) -> Option<NodeIx> {
        let shared = self.internal(closure, self.w.shared)?;
        self.internal(shared, self.w.script)
            .or_else(|| self.internal(shared, self.w.script_or_debug_info))
            .filter(|&s| self.a.kind(s) == NodeKind::Code)
    }

    /// Path of the script that a function, class instance or context comes from.
    pub fn script(&self, node: NodeIx) -> Option<Cow<'_, str>> {
        if let Some(location) = self.a.location(node) {
            return self.a.script_name(location.script);
        }
        if self.is_context(node) {
            return self.script(NodeIx(*self.functions.get(&node.0)?));
        }
        None
    }

    /// Who wrote the class, function or scope of `node`.
    pub fn origin(&self, node: NodeIx) -> Origin {
        self.script(node).map_or(Origin::Unknown, |path| origin_of(&path))
    }

    /// Place of the class of an object, or of a function.
    pub fn place(&self, node: NodeIx) -> Option<Place> {
        let location = self.a.location(node)?;
        let file = self.a.script_name(location.script)?;
        Some(place(&file, location.line, location.column))
    }

    /// Place of a function made in this context.
    pub fn context_place(&self, context: NodeIx) -> Option<Place> {
        self.place(NodeIx(*self.functions.get(&context.0)?))
    }

    /// Where `name` is declared in the script of `near` (a context, function or class instance): looked up in what the snapshot keeps of
    /// the script's text, which is its beginning.
    pub fn declared(&self, near: NodeIx, name: &str, what: Named) -> Option<Place> {
        let (closure, from) = if self.is_context(near) {
            (NodeIx(*self.functions.get(&near.0)?), 0)
        } else if self.a.kind(near) == NodeKind::Closure {
            (near, self.a.location(near)?.line)
        } else {
            let location = self.a.location(near)?;
            (self.function_of_script(location.script)?, location.line)
        };
        let script = self.script_node(closure)?;
        let text = self.internal(script, self.w.source)?;
        let path = self.a.raw_name(script);
        let (line, column) = declaration(&self.a.name(text), name, what, from)?;
        Some(place(&path, line, column))
    }

    /// Where a property of the global object is assigned, in the scripts of the app.
    pub fn declared_global(&self, name: &str) -> Option<Place> {
        let mut seen: Vec<u32> = Vec::new();
        for location in self.a.locations() {
            if seen.contains(&location.script) || self.a.kind(location.node) != NodeKind::Closure {
                continue;
            }
            seen.push(location.script);
            let Some(script) = self.script_node(location.node) else { continue };
            let path = self.a.raw_name(script);
            if origin_of(&path) != Origin::App {
                continue;
            }
            let Some(text) = self.internal(script, self.w.source) else { continue };
            for prefix in ["globalThis.", "global."] {
                let text = self.a.name(text);
                if let Some(at) = text.find(&format!("{prefix}{name}")) {
                    let line = u32::try_from(text[..at].matches('\n').count()).unwrap_or(u32::MAX);
                    let column = text[..at].rsplit('\n').next().map_or(0, |l| l.encode_utf16().count());
                    return Some(place(&path, line, u32::try_from(column).unwrap_or(u32::MAX)));
                }
            }
        }
        None
    }

    /// What the snapshot keeps of the text of a function's script: its beginning.
    pub fn source_of(&self, closure: NodeIx) -> Option<Cow<'a, str>> {
        let text = self.internal(self.script_node(closure)?, self.w.source)?;
        Some(self.a.name(text))
    }

    fn function_of_script(&self, script: u32) -> Option<NodeIx> {
        self.a.locations().iter().find(|l| l.script == script && self.a.kind(l.node) == NodeKind::Closure).map(|l| l.node)
    }

    /// Whether the edge is a name that a person wrote: a variable, a field. `None` when it is not.
    pub fn written_name(&self, edge: &Edge) -> Option<Cow<'a, str>> {
        let text = match edge.kind {
            EdgeKind::Context | EdgeKind::Property if !self.is_furniture(edge) => self.a.snapshot().edge_text(edge),
            _ => return None,
        };
        let hidden = text.is_empty()
            || text == "this"
            || text.starts_with('.')
            || text.starts_with("<symbol")
            || text == "constructor"
            || text == "prototype";
        (!hidden).then_some(text)
    }

    /// Name of a function as a person would say it.
    pub fn function_name(&self, closure: NodeIx) -> String {
        let name = self.a.name(closure);
        if name.is_empty() { "(anonymous)".to_owned() } else { name.into_owned() }
    }
}

/// Who wrote the script at `path`.
pub(in crate::heap) fn origin_of(path: &str) -> Origin {
    if path.is_empty() || path.starts_with("evalmachine") {
        return Origin::Unknown;
    }
    if path.starts_with("node:") || path.starts_with("internal/") || path == "native prologue" {
        return Origin::Node;
    }
    match path.rsplit_once("/node_modules/") {
        Some((_, rest)) => {
            let mut parts = rest.split('/');
            let first = parts.next().unwrap_or_default();
            match parts.next() {
                Some(second) if first.starts_with('@') => Origin::Package(format!("{first}/{second}")),
                _ => Origin::Package(first.to_owned()),
            }
        }
        None if path.contains('/') || path.contains('\\') => Origin::App,
        // Scripts of Node 14 have bare names: `events.js`.
        None => Origin::Node,
    }
}

/// A place as people count: from 1.
pub(in crate::heap) fn place(path: &str, line: u32, column: u32) -> Place {
    let file = Masked::from(&Untrusted::new(path.strip_prefix("file://").unwrap_or(path)));
    Place { file, line: line.saturating_add(1), column: column.saturating_add(1), generated: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_tell_who_wrote_them() {
        let cases = [
            ("/usr/src/app/src/import.js", Origin::App),
            ("file:///app/dist/main.mjs", Origin::App),
            ("node:internal/timers", Origin::Node),
            ("events.js", Origin::Node),
            ("/app/node_modules/rxjs/dist/Subject.js", Origin::Package("rxjs".into())),
            ("/app/node_modules/a/node_modules/@nestjs/core/injector.js", Origin::Package("@nestjs/core".into())),
            ("", Origin::Unknown),
        ];
        for (path, origin) in cases {
            assert_eq!(origin_of(path), origin, "{path}");
        }
    }
}
