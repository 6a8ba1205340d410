//! Files that were cut: which sections are whole, and what can still be claimed.

/// A section of the file, in the order in which V8 writes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Section {
    /// `snapshot`.
    Header,
    /// `nodes`.
    Nodes,
    /// `edges`.
    Edges,
    /// `locations`, and whatever else stands between edges and strings.
    Locations,
    /// `strings`.
    Strings,
    /// The closing brace: everything that is read is there.
    End,
}

impl Section {
    /// The section as a person reads it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Header => "header",
            Self::Nodes => "nodes",
            Self::Edges => "edges",
            Self::Locations => "locations",
            Self::Strings => "strings",
            Self::End => "end",
        }
    }
}

/// What a number from a cut file is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Trust {
    /// It cannot be told from this file.
    Unknown,
    /// It is at least this.
    LowerBound,
    /// As from a whole file.
    Exact,
}

/// The file ends early: how far it goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cut {
    /// The first section that is not whole.
    pub at: Section,
    /// Nodes in the file, and how many its header promised.
    pub nodes: (u64, u64),
    /// Edges in the file, and how many its header promised.
    pub edges: (u64, u64),
    /// Locations in the file.
    pub locations: u64,
    /// Strings in the file.
    pub strings: u64,
    /// Nodes whose name is in the file.
    pub named_nodes: u64,
    /// Whether all references of the root are in the file: by them the kind of snapshot is known.
    pub root_edges: bool,
}

impl Cut {
    /// What raw sizes and counts of nodes are worth.
    pub fn counts(&self) -> Trust {
        if self.at > Section::Nodes { Trust::Exact } else { Trust::LowerBound }
    }

    /// What retained sizes, dominators, distances and paths are worth. Without all edges nothing can be said. Without all strings
    /// entries of `WeakMap`s are not recognised, so that their values seem to be held by more than they are.
    pub fn retained(&self) -> Trust {
        match self.at {
            Section::End => Trust::Exact,
            Section::Strings if self.named_nodes == self.nodes.0 => Trust::LowerBound,
            _ => Trust::Unknown,
        }
    }

    /// What class names and the counts of classes are worth.
    pub fn classes(&self) -> Trust {
        match self.at {
            Section::End => Trust::Exact,
            Section::Strings if self.named_nodes > 0 => Trust::LowerBound,
            _ => Trust::Unknown,
        }
    }
}
