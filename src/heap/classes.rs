//! Classes: what a person calls an object. Plain objects are told apart by the properties they have in common.
//!
//! Source: `calculateObjectNames`, `inferInterfaceDefinitions`, `applyInterfaceDefinitions` and `classKeyInternal` of DevTools'
//! `HeapSnapshot.ts` (chrome-devtools-frontend 1.0.1705227). One deviation on purpose: classes are kept by the text of their key.
//! DevTools keeps them by string index and lets classes of the same text overwrite each other, which hides all closures of a heap that
//! has an object named `Function` (every Express app).

use std::fmt::Write as _;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::column::Codes;
use super::format::{NodeKind, code};
use super::ids::{NodeIx, StringIx};
use super::snapshot::{Snapshot, TARGET_BITS};

/// A set of properties that many plain objects have: the class of those objects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interface {
    /// `{a, b, c}`.
    pub name: String,
    /// The properties, in the order in which the first such object has them.
    pub properties: Vec<String>,
    /// How many objects begin with them.
    pub count: u64,
}

/// Key and name of a class.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ClassName {
    /// `script,line,column,Name` for objects with a known constructor, else `,Name`.
    pub key: String,
    pub name: Arc<str>,
}

/// The class of each node.
#[derive(Debug)]
pub(super) struct Named {
    pub class: Codes,
    pub classes: Vec<ClassName>,
}

/// The most characters (UTF-16 units) of an interface's name, closing brace not counted.
const LONGEST: usize = 120;

/// Names the class of every node; plain objects by `interfaces`, nodes whose names the file lacks by those that were `borrowed`.
pub(super) fn name_all(snapshot: &Snapshot, shapes: &Shapes, interfaces: &[Interface], borrowed: &FxHashMap<u32, String>) -> Named {
    let mut namer = Namer {
        snapshot,
        texts: FxHashMap::default(),
        by_text: Vec::new(),
        borrowed,
        by_name: FxHashMap::default(),
        keys: FxHashMap::default(),
        classes: Vec::new(),
    };
    let by_kind: Vec<u32> = (0..256).map(|k| kind_class(snapshot, k as u8).map_or(u32::MAX, |c| namer.text(&c))).collect();
    let matches = shapes.apply(snapshot, interfaces);
    let names: Vec<u32> = interfaces.iter().map(|i| namer.text(&i.name)).collect();
    let object = namer.text("Object");
    let mut locations = snapshot.locations.iter().peekable();
    let mut plain = shapes.members.iter().peekable();
    let mut class = Codes::with_capacity(snapshot.node_count());
    let mut plain_keys = vec![u32::MAX; by_kind.len().max(names.len() + 1)];
    let mut kind_keys = vec![u32::MAX; 256];
    for i in 0..snapshot.node_count() as u32 {
        while locations.next_if(|l| l.node.0 < i).is_some() {}
        let kind = snapshot.nodes.kind[i as usize];
        if by_kind[kind as usize] != u32::MAX {
            let slot = &mut kind_keys[kind as usize];
            if *slot == u32::MAX {
                *slot = namer.key(by_kind[kind as usize], None);
            }
            class.push(*slot);
            continue;
        }
        let location = locations.peek().filter(|l| l.node.0 == i && snapshot.kind_at(i) == NodeKind::Object);
        let place = location.map(|l| (l.script, l.line, l.column));
        if let Some(&(_, shape)) = plain.next_if(|&&(node, _)| node == i) {
            let found = matches[shape as usize];
            let text = found.map_or(object, |m| names[m as usize]);
            if place.is_none() {
                let slot = &mut plain_keys[found.map_or(names.len(), |m| m as usize)];
                if *slot == u32::MAX {
                    *slot = namer.key(text, None);
                }
                class.push(*slot);
            } else {
                class.push(namer.key(text, place));
            }
            continue;
        }
        class.push(namer.named(i, place));
    }
    Named { class, classes: namer.classes }
}

/// The class of all nodes of a kind; `None` when it depends on the node's name.
fn kind_class(snapshot: &Snapshot, stored: u8) -> Option<String> {
    Some(match snapshot.header.kind(stored) {
        NodeKind::Hidden => "(system)".to_owned(),
        NodeKind::Code => "(compiled code)".to_owned(),
        NodeKind::Closure => "Function".to_owned(),
        NodeKind::RegExp => "RegExp".to_owned(),
        NodeKind::Object | NodeKind::Native => return None,
        _ => format!("({})", snapshot.header.node_words.get(stored as usize).map_or("unknown", String::as_str)),
    })
}

