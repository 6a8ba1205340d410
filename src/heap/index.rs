//! The index: a finished analysis as bytes, so that a snapshot that was analysed once opens again without being parsed. Where the bytes
//! are kept, and for which file, is somebody else's business.
//!
//! Layout: [`MAGIC`], the version of the layout, the columns, a checksum over all of it. It is a cache of this program on this machine: an
//! index of another version, or one that was damaged, is refused and made anew.

use std::sync::OnceLock;

use rayon::prelude::*;
use rustc_hash::FxHashMap;

use super::analysis::Analysis;
use super::bits::Bits;
use super::classes::Interface;
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
const VERSION: u32 = 2;

/// The index of a whole snapshot; `None` for one that was cut, which is soon parsed and may still grow.
pub fn encode_index(analysis: &Analysis) -> Option<Vec<u8>> {
    if analysis.cut().is_some() {
        return None;
    }
    let mut bytes = Vec::new();
    bytes.extend_from_slice(MAGIC);
    VERSION.pack(&mut bytes);
    let parts = analysis.parts();
    // One after the other would double the memory; the lengths are needed to read them in parallel.
    for part in parts {
        let at = bytes.len();
        0u64.pack(&mut bytes);
        part(&mut bytes);
        let len = (bytes.len() - at - 8) as u64;
        bytes[at..at + 8].copy_from_slice(&len.to_le_bytes());
    }
    checksum(&bytes).pack(&mut bytes);
    Some(bytes)
}

/// The analysis that `bytes` are the index of; `None` when they are of another version, cut or damaged.
pub fn decode_index(bytes: &[u8]) -> Option<Analysis> {
    let (body, mut sum) = bytes.split_at_checked(bytes.len().checked_sub(8)?)?;
    let mut from = body.strip_prefix(MAGIC)?;
    if u32::unpack(&mut from)? != VERSION || u64::unpack(&mut sum)? != checksum(body) {
        return None;
    }
    let mut parts = [&[][..]; 4];
    for part in &mut parts {
        let len = usize::unpack(&mut from)?;
        (*part, from) = from.split_at_checked(len)?;
    }
    let [mut nodes, mut edges, mut rest, mut computed] = parts;
    let ((nodes, edges), (rest, computed)) = rayon::join(
        || rayon::join(|| Nodes::unpack(&mut nodes), || Edges::unpack(&mut edges)),
        || rayon::join(|| Rest::unpack(&mut rest), || Computed::unpack(&mut computed)),
    );
    let (rest, computed) = (rest?, computed?);
    let header = Header::read(&rest.header).ok()?;
    let snapshot = Snapshot {
        header,
        nodes: nodes?,
        edges: edges?,
        locations: rest.locations,
        strings: rest.strings,
        root: rest.root,
        renamed: rest.renamed,
        cut: None,
    };
    computed.of(snapshot)
}

/// What the file says beside nodes and edges.
struct Rest {
    header: Vec<u8>,
    locations: Vec<Location>,
    strings: super::strings::Strings,
    root: u32,
    renamed: Vec<u32>,
}

/// What was computed.
struct Computed {
    exposed: bool,
    page_owned: Bits,
    user_roots: Vec<u32>,
    shallow: Option<super::column::Sizes>,
    retained: super::column::Sums,
    dominator: Vec<u32>,
    order: Vec<u32>,
    distance: super::column::Distances,
    class: super::column::Codes,
    classes: Vec<ClassRow>,
    interfaces: Vec<Interface>,
    statistics: Statistics,
    scripts: FxHashMap<u32, u32>,
}

packed! {
    Nodes { kind, name, id, size, first_edge, detached }
    Edges { to, name }
    Rest { header, locations, strings, root, renamed }
    Computed {
        exposed, page_owned, user_roots, shallow, retained, dominator, order, distance, class, classes, interfaces, statistics, scripts,
    }
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
    /// The four parts of the index, each written by itself.
    fn parts(&self) -> [Part<'_>; 4] {
        let s = &self.snapshot;
        [
            Box::new(|to| s.nodes.pack(to)),
            Box::new(|to| s.edges.pack(to)),
            Box::new(|to| {
                s.header.json.pack(to);
                s.locations.pack(to);
                s.strings.pack(to);
                s.root.pack(to);
                s.renamed.pack(to);
            }),
            Box::new(|to| {
                (self.kind == SnapshotKind::ExposeInternals).pack(to);
                self.rules.page_owned.pack(to);
                self.user_roots.pack(to);
                self.shallow.pack(to);
                self.retained.pack(to);
                self.tree.dominator.pack(to);
                self.tree.order.pack(to);
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

impl Computed {
    fn of(self, snapshot: Snapshot) -> Option<Analysis> {
        let n = snapshot.node_count();
        let fits = self.dominator.len() == n && self.order.len() == n && self.class.len() == n && snapshot.nodes.first_edge.len() == n + 1;
        fits.then(|| Analysis {
            kind: if self.exposed { SnapshotKind::ExposeInternals } else { SnapshotKind::Normal },
            rules: Rules { root: snapshot.root, page_owned: self.page_owned },
            user_roots: self.user_roots,
            shallow: self.shallow,
            retained: self.retained,
            tree: Dominators { dominator: self.dominator, order: self.order },
            distance: self.distance,
            class: self.class,
            classes: self.classes,
            interfaces: self.interfaces,
            statistics: self.statistics,
            scripts: self.scripts.into_iter().map(|(k, v)| (k, StringIx(v))).collect(),
            borrowed: FxHashMap::default(),
            retainers: OnceLock::new(),
            places: OnceLock::new(),
            subtrees: OnceLock::new(),
            ways: OnceLock::new(),
            snapshot,
        })
    }
}

/// Finds damage, not malice: the index lies in a private directory.
fn checksum(bytes: &[u8]) -> u64 {
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
