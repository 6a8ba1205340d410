//! The order of it all: bytes in, analysis out.

use std::sync::{Arc, OnceLock};

use rustc_hash::FxHashMap;

use super::analysis::Analysis;
use super::classes::{Shapes, name_all};
use super::detached;
use super::distance::distances;
use super::dominators::{Dominators, dominators};
use super::essential::{Pairs, user_roots};
use super::names;
use super::progress::{Phase, Progress, Stop, check};
use super::scan::Scanner;
use super::sizes::{statistics, transfer};
use super::snapshot::{Snapshot, SnapshotKind};
use super::table::Rows;
use super::walk::Walk;

/// Takes the bytes of a snapshot as they come, in pieces of any size, and gives the analysis when there are no more.
pub struct Pipeline {
    scanner: Scanner,
    progress: Arc<dyn Progress>,
}

impl Pipeline {
    /// A pipeline that has seen nothing yet. `progress` hears of every phase and may stop it.
    pub fn new(progress: Arc<dyn Progress>) -> Self {
        Self { scanner: Scanner::new(), progress }
    }

    /// Takes the next bytes of the (unpacked) file.
    ///
    /// # Errors
    /// [`Stop::NotASnapshot`] when they cannot be those of a snapshot and no node was read yet; [`Stop::Cancelled`].
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), Stop> {
        for piece in bytes.chunks(8 << 20) {
            self.scanner.push(piece)?;
            let (phase, share) = self.scanner.share();
            check(self.progress.as_ref(), phase, share)?;
        }
        Ok(())
    }

    /// No more bytes come. A file that was cut after its first node still gives an analysis, whose [`Snapshot::cut`] says what is
    /// missing.
    ///
    /// # Errors
    /// [`Stop::NotASnapshot`] when there is no node; [`Stop::Cancelled`].
    pub fn finish(self) -> Result<Analysis, Stop> {
        let snapshot = self.scanner.finish()?;
        complete(snapshot, self.progress.as_ref())
    }
}

/// Analyses a whole (unpacked) file, in parallel on rayon's current pool.
///
/// # Errors
/// As [`Pipeline::finish`].
pub fn analyse(whole: &[u8], progress: Arc<dyn Progress>) -> Result<Analysis, Stop> {
    let mut pipeline = Pipeline::new(progress);
    pipeline.push(whole)?;
    pipeline.finish()
}

fn complete(mut snapshot: Snapshot, progress: &dyn Progress) -> Result<Analysis, Stop> {
    check(progress, Phase::Edging, 0.0)?;
    snapshot.renamed = detached::renamed(&snapshot);
    let pairs = Pairs::of(&snapshot.strings);
    pairs.mark(&mut snapshot);
    let snapshot = snapshot;
    let user_roots = user_roots(&snapshot);
    // Where the references of the root were cut off, nothing is claimed of the kind (`knows_kind`).
    let told = snapshot.cut.as_ref().is_none_or(|c| c.root_edges);
    let kind = if user_roots.is_empty() && told { SnapshotKind::ExposeInternals } else { SnapshotKind::Normal };
    // The dominators are the longest; what does not need them is done beside them.
    let (tree, beside) = rayon::join(
        || {
            let mut walk = Walk::of(&snapshot, progress)?;
            let rules = std::mem::take(&mut walk.rules);
            Ok((dominators(walk, progress)?, rules))
        },
        || {
            check(progress, Phase::Shallow, 0.0)?;
            let shallow = (kind == SnapshotKind::Normal).then(|| transfer(&snapshot));
            let distance = distances(&snapshot, &pairs, &user_roots, progress)?;
            check(progress, Phase::Classes, 0.0)?;
            let shapes = Shapes::of(&snapshot);
            let interfaces = shapes.infer(&snapshot);
            let named = name_all(&snapshot, &shapes, &interfaces, &FxHashMap::default());
            Ok((shallow, distance, interfaces, named, names::scripts(&snapshot)))
        },
    );
    let (numbered, rules) = tree?;
    let (shallow, distance, interfaces, named, scripts) = beside?;
    let own = shallow.as_ref().unwrap_or(&snapshot.nodes.size);
    check(progress, Phase::Classes, 0.5)?;
    // One after the other, since each takes memory that it then gives back.
    let (preorder, statistics) = rayon::join(|| numbered.preorder(), || statistics(&snapshot, own));
    let ((dominator, retained), rows) = rayon::join(|| numbered.by_node(own), || Rows::of(named, own, &distance));
    let (class, classes) = rows.table(own, &retained, numbered.flat(&preorder));
    let (order, subtrees) = numbered.nodes(preorder);
    check(progress, Phase::Classes, 1.0)?;
    Ok(Analysis {
        snapshot,
        kind,
        rules,
        user_roots,
        shallow,
        retained,
        tree: Dominators { dominator, order },
        distance,
        class,
        classes,
        interfaces,
        statistics,
        scripts,
        borrowed: FxHashMap::default(),
        retainers: OnceLock::new(),
        places: OnceLock::new(),
        subtrees: OnceLock::from(subtrees),
        ways: OnceLock::new(),
    })
}