/// Script, line, column.
type PlaceKey = Option<(u32, u32, u32)>;

struct Namer<'a> {
    snapshot: &'a Snapshot,
    /// Class name → number of the text.
    texts: FxHashMap<Arc<str>, u32>,
    by_text: Vec<Arc<str>>,
    borrowed: &'a FxHashMap<u32, String>,
    /// (name of a node, detached) → number of the class's text.
    by_name: FxHashMap<(u32, bool), u32>,
    /// (text, place) → class.
    keys: FxHashMap<(u32, PlaceKey), u32>,
    classes: Vec<ClassName>,
}

impl Namer<'_> {
    fn text(&mut self, text: &str) -> u32 {
        if let Some(&known) = self.texts.get(text) {
            return known;
        }
        let number = self.by_text.len() as u32;
        let text: Arc<str> = text.into();
        self.by_text.push(Arc::clone(&text));
        self.texts.insert(text, number);
        number
    }

    fn named(&mut self, node: u32, place: PlaceKey) -> u32 {
        if !self.snapshot.strings.has(self.snapshot.name_ix(NodeIx(node))) {
            let text = match self.borrowed.get(&node) {
                Some(name) => self.text(&tag_only(name)),
                None => self.text(&format!("({})", self.snapshot.kind_word(NodeIx(node)))),
            };
            return self.key(text, place);
        }
        let detached = self.snapshot.is_renamed(NodeIx(node));
        let by = (self.snapshot.nodes.name[node as usize], detached);
        let text = match self.by_name.get(&by) {
            Some(&text) => text,
            None => {
                let name = self.snapshot.name(NodeIx(node));
                let text = self.text(&tag_only(&name));
                self.by_name.insert(by, text);
                text
            }
        };
        self.key(text, place)
    }

    fn key(&mut self, text: u32, place: PlaceKey) -> u32 {
        if let Some(&class) = self.keys.get(&(text, place)) {
            return class;
        }
        let name = Arc::clone(&self.by_text[text as usize]);
        let mut key = String::new();
        if let Some((script, line, column)) = place {
            let _ = write!(key, "{script},{line},{column}");
        }
        let _ = write!(key, ",{name}");
        let class = self.classes.len() as u32;
        self.classes.push(ClassName { key, name });
        self.keys.insert((text, place), class);
        class
    }
}

/// `<div id="a">` is one of all `<div>`.
fn tag_only(name: &str) -> String {
    let from = if name.starts_with('<') {
        0
    } else if name.starts_with("Detached <") {
        10
    } else {
        return name.to_owned();
    };
    match name[from..].find(' ') {
        Some(at) => format!("{}>", &name[..from + at]),
        None => name.to_owned(),
    }
}

/// The plain objects of a snapshot, grouped by the names of their properties in order.
#[derive(Debug, Default)]
pub(super) struct Shapes {
    /// Plain object → shape, in order of the objects.
    members: Vec<(u32, u32)>,
    /// Names of the properties.
    properties: Vec<Box<[u32]>>,
    counts: Vec<u32>,
}

impl Shapes {
    /// Groups the plain objects.
    pub fn of(snapshot: &Snapshot) -> Self {
        let mut shapes = Self::default();
        let Some(object) = snapshot.strings.find("Object") else { return shapes };
        let mut known: FxHashMap<Box<[u32]>, u32> = FxHashMap::default();
        let mut names = Vec::new();
        for i in 0..snapshot.node_count() {
            if snapshot.nodes.name[i] != object.0 || snapshot.kind_at(i as u32) != NodeKind::Object || snapshot.is_renamed(NodeIx(i as u32))
            {
                continue;
            }
            names.clear();
            let (from, to) = snapshot.edge_range(i);
            names.extend((from..to).filter(|&e| snapshot.edges.to[e] >> TARGET_BITS == code::PROPERTY).map(|e| snapshot.edges.name.get(e)));
            let shape = match known.get(names.as_slice()) {
                Some(&shape) => shape,
                None => {
                    let shape = shapes.properties.len() as u32;
                    known.insert(names.as_slice().into(), shape);
                    shapes.properties.push(names.as_slice().into());
                    shapes.counts.push(0);
                    shape
                }
            };
            shapes.counts[shape as usize] += 1;
            shapes.members.push((i as u32, shape));
        }
        shapes
    }

