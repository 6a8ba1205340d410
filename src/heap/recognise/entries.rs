//! What a collection holds: data alone.

use crate::heap::ids::NodeIx;
use crate::heap::verdict::HolderKind;

/// What a collection holds.
#[derive(Clone, Debug)]
pub(in crate::heap) struct Entries {
    /// What it is.
    pub kind: HolderKind,
    /// How many entries.
    pub count: u64,
    /// Keys of a map or members of a set, values of all others; objects and strings only.
    pub keys: Vec<NodeIx>,
    /// Values of a map; members of all others.
    pub values: Vec<NodeIx>,
    /// Entries at the front of the table that were deleted: proof that entries leave. `None` where it cannot be seen.
    pub holes: Option<u64>,
    /// An array whose store is larger than its length and was not made with it: it grew by `push`.
    pub pushed: Option<bool>,
    /// An object in dictionary mode: properties came and went, or there are too many for fields.
    pub dictionary: bool,
}
