//! What the members look like, and what the new have that the old have not. Strings only: small integers are not in a snapshot, numbers
//! have no value in one.
//!
//! New are those that the oldest snapshot has not; with one snapshot the later half of a Map, Set or pushed array, which keep the order in which
//! members came. (Ids do not tell it: the first snapshot of a process gives them in the order in which it walks the heap.)

use rustc_hash::FxHashMap;

use super::diff::Growth;
use super::format::{EdgeKind, NodeKind};
use super::ids::NodeIx;
use super::recognise::{Entries, Reader, Trail, captured, thinned};
use super::verdict::{HolderKind, Split, Trigger};
use crate::base::{Bytes, Masked, Untrusted};

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
    // What hangs on a function hangs on the variables of its scope.
    if a.kind(node) == NodeKind::Closure || reader.is_context(node) {
        let variables: Vec<String> = captured(reader, node)
            .into_iter()
            .take(5)
            .map(|v| {
                let unused = if v.used == Some(false) { ", used by no function that is alive" } else { "" };
                format!("{}: {} {}{unused}", v.name, short(a.class_name(v.value)), Bytes(v.bytes))
            })
            .collect();
        let name = if reader.is_context(node) { "scope".to_owned() } else { format!("function {}", reader.function_name(node)) };
        return if variables.is_empty() { String::new() } else { format!("{name} with {}", variables.join("; ")) };
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
    let (new, old, split): (Vec<NodeIx>, Vec<NodeIx>, Split) = match (growth, held) {
        (Some(growth), held) => {
            let all: Vec<NodeIx> = match held {
                Some(held) if held.values.len() + held.keys.len() >= 2 * FEWEST => held.values.iter().chain(&held.keys).copied().collect(),
                _ if trail.repeats.is_some() => trail.chain().collect(),
                _ => members.to_vec(),
            };
            let (new, old) = all.iter().partition(|&&n| growth.is_new(n));
            (new, old, Split::Snapshots)
        }
        // A ring is written over from its front, a dictionary's order is that of hashes.
        (None, Some(held)) if matches!(held.kind, HolderKind::Map | HolderKind::Set) || held.pushed == Some(true) => {
            let (old_values, new_values) = held.values.split_at(held.values.len() / 2);
            let (old_keys, new_keys) = held.keys.split_at(held.keys.len() / 2);
            ([new_values, new_keys].concat(), [old_values, old_keys].concat(), Split::Order)
        }
        (None, _) => return None,
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
    let by_property = |counts: &FxHashMap<(String, String), u32>| {
        let mut sums: FxHashMap<String, u32> = FxHashMap::default();
        for ((property, _), n) in counts {
            match sums.get_mut(property) {
                Some(sum) => *sum += n,
                None => drop(sums.insert(property.clone(), *n)),
            }
        }
        sums
    };
    let (new_having, old_having) = (by_property(&fresh), by_property(&known));
    fresh
        .iter()
        .filter_map(|((property, value), &n)| {
            let have = |sums: &FxHashMap<String, u32>| sums.get(property).copied().unwrap_or(0);
            let (new_have, old_have) = (have(&new_having), have(&old_having));
            let old_n = known.get(&(property.clone(), value.clone())).copied().unwrap_or(0);
            let new_share = f64::from(n) / f64::from(new_have.max(1));
            let old_share = if old_have == 0 { 0.0 } else { f64::from(old_n) / f64::from(old_have) };
            let enough = n as usize >= FEWEST && new_share >= 0.5 && old_share <= new_share / 4.0;
            enough.then_some((new_share - old_share, property, value, new_share, old_share, (new_have, old_have)))
        })
        // A whole value says more than its beginning, which is no rarer.
        .max_by(|x, y| {
            let score = |s: f64, value: &str| s + if value.ends_with('…') { 0.0 } else { 0.01 };
            score(x.0, x.2).total_cmp(&score(y.0, y.2)).then_with(|| (y.1, y.2).cmp(&(x.1, x.2)))
        })
        .map(|(_, property, value, new_share, old_share, sampled)| Trigger {
            property: Masked::from(&Untrusted::new(property.as_str())),
            value: Masked::from(&Untrusted::new(quoted(value))),
            new_share,
            old_share,
            sampled,
            split,
        })
}

/// What of a text many may share: the text itself, the host of a URL, what stands up to a day (`art_2026-11-23…`; a bare date is when it came,
/// which tells nothing), what stands before the first separator (`feed:…`).
fn features(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    if text.chars().count() <= LONGEST {
        found.push(text.to_owned());
    }
    if let Some((scheme, rest)) = text.split_once("://").filter(|(s, _)| s.len() <= 8 && s.bytes().all(|b| b.is_ascii_alphanumeric())) {
        let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
        // Credentials stay out of what is compared.
        let host = host.rsplit('@').next().unwrap_or_default();
        if !host.is_empty() && host.len() <= LONGEST {
            found.push(format!("{scheme}://{host}…"));
        }
        return found;
    }
    let bytes = text.as_bytes();
    let day = |w: &[u8]| w.iter().enumerate().all(|(n, b)| if matches!(n, 4 | 7) { *b == b'-' } else { b.is_ascii_digit() });
    if let Some(at) = bytes.windows(10).take(LONGEST).position(day)
        && at > 0
        && at + 10 < bytes.len()
        && text[..at].chars().any(char::is_alphabetic)
    {
        found.push(format!("{}…", &text[..at + 10]));
    }
    let word = text.find([':', '_', '/', '|', '#']).filter(|&n| (2..=24).contains(&n) && n + 1 < text.len());
    if let Some(word) = word.filter(|&n| text.starts_with(char::is_alphabetic) && !text[..n].contains(' ')) {
        found.push(format!("{}…", &text[..=word]));
    }
    found
}

/// Strings of a member by the path of properties to them, two deep.
fn values(reader: &Reader<'_>, node: NodeIx) -> Vec<(String, String)> {
    let a = reader.a;
    let mut out = Vec::new();
    if a.kind(node) == NodeKind::String {
        out.extend(features(&a.name(node)).into_iter().map(|f| ("text".to_owned(), f)));
    }
    let mut take = |prefix: &str, node: NodeIx, below: &mut Vec<(String, NodeIx)>| {
        for edge in a.edges(node).filter(|e| e.kind == EdgeKind::Property && !reader.is_furniture(e)).take(24) {
            let path = format!("{prefix}.{}", a.snapshot().edge_text(&edge));
            match a.kind(edge.to) {
                NodeKind::String => {
                    out.extend(features(&a.name(edge.to)).into_iter().map(|f| (path.clone(), f)));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_many_texts_may_share() {
        let cases: [(&str, &[&str]); 8] = [
            ("partner-feed-v2", &["partner-feed-v2"]),
            ("https://bob:pw@feeds.example.com/a/1", &["https://bob:pw@feeds.example.com/a/1", "https://feeds.example.com…"]),
            ("art_2026-11-23_0001", &["art_2026-11-23_0001", "art_2026-11-23…", "art_…"]),
            ("2026-11-23T10:00:00Z", &["2026-11-23T10:00:00Z"]),
            ("tenant:acme", &["tenant:acme", "tenant:…"]),
            ("x:", &["x:"]),
            ("größe_1", &["größe_1", "größe_…"]),
            ("", &[""]),
        ];
        for (text, found) in cases {
            assert_eq!(features(text), found, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(text in ".{0,80}", dated in ".{0,4}2026-11-23.{0,4}") {
            let _ = (features(&text), features(&dated));
        }
    }
}
