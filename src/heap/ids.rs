//! Positions and identities: four kinds of number that must never be mixed up.

use std::fmt;

macro_rules! index {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub(super) u32);

        impl $name {
            /// The position `index`; nothing is checked until it is used.
            pub const fn new(index: u32) -> Self {
                Self(index)
            }

            /// The position as an index into an array that has one entry for each.
            pub const fn index(self) -> usize {
                self.0 as usize
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }
    };
}

index! {
    /// Position of a node in *this* snapshot, in the order of the file. Means nothing in another snapshot: use [`NodeId`] there.
    /// Accessors panic when it is not below the snapshot's node count, which can only happen when snapshots are mixed up.
    NodeIx
}
index! {
    /// Position of an edge in this snapshot, in the order of the file: the edges of a node are neighbours.
    EdgeIx
}
index! {
    /// Position of a string in this snapshot. V8 writes each text once, so equal positions mean equal texts.
    StringIx
}
index! {
    /// Position of a class in [`super::Analysis::classes`] of this snapshot.
    ClassIx
}

/// V8's id of an object: the same for as long as the process lives, whatever the garbage collector moves. Odd ids are
/// objects of the JavaScript heap in order of their first being seen, even ones are native. Two processes use the same
/// numbers for different things.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub u32);

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "@{}", self.0)
    }
}
