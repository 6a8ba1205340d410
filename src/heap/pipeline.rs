//! The order of it all: bytes in, analysis out.

use std::sync::{Arc, OnceLock};

use rustc_hash::FxHashMap;

use super::analysis::Analysis;
use super::classes::{Shapes, name_all};
use super::detached;
use super::distance::distances;
use super::dominators::Dominators;
use super::early::{Begun, Tree};
use super::essential::{Pairs, user_roots};
use super::names;
use super::progress::{Phase, Progress, Stop, check};
use super::scan::Scanner;
use super::sizes::{statistics, transfer};
use super::snapshot::{Snapshot, SnapshotKind};
use super::table::Rows;

/// Takes the bytes of a snapshot as they come, in pieces of any size, and gives the analysis when there are no more. The dominators are
/// begun on rayon's current pool as soon as the edges are whole.
pub struct Pipeline {
    scanner: Scanner,
    progress: Arc<dyn Progress>,
    begun: Option<Begun>,
}

impl Pipeline {
    /// A pipeline that has seen nothing yet. `progress` hears of every phase and may stop it.
    pub fn new(progress: Arc<dyn Progress>) -> Self {
        Self { scanner: Scanner::new(), progress, begun: None }
    }

    /// Takes the next bytes of the (unpacked) file.
    ///
    /// # Errors
    /// [`Stop::NotASnapshot`] when they cannot be those of a snapshot and no node was read yet; [`Stop::Cancelled`].
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), Stop> {
        for piece in bytes.chunks(8 << 20) {
            self.scanner.push(piece)?;
            if self.begun.is_none()
                && let Some(graph) = self.scanner.take_graph()
            {
                self.begun = Some(Begun::with(graph, self.progress.clone()));
            }
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
        let Self { scanner, progress, begun } = self;
        let (snapshot, pairs, tree) = match begun {
            Some(begun) => begun.end(|graph| scanner.finish(Some(graph)))?,
            None => {
                let mut snapshot = scanner.finish(None)?;
                let pairs = Pairs::of(&snapshot.strings);
                pairs.mark(&mut snapshot);
                (snapshot, pairs, None)
            }
        };
        complete(snapshot, &pairs, tree, progress.as_ref())
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

fn complete(mut snapshot: Snapshot, pairs: &Pairs, tree: Option<Tree>, progress: &dyn Progress) -> Result<Analysis, Stop> {
    check(progress, Phase::Edging, 0.0)?;
    snapshot.renamed = detached::renamed(&snapshot);
    let snapshot = snapshot;
    let user_roots = user_roots(&snapshot);
    // Where the references of the root were cut off, nothing is claimed of the kind (`knows_kind`).
    let told = snapshot.cut.as_ref().is_none_or(|c| c.root_edges);
    let kind = if user_roots.is_empty() && told { SnapshotKind::ExposeInternals } else { SnapshotKind::Normal };
    // The dominators are the longest; what does not need them is done beside them.
    let (tree, beside) = rayon::join(
        || tree.map_or_else(|| Tree::of(&snapshot, progress), Ok),
        || {
            check(progress, Phase::Shallow, 0.0)?;
            let shallow = (kind == SnapshotKind::Normal).then(|| transfer(&snapshot));
            let distance = distances(&snapshot, pairs, &user_roots, progress)?;
            check(progress, Phase::Classes, 0.0)?;
            let shapes = Shapes::of(&snapshot);
            let interfaces = shapes.infer(&snapshot);
            let named = name_all(&snapshot, &shapes, &interfaces, &FxHashMap::default());
            Ok((shallow, distance, interfaces, named, names::scripts(&snapshot)))
        },
    );
    let Tree { numbered, preorder, rules } = tree?;
    let (shallow, distance, interfaces, named, scripts) = beside?;
    let own = shallow.as_ref().unwrap_or(&snapshot.nodes.size);
    check(progress, Phase::Classes, 0.5)?;
    let ((dominator, retained), (rows, statistics)) =
        rayon::join(|| numbered.by_node(own), || (Rows::of(named, own, &distance), statistics(&snapshot, own)));
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
