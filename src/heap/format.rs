//! What the header of a snapshot says: fields and kinds by name, never by position, since they differ from Node to Node.
//!
//! Source: `HeapSnapshotJSONSerializer` in V8's `src/profiler/heap-snapshot-generator.cc` (8.4 to 15.2). Node 14 and 24+ have six
//! node fields, 16 to 22 seven; Node 24 lists more `node_types` than `node_fields`, so the two arrays are never zipped.

use serde_json::Value;

use super::trace::TraceRows;

/// What V8 says an object is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NodeKind {
    /// Internals without a better kind: contexts, maps of old Nodes, oddballs.
    Hidden,
    /// Backing store of arrays, properties, maps.
    Array,
    /// A flat string.
    String,
    /// A JavaScript object.
    Object,
    /// Code, bytecode, function infos and scripts.
    Code,
    /// A function.
    Closure,
    /// A regular expression.
    RegExp,
    /// A number on the heap.
    Number,
    /// An object of the embedder, or bytes outside the heap.
    Native,
    /// A root, or a group of roots.
    Synthetic,
    /// A string made of two others.
    ConsString,
    /// A part of another string.
    SlicedString,
    /// A symbol.
    Symbol,
    /// A big integer.
    BigInt,
    /// A hidden class ("map") of objects.
    ObjectShape,
    /// A WebAssembly object (Node 20).
    WasmObject,
    /// A kind newer than this program; its name is [`super::Snapshot::kind_word`].
    Other,
}

impl NodeKind {
    pub(super) const ALL: [Self; 16] = [
        Self::Hidden,
        Self::Array,
        Self::String,
        Self::Object,
        Self::Code,
        Self::Closure,
        Self::RegExp,
        Self::Number,
        Self::Native,
        Self::Synthetic,
        Self::ConsString,
        Self::SlicedString,
        Self::Symbol,
        Self::BigInt,
        Self::ObjectShape,
        Self::WasmObject,
    ];

    /// The kind as V8 writes it: `object`, `concatenated string`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Hidden => "hidden",
            Self::Array => "array",
            Self::String => "string",
            Self::Object => "object",
            Self::Code => "code",
            Self::Closure => "closure",
            Self::RegExp => "regexp",
            Self::Number => "number",
            Self::Native => "native",
            Self::Synthetic => "synthetic",
            Self::ConsString => "concatenated string",
            Self::SlicedString => "sliced string",
            Self::Symbol => "symbol",
            Self::BigInt => "bigint",
            Self::ObjectShape => "object shape",
            Self::WasmObject => "wasm object",
            Self::Other => "other",
        }
    }

    /// Whether it is a string of any make.
    pub const fn is_string(self) -> bool {
        matches!(self, Self::String | Self::ConsString | Self::SlicedString)
    }
}

/// What V8 says a reference is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EdgeKind {
    /// A variable of a closure's context; the label is its name.
    Context,
    /// An element of an array; the label is its index.
    Element,
    /// A property; the label is its name.
    Property,
    /// A reference that JavaScript does not see; the label is V8's name for it.
    Internal,
    /// A reference without a name; the label is a number.
    Hidden,
    /// From the root to a global object, past the internals.
    Shortcut,
    /// A reference that does not keep its target alive.
    Weak,
    /// A kind newer than this program, or an edge whose target is not in the file.
    Other,
}

impl EdgeKind {
    /// The kind as V8 writes it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Context => "context",
            Self::Element => "element",
            Self::Property => "property",
            Self::Internal => "internal",
            Self::Hidden => "hidden",
            Self::Shortcut => "shortcut",
            Self::Weak => "weak",
            Self::Other => "other",
        }
    }
}

/// Codes of edges as they are stored: V8's kinds, then what this room has found out about them.
pub(super) mod code {
    pub const CONTEXT: u32 = 0;
    pub const ELEMENT: u32 = 1;
    pub const PROPERTY: u32 = 2;
    pub const INTERNAL: u32 = 3;
    pub const HIDDEN: u32 = 4;
    pub const SHORTCUT: u32 = 5;
    pub const WEAK: u32 = 6;
    pub const OTHER: u32 = 7;
    /// An internal edge from a `WeakMap`'s table to a value.
    pub const PAIR_TABLE: u32 = 8;
    /// The same edge's twin from the key.
    pub const PAIR_KEY: u32 = 9;
    /// Target outside the file. Nothing follows it.
    pub const BROKEN: u32 = 10;
}

pub(super) const fn edge_kind(stored: u32) -> EdgeKind {
    match stored {
        code::CONTEXT => EdgeKind::Context,
        code::ELEMENT => EdgeKind::Element,
        code::PROPERTY => EdgeKind::Property,
        code::INTERNAL | code::PAIR_TABLE | code::PAIR_KEY => EdgeKind::Internal,
        code::HIDDEN => EdgeKind::Hidden,
        code::SHORTCUT => EdgeKind::Shortcut,
        code::WEAK => EdgeKind::Weak,
        _ => EdgeKind::Other,
    }
}

