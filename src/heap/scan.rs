//! Push parser: takes the bytes of a snapshot as they come and fills the columns. Any way of cutting the bytes into
//! pieces gives the same columns.
//!
//! Knows the shape of the file and nothing of its meaning: top-level keys in V8's order, three sections of numbers in rows,
//! one of strings; every other section is skipped, whatever is in it.

use std::borrow::Cow;

use super::columns::{EdgeBlock, LocationBlock, NodeBlock, append_edges, append_locations, append_nodes};
use super::format::{Header, code};
use super::progress::{Phase, Stop};
use super::rows::{Fed, Rows};
use super::salvage::{Cut, Section};
use super::snapshot::{Edges, Location, Nodes, Snapshot, TARGET_BITS};
use super::strings::Strings;
use super::trace::Trace;

/// More than any header; stops a file that opens a brace and never closes it.
const HEADER_MOST: usize = 16 << 20;

/// Why bytes cannot be taken.
type Why = Cow<'static, str>;

#[derive(Debug)]
enum State {
    /// Before `{`.
    Start,
    /// Before a key, or the closing brace.
    Key,
    /// In a key.
    InKey(Vec<u8>),
    /// Before the colon or the value of a key.
    Value(Vec<u8>),
    /// In the `snapshot` object.
    Header { json: Vec<u8>, skip: Skip },
    /// In a section of rows.
    Rows(Table, Box<Rows>),
    /// In the `strings` array.
    Strings(InStrings),
    /// In a section of tracked allocations, which is read when it is whole.
    Trace { key: TraceKey, json: Vec<u8>, skip: Skip },
    /// In a value that is not wanted.
    Skip(Skip),
    /// After the closing brace.
    End,
    /// After a byte that cannot be: the rest is not read.
    Damaged,
}

/// A section of tracked allocations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum TraceKey {
    Functions,
    Tree,
    Samples,
}

/// A section of rows, with what its threads have read and not yet given to the columns.
#[derive(Debug)]
enum Table {
    Nodes(Vec<NodeBlock>),
    Edges(Vec<EdgeBlock>),
    Locations(Vec<LocationBlock>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum InStrings {
    /// Before the opening bracket.
    Before,
    /// Between strings.
    Between,
    /// In a string; the flag says that the last byte was a backslash that escapes the next.
    In { escaped: bool },
}

/// Passes over any JSON value without looking into it.
#[derive(Clone, Debug, Default)]
struct Skip {
    depth: u32,
    in_string: bool,
    escaped: bool,
    begun: bool,
}

impl Skip {
    /// Takes bytes of the value; returns how many belong to it once it is over. The byte after a number or word is not taken.
    fn feed(&mut self, bytes: &[u8]) -> Option<usize> {
        for (i, &b) in bytes.iter().enumerate() {
            if self.in_string {
                match b {
                    _ if self.escaped => self.escaped = false,
                    b'\\' => self.escaped = true,
                    b'"' => {
                        self.in_string = false;
                        if self.depth == 0 {
                            return Some(i + 1);
                        }
                    }
                    _ => {}
                }
                continue;
            }
            match b {
                b'"' => {
                    self.in_string = true;
                    self.begun = true;
                }
                b'[' | b'{' => {
                    self.depth += 1;
                    self.begun = true;
                }
                b']' | b'}' if self.depth == 0 => return Some(i),
                b']' | b'}' => {
                    self.depth -= 1;
                    if self.depth == 0 {
                        return Some(i + 1);
                    }
                }
                b',' if self.depth == 0 => return Some(i),
                b' ' | b'\n' | b'\r' | b'\t' => {
                    if self.depth == 0 && self.begun {
                        return Some(i);
                    }
                }
                _ => self.begun = true,
            }
        }
        None
    }
}

/// How far the file has been read, by section.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Reached {
    pub nodes: bool,
    pub edges: bool,
    pub strings: bool,
    pub end: bool,
}

/// The parser with the columns it has filled so far.
#[derive(Debug)]
pub(super) struct Scanner {
    state: State,
    offset: u64,
    header: Option<Header>,
    /// Nodes and edges, also when they were taken.
    counts: (usize, usize),
    /// Whether all edges of the root are there.
    root_edges: bool,
    pub(super) nodes: Nodes,
    pub(super) edges: Edges,
    locations: Vec<Location>,
    pub(super) strings: Strings,
    pub(super) reached: Reached,
    trace: Trace,
}

impl Scanner {
    pub fn new() -> Self {
        Self {
            state: State::Start,
            offset: 0,
            header: None,
            counts: (0, 0),
            root_edges: false,
            nodes: Nodes::default(),
            edges: Edges::default(),
            locations: Vec::new(),
            strings: Strings::default(),
            reached: Reached::default(),
            trace: Trace::default(),
        }
    }

