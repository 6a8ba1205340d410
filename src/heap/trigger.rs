//! What the members look like, and what the new have that the old have not. Strings only: small integers are not in a snapshot, numbers
//! have no value in one.

use rustc_hash::FxHashMap;

use super::diff::Growth;
use super::format::{EdgeKind, NodeKind};
use super::ids::NodeIx;
use super::recognise::{Entries, Reader, Trail, thinned};
use super::verdict::Trigger;
use crate::base::{Masked, Untrusted};

/// Members looked at on each side.
const SAMPLE: usize = 2000;
/// Longest value that is compared or shown, characters.
const LONGEST: usize = 48;
/// Fewer on a side prove nothing.
const FEWEST: usize = 20;

/// What a few members look like: `{id: "art_1", source: "editorial"}`, masked.
pub(super) fn samples(reader: &Reader<'_>, members: &[NodeIx]) -> Vec<Masked> {
    let step = (members.len() / 3).max(1);
    members
        .iter()
        .step_by(step)
        .take(3)
        .map(|&m| picture(reader, m))
        .filter(|p| !p.is_empty())
        .map(|p| Masked::from(&Untrusted::new(p)))
        .collect()
}

fn picture(reader: &Reader<'_>, node: NodeIx) -> String {
    let a = reader.a;
    if a.kind(node).is_string() {
        return quoted(&a.display_name(node));
    }
    if a.kind(node) != NodeKind::Object {
        return String::new();
    }
    let fields: Vec<String> = a
        .edges(node)
        .filter(|e| e.kind == EdgeKind::Property && !reader.is_furniture(e))
        .take(5)
        .map(|e| {
            let name = a.snapshot().edge_text(&e).into_owned();
            match a.kind(e.to) {
                kind if kind.is_string() => format!("{name}: {}", quoted(&a.display_name(e.to))),
                _ => format!("{name}: {}", short(a.class_name(e.to))),
            }
        })
        .collect();
    let class = a.raw_name(node);
    let class = if class == "Object" { String::new() } else { format!("{class} ") };
    format!("{class}{{{}}}", fields.join(", "))
}

fn short(text: &str) -> String {
    text.chars().take(32).collect()
}

fn quoted(text: &str) -> String {
    let cut: String = text.chars().take(LONGEST).collect();
    let more = if cut.len() < text.len() { "…" } else { "" };
    format!("\"{cut}{more}\"")
}

/// The value that parts new members from old: by ids of the oldest snapshot, or with one snapshot the later half from the earlier one in the
/// collection's own order.
pub(super) fn trigger(
    growth: Option<&Growth>,
    reader: &Reader<'_>,
    trail: &Trail<'_>,
    held: Option<&Entries>,
    members: &[NodeIx],
) -> Option<Trigger> {
    let all: Vec<NodeIx> = match held {
        Some(held) if held.values.len() + held.keys.len() >= 2 * FEWEST => held.values.iter().chain(&held.keys).copied().collect(),
        _ if trail.repeats.is_some() => trail.chain().collect(),
        _ => members.to_vec(),
    };
    let (new, old): (Vec<NodeIx>, Vec<NodeIx>) = match growth {
        Some(growth) => all.iter().partition(|&&n| growth.is_new(n)),
        None => return None,
    };
    if new.len() < FEWEST || old.len() < FEWEST {
        return None;
    }
    let count = |nodes: &[NodeIx]| -> (FxHashMap<(String, String), u32>, u32) {
        let mut seen: FxHashMap<(String, String), u32> = FxHashMap::default();
        let mut looked = 0;
        for node in thinned(nodes, SAMPLE) {
            let values = values(reader, node);
            if values.is_empty() {
                continue;
            }
            looked += 1;
            for value in values {
                *seen.entry(value).or_default() += 1;
            }
        }
        (seen, looked)
    };
    let (fresh, new_count) = count(&new);
    let (known, old_count) = count(&old);
    if (new_count as usize) < FEWEST || (old_count as usize) < FEWEST {
        return None;
    }
    // A property that only some members have is judged among those.
    let having = |counts: &FxHashMap<(String, String), u32>, property: &str| {
        counts.iter().filter(|((p, _), _)| p == property).map(|(_, n)| *n).sum::<u32>()
    };
    fresh
        .iter()
        .filter_map(|((property, value), &n)| {
            let (new_have, old_have) = (having(&fresh, property), having(&known, property));
            let old_n = known.get(&(property.clone(), value.clone())).copied().unwrap_or(0);
            let new_share = f64::from(n) / f64::from(new_have.max(1));
            let old_share = if old_have == 0 { 0.0 } else { f64::from(old_n) / f64::from(old_have) };
            let enough = n as usize >= FEWEST && new_share >= 0.5 && old_share <= new_share / 4.0;
            enough.then_some((new_share - old_share, property, value, new_share, old_share, (new_have, old_have)))
        })
        .max_by(|x, y| x.0.total_cmp(&y.0).then_with(|| (y.1, y.2).cmp(&(x.1, x.2))))
        .map(|(_, property, value, new_share, old_share, sampled)| Trigger {
            property: Masked::from(&Untrusted::new(property.as_str())),
            value: Masked::from(&Untrusted::new(quoted(value))),
            new_share,
            old_share,
            sampled,
        })
}

/// Strings of a member by the path of properties to them, two deep.
fn values(reader: &Reader<'_>, node: NodeIx) -> Vec<(String, String)> {
    let a = reader.a;
    let mut out = Vec::new();
    let mut take = |prefix: &str, node: NodeIx, below: &mut Vec<(String, NodeIx)>| {
        for edge in a.edges(node).filter(|e| e.kind == EdgeKind::Property && !reader.is_furniture(e)).take(24) {
            let path = format!("{prefix}.{}", a.snapshot().edge_text(&edge));
            match a.kind(edge.to) {
                NodeKind::String => {
                    let value = a.name(edge.to);
                    if value.chars().count() <= LONGEST {
                        out.push((path, value.into_owned()));
                    }
                }
                NodeKind::Object => below.push((path, edge.to)),
                _ => {}
            }
        }
    };
    let mut below = Vec::new();
    take("", node, &mut below);
    let mut deeper = Vec::new();
    for (path, node) in below.into_iter().take(8) {
        take(&path, node, &mut deeper);
    }
    out
}
