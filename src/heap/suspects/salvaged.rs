//! What a cut file still proves when an earlier, whole snapshot of the same process is there: its nodes are whole long before its edges and
//! names, and ids are the same. So names and ways to holders come from the earlier snapshot, and what is new is charged to the
//! longest-lived known object that the references in the file lead from.
//!
//! Every reference in a cut file is one of the whole file, so "leads to at least this much that is new" holds there too. Nothing is said about what
//! would be free, and what hangs on references that were cut off is counted nowhere.

use std::collections::{BTreeMap, VecDeque};

use super::holder::{Holder, holder};
use super::judge::steps;
use super::scene::Scene;
use super::words;
use crate::base::{Bytes, Count, Masked};
use crate::heap::analysis::Analysis;
use crate::heap::diff::{NotComparable, counterparts, same_process};
use crate::heap::fingerprint::fingerprint;
use crate::heap::format::{EdgeKind, NodeKind};
use crate::heap::ids::NodeIx;
use crate::heap::progress::{Progress, Stop};
use crate::heap::recognise::{Origin, Trail, entries};
use crate::heap::verdict::{Confidence, HolderKind, Suspect, Verdict};

/// Smallest growth that is worth a line, bytes, and its share of all that is new (1 of).
const LEAST: i64 = 12 << 10;
const SHARE: i64 = 33;
const NONE: u32 = u32::MAX;

/// What came and went below one holder.
struct Pile {
    holder: Holder,
    at: NodeIx,
    came: (u64, i64),
    went: (u64, i64),
}

/// Names what grew in `newest`, whose references or names were cut off, since `before`. Adds suspects of low confidence.
///
/// # Errors
/// [`Stop::Cancelled`]; inside, [`NotComparable`] when the two are not of one process.
pub(super) fn salvage(
    before: &Analysis,
    newest: &Analysis,
    most: usize,
    progress: &dyn Progress,
    verdict: &mut Verdict,
) -> Result<Result<(), NotComparable>, Stop> {
    let counterpart = counterparts(before, newest);
    if let Err(why) = same_process(before, newest, &counterpart) {
        return Ok(Err(why));
    }
    let mut stays = vec![NONE; before.node_count()];
    for (n, &b) in (0_u32..).zip(&counterpart).filter(|(_, b)| **b != NONE) {
        stays[b as usize] = n;
    }
    let all = [before];
    let mut scene = Scene::new(&all, before, None, progress)?;
    scene.places_are_found();
    // Of the known objects those may hold that a person could name: no roots, no code, no hidden classes.
    let may_hold = |b: u32| {
        let node = NodeIx(b);
        before.distance(node) >= 0
            && !scene.is_structure(node)
            && (matches!(before.kind(node), NodeKind::Object | NodeKind::Array | NodeKind::Closure) || scene.reader.is_context(node))
    };
    let mut known: Vec<u32> = (0..before.node_count() as u32).filter(|&b| stays[b as usize] != NONE && may_hold(b)).collect();
    known.sort_by_key(|&b| (before.distance(NodeIx(b)), b));
    let came = charge(newest, known.iter().map(|&b| (stays[b as usize], b)), |n| counterpart[n as usize] == NONE);
    let went = charge(before, known.iter().map(|&b| (b, b)), |b| stays[b as usize] == NONE);
    let mut piles: BTreeMap<String, Pile> = BTreeMap::new();
    let mut whole = 0;
    for (&b, &(count, bytes)) in &came {
        whole += bytes;
        let Some(held) = holder(&scene.reader, &Trail::to(&scene.reader, NodeIx(b))).filter(|h| h.origin == Origin::App) else { continue };
        let gone = went.get(&b).copied().unwrap_or_default();
        let pile = piles.entry(held.name.clone()).or_insert(Pile { holder: held, at: NodeIx(b), came: (0, 0), went: (0, 0) });
        pile.came = (pile.came.0 + count, pile.came.1 + bytes);
        pile.went = (pile.went.0 + gone.0, pile.went.1 + gone.1);
    }
    let least = LEAST.max(whole / SHARE);
    let mut piles: Vec<Pile> = piles.into_values().filter(|p| p.came.1 - p.went.1 >= least && p.came.0 > p.went.0).collect();
    piles.sort_by(|a, b| (b.came.1 - b.went.1, &a.holder.name).cmp(&(a.came.1 - a.went.1, &b.holder.name)));
    piles.truncate(most);
    verdict.suspects.extend(piles.iter().map(|p| suspect(&scene, newest, p, whole)));
    Ok(Ok(()))
}