    /// The interfaces that are common enough to be classes, most frequent first.
    pub fn infer(&self, snapshot: &Snapshot) -> Vec<Interface> {
        let proto = snapshot.strings.find("__proto__");
        let mut by_name: FxHashMap<String, usize> = FxHashMap::default();
        let mut candidates: Vec<Interface> = Vec::new();
        for (shape, names) in self.properties.iter().enumerate() {
            let mut name = "{".to_owned();
            let mut length = 1;
            let mut properties = Vec::new();
            for &property in names.iter().filter(|&&p| Some(StringIx(p)) != proto) {
                let text = snapshot.strings.get(StringIx(property));
                let shown = property_name(&text);
                let units = shown.encode_utf16().count();
                if length > 1 && length + units > LONGEST {
                    break;
                }
                if length > 1 {
                    name.push_str(", ");
                    length += 2;
                }
                name.push_str(&shown);
                length += units;
                properties.push(text.into_owned());
            }
            if properties.is_empty() {
                continue;
            }
            name.push('}');
            let count = u64::from(self.counts[shape]);
            match by_name.get(&name) {
                Some(&at) => candidates[at].count += count,
                None => {
                    by_name.insert(name.clone(), candidates.len());
                    candidates.push(Interface { name, properties, count });
                }
            }
        }
        let objects = self.members.len() as f64;
        let enough = (objects / 1000.0).max(2.0);
        candidates.retain(|c| c.count as f64 >= enough);
        candidates.sort_by_key(|c| std::cmp::Reverse(c.count));
        candidates
    }

    /// The interface of each shape: of those all of whose properties it has, the one with the most, then the first.
    fn apply(&self, snapshot: &Snapshot, interfaces: &[Interface]) -> Vec<Option<u32>> {
        let wanted: Vec<&str> = interfaces.iter().flat_map(|i| i.properties.iter().map(String::as_str)).collect();
        let found = snapshot.strings.find_all(&wanted);
        let mut frequency: FxHashMap<u32, u32> = FxHashMap::default();
        for name in found.iter().flatten() {
            *frequency.entry(name.0).or_default() += 1;
        }
        // Each interface waits at its rarest property, so that a shape meets few that do not fit.
        let mut definitions: Vec<Vec<u32>> = Vec::with_capacity(interfaces.len());
        let mut waiting: FxHashMap<u32, Vec<u32>> = FxHashMap::default();
        let mut at = 0;
        for (number, interface) in interfaces.iter().enumerate() {
            let names = &found[at..at + interface.properties.len()];
            at += interface.properties.len();
            let mut names: Vec<u32> = names.iter().flatten().map(|n| n.0).collect();
            names.sort_unstable();
            if names.len() == interface.properties.len()
                && let Some(rarest) = names.iter().min_by_key(|n| frequency[n])
            {
                waiting.entry(*rarest).or_default().push(number as u32);
            }
            definitions.push(names);
        }
        let mut sorted = Vec::new();
        self.properties
            .iter()
            .map(|names| {
                sorted.clear();
                sorted.extend_from_slice(names);
                sorted.sort_unstable();
                let mut best: Option<u32> = None;
                let mut last = None;
                for property in &sorted {
                    if last == Some(property) {
                        continue;
                    }
                    last = Some(property);
                    for &candidate in waiting.get(property).into_iter().flatten() {
                        let size = definitions[candidate as usize].len();
                        let better = best.is_none_or(|b| {
                            let other = definitions[b as usize].len();
                            size > other || size == other && candidate < b
                        });
                        if better && is_part(&definitions[candidate as usize], &sorted) {
                            best = Some(candidate);
                        }
                    }
                }
                best
            })
            .collect()
    }
}

/// Whether all of `part` is in `whole`; both sorted, repetitions count.
fn is_part(part: &[u32], whole: &[u32]) -> bool {
    let mut rest = whole.iter();
    part.len() <= whole.len() && part.iter().all(|p| rest.any(|w| w == p))
}

/// A property as it stands in the name of an interface: as JSON when it could be mistaken for more than one.
pub(super) fn property_name(name: &str) -> std::borrow::Cow<'_, str> {
    if name.contains([',', '\'', '"', '{', '}']) { serde_json::to_string(name).map_or(name.into(), Into::into) } else { name.into() }
}
