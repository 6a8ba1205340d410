//! The index: a finished analysis as bytes, so that a snapshot that was analysed once opens again without being parsed. Where the bytes
//! are kept, and for which file, is somebody else's business.
//!
//! Layout: [`MAGIC`], the version of the layout, then parts: length, columns, checksum. It is a cache of this program on this machine: an
//! index of another version, or one that was damaged, is refused and made anew.

use std::sync::OnceLock;

use rayon::prelude::*;
use rustc_hash::FxHashMap;

use super::analysis::Analysis;
use super::bits::Bits;
use super::classes::Interface;
use super::column::Sums;
use super::dominators::Dominators;
use super::essential::Rules;
use super::format::Header;
use super::ids::{NodeIx, StringIx};
use super::pack::{Pack, pack_each, packed, unpack_each};
use super::sizes::Statistics;
use super::snapshot::{Edges, Location, Nodes, Snapshot, SnapshotKind};
use super::table::ClassRow;

const MAGIC: &[u8; 8] = b"cutoffhi";
/// To be raised when anything that is written changes its meaning.
const VERSION: u32 = 4;

/// The index of a whole snapshot, piece by piece, so that it need not be in memory at once; `None` for one that was cut, which is soon
/// parsed and may still grow, and for one with tracked allocations, which is small (tracking slows a process too much to let it grow).
pub fn index_pieces(analysis: &Analysis) -> Option<impl Iterator<Item = Vec<u8>> + '_> {
    if analysis.cut().is_some() || analysis.trace.is_some() {
        return None;
    }
    let mut head = MAGIC.to_vec();
    VERSION.pack(&mut head);
    let parts = analysis.parts().into_iter().map(|part| {
        let mut bytes = Vec::new();
        0u64.pack(&mut bytes);
        part(&mut bytes);
        let len = (bytes.len() - 8) as u64;
        bytes[..8].copy_from_slice(&len.to_le_bytes());
        let sum = mix(checksum(&bytes[..8]), checksum(&bytes[8..]));
        sum.pack(&mut bytes);
        bytes
    });
    Some(std::iter::once(head).chain(parts))
}

/// [`index_pieces`] in one.
pub fn encode_index(analysis: &Analysis) -> Option<Vec<u8>> {
    Some(index_pieces(analysis)?.flatten().collect())
}

/// The analysis that `bytes` are the index of; `None` when they are of another version, cut or damaged.
pub fn decode_index(bytes: &[u8]) -> Option<Analysis> {
    let mut rest = bytes;
    let analysis = read_index(bytes.len() as u64, |buffer| {
        let Some((head, tail)) = rest.split_at_checked(buffer.len()) else { return false };
        buffer.copy_from_slice(head);
        rest = tail;
        true
    });
    analysis.filter(|_| rest.is_empty())
}

/// [`decode_index`] of an index of `size` bytes, from its beginning on: `fill` fills a buffer with the next bytes and says whether it could.
/// So it is in memory once, not twice.
pub fn read_index(size: u64, fill: impl FnMut(&mut [u8]) -> bool) -> Option<Analysis> {
    let mut parts = Parts { fill, left: size };
    let head = parts.take(MAGIC.len() + 4)?;
    let mut version = head.strip_prefix(MAGIC)?;
    if u32::unpack(&mut version)? != VERSION {
        return None;
    }
    let nodes = parts.next()?;
    let to = parts.next()?;
    let name = parts.next()?;
    let strings = parts.next()?;
    let rest: Rest = parts.next()?;
    let header = Header::read(&rest.header).ok()?;
    let (locations, root, renamed) = (rest.locations, rest.root, rest.renamed);
    let snapshot = Snapshot { header, nodes, edges: Edges { to, name }, locations, strings, root, renamed, cut: None, trace: None };
    let (retained, dominator, order): (Sums, Vec<u32>, Vec<u32>) = (parts.next()?, parts.next()?, parts.next()?);
    let c: Computed = parts.next()?;
    let n = snapshot.node_count();
    let fits = dominator.len() == n && order.len() == n && c.class.len() == n && snapshot.nodes.first_edge.len() == n + 1;
    fits.then(|| Analysis {
        kind: if c.exposed { SnapshotKind::ExposeInternals } else { SnapshotKind::Normal },
        rules: Rules { root: snapshot.root, page_owned: c.page_owned },
        user_roots: c.user_roots,
        shallow: c.shallow,
        retained,
        tree: Dominators { dominator, order },
        distance: c.distance,
        class: c.class,
        classes: c.classes,
        interfaces: c.interfaces,
        statistics: c.statistics,
        scripts: c.scripts.into_iter().map(|(k, v)| (k, StringIx(v))).collect(),
        borrowed: FxHashMap::default(),
        retainers: OnceLock::new(),
        places: OnceLock::new(),
        subtrees: OnceLock::new(),
        ways: OnceLock::new(),
        snapshot,
    })
}

/// An index that is being read.
struct Parts<F> {
    fill: F,
    left: u64,
}

