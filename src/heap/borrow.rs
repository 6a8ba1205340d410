//! Names for a file that was cut before its strings, from an earlier snapshot of the same process.

use rustc_hash::FxHashMap;

use super::analysis::Analysis;
use super::classes::{Shapes, name_all};
use super::diff::{NotComparable, counterparts, same_process};
use super::ids::NodeIx;
use super::table::Rows;

impl Analysis {
    /// Gives the nodes whose names were cut off the names that they have in `earlier`, a snapshot of the same process, and says how many
    /// got one. Classes are named anew. To be done before the analysis is shared.
    ///
    /// # Errors
    /// [`NotComparable`] when the snapshots are of two kinds or processes; nothing is changed then.
    pub fn borrow_names(&mut self, earlier: &Self) -> Result<u64, NotComparable> {
        let found = counterparts(earlier, self);
        same_process(earlier, self, &found)?;
        let mut borrowed = FxHashMap::default();
        for node in self.nodes().filter(|&n| !self.strings.has(self.name_ix(n))) {
            let other = found[node.index()];
            if other != u32::MAX && earlier.kind(NodeIx(other)) == self.snapshot.kind(node) {
                borrowed.insert(node.0, earlier.name(NodeIx(other)).into_owned());
            }
        }
        let count = borrowed.len() as u64;
        self.borrowed = borrowed;
        let named = name_all(&self.snapshot, &Shapes::of(&self.snapshot), &self.interfaces, &self.borrowed);
        let own = self.shallow.as_ref().unwrap_or(&self.snapshot.nodes.size);
        let rows = Rows::of(named, own, &self.distance);
        (self.class, self.classes) = rows.table(own, &self.retained, self.flat_tree());
        Ok(count)
    }
}
