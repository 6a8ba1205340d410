//! The way from the root to where things pile up, with repeats folded: a linked list has thousands of equal steps.

use std::borrow::Cow;

use rustc_hash::FxHashMap;

use super::reader::{Origin, Reader};
use crate::heap::format::{EdgeKind, NodeKind};
use crate::heap::ids::NodeIx;
use crate::heap::snapshot::{Edge, Label};

/// A way from the root to a node.
pub(in crate::heap) struct Trail<'a> {
    /// All steps, root first; those of a repeating run from `repeats` on.
    pub hops: Vec<Edge>,
    /// First step of the run that repeats (a list, a chain of closures), if there is one.
    pub repeats: Option<usize>,
    reader: &'a Reader<'a>,
}

/// A step of this many equals makes a chain.
const CHAIN: u32 = 6;

impl<'a> Trail<'a> {
    /// The best way to `node`.
    pub fn to(reader: &'a Reader<'a>, node: NodeIx) -> Self {
        Self::along(reader, reader.a.path(node).into_iter().map(|s| s.edge).collect())
    }

    /// A way that was found already.
    pub fn along(reader: &'a Reader<'a>, hops: Vec<Edge>) -> Self {
        let mut seen: FxHashMap<_, u32> = FxHashMap::default();
        for hop in &hops {
            *seen.entry(Self::signature(reader, hop)).or_default() += 1;
        }
        // The longest stretch of steps that have many equals: a single such step elsewhere (a function's context) is no chain.
        let mut repeats = None;
        let (mut longest, mut start) = (CHAIN as usize - 1, 0);
        for at in 0..=hops.len() {
            let goes_on = hops.get(at).is_some_and(|h| seen[&Self::signature(reader, h)] >= CHAIN);
            if !goes_on {
                if at - start > longest {
                    longest = at - start;
                    repeats = Some(start);
                }
                start = at + 1;
            }
        }
        Self { hops, repeats, reader }
    }

    /// What makes two steps alike: kind and name of the edge (not the number of an element), class of what it leads to.
    fn signature(reader: &Reader<'_>, hop: &Edge) -> (EdgeKind, u32, u32) {
        let name = match hop.label {
            Label::Name(name) if !reader.a.edge_text(hop).starts_with(|c: char| c.is_ascii_digit()) => name.0,
            _ => u32::MAX,
        };
        let class = match reader.a.kind(hop.to) {
            NodeKind::Array | NodeKind::Hidden => u32::from(reader.is_context(hop.to)),
            _ => reader.a.class_of(hop.to).0.saturating_add(2),
        };
        (hop.kind, name, class)
    }

    /// The steps before the run that repeats.
    pub fn outside(&self) -> &[Edge] {
        &self.hops[..self.repeats.unwrap_or(self.hops.len())]
    }

    /// Objects of the repeating run, root side first; empty without one.
    pub fn chain(&self) -> impl Iterator<Item = NodeIx> + '_ {
        self.repeats.map_or(&[][..], |at| &self.hops[at..]).iter().map(|h| h.to)
    }

    /// Name of a step as a person wrote it.
    pub fn name(&self, hop: &Edge) -> Option<Cow<'a, str>> {
        self.reader.written_name(hop)
    }

    /// Who wrote the variable or field of a step.
    pub fn origin(&self, hop: &Edge) -> Origin {
        self.reader.origin(hop.from)
    }
}