    /// The section being read, and how much of it has been, as far as the header tells.
    pub fn share(&self) -> (Phase, f32) {
        let of = |have: usize, all: u64| (have as f32 / all.max(1) as f32).min(1.0);
        match &self.header {
            Some(header) if self.reached.nodes && self.reached.edges => {
                (Phase::Strings, of(self.strings.len(), self.strings.len().max(header.nodes as usize / 4) as u64))
            }
            Some(header) if self.reached.nodes => (Phase::Edges, of(self.counts.1, header.edges)),
            Some(header) => (Phase::Nodes, of(self.counts.0, header.nodes)),
            None => (Phase::Nodes, 0.0),
        }
    }

    /// Takes the next bytes. Bytes that cannot be in a snapshot end the reading when nodes are known (the rest counts as
    /// missing), and are an error before.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), Stop> {
        let start = self.offset;
        let mut at = 0;
        while at < bytes.len() {
            let rest = &bytes[at..];
            self.offset = start + at as u64;
            match self.step(rest) {
                Ok(taken) => at += taken,
                Err(why) if self.counts.0 == 0 => return Err(Stop::NotASnapshot { why: why.into_owned(), offset: self.offset }),
                Err(_) => self.state = State::Damaged,
            }
        }
        self.offset = start + bytes.len() as u64;
        Ok(())
    }

    /// Takes at least one byte, or changes state.
    fn step(&mut self, rest: &[u8]) -> Result<usize, Why> {
        let space = |b: &u8| matches!(b, b' ' | b'\n' | b'\r' | b'\t');
        match &mut self.state {
            State::Damaged => return Ok(rest.len()),
            State::Start | State::Key | State::End | State::Value(_) if space(&rest[0]) => {
                return Ok(rest.iter().take_while(|b| space(b)).count());
            }
            State::Start => match rest {
                [b'{', ..] => self.state = State::Key,
                // A byte order mark that some tool has put in front.
                [0xef | 0xbb | 0xbf, ..] if self.offset < 3 => {}
                [0x1f, ..] if self.offset == 0 => return Err("it is gzip-compressed".into()),
                [0x28, ..] if self.offset == 0 => return Err("it is zstd-compressed".into()),
                _ => return Err("it does not begin with `{`".into()),
            },
            State::Key => match rest[0] {
                b'"' => self.state = State::InKey(Vec::new()),
                b',' => {}
                b'}' => {
                    self.reached.end = true;
                    self.state = State::End;
                }
                _ => return Err("there is no key where one should be".into()),
            },
            State::InKey(key) => match rest[0] {
                b'"' => self.state = State::Value(std::mem::take(key)),
                b if key.len() < 64 => key.push(b),
                _ => return Err("a top-level key is longer than 64 bytes".into()),
            },
            State::Value(_) if rest[0] == b':' => {}
            State::Value(key) => {
                let key = std::mem::take(key);
                self.open(&key)?;
                return Ok(0);
            }
            State::Header { json, skip } => {
                let taken = skip.feed(rest);
                json.extend_from_slice(&rest[..taken.unwrap_or(rest.len())]);
                if json.len() > HEADER_MOST {
                    return Err("its header is longer than 16 MiB".into());
                }
                let Some(taken) = taken else { return Ok(rest.len()) };
                let json = std::mem::take(json);
                self.read_header(&json)?;
                self.state = State::Key;
                return Ok(taken);
            }
            State::Rows(table, rows) => {
                let fed = match table {
                    Table::Nodes(blocks) => {
                        let fed = rows.feed(rest, blocks);
                        append_nodes(&mut self.nodes, blocks);
                        self.counts.0 = self.nodes.kind.len();
                        fed
                    }
                    Table::Edges(blocks) => {
                        let fed = rows.feed(rest, blocks);
                        append_edges(&mut self.edges, blocks);
                        self.counts.1 = self.edges.to.len();
                        fed
                    }
                    Table::Locations(blocks) => {
                        let fed = rows.feed(rest, blocks);
                        append_locations(&mut self.locations, blocks);
                        fed
                    }
                };
                match fed {
                    Fed::All => return Ok(rest.len()),
                    Fed::Closed(taken) => {
                        self.close();
                        return Ok(taken);
                    }
                    Fed::Wrong => return Err("there is something else than numbers among its numbers".into()),
                }
            }
            State::Trace { key, json, skip } => {
                let taken = skip.feed(rest);
                json.extend_from_slice(&rest[..taken.unwrap_or(rest.len())]);
                let Some(taken) = taken else { return Ok(rest.len()) };
                if let Some(rows) = self.header.as_ref().and_then(|h| h.trace.as_ref()) {
                    match key {
                        TraceKey::Functions => self.trace.read_functions(json, rows),
                        TraceKey::Tree => self.trace.read_tree(json, rows),
                        TraceKey::Samples => self.trace.read_samples(json, rows),
                    }
                }
                self.state = State::Key;
                return Ok(taken);
            }
            State::Strings(within) => {
                let within = *within;
                return self.take_strings(within, rest);
            }
            State::Skip(skip) => {
                let taken = skip.feed(rest);
                if taken.is_some() {
                    self.state = State::Key;
                }
                return Ok(taken.unwrap_or(rest.len()));
            }
            State::End => return Ok(rest.len()),
        }
        Ok(1)
    }

