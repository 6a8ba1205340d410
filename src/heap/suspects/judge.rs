//! From the places that the rules found to ranked suspects: who holds it, what it is, how sure that is, and what is only large.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::allocated::allocations;
use super::holder::holder;
use super::leaky::{Evidence, evidence};
use super::scene::{Candidate, Scene};
use super::{Options, words};
use crate::base::Masked;
use crate::heap::analysis::Analysis;
use crate::heap::fingerprint::fingerprint;
use crate::heap::ids::{NodeId, NodeIx};
use crate::heap::progress::Stop;
use crate::heap::recognise::{Entries, Origin, Reader, Sight, Site, Trail, entries, members, recognise};
use crate::heap::salvage::Trust;
use crate::heap::snapshot::SnapshotKind;
use crate::heap::trigger::{samples, trigger};
use crate::heap::verdict::{Confidence, Large, Step, Suspect, Verdict};

/// Steps above a place on which the holder's name mostly stands.
const NEAR: usize = 12;

/// A candidate with all that is known of it.
struct Finding {
    suspect: Suspect,
    origin: Origin,
    apps_members: bool,
    evidence: Evidence,
    detail: Option<String>,
    /// Bytes to rank by.
    score: f64,
    /// Whether the evidence suffices to call it a leak.
    leaks: bool,
    /// What each rule found this holder to have grown by (or to keep, with one snapshot), all its places together, in the order of the rules.
    by_rule: Vec<(&'static str, i64)>,
}

/// Fills in suspects, what is large, and why there is none.
pub(super) fn judge(scene: &Scene<'_>, candidates: Vec<Candidate>, options: &Options, verdict: &mut Verdict) -> Result<(), Stop> {
    let total = verdict.total_bytes.max(1);
    let mut best: BTreeMap<(String, u64), Finding> = BTreeMap::new();
    let mut large: BTreeMap<String, Large> = BTreeMap::new();
    look_up_retainers(scene, &candidates);
    let all = candidates.len() as f32;
    for (n, candidate) in candidates.into_iter().enumerate() {
        scene.check(0.7 + 0.3 * n as f32 / all)?;
        let Some(finding) = weigh(scene, &candidate, total) else { continue };
        let s = &finding.suspect;
        // What Node holds is only worth a line when the members are the app's: listeners on `process`, callbacks.
        if finding.origin == Origin::Node && !finding.apps_members {
            continue;
        }
        let by_size_only = scene.past.is_some() && s.growth_bytes.is_none();
        if by_size_only || !finding.leaks {
            let row = Large {
                name: s.holder.clone(),
                kind: s.holder_kind,
                id: s.holder_id,
                count: s.count,
                location: s.location.clone(),
                retained_bytes: s.retained_bytes,
                share: s.share,
                growth_bytes: s.growth_bytes,
            };
            large.entry(s.holder.as_str().to_owned()).or_insert(row);
            if by_size_only {
                continue;
            }
        }
        if !finding.leaks {
            continue;
        }
        let key = (s.holder.as_str().to_owned(), 0);
        match best.get_mut(&key) {
            Some(held) => {
                // Two places of one holder (two lists in one map) are one suspect with the growth of both; what two rules find is one place.
                let mut by_rule = std::mem::take(&mut held.by_rule);
                for &(rule, bytes) in &finding.by_rule {
                    match by_rule.iter_mut().find(|(known, _)| *known == rule) {
                        Some((_, sum)) => *sum += bytes,
                        None => by_rule.push((rule, bytes)),
                    }
                }
                if finding.score > held.score {
                    *held = finding;
                }
                let most = by_rule.iter().map(|r| r.1).max().unwrap_or(0);
                // Rules come most special first: the first that explains half of it names it.
                if let Some((rule, _)) = by_rule.iter().find(|r| r.1 * 2 >= most) {
                    held.suspect.rule = Masked::own(rule);
                }
                if scene.past.is_some() {
                    held.suspect.growth_bytes = Some(most);
                    held.score = held.score.max(most as f64);
                }
                held.by_rule = by_rule;
            }
            None => {
                best.insert(key, finding);
            }
        }
    }
    let mut found: Vec<Finding> = best.into_values().collect();
    let grown: i64 = found.iter().filter_map(|f| f.suspect.growth_bytes).sum();
    found.sort_by(|a, b| b.score.total_cmp(&a.score).then_with(|| a.suspect.holder.cmp(&b.suspect.holder)));
    found.truncate(options.most);
    for finding in &mut found {
        finish(scene, finding, grown, verdict);
    }
    let named: Vec<String> = found.iter().map(|f| f.suspect.holder.as_str().to_owned()).collect();
    verdict.suspects = found.into_iter().map(|f| f.suspect).collect();
    let mut large: Vec<Large> = large.into_values().filter(|l| !named.iter().any(|n| n == l.name.as_str())).collect();
    large.sort_by(|a, b| (b.retained_bytes, &a.name).cmp(&(a.retained_bytes, &b.name)));
    large.truncate(options.most.max(5));
    verdict.large = large;
    reasons(scene, verdict);
    Ok(())
}

/// Who else refers to the objects near the places: looked up at once, since each look goes over all edges.
fn look_up_retainers(scene: &Scene<'_>, candidates: &[Candidate]) {
    let near = candidates.iter().filter(|c| c.named.is_none()).flat_map(|candidate| {
        let trail = Trail::to(&scene.reader, candidate.at);
        trail.outside().iter().rev().take(NEAR).flat_map(|hop| [hop.from, hop.to]).collect::<Vec<_>>()
    });
    scene.reader.look_up_retainers(near.collect::<Vec<_>>());
}

fn weigh(scene: &Scene<'_>, candidate: &Candidate, total: u64) -> Option<Finding> {
    let reader = &scene.reader;
    let a = scene.a();
    let trail = Trail::to(reader, candidate.at);
    // A scope is no collection: only as a link of a chain of closures it is a place where things pile up.
    if trail.repeats.is_none() && scene.reader.is_context(candidate.at) {
        return None;
    }
    let known = candidate.named.as_ref();
    let by_trail = if known.is_none() { Some(holder(reader, &trail)?) } else { None };
    let in_chain: Vec<NodeIx> = trail.chain().filter(|&n| scene.is_new(n)).collect();
    let piled = if in_chain.len() >= 6 { &in_chain } else { &candidate.members };
    let mut pile = members(reader, piled);
    let origin = by_trail.as_ref().map_or(Origin::App, |h| h.origin.clone());
    let (name, node, location, hop) = match (known, &by_trail) {
        (Some(k), _) => (k.name.clone(), k.node, k.place.clone(), 0),
        (None, Some(h)) => (h.name.clone(), h.node, h.place.clone(), h.hop),
        (None, None) => return None,
    };
    let sight = match known {
        Some(k) => Sight { kind: k.kind, detail: k.detail.clone(), count: candidate.count },
        None => recognise(&Site { reader, trail: &trail, hop, members: &pile }),
    };
    // The collection between the name and what piles up, nearest to the name.
    let collection: Option<(NodeIx, Arc<Entries>)> = if known.is_some() {
        None
    } else {
        trail.hops[hop..].iter().map(|h| h.to).take(24).find_map(|n| entries(reader, n).map(|e| (n, e)))
    };
    let innermost: Option<(NodeIx, Arc<Entries>)> = if known.is_some() {
        None
    } else {
        trail.hops[hop..].iter().rev().map(|h| h.to).take(24).find_map(|n| entries(reader, n).map(|e| (n, e)))
    };
    if pile.class.is_empty() && collection.as_ref().is_some_and(|(_, e)| e.values.is_empty()) {
        "number".clone_into(&mut pile.class);
    }
    let count = sight
        .count
        .or(innermost.as_ref().map(|(_, e)| e.count))
        .unwrap_or(candidate.members.len() as u64)
        .max(if in_chain.len() >= 6 { trail.chain().count() as u64 } else { 0 });
    let count_growth = known
        .and_then(|k| k.count_growth)
        .or_else(|| more_entries(scene, innermost.as_ref()))
        .or_else(|| scene.past.is_some().then_some(piled.len() as i64).filter(|&n| n > 0));
    let evidence = evidence(
        reader,
        &trail,
        innermost.as_ref().map_or(node, |(n, _)| *n),
        innermost.as_ref().map(|(_, e)| e.as_ref()),
        sight.kind,
        count,
    );
    let retained = candidate.retained.max(a.retained_size(node).min(total));
    let share = retained as f64 / total as f64;
    let leaks = match candidate.growth {
        // The rule has counted by itself.
        Some(_) if known.is_some() => true,
        Some(growth) => grows(scene, node, growth, retained, innermost.as_ref(), &trail, count_growth),
        None => {
            evidence.factor >= 0.7 && (share >= 0.05 || retained >= 16 << 20 || count >= 1000 || evidence.factor >= 3.0 && share >= 0.01)
        }
    };
    let apps_members = pile.app && pile.place.is_some();
    let origin_weight = match origin {
        Origin::App => 1.0,
        Origin::Package(_) => 0.8,
        Origin::Unknown => 0.5,
        Origin::Node => 0.5,
    };
    let score = origin_weight * candidate.growth.map_or(retained as f64 * evidence.factor, |g| g as f64);
    let suspect = Suspect {
        rule: Masked::own(candidate.rule),
        headline: Masked::default(),
        holder: Masked::from(name),
        holder_kind: sight.kind,
        holder_id: u64::from(a.id(node).0),
        stored_in: by_trail.as_ref().and_then(|h| h.stored_in.clone()).map(Masked::from),
        package: by_trail.as_ref().and_then(|h| h.package.clone()).map(Masked::from),
        growing_class: Masked::from(pile.class.clone()),
        count,
        location,
        class_location: pile.place.clone(),
        retained_bytes: retained,
        share,
        growth_bytes: candidate.growth,
        growth_share: None,
        growth_per_minute: None,
        count_growth,
        path: steps(scene, &trail, hop),
        confidence: Confidence::Low,
        age: None,
        samples: samples(reader, &pile.sample),
        allocated_at: allocations(reader, &pile),
        trigger: trigger(scene.past.as_ref().map(|p| &p.growth), reader, &trail, innermost.as_ref().map(|(_, e)| e.as_ref()), &pile.sample),
        fingerprint: Masked::default(),
        cannot_prove: Vec::new(),
    };
    let mut suspect = suspect;
    let by_rule = vec![(candidate.rule, candidate.growth.unwrap_or(i64::try_from(candidate.retained).unwrap_or(i64::MAX)))];
    if origin == Origin::Node && apps_members {
        // Node's line helps nobody: the app's function does.
        suspect.location.clone_from(&suspect.class_location);
    }
    Some(Finding { suspect, origin, apps_members, evidence, detail: sight.detail, score, leaks, by_rule })
}

/// Entries of a collection; of the collections in it where most of its values are such (lists by tenant).
fn deep_count(reader: &Reader<'_>, held: &Entries) -> u64 {
    let inner: Vec<u64> = held.values.iter().take(5000).filter_map(|&v| entries(reader, v)).map(|e| e.count).collect();
    if inner.len() >= 2 && inner.len() * 2 >= held.values.len().min(5000) { inner.iter().sum() } else { held.count }
}

/// Entries gained by the collection since the oldest snapshot.
fn more_entries(scene: &Scene<'_>, held: Option<&(NodeIx, Arc<Entries>)>) -> Option<i64> {
    let (past, (node, now)) = (scene.past.as_ref()?, held?);
    let before = match past.growth.counterpart(*node) {
        Some(before) => deep_count(&past.reader, entries(&past.reader, before)?.as_ref()),
        None => 0,
    };
    Some(deep_count(&scene.reader, now) as i64 - before as i64)
}

/// Whether net growth is a leak's rather than the breathing of something bounded.
fn grows(
    scene: &Scene<'_>,
    node: NodeIx,
    growth: i64,
    retained: u64,
    held: Option<&(NodeIx, Arc<Entries>)>,
    trail: &Trail<'_>,
    more: Option<i64>,
) -> bool {
    let Some(past) = &scene.past else { return false };
    if let (Some((_, held)), Some(more), None) = (held, more, trail.repeats)
        && !held.values.is_empty()
    {
        let now = deep_count(&scene.reader, held) as i64;
        let before = (now - more).max(0);
        // Few entries may hold much (buffers): then bytes decide, below.
        if more <= 0 && now >= 16 || now >= 64 && more * 50 < before {
            return false;
        }
    }
    // Nearly all that came replaced what went: it breathes.
    let (came, went) =
        (past.growth.added_under(node) as i64, past.growth.counterpart(node).map_or(0, |b| past.growth.removed_under(b) as i64));
    if came > 0 && went * 10 > came * 7 && growth * 10 < retained as i64 {
        return false;
    }
    still_growing(scene, node, held.map(|(n, _)| *n))
}

/// With three snapshots or more: whether it grew in the last interval as well, not only while it was filled.
fn still_growing(scene: &Scene<'_>, node: NodeIx, collection: Option<NodeIx>) -> bool {
    let [.., before_last, last] = scene.all else { return true };
    if scene.all.len() < 3 {
        return true;
    }
    // Entries are counted where they can be; bytes of what stayed still change (strings are joined, tables rebuilt).
    if let Some(collection) = collection
        && let Some(then) = before_last.by_id(last.id(collection))
    {
        let count =
            |reader: &Reader<'_>, node| entries(reader, node).filter(|e| !e.values.is_empty()).map(|e| deep_count(reader, &e) as i64);
        let Some(middle) = scene.older().next_back() else { return true };
        let first = scene.past.as_ref();
        let first = first.and_then(|p| Some((&p.reader, p.growth.counterpart(collection)?))).and_then(|(r, n)| count(r, n)).unwrap_or(0);
        if let (Some(now), Some(then)) = (count(&scene.reader, collection), count(middle, then)) {
            let intervals = scene.all.len() as i64 - 1;
            return (now - then) * 10 >= (now - first) / intervals;
        }
    }
    let id = last.id(node);
    let sizes = sizes(scene.all, id);
    let (Some(now), Some(then), Some(first)) =
        (sizes.last().copied().flatten(), sizes[sizes.len() - 2], sizes.iter().copied().flatten().next())
    else {
        return true;
    };
    let (in_last, whole) = (now as i64 - then as i64, now as i64 - first as i64);
    // What dominates nothing shows no growth of its own: the rule that found it knows better.
    whole <= 0 || in_last * 10 >= whole / (sizes.len() as i64 - 1)
}

/// Retained size of the object with this id in each snapshot.
fn sizes(all: &[&Analysis], id: NodeId) -> Vec<Option<u64>> {
    all.iter().map(|a| a.by_id(id).map(|n| a.retained_size(n))).collect()
}

/// What only the whole picture tells: shares, sureness, the sentence.
fn finish(scene: &Scene<'_>, finding: &mut Finding, grown: i64, verdict: &Verdict) {
    let s = &mut finding.suspect;
    if let Some(growth) = s.growth_bytes {
        s.growth_share = Some(if grown > 0 { growth as f64 / grown as f64 } else { 0.0 });
        s.growth_per_minute = verdict.seconds.filter(|&t| t > 0.0).map(|t| growth as f64 * 60.0 / t);
    }
    s.confidence = match s.growth_share {
        Some(share) if share >= 0.5 && (verdict.snapshots >= 3 || finding.evidence.unreachable_keys || finding.evidence.factor >= 1.4) => {
            Confidence::High
        }
        Some(share) if share >= 0.2 => Confidence::Medium,
        Some(_) => Confidence::Low,
        None if finding.evidence.unreachable_keys || finding.evidence.factor >= 3.0 && s.share >= 0.2 => Confidence::Medium,
        None if scene.a().snapshot_kind() == SnapshotKind::ExposeInternals && s.share >= 0.3 => Confidence::Medium,
        None => Confidence::Low,
    };
    // What lacks a part proves less.
    if scene.a().cut().is_some_and(|c| c.retained() != Trust::Exact) {
        s.confidence = s.confidence.min(Confidence::Medium);
    }
    s.fingerprint = fingerprint(s);
    s.headline = words::headline(s, verdict.seconds, &finding.evidence.because, finding.detail.as_deref());
    s.cannot_prove = cannot_prove(scene, s);
}

fn cannot_prove(scene: &Scene<'_>, s: &Suspect) -> Vec<Masked> {
    let mut out = Vec::new();
    match (s.growth_bytes, scene.all.len()) {
        (None, _) => out.push(Masked::own("that it grows: one snapshot shows size, not growth")),
        (Some(_), 2) => out.push(Masked::own(
            "that it never stops: a cache that is still being filled looks the same in two snapshots; a third would tell",
        )),
        _ => {}
    }
    if s.trigger.is_none() {
        out.push(Masked::own("which input makes it grow"));
    }
    if s.location.is_none() {
        out.push(Masked::own("where the holder is written: no function of its script is in the heap"));
    }
    out.push(Masked::own("what lies outside this heap: worker threads have heaps of their own, native memory has none"));
    out
}

/// The path in the words of a person: root to object, runs of internals and repeats folded.
pub(super) fn steps(scene: &Scene<'_>, trail: &Trail<'_>, hop: usize) -> Vec<Step> {
    let a = scene.a();
    let mut out: Vec<Step> = Vec::new();
    let mut folded = 0;
    let outside = trail.outside().len();
    // What leads from Node's globals to its module registry is the same for every program.
    let entry = trail.hops.iter().position(|h| trail.origin(h) == Origin::App || scene.reader.origin(h.to) == Origin::App).unwrap_or(0);
    let entry = entry.saturating_sub(2).min(hop);
    for (at, edge) in trail.hops.iter().enumerate() {
        let name = scene.reader.written_name(edge);
        let last = at + 1 == trail.hops.len();
        let chained = at >= outside && !last;
        if at < entry {
            folded += 1;
            continue;
        }
        // A backing store at the end says nothing that its owner has not said.
        if last && a.kind(edge.to) == crate::heap::format::NodeKind::Array && !out.is_empty() {
            break;
        }
        let object =
            !scene.is_structure(edge.to) && !scene.reader.is_context(edge.to) && a.kind(edge.to) != crate::heap::format::NodeKind::Array;
        if chained || !last && (name.is_none() && !object || scene.is_structure(edge.to)) {
            folded += 1;
            continue;
        }
        let label = match (&name, a.snapshot().edge_text(edge)) {
            (Some(name), _) if edge.kind == crate::heap::format::EdgeKind::Context => name.to_string(),
            (Some(name), _) if name.contains('/') => name.to_string(),
            (Some(name), _) => format!(".{name}"),
            (None, text) if text.chars().all(|c| c.is_ascii_digit()) => "[…]".to_owned(),
            (None, text) => text.into_owned(),
        };
        out.push(Step {
            edge: Masked::from(label),
            node: Masked::from(a.display_name(edge.to).chars().take(120).collect::<String>()),
            id: u64::from(a.id(edge.to).0),
            folded,
            suspect: at >= hop,
        });
        folded = 0;
    }
    // A person reads a dozen steps: the ends say most.
    if out.len() > 16 {
        let cut = out.len() - 16;
        let dropped: u32 = out[4..4 + cut].iter().map(|s| s.folded + 1).sum();
        out.drain(4..4 + cut);
        out[4].folded += dropped;
    }
    out
}

fn reasons(scene: &Scene<'_>, verdict: &mut Verdict) {
    if verdict.suspects.is_empty() {
        verdict.reason = match verdict.growth_bytes {
            Some(_) => Masked::from(format!(
                "nothing grows: no owner gained more than it lost over {} snapshots{}",
                verdict.snapshots,
                if verdict.large.is_empty() { "" } else { "; what is large is listed, and is steady" }
            )),
            None if verdict.large.is_empty() => Masked::own("nothing stands out in this snapshot"),
            None => Masked::own("what is large looks bounded, and one snapshot cannot show growth"),
        };
        if verdict.growth_bytes.is_some() {
            verdict.next_capture = Masked::own(
                "if the process still grows: a snapshot after at least 10 more minutes of load, the diagnostic report for native memory, and one of each worker thread",
            );
        }
    }
    if verdict.growth_bytes.is_none() {
        verdict.next_capture = match scene.a().snapshot_kind() {
            SnapshotKind::Normal => Masked::own(
                "a second snapshot of the same process, after 5 to 10 minutes under load: only growth between the two proves a leak",
            ),
            SnapshotKind::ExposeInternals => Masked::own(
                "two snapshots of the restarted process by SIGUSR2 or the inspector, 5 to 10 minutes apart: this kind cannot be compared with those",
            ),
        };
    } else if verdict.snapshots == 2 && !verdict.suspects.is_empty() {
        verdict.next_capture = Masked::own(
            "a third snapshot of the same process, as long after the second as that was after the first: what grew both times leaks",
        );
    }
}
