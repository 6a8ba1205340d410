//! What an analysis says of tracked allocations: who allocated an object, and when.

use std::time::Duration;

use super::analysis::Analysis;
use super::ids::NodeIx;
use super::trace::Allocator;

impl Analysis {
    /// Whether allocations were tracked when the snapshot was taken.
    pub fn is_tracked(&self) -> bool {
        self.snapshot.trace.as_ref().is_some_and(|t| !t.has_no_calls())
    }

    /// The functions that were running when `node` was allocated, innermost first. Empty without tracking, and for what is older than it.
    pub fn allocation_stack(&self, node: NodeIx) -> Vec<Allocator> {
        match (&self.snapshot.trace, self.snapshot.nodes.trace.get(node.index())) {
            (Some(trace), Some(&call)) if call != 0 => trace.stack(call),
            _ => Vec::new(),
        }
    }

    /// How long after tracking began `node` was there at the latest, by the samples of the timeline; `None` without them.
    pub fn allocated_within(&self, node: NodeIx) -> Option<Duration> {
        let id = self.id(node).0;
        // Native objects have even ids, which the timeline does not count.
        let samples = &self.snapshot.trace.as_ref()?.samples;
        let at = samples.partition_point(|s| s.1 < id);
        (id & 1 == 1).then(|| samples.get(at).map(|s| Duration::from_micros(s.0))).flatten()
    }
}
