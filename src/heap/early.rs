//! The analysis begins before the last byte: the dominators are computed while strings arrive.
//!
//! Two things about references are known by name only, and names come last: which edges belong to entries of a `WeakMap`, and which node
//! stands for the DOM trees of a page. Both are guessed from the shape of the graph; when the names are there the guess is compared with
//! what they say, and a tree that was computed from a wrong guess is thrown away.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, TryRecvError, sync_channel};
use std::time::Duration;

use super::dominators::{Numbered, Preorder, dominators};
use super::essential::{Pairs, Rules, forget_guess, guess_pairs, has_dom_trees};
use super::progress::{Phase, Progress, Stop};
use super::snapshot::Snapshot;
use super::walk::Walk;

/// The dominator tree.
pub(super) struct Tree {
    pub numbered: Numbered,
    pub preorder: Preorder,
    pub rules: Rules,
}

impl Tree {
    /// Of a snapshot whose edges are marked.
    pub fn of(snapshot: &Snapshot, progress: &dyn Progress) -> Result<Self, Stop> {
        let mut walk = Walk::of(snapshot, progress)?;
        let rules = std::mem::take(&mut walk.rules);
        let numbered = dominators(walk, progress)?;
        let preorder = numbered.preorder();
        Ok(Self { numbered, preorder, rules })
    }
}

/// What a panic carried, to go on with where the result is wanted.
type Panicked = Box<dyn std::any::Any + Send>;

/// What was begun, with the columns it was begun on.
struct Done {
    snapshot: Snapshot,
    guessed: Vec<u32>,
    tree: Result<Tree, Stop>,
}

/// Work that goes on while the caller does something else.
pub(super) struct Begun {
    result: Receiver<Result<Done, Panicked>>,
    abandoned: Arc<AtomicBool>,
}

/// Stops when nobody waits for the result any more.
struct Wanted {
    progress: Arc<dyn Progress>,
    abandoned: Arc<AtomicBool>,
}

impl Progress for Wanted {
    fn step(&self, phase: Phase, share: f32) -> std::ops::ControlFlow<()> {
        if self.abandoned.load(Ordering::Relaxed) { std::ops::ControlFlow::Break(()) } else { self.progress.step(phase, share) }
    }
}

impl Begun {
    /// Begins with a graph that is whole.
    pub fn with(mut snapshot: Snapshot, progress: Arc<dyn Progress>) -> Self {
        let (done, result) = sync_channel(1);
        let abandoned = Arc::new(AtomicBool::new(false));
        let wanted = Wanted { progress, abandoned: Arc::clone(&abandoned) };
        rayon::spawn(move || {
            let work = || {
                let guessed = guess_pairs(&mut snapshot);
                let tree = Tree::of(&snapshot, &wanted);
                Done { snapshot, guessed, tree }
            };
            // Nobody may be there to take it.
            let _ = done.send(catch_unwind(AssertUnwindSafe(work)));
        });
        Self { result, abandoned }
    }

    /// Waits for the result; `name` puts the names to the columns. The tree is given when it is that of the named snapshot.
    pub fn end(self, name: impl FnOnce(Snapshot) -> Result<Snapshot, Stop>) -> Result<(Snapshot, Pairs, Option<Tree>), Stop> {
        let Done { mut snapshot, guessed, tree } = self.wait().unwrap_or_else(|panic| resume_unwind(panic));
        let tree = tree?;
        forget_guess(&mut snapshot, &guessed);
        let mut snapshot = name(snapshot)?;
        let pairs = Pairs::of(&snapshot.strings);
        let right = pairs.mark(&mut snapshot) == guessed && !has_dom_trees(&snapshot);
        Ok((snapshot, pairs, right.then_some(tree)))
    }

    /// A thread of the pool helps with what there is to do meanwhile; another just waits.
    fn wait(&self) -> Result<Done, Panicked> {
        loop {
            match self.result.try_recv() {
                Ok(done) => return done,
                Err(TryRecvError::Disconnected) => unreachable!("the work always sends"),
                Err(TryRecvError::Empty) => {}
            }
            let received = match rayon::yield_now() {
                Some(rayon::Yield::Executed) => continue,
                Some(rayon::Yield::Idle) => self.result.recv_timeout(Duration::from_millis(1)).ok(),
                None => self.result.recv().ok(),
            };
            if let Some(done) = received {
                return done;
            }
        }
    }
}

impl Drop for Begun {
    fn drop(&mut self) {
        self.abandoned.store(true, Ordering::Relaxed);
    }
}
