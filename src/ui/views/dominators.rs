//! The dominator tree, opened branch by branch: an object's children are what would be free with it, largest first. Only what is
//! opened is looked at, a page at a time.

use crate::heap::{Analysis, NodeIx};

/// Children shown at once.
const PAGE: usize = 50;

/// A row of the opened part of the tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Branch {
    /// An object.
    Object {
        /// It.
        node: NodeIx,
        /// Steps from the root.
        depth: usize,
        /// Whether its children stand below it.
        open: bool,
        /// Whether it has any.
        leaf: bool,
    },
    /// More children of the object `depth - 1` steps from the root above.
    More {
        /// Whose.
        of: NodeIx,
        /// Their depth.
        depth: usize,
        /// How many are shown already.
        shown: usize,
        /// How many there are.
        all: usize,
    },
}

impl Branch {
    const fn depth(&self) -> usize {
        match self {
            Self::Object { depth, .. } | Self::More { depth, .. } => *depth,
        }
    }
}

/// The opened part of the tree, in the order of the screen.
#[derive(Debug, Default)]
pub struct Tree {
    rows: Vec<Branch>,
}

/// Children `from..from + PAGE` of `node` by retained size, and how many there are.
fn page(analysis: &Analysis, node: NodeIx, from: usize) -> (Vec<NodeIx>, usize) {
    let mut all: Vec<(u64, NodeIx)> = analysis.dominated(node).map(|n| (analysis.retained_size(n), n)).collect();
    let count = all.len();
    let to = (from + PAGE).min(count);
    // A Map may have a million entries: only as many are sorted as are shown.
    if to < count && to > 0 {
        all.select_nth_unstable_by(to - 1, |a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
        all.truncate(to);
    }
    all.sort_unstable_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
    (all.into_iter().skip(from).map(|(_, n)| n).collect(), count)
}

fn objects(analysis: &Analysis, nodes: Vec<NodeIx>, depth: usize) -> impl Iterator<Item = Branch> {
    nodes.into_iter().map(move |node| Branch::Object { node, depth, open: false, leaf: analysis.dominated(node).next().is_none() })
}

impl Tree {
    /// The tree of `analysis`, opened at its root.
    pub fn of(analysis: &Analysis) -> Self {
        let mut tree = Self { rows: vec![Branch::Object { node: analysis.root(), depth: 0, open: false, leaf: false }] };
        tree.toggle(analysis, 0);
        tree
    }

    /// The rows.
    pub fn rows(&self) -> &[Branch] {
        &self.rows
    }

    /// Opens or closes row `at`, or shows more where there is more.
    pub fn toggle(&mut self, analysis: &Analysis, at: usize) {
        match self.rows.get(at).copied() {
            None | Some(Branch::Object { leaf: true, .. }) => {}
            Some(Branch::Object { node, depth, open: true, .. }) => {
                let below = self.rows[at + 1..].iter().take_while(|r| r.depth() > depth).count();
                self.rows.drain(at + 1..at + 1 + below);
                self.rows[at] = Branch::Object { node, depth, open: false, leaf: false };
            }
            Some(Branch::Object { node, depth, .. }) => {
                self.rows[at] = Branch::Object { node, depth, open: true, leaf: false };
                self.insert(analysis, at + 1, node, depth + 1, 0);
            }
            Some(Branch::More { of, depth, shown, .. }) => {
                self.rows.remove(at);
                self.insert(analysis, at, of, depth, shown);
            }
        }
    }

    fn insert(&mut self, analysis: &Analysis, at: usize, of: NodeIx, depth: usize, from: usize) {
        let (nodes, all) = page(analysis, of, from);
        let shown = from + nodes.len();
        let mut new: Vec<Branch> = objects(analysis, nodes, depth).collect();
        if shown < all {
            new.push(Branch::More { of, depth, shown, all });
        }
        self.rows.splice(at..at, new);
    }

    /// Opens the branches down to `node`; gives its row.
    pub fn reveal(&mut self, analysis: &Analysis, node: NodeIx) -> Option<usize> {
        let mut way: Vec<NodeIx> = analysis.dominators(node).collect();
        way.reverse();
        way.push(node);
        let mut at = 0;
        for (depth, step) in way.iter().enumerate() {
            at = self.find(analysis, *step, depth, at)?;
            if step != &node
                && let Some(Branch::Object { open: false, .. }) = self.rows.get(at)
            {
                self.toggle(analysis, at);
            }
        }
        Some(at)
    }

    fn find(&mut self, analysis: &Analysis, node: NodeIx, depth: usize, from: usize) -> Option<usize> {
        // A child far down its parent's list: a few pages are looked through, not a million.
        for _ in 0..8 {
            let found = self
                .rows
                .iter()
                .skip(from)
                .position(|r| matches!(r, Branch::Object { node: n, depth: d, .. } if *n == node && *d == depth));
            if let Some(found) = found {
                return Some(from + found);
            }
            let more = self.rows.iter().skip(from).position(|r| matches!(r, Branch::More { depth: d, .. } if *d == depth))?;
            self.toggle(analysis, from + more);
        }
        None
    }
}