/// For each known object what is not known and hangs on it: how many nodes, and bytes. Each is charged once, to the first in the order
/// of `from` (position here, position in the earlier snapshot) among the nearest.
fn charge(a: &Analysis, from: impl Iterator<Item = (u32, u32)>, counts: impl Fn(u32) -> bool) -> BTreeMap<u32, (u64, i64)> {
    let mut owner = vec![NONE; a.node_count()];
    let mut waiting: VecDeque<(u32, u32)> = from.collect();
    let mut sums: BTreeMap<u32, (u64, i64)> = BTreeMap::new();
    while let Some((v, known)) = waiting.pop_front() {
        for edge in a.edges(NodeIx(v)) {
            let to = edge.to;
            let own = !matches!(a.kind(to), NodeKind::Code | NodeKind::ObjectShape | NodeKind::Synthetic);
            if matches!(edge.kind, EdgeKind::Weak | EdgeKind::Other) || !own || !counts(to.0) || owner[to.index()] != NONE {
                continue;
            }
            owner[to.index()] = known;
            // Hidden nodes are mostly V8's feedback, and in a cut file they have no name that would tell.
            if a.kind(to) != NodeKind::Hidden {
                let row = sums.entry(known).or_default();
                *row = (row.0 + 1, row.1 + a.raw_size(to) as i64);
            }
            waiting.push_back((to.0, known));
        }
    }
    sums
}

fn suspect(scene: &Scene<'_>, newest: &Analysis, pile: &Pile, whole: i64) -> Suspect {
    let before = scene.a();
    let trail = Trail::to(&scene.reader, pile.at);
    let kind = trail.hops[pile.holder.hop..].iter().find_map(|h| entries(&scene.reader, h.to)).map_or(HolderKind::Object, |e| e.kind);
    let growth = pile.came.1 - pile.went.1;
    let total = newest.nodes().map(|n| newest.raw_size(n)).sum::<u64>().max(1);
    let share = |bytes: i64| bytes.max(0) as f64 / total as f64;
    let at = pile.holder.place.as_ref().map(|p| format!(" at {}", words::short(p))).unwrap_or_default();
    let headline = format!(
        "{} ({}){at} leads to at least {} new objects, +{} net, since the earlier snapshot; the file is cut, so it may be more",
        pile.holder.name,
        kind.word(),
        Count(pile.came.0),
        Bytes(u64::try_from(growth).unwrap_or(0)),
    );
    let mut suspect = Suspect {
        rule: Masked::own("salvage"),
        headline: Masked::from(headline),
        holder: Masked::from(pile.holder.name.clone()),
        holder_kind: kind,
        holder_id: u64::from(before.id(pile.holder.node).0),
        stored_in: pile.holder.stored_in.clone().map(Masked::from),
        package: pile.holder.package.clone().map(Masked::from),
        growing_class: Masked::default(),
        count: pile.came.0,
        location: pile.holder.place.clone(),
        class_location: None,
        retained_bytes: u64::try_from(pile.came.1).unwrap_or(0),
        share: share(pile.came.1),
        growth_bytes: Some(growth),
        growth_share: (whole > 0).then(|| growth as f64 / whole as f64),
        growth_per_minute: None,
        count_growth: i64::try_from(pile.came.0).ok().map(|n| n - pile.went.0 as i64),
        path: steps(scene, &trail, pile.holder.hop),
        confidence: Confidence::Low,
        age: None,
        samples: Vec::new(),
        allocated_at: Vec::new(),
        trigger: None,
        fingerprint: Masked::default(),
        cannot_prove: vec![
            Masked::own("how much it is in all: what hangs on references that were cut off is not counted"),
            Masked::own("that all of it would be free: the rest of the file may hold it as well"),
            Masked::own("what the new objects are: their names were cut off"),
        ],
    };
    suspect.fingerprint = fingerprint(&suspect);
    suspect
}
