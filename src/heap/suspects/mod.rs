//! Suspects: rules that say where the heap leaks, and the verdict that ranks them. One file a rule, one line in [`ALL`].
//!
//! With several snapshots of one process net growth leads; a steady cache is not called a leak. With one, what is large is ordered by how
//! much it looks like a leak, and the verdict says that growth is unproven and which second capture would prove it.

mod allocated;
mod async_context;
mod census;
mod collections;
mod group;
mod growth;
mod holder;
mod judge;
mod leaky;
mod listeners;
mod off_heap;
mod pending;
#[cfg(test)]
mod salvage_tests;
mod salvaged;
mod scene;
mod single;
mod strings;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod tree;
mod words;

use super::analysis::Analysis;
use super::diff::{NotComparable, diff};
use super::progress::{Phase, Progress, Stop, check};
use super::salvage::Trust;
use super::snapshot::SnapshotKind;
use super::verdict::Verdict;
use crate::base::Masked;
use scene::{Candidate, Scene};

/// What the caller knows about the snapshots, and wants.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// Time between the first and the last snapshot, seconds.
    pub seconds: Option<f64>,
    /// Most suspects to name.
    pub most: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { seconds: None, most: 8 }
    }
}

/// A way to find what leaks.
trait Rule: Sync {
    /// Name of the rule in a verdict.
    fn name(&self) -> &'static str;
    /// Places that this rule thinks leak: the file says by which thresholds.
    fn find(&self, scene: &Scene<'_>) -> Vec<Candidate>;
}

/// All rules, most special first: what two of them find is said once, under the name of the more special.
const ALL: [&dyn Rule; 9] = [
    &async_context::AsyncContext,
    &pending::Pending,
    &listeners::Listeners,
    &off_heap::OffHeap,
    &strings::Duplicates,
    &collections::Collections,
    &growth::GrowthRule,
    &single::Single,
    &group::Group,
];

/// Says what leaks, from snapshots of one process, oldest first.
///
/// Snapshots that cannot be compared (two kinds, two processes, a cut file) are said in the caveats; the verdict is then of the newest alone.
///
/// # Errors
/// [`Stop::Cancelled`] when `progress` said so.
///
/// # Panics
/// Never for snapshots that were read by this library; `analyses` may be empty, which gives a verdict that says so.
pub fn find_leaks(analyses: &[&Analysis], options: &Options, progress: &dyn Progress) -> Result<Verdict, Stop> {
    check(progress, Phase::Suspects, 0.0)?;
    let Some((&newest, older)) = analyses.split_last() else {
        return Ok(Verdict { reason: Masked::own("no snapshot was given"), ..Verdict::default() });
    };
    let mut verdict = Verdict { snapshots: 1, total_bytes: newest.total_size(), ..Verdict::default() };
    caveats(newest, &mut verdict.caveats);
    if newest.cut().is_some_and(|c| c.retained() == Trust::Unknown) {
        salvage(older, newest, options, progress, &mut verdict)?;
        if verdict.suspects.is_empty() {
            verdict.reason =
                Masked::own("the snapshot is cut before its references and names are whole, so nothing can be said about who holds what");
        }
        verdict.next_capture = Masked::own("a whole snapshot of the same process: check that the file was copied to its last byte");
        return Ok(verdict);
    }
    let mut past = None;
    // The oldest that can be compared: a damaged first file must not hide the growth since the second.
    for (n, &before) in older.iter().enumerate() {
        match diff(before, newest) {
            Ok(growth) => {
                verdict.snapshots = u32::try_from(analyses.len() - n).unwrap_or(u32::MAX);
                verdict.growth_bytes = Some(newest.total_size() as i64 - before.total_size() as i64);
                verdict.seconds = options.seconds.filter(|_| n == 0);
                past = Some((n, before, growth));
                break;
            }
            Err(why) => verdict.caveats.push(not_comparable(&why)),
        }
    }
    check(progress, Phase::Suspects, 0.1)?;
    let since = past.as_ref().map_or(older.len(), |(n, ..)| *n);
    let mut scene = Scene::new(&analyses[since..], newest, past.map(|(_, before, growth)| (before, growth)), progress)?;
    let mut candidates = Vec::new();
    for (n, rule) in (0_u8..).zip(ALL) {
        // Growth decides where there is a past; size alone then only says what is large.
        candidates.extend(rule.find(&scene));
        scene.check(0.3 + 0.04 * f32::from(n))?;
    }
    scene.places_are_found();
    judge::judge(&scene, candidates, options, &mut verdict)?;
    if newest.cut().is_some() && verdict.suspects.is_empty() {
        salvage(older, newest, options, progress, &mut verdict)?;
    }
    check(progress, Phase::Suspects, 1.0)?;
    Ok(verdict)
}

/// What a cut file proves with the last whole one before it.
fn salvage(older: &[&Analysis], newest: &Analysis, options: &Options, progress: &dyn Progress, verdict: &mut Verdict) -> Result<(), Stop> {
    let Some(before) = older.iter().rev().find(|a| a.cut().is_none()) else { return Ok(()) };
    match salvaged::salvage(before, newest, options.most, progress, verdict)? {
        Ok(()) => {
            verdict.snapshots = 2;
            if !verdict.suspects.is_empty() {
                verdict.reason = Masked::default();
            }
        }
        Err(why) if !verdict.caveats.iter().any(|c| c.as_str().ends_with(&why.to_string())) => verdict.caveats.push(not_comparable(&why)),
        Err(_) => {}
    }
    Ok(())
}

fn caveats(newest: &Analysis, caveats: &mut Vec<Masked>) {
    if let Some(cut) = newest.cut()
        && cut.retained() != Trust::Exact
    {
        caveats.push(Masked::from(format!("the file is cut in its {}: sizes are lower bounds and some names are missing", cut.at.word())));
    }
    if newest.snapshot_kind() == SnapshotKind::ExposeInternals {
        caveats.push(Masked::own("written near the heap limit: what ran at that moment is alive too, and V8's internals count"));
    }
}

fn not_comparable(why: &NotComparable) -> Masked {
    Masked::from(format!("an earlier snapshot is not compared: {why}"))
}