    fn open(&mut self, key: &[u8]) -> Result<(), Why> {
        let header = match key {
            b"snapshot" if self.header.is_none() => {
                self.state = State::Header { json: Vec::new(), skip: Skip::default() };
                return Ok(());
            }
            b"strings" => {
                self.state = State::Strings(InStrings::Before);
                return Ok(());
            }
            b"trace_function_infos" | b"trace_tree" | b"samples" if self.header.as_ref().is_some_and(|h| h.trace.is_some()) => {
                let key = match key {
                    b"samples" => TraceKey::Samples,
                    b"trace_tree" => TraceKey::Tree,
                    _ => TraceKey::Functions,
                };
                self.state = State::Trace { key, json: Vec::new(), skip: Skip::default() };
                return Ok(());
            }
            b"nodes" | b"edges" | b"locations" => self.header.as_ref().ok_or("its header does not come first".to_owned())?,
            _ => {
                self.state = State::Skip(Skip::default());
                return Ok(());
            }
        };
        let nodes = self.counts.0;
        self.state = match key {
            b"nodes" if !self.reached.nodes => rows(header.node.width, Table::Nodes(vec![NodeBlock::new(header)])),
            b"edges" if !self.reached.nodes => return Err("its edges come before its nodes".into()),
            b"edges" if !self.reached.edges => rows(header.edge.width, Table::Edges(vec![EdgeBlock::new(header, nodes)])),
            b"locations" => match LocationBlock::new(header, nodes) {
                Some(block) => rows(block.width(), Table::Locations(vec![block])),
                None => State::Skip(Skip::default()),
            },
            _ => State::Skip(Skip::default()),
        };
        Ok(())
    }

    fn read_header(&mut self, json: &[u8]) -> Result<(), Why> {
        let header = Header::read(json)?;
        // Memory that is reserved and never touched costs nothing, and a failed reservation is no error: a header may lie.
        let nodes = (header.nodes as usize).min(1 << TARGET_BITS);
        let edges = (header.edges as usize).min(u32::MAX as usize);
        let _ = self.nodes.kind.try_reserve_exact(nodes);
        let _ = self.nodes.name.try_reserve_exact(nodes);
        self.nodes.size.try_reserve(nodes);
        let _ = self.nodes.first_edge.try_reserve_exact(nodes + 1);
        let _ = self.edges.to.try_reserve_exact(edges);
        self.edges.name.try_reserve(edges);
        self.header = Some(header);
        Ok(())
    }

    fn close(&mut self) {
        if let State::Rows(table, _) = std::mem::replace(&mut self.state, State::Key) {
            match table {
                Table::Nodes(_) => {
                    self.reached.nodes = true;
                    self.nodes.id.finish();
                    edge_ranges(&mut self.nodes.first_edge);
                }
                Table::Edges(_) => {
                    self.reached.edges = true;
                    self.edges.name.finish();
                    self.fit_edges();
                }
                Table::Locations(_) => {}
            }
        }
    }

