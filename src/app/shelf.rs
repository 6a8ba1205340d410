//! Where whole analyses stand. The desk fills it, views read it, `update` never does.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::base::EvidenceId;
use crate::heap::Analysis;

/// Analyses by the file they are of. Cheap to clone.
#[derive(Clone, Default)]
pub struct Shelf(BTreeMap<EvidenceId, Arc<Analysis>>);

impl Shelf {
    /// Puts the analysis of `id` on the shelf.
    pub fn put(&mut self, id: EvidenceId, analysis: Arc<Analysis>) {
        self.0.insert(id, analysis);
    }

    /// The analysis of `id`.
    pub fn get(&self, id: EvidenceId) -> Option<Arc<Analysis>> {
        self.0.get(&id).cloned()
    }

    /// The analysis of the newest of `files` (oldest first).
    pub fn newest(&self, files: &[EvidenceId]) -> Option<Arc<Analysis>> {
        files.iter().rev().find_map(|id| self.get(*id))
    }

    /// Lets go of all but `keep`: an analysis may weigh as much as its file.
    pub fn keep(&mut self, keep: &[EvidenceId]) {
        self.0.retain(|id, _| keep.contains(id));
    }
}