impl<F: FnMut(&mut [u8]) -> bool> Parts<F> {
    fn take(&mut self, len: usize) -> Option<Vec<u8>> {
        // A length that lies is found before memory is reserved for it.
        self.left = self.left.checked_sub(len as u64)?;
        let mut bytes = vec![0; len];
        (self.fill)(&mut bytes).then_some(bytes)
    }

    fn next<T: Pack>(&mut self) -> Option<T> {
        let len = self.take(8)?;
        let mut sum = checksum(&len);
        let len = usize::try_from(u64::unpack(&mut len.as_slice())?).ok()?;
        let bytes = self.take(len)?;
        sum = mix(sum, checksum(&bytes));
        if u64::unpack(&mut self.take(8)?.as_slice())? != sum {
            return None;
        }
        let mut from = bytes.as_slice();
        T::unpack(&mut from).filter(|_| from.is_empty())
    }
}

/// What the file says beside nodes, edges and strings.
struct Rest {
    header: Vec<u8>,
    locations: Vec<Location>,
    root: u32,
    renamed: Vec<u32>,
}

/// What was computed, but for the largest columns.
struct Computed {
    exposed: bool,
    page_owned: Bits,
    user_roots: Vec<u32>,
    shallow: Option<super::column::Sizes>,
    distance: super::column::Distances,
    class: super::column::Codes,
    classes: Vec<ClassRow>,
    interfaces: Vec<Interface>,
    statistics: Statistics,
    scripts: FxHashMap<u32, u32>,
}

packed! {
    Nodes { kind, name, id, size, first_edge, detached, trace }
    Rest { header, locations, root, renamed }
    Computed { exposed, page_owned, user_roots, shallow, distance, class, classes, interfaces, statistics, scripts }
    Statistics { total, native, typed_arrays, code, strings, arrays, system }
    ClassRow { key, name, count, shallow, retained, distance }
    Interface { name, properties, count }
}

macro_rules! each {
    ($($element:ty),*) => {$(
        impl Pack for Vec<$element> {
            fn pack(&self, to: &mut Vec<u8>) {
                pack_each(self.iter().cloned(), to);
            }

            fn unpack(from: &mut &[u8]) -> Option<Self> {
                unpack_each(from)
            }
        }
    )*};
}
each!(Location, ClassRow, Interface);

impl Pack for Location {
    fn pack(&self, to: &mut Vec<u8>) {
        [self.node.0, self.script, self.line, self.column].iter().for_each(|n| n.pack(to));
    }

    fn unpack(from: &mut &[u8]) -> Option<Self> {
        let mut next = || u32::unpack(from);
        Some(Self { node: NodeIx(next()?), script: next()?, line: next()?, column: next()? })
    }
}

type Part<'a> = Box<dyn Fn(&mut Vec<u8>) + 'a>;

impl Analysis {
    /// The parts of the index, each written by itself.
    fn parts(&self) -> [Part<'_>; 9] {
        let s = &self.snapshot;
        [
            Box::new(|to| s.nodes.pack(to)),
            Box::new(|to| s.edges.to.pack(to)),
            Box::new(|to| s.edges.name.pack(to)),
            Box::new(|to| s.strings.pack(to)),
            Box::new(|to| {
                s.header.json.pack(to);
                s.locations.pack(to);
                s.root.pack(to);
                s.renamed.pack(to);
            }),
            Box::new(|to| self.retained.pack(to)),
            Box::new(|to| self.tree.dominator.pack(to)),
            Box::new(|to| self.tree.order.pack(to)),
            Box::new(|to| {
                (self.kind == SnapshotKind::ExposeInternals).pack(to);
                self.rules.page_owned.pack(to);
                self.user_roots.pack(to);
                self.shallow.pack(to);
                self.distance.pack(to);
                self.class.pack(to);
                self.classes.pack(to);
                self.interfaces.pack(to);
                self.statistics.pack(to);
                self.scripts.iter().map(|(&k, v)| (k, v.0)).collect::<FxHashMap<u32, u32>>().pack(to);
            }),
        ]
    }
}

/// Finds damage, not malice: the index lies in a private directory.
pub(super) fn checksum(bytes: &[u8]) -> u64 {
    const PIECE: usize = 1 << 20;
    let pieces: Vec<u64> = bytes
        .par_chunks(PIECE)
        .map(|piece| {
            let mut lanes = [0xcbf2_9ce4_8422_2325u64, 0x9e37_79b9_7f4a_7c15, 0xd6e8_feb8_6659_fd93, piece.len() as u64];
            let (blocks, rest) = piece.as_chunks::<32>();
            for block in blocks {
                let (words, _) = block.as_chunks::<8>();
                for (lane, word) in lanes.iter_mut().zip(words) {
                    *lane = mix(*lane, u64::from_le_bytes(*word));
                }
            }
            rest.iter().fold(lanes.into_iter().fold(0, mix), |sum, &b| mix(sum, u64::from(b)))
        })
        .collect();
    pieces.into_iter().fold(bytes.len() as u64, mix)
}

fn mix(sum: u64, word: u64) -> u64 {
    (sum ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29)
}
