//! How large a heap V8 allows itself: from Node's version, the container's memory and the flags.
//!
//! V8: `Heap::HeapSizeFromPhysicalMemory`, `YoungGenerationSizeFromOldGenerationSize`; checked against
//! `heap_size_limit` of Node 20, 22 and 24 under limits of 512 to 8192 MiB, and of Node 18 to 26 in pods of 96 to 512 MiB:
//! there the old generation does not go below 256 MiB, so V8's limit lies above the container's.

use serde::{Deserialize, Serialize};

use crate::base::Bytes;

use super::flags::Flags;

/// A version of Node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct NodeVersion {
    /// 20 in v20.11.1.
    pub major: u16,
    /// 11.
    pub minor: u16,
    /// 1.
    pub patch: u16,
}

impl NodeVersion {
    /// Reads `v20.11.1` or `20.11.1`; what follows (`-nightly…`) is ignored.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim().strip_prefix('v').unwrap_or(text.trim());
        let mut parts = text.split(['.', '-', '+']).map(str::parse);
        let mut next = || parts.next()?.ok();
        Some(Self { major: next()?, minor: next()?, patch: next()? })
    }
}

impl std::fmt::Display for NodeVersion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "v{}.{}.{}", self.major, self.minor, self.patch)
    }
}

const MIB: u64 = 1 << 20;
/// MiB that V8 gives the old generation in the smallest container, unless a flag says less.
const LEAST_OLD: u64 = 256;

/// `heap_size_limit` that V8 gives itself: old generation plus young. `container` is the memory limit, or the
/// machine's memory when there is none.
pub fn heap_limit(major: u16, container: Bytes, flags: &Flags) -> Bytes {
    let memory = container.0 / MIB;
    let default_old = (memory / 2).clamp(LEAST_OLD, if memory >= 15 * 1024 { 4096 } else { 2048 });
    let from_percent = flags.max_old_space_percent.filter(|_| major >= 24).map(|percent| memory * percent.min(100) / 100);
    let old = flags.max_old_space_mib.or(from_percent).unwrap_or(default_old);
    Bytes((old + young(major, default_old)) * MIB)
}

/// The young generation in MiB: three semi-spaces, each a share of the old generation that the memory suggests.
fn young(major: u16, old: u64) -> u64 {
    // Node 26 was seen at 96 with a large old generation only; in between it is scaled as V8 scales the others.
    let (ratio, most) = match major {
        0..26 if old <= LEAST_OLD => (256, 16),
        0..24 => (128, 16),
        24..26 => (32, 64),
        _ => (64, 32),
    };
    3 * (old / ratio).clamp(1, most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_as_measured() {
        let cases = [
            (20, 512, 259),
            (20, 1024, 524),
            (22, 2048, 1048),
            (22, 4096, 2096),
            (20, 8192, 2096),
            (24, 1024, 560),
            (24, 2048, 1120),
            (24, 4096, 2240),
            (24, 8192, 2240),
            (18, 24_576, 4144),
            (20, 96, 259),
            (22, 256, 259),
            (24, 384, 259),
            (26, 384, 268),
        ];
        for (major, container, limit) in cases {
            assert_eq!(heap_limit(major, Bytes::mib(container), &Flags::default()), Bytes::mib(limit), "{major} at {container}");
        }
        let flags = Flags { max_old_space_mib: Some(400), ..Flags::default() };
        assert_eq!(heap_limit(20, Bytes::mib(4096), &flags), Bytes::mib(448));
    }

    #[test]
    fn versions() {
        assert_eq!(NodeVersion::parse("v22.14.0\n").map(|v| (v.major, v.minor, v.patch)), Some((22, 14, 0)));
        assert_eq!(NodeVersion::parse("v23.0.0-nightly2024").map(|v| v.to_string()), Some("v23.0.0".to_owned()));
        assert_eq!(NodeVersion::parse("node"), None);
    }
}
