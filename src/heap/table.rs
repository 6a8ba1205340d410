//! The class table: what DevTools' Summary shows, keyed by the text of the class key.
//!
//! Source: `buildAggregates` and `calculateClassesRetainedSize` of DevTools' `HeapSnapshot.ts` (chrome-devtools-frontend 1.0.1705227).

use std::sync::Arc;

use super::classes::{ClassName, Named};
use super::column::{Codes, Distances, Sizes, Sums};

/// A row of the class table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClassRow {
    /// `script,line,column,Name` (line and column from 0) when the constructor's place is known, else `,Name`. Joins the rows of two
    /// snapshots of one process.
    pub key: String,
    /// Name of the class: `Map`, `{id, title}`, `(string)`, `Function`.
    pub name: Arc<str>,
    /// Objects of the class that have a size.
    pub count: u64,
    /// Sum of their own sizes, bytes.
    pub shallow: u64,
    /// What would be free without all of them, bytes: objects inside others of the same class are counted once.
    pub retained: u64,
    /// The least distance of any of them.
    pub distance: i32,
}

/// The table without retained sizes.
pub(super) struct Rows {
    class: Codes,
    rows: Vec<ClassRow>,
}

impl Rows {
    /// Counts the nodes of each class.
    pub fn of(named: Named, shallow: &Sizes, distance: &Distances) -> Self {
        let Named { class, classes } = named;
        let row = |c: ClassName| ClassRow { key: c.key, name: c.name, count: 0, shallow: 0, retained: 0, distance: i32::MAX };
        let mut rows: Vec<ClassRow> = classes.into_iter().map(row).collect();
        for i in 0..class.len() {
            let size = shallow.get(i);
            if size != 0 {
                let row = &mut rows[class.get(i) as usize];
                row.count += 1;
                row.shallow += size;
                row.distance = row.distance.min(distance.get(i));
            }
        }
        Self { class, rows }
    }

    /// The table, largest retained size first, and each node's row in it. `preorder` are the nodes of the dominator tree in preorder, each
    /// with the number of nodes in its subtree.
    pub fn table(self, shallow: &Sizes, retained: &Sums, preorder: impl Iterator<Item = (u32, u32)>) -> (Codes, Vec<ClassRow>) {
        let Self { mut class, mut rows } = self;
        add_retained(&mut rows, &class, shallow, retained, preorder);
        let mut order: Vec<u32> = (0..rows.len() as u32).collect();
        order.sort_by(|&a, &b| {
            let (a, b) = (&rows[a as usize], &rows[b as usize]);
            (b.count != 0, b.retained).cmp(&(a.count != 0, a.retained)).then_with(|| a.key.cmp(&b.key))
        });
        let mut place = vec![0; rows.len()];
        for (to, &from) in order.iter().enumerate() {
            place[from as usize] = to as u32;
        }
        class.rename(&place);
        let mut sorted: Vec<Option<ClassRow>> = rows.into_iter().map(Some).collect();
        let rows = order.iter().filter_map(|&from| sorted[from as usize].take()).collect();
        (class, rows)
    }
}

/// In preorder a subtree is an interval: an object inside another of its class lies within the interval of the outermost one.
fn add_retained(rows: &mut [ClassRow], class: &Codes, shallow: &Sizes, retained: &Sums, preorder: impl Iterator<Item = (u32, u32)>) {
    let mut open_until = vec![0u32; rows.len()];
    for (place, (node, subtree)) in (0u32..).zip(preorder) {
        let node = node as usize;
        let c = class.get(node) as usize;
        if place >= open_until[c] && !shallow.is_zero(node) {
            rows[c].retained += retained.get(node);
            open_until[c] = place + subtree;
        }
    }
}
