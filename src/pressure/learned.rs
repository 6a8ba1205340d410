//! Ceilings learned from deaths: where a process of a workload aborted, its siblings will too.
//!
//! V8's heap limit counts what lies in the heap, not the working set, so it cannot be computed from outside; but the
//! replicas of a rollout run the same code with the same flags, and one of them has shown where it ends.

use std::collections::BTreeMap;

use serde::Serialize;

use super::end::{EndKind, classify};
use super::eta::Ceiling;
use super::facts::{End, Workload};
use super::series::{Series, seconds};
use crate::base::Bytes;

/// Containers that run the same code with the same limits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(super) struct Kin {
    pub workload: Workload,
    pub container: String,
    pub revision: Option<String>,
}

/// Working set at which a process of a kin aborted.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(super) struct Learned(#[serde(serialize_with = "as_pairs")] BTreeMap<Kin, Bytes>);

fn as_pairs<S: serde::Serializer>(map: &BTreeMap<Kin, Bytes>, to: S) -> Result<S::Ok, S::Error> {
    to.collect_seq(map.iter())
}

/// A last sample older than this at the time of death says little about where it ended.
const FRESH_S: f64 = 90.0;

impl Learned {
    /// Learns from a life that ended as `end` says. Only aborts count: a cgroup kill is the container limit, which is
    /// known.
    pub fn learn(&mut self, kin: Kin, life: &Series, end: &End) {
        let (Some(newest), Some(ended)) = (life.newest(), end.ended) else { return };
        let gap = seconds(ended - newest.at);
        if classify(end).kind != EndKind::Aborted || !(0.0..=FRESH_S).contains(&gap) {
            return;
        }
        // It went on climbing between the last sample and its end.
        let climbed = life.line().filter(super::slope::Line::climbs).map_or(0.0, |l| l.slope * gap);
        self.0.insert(kin, Bytes(newest.used.0 + climbed as u64));
    }

    /// The ceiling of `kin`, unless `used` shows that it is higher.
    pub fn ceiling(&self, kin: &Kin, used: Option<Bytes>) -> Option<Ceiling> {
        let bytes = *self.0.get(kin)?;
        used.is_none_or(|used| used < bytes).then(|| Ceiling { bytes, what: "where it aborted last".to_owned() })
    }
}