    fn take_strings(&mut self, within: InStrings, rest: &[u8]) -> Result<usize, Why> {
        let mut at = 0;
        let mut within = within;
        while let Some(&b) = rest.get(at) {
            match within {
                InStrings::In { escaped: true } => {
                    self.strings.extend(&rest[at..=at]);
                    within = InStrings::In { escaped: false };
                    at += 1;
                }
                InStrings::In { escaped: false } => {
                    let plain = memchr::memchr2(b'"', b'\\', &rest[at..]).unwrap_or(rest.len() - at);
                    self.strings.extend(&rest[at..at + plain]);
                    at += plain;
                    match rest.get(at) {
                        Some(b'"') => {
                            self.strings.close();
                            within = InStrings::Between;
                        }
                        Some(_) => {
                            self.strings.extend(b"\\");
                            within = InStrings::In { escaped: true };
                        }
                        None => break,
                    }
                    at += 1;
                }
                InStrings::Before | InStrings::Between if matches!(b, b' ' | b'\n' | b'\r' | b'\t') => at += 1,
                InStrings::Before if b == b'[' => {
                    within = InStrings::Between;
                    at += 1;
                }
                InStrings::Between if b == b'"' => {
                    within = InStrings::In { escaped: false };
                    at += 1;
                }
                InStrings::Between if b == b',' => at += 1,
                InStrings::Between if b == b']' => {
                    self.strings.finish(true);
                    self.reached.strings = true;
                    self.state = State::Key;
                    return Ok(at + 1);
                }
                InStrings::Before | InStrings::Between => return Err("there is something else than strings among its strings".into()),
            }
        }
        self.state = State::Strings(within);
        Ok(at)
    }

    /// Promised edges that are not in the file: their nodes end up without them.
    fn fit_edges(&mut self) {
        let edges = self.edges.to.len() as u32;
        let root = self.header.as_ref().map_or(0, |h| h.root_of(self.nodes.kind.len())) as usize;
        self.root_edges = edges > 0 && self.nodes.first_edge.get(root + 1).is_some_and(|&end| end <= edges);
        for first in &mut self.nodes.first_edge {
            *first = (*first).min(edges);
        }
        // Edges that no node counts as its own, in a damaged file: they lead nowhere, and the last node has them.
        if let Some(end) = self.nodes.first_edge.last_mut()
            && *end < edges
        {
            self.edges.to[*end as usize..].fill(code::BROKEN << TARGET_BITS);
            *end = edges;
        }
    }

    /// Nodes and edges as a snapshot without strings and locations, once, as soon as both are whole.
    pub fn take_graph(&mut self) -> Option<Snapshot> {
        if !self.reached.nodes || !self.reached.edges || self.nodes.kind.is_empty() {
            return None;
        }
        let header = self.header.clone()?;
        let (nodes, edges) = (std::mem::take(&mut self.nodes), std::mem::take(&mut self.edges));
        Some(Snapshot::of_graph(header, nodes, edges))
    }

    /// Nothing more comes: the columns, with what is missing. `graph` is what was taken before.
    pub fn finish(mut self, graph: Option<Snapshot>) -> Result<Snapshot, Stop> {
        let wrong = |why: &str| Stop::NotASnapshot { why: why.to_owned(), offset: self.offset };
        let Some(header) = self.header.clone() else {
            return Err(wrong(if self.offset == 0 { "it is empty" } else { "it ends in its header" }));
        };
        if self.counts.0 == 0 {
            return Err(wrong("it ends before its first node"));
        }
        if !self.reached.nodes {
            edge_ranges(&mut self.nodes.first_edge);
        }
        if !self.reached.strings {
            self.strings.finish(false);
        }
        self.locations.sort_by_key(|l| l.node);
        let mut snapshot = match graph {
            Some(graph) => graph,
            None => {
                if !self.reached.edges {
                    self.fit_edges();
                }
                Snapshot::of_graph(header, self.nodes, self.edges)
            }
        };
        let header = &snapshot.header;
        let whole = self.reached.nodes && self.reached.edges && self.reached.strings && self.reached.end;
        let cut = (!whole).then(|| Cut {
            at: match self.reached {
                Reached { nodes: false, .. } => Section::Nodes,
                Reached { edges: false, .. } => Section::Edges,
                Reached { strings: true, .. } => Section::End,
                _ if self.strings.is_empty() => Section::Locations,
                _ => Section::Strings,
            },
            nodes: (self.counts.0 as u64, header.nodes),
            edges: (self.counts.1 as u64, header.edges),
            locations: self.locations.len() as u64,
            strings: self.strings.len() as u64,
            root_edges: self.root_edges,
            named_nodes: snapshot.nodes.name.iter().filter(|&&n| (n as usize) < self.strings.len()).count() as u64,
        });
        snapshot.cut = cut;
        snapshot.locations = self.locations;
        snapshot.strings = self.strings;
        snapshot.trace = (!self.trace.is_empty()).then_some(self.trace);
        Ok(snapshot)
    }
}

fn rows(width: usize, table: Table) -> State {
    State::Rows(table, Box::new(Rows::new(width)))
}

/// Turns counts of edges into where each node's edges begin, with one more entry: the end.
fn edge_ranges(counts: &mut Vec<u32>) {
    let mut next = 0u32;
    for count in counts.iter_mut() {
        let first = next;
        next = next.saturating_add(*count);
        *count = first;
    }
    counts.push(next);
}