/// Where a column stands in a row; the row is `width` numbers long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct NodeRow {
    pub width: usize,
    pub kind: usize,
    pub name: usize,
    pub id: usize,
    pub self_size: usize,
    pub edge_count: usize,
    pub detachedness: Option<usize>,
    /// Only when allocations were tracked: Node 18 to 22 list the field in any case.
    pub trace_node: Option<usize>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct EdgeRow {
    pub width: usize,
    pub kind: usize,
    pub name: usize,
    pub to: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct LocationRow {
    pub width: usize,
    pub object: usize,
    pub script: usize,
    pub line: usize,
    pub column: usize,
}

/// The header (`snapshot` section), read.
#[derive(Clone, Debug)]
pub struct Header {
    /// The section as it stands in the file.
    pub(super) json: Vec<u8>,
    pub(super) node: NodeRow,
    pub(super) edge: EdgeRow,
    pub(super) location: Option<LocationRow>,
    /// The sections of tracked allocations, when they are filled and known.
    pub(super) trace: Option<TraceRows>,
    /// File's node type → kind; types from the file's list.
    pub(super) node_kinds: Vec<NodeKind>,
    pub(super) node_words: Vec<String>,
    /// File's edge type → stored code.
    pub(super) edge_codes: Vec<u8>,
    pub(super) root: u64,
    /// Nodes that V8 meant to write.
    pub nodes: u64,
    /// Edges that V8 meant to write.
    pub edges: u64,
    /// Functions in the allocation trace: above 0 when allocations were recorded.
    pub trace_functions: u64,
    /// Bytes of the process that no node stands for (Node 24 and later).
    pub extra_native_bytes: u64,
}

impl Header {
    /// Reads the bytes of the `snapshot` section, braces included.
    pub(super) fn read(json: &[u8]) -> Result<Self, String> {
        let value: Value = serde_json::from_slice(json).map_err(|e| format!("its header is not JSON: {e}"))?;
        let meta = value.get("meta").ok_or_else(|| "its header has no `meta`".to_owned())?;
        let fields = |key: &str| -> Vec<&str> {
            meta.get(key).and_then(Value::as_array).map(|a| a.iter().map(|f| f.as_str().unwrap_or("")).collect()).unwrap_or_default()
        };
        let place = |list: &[&str], key: &str, field: &str| {
            list.iter().position(|f| *f == field).ok_or_else(|| format!("`{key}` has no field `{field}`"))
        };
        let nf = fields("node_fields");
        let ef = fields("edge_fields");
        if nf.len() > 64 || ef.len() > 64 {
            return Err("its rows have more than 64 fields".to_owned());
        }
        let tracked = value.get("trace_function_count").and_then(Value::as_u64).is_some_and(|n| n > 0);
        let trace = tracked
            .then(|| TraceRows::of(&fields("trace_function_info_fields"), &fields("trace_node_fields"), &fields("sample_fields")))
            .flatten();
        let node = NodeRow {
            width: nf.len(),
            kind: place(&nf, "node_fields", "type")?,
            name: place(&nf, "node_fields", "name")?,
            id: place(&nf, "node_fields", "id")?,
            self_size: place(&nf, "node_fields", "self_size")?,
            edge_count: place(&nf, "node_fields", "edge_count")?,
            detachedness: nf.iter().position(|f| *f == "detachedness"),
            trace_node: trace.as_ref().and_then(|_| nf.iter().position(|f| *f == "trace_node_id")),
        };
        let edge = EdgeRow {
            width: ef.len(),
            kind: place(&ef, "edge_fields", "type")?,
            name: place(&ef, "edge_fields", "name_or_index")?,
            to: place(&ef, "edge_fields", "to_node")?,
        };
        let lf = fields("location_fields");
        let location = (|| {
            let at = |field: &str| lf.iter().position(|f| *f == field);
            Some(LocationRow {
                width: lf.len(),
                object: at("object_index")?,
                script: at("script_id")?,
                line: at("line")?,
                column: at("column")?,
            })
        })();
        let types = |key: &str| -> Result<Vec<String>, String> {
            meta.get(key)
                .and_then(|t| t.get(0))
                .and_then(Value::as_array)
                .map(|a| a.iter().map(|t| t.as_str().unwrap_or("").to_owned()).collect())
                .ok_or_else(|| format!("its header has no `{key}`"))
        };
        let node_words = types("node_types")?;
        if node_words.len() > 255 {
            return Err("it has more than 255 kinds of node".to_owned());
        }
        let node_kinds = node_words.iter().map(|w| NodeKind::ALL.into_iter().find(|k| k.word() == w).unwrap_or(NodeKind::Other)).collect();
        const EDGES: [EdgeKind; 7] = [
            EdgeKind::Context,
            EdgeKind::Element,
            EdgeKind::Property,
            EdgeKind::Internal,
            EdgeKind::Hidden,
            EdgeKind::Shortcut,
            EdgeKind::Weak,
        ];
        let edge_codes =
            types("edge_types")?.iter().map(|w| EDGES.iter().position(|k| k.word() == w).map_or(code::OTHER as u8, |c| c as u8)).collect();
        let count = |key: &str| value.get(key).and_then(Value::as_u64).unwrap_or(0);
        Ok(Self {
            json: json.to_vec(),
            node,
            edge,
            location,
            trace,
            node_kinds,
            node_words,
            edge_codes,
            root: count("root_index"),
            nodes: count("node_count"),
            edges: count("edge_count"),
            trace_functions: count("trace_function_count"),
            extra_native_bytes: count("extra_native_bytes"),
        })
    }

    /// Position of the root among `nodes` nodes.
    pub(super) fn root_of(&self, nodes: usize) -> u32 {
        let root = self.root.checked_div(self.node.width as u64).unwrap_or(0);
        if root < nodes as u64 { root as u32 } else { 0 }
    }

    pub(super) fn kind(&self, stored: u8) -> NodeKind {
        self.node_kinds.get(stored as usize).copied().unwrap_or(NodeKind::Other)
    }
}
