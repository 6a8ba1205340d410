//! Fingerprints over all nodes, in the byte layout of the DevTools oracle (little endian, nodes in the order of the file).

use sha2::{Digest, Sha256};

use super::analysis::Analysis;

/// SHA-256, in hexadecimal digits, of five columns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Digests {
    /// V8's ids, u32.
    pub ids_u32: String,
    /// Sizes of the nodes alone after backing stores went to their owners, f64.
    pub self_f64: String,
    /// Retained sizes, f64.
    pub retained_f64: String,
    /// Positions of the dominators, u32.
    pub dominators_u32: String,
    /// Distances, i32.
    pub distances_i32: String,
}

impl Analysis {
    /// Fingerprints of what was computed, to be compared with those of another program.
    pub fn digests(&self) -> Digests {
        Digests::of(self)
    }
}

impl Digests {
    fn of(a: &Analysis) -> Self {
        Self {
            ids_u32: column(a.ids().map(|id| id.0.to_le_bytes())),
            self_f64: column(a.nodes().map(|n| (a.shallow_size(n) as f64).to_le_bytes())),
            retained_f64: column(a.nodes().map(|n| (a.retained_size(n) as f64).to_le_bytes())),
            dominators_u32: column(a.nodes().map(|n| a.dominator(n).0.to_le_bytes())),
            distances_i32: column(a.nodes().map(|n| a.distance(n).to_le_bytes())),
        }
    }
}

fn column<const W: usize>(values: impl Iterator<Item = [u8; W]>) -> String {
    let mut hash = Sha256::new();
    let mut block = Vec::with_capacity(W * 4096);
    for value in values {
        block.extend_from_slice(&value);
        if block.len() == W * 4096 {
            hash.update(&block);
            block.clear();
        }
    }
    hash.update(&block);
    hash.finalize().iter().map(|b| format!("{b:02x}")).collect()
}
