//! What piles up: the members below a point of growth, by class, and the class that a person would name.

use rustc_hash::FxHashMap;

use super::reader::{Origin, Reader};
use crate::heap::format::NodeKind;
use crate::heap::ids::NodeIx;
use crate::heap::verdict::Place;

/// Members looked into, at most.
const SAMPLE: usize = 2000;
/// Objects looked at inside one member, at most.
const INSIDE: usize = 200;

/// What piles up.
#[derive(Clone, Debug, Default)]
pub(in crate::heap) struct Members {
    /// Members, a sample when there are many.
    pub sample: Vec<NodeIx>,
    /// The class that a person would name.
    pub class: String,
    /// Where it is written.
    pub place: Option<Place>,
    /// Whether the app wrote it.
    pub app: bool,
    /// Bytes of the sample by what it consists of: buffers' data, strings, everything.
    pub bytes: (u64, u64, u64),
}

/// Groups `nodes` and finds the class to name: what most bytes hang on, an app's own class before a built-in one, and what lies inside
/// closures, promises and timers before those.
pub(in crate::heap) fn members(reader: &Reader<'_>, nodes: &[NodeIx]) -> Members {
    let a = reader.a;
    let sample = thinned(nodes, SAMPLE);
    let mut direct: FxHashMap<u32, (u64, u64, NodeIx)> = FxHashMap::default();
    let mut inner: FxHashMap<u32, (u64, u64, NodeIx)> = FxHashMap::default();
    let (mut buffers, mut strings, mut all) = (0, 0, 0);
    for &member in &sample {
        let row = direct.entry(a.class_of(member).0).or_insert((0, 0, member));
        row.0 += 1;
        row.1 += a.retained_size(member);
        let mut seen: Vec<u32> = Vec::new();
        for node in a.dominator_subtree(member).take(INSIDE) {
            let size = a.shallow_size(node);
            all += size;
            match a.kind(node) {
                NodeKind::Native if reader.is_named(node, reader.w.array_buffer_data) => buffers += size,
                kind if kind.is_string() => strings += size,
                NodeKind::Object if !reader.is_context(node) => {
                    let class = a.class_of(node).0;
                    if !seen.contains(&class) {
                        seen.push(class);
                        let row = inner.entry(class).or_insert((0, 0, node));
                        row.0 += 1;
                        row.1 += a.retained_size(node);
                    }
                }
                _ => {}
            }
        }
    }
    let mut best: Option<(u64, &str, NodeIx)> = None;
    for (count, bytes, node) in direct.values() {
        let (rank, name) = naming(reader, *node);
        let score = bytes.saturating_mul(rank) / 4;
        // The class's own order breaks ties, never the order of a hash table.
        if best.is_none_or(|(s, n, _)| (score, name) > (s, n)) && *count * 20 >= sample.len() as u64 {
            best = Some((score, name, *node));
        }
    }
    let half = (sample.len() as u64).div_ceil(2);
    let generic = best.is_none_or(|(_, _, node)| naming(reader, node).0 <= 2);
    let deeper = inner
        .values()
        .filter(|(count, _, node)| *count >= half.max(2) && matches!(reader.origin(*node), Origin::App))
        .max_by_key(|(count, bytes, node)| (*bytes, *count, a.class_name(*node)))
        .map(|(_, _, node)| *node);
    let deeper_shape = || {
        inner
            .values()
            .filter(|(count, _, node)| *count >= half.max(2) && a.class_name(*node).starts_with('{'))
            .max_by_key(|(count, bytes, node)| (*bytes, *count, a.class_name(*node)))
            .map(|(_, _, node)| *node)
    };
    let chosen = match (best, deeper) {
        (_, Some(node)) if generic => Some(node),
        (Some((_, _, node)), _) => match naming(reader, node).0 {
            0 | 1 => deeper_shape().or(Some(node)),
            _ => Some(node),
        },
        (None, deeper) => deeper,
    };
    let class = chosen.map_or_else(String::new, |node| label(reader, node));
    let place = chosen.and_then(|node| reader.place(node));
    let app = chosen.is_some_and(|node| reader.origin(node) == Origin::App);
    Members { sample, class, place, app, bytes: (buffers, strings, all) }
}

/// About `most` of `nodes`, spread over all of them. Not every n-th: keys and values come in turns.
pub(in crate::heap) fn thinned(nodes: &[NodeIx], most: usize) -> Vec<NodeIx> {
    let step = nodes.len().div_ceil(most.max(1)).max(1) as u64;
    // Knuth's multiplicative hash of the position: the same nodes every time.
    let kept = |n: usize| (n as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 33;
    nodes.iter().enumerate().filter(|(n, _)| kept(*n).is_multiple_of(step)).map(|(_, &node)| node).collect()
}

/// How well the class of `node` names what piles up (0 to 16), and its name.
fn naming<'a>(reader: &'a Reader<'_>, node: NodeIx) -> (u64, &'a str) {
    let a = reader.a;
    let name = a.class_name(node);
    let rank = match a.kind(node) {
        NodeKind::Object => match reader.origin(node) {
            Origin::App => 16,
            Origin::Package(_) => 6,
            Origin::Node => 3,
            Origin::Unknown if name.starts_with('{') => 8,
            Origin::Unknown if matches!(name, "Array" | "Map" | "Set" | "Promise" | "Generator" | "Object") => 1,
            Origin::Unknown if name.starts_with("system /") => 0,
            Origin::Unknown => 4,
        },
        NodeKind::Closure => 2,
        NodeKind::String | NodeKind::ConsString | NodeKind::SlicedString => 3,
        NodeKind::Native => 2,
        _ => 0,
    };
    (rank, name)
}

/// The class as a person would say it.
pub(in crate::heap) fn label(reader: &Reader<'_>, node: NodeIx) -> String {
    let a = reader.a;
    match a.kind(node) {
        NodeKind::Closure => format!("function {}", reader.function_name(node)),
        NodeKind::String => "string".to_owned(),
        NodeKind::ConsString => "joined string".to_owned(),
        NodeKind::SlicedString => "part of a longer string".to_owned(),
        NodeKind::Hidden | NodeKind::Object if reader.is_context(node) => "closure scope".to_owned(),
        NodeKind::Hidden if a.raw_name(node).starts_with("system / PromiseReaction") => "promise reaction".to_owned(),
        NodeKind::Object if reader.is_named(node, reader.w.generator) => match reader.internal(node, reader.w.function) {
            Some(function) => format!("generator {}", reader.function_name(function)),
            None => "generator".to_owned(),
        },
        _ => a.class_name(node).to_owned(),
    }
}
