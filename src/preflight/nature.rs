//! First question of all: is it the JS heap that grows, memory outside of it, or something that is not Node's?
//! A snapshot shows only the first, and of the second only the owners.

use serde::{Deserialize, Serialize};

use crate::base::{Bytes, Masked};

use super::situation::HeapReading;

/// What holds the memory, or what grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NatureKind {
    /// Objects of the JS heap: a snapshot shows them.
    JsHeap,
    /// `Buffer`s and other memory that JS objects hold: a snapshot shows the owners, not the bytes.
    OffHeap,
    /// Native: addons, threads, fragmentation, child processes. A snapshot shows nothing of it.
    Native,
    /// Nothing grows.
    Steady,
}

impl NatureKind {
    /// Whether a snapshot is the right tool.
    pub const fn shows_in_snapshot(self) -> bool {
        !matches!(self, Self::Native)
    }

    /// The word on the screen.
    pub const fn word(self) -> &'static str {
        match self {
            Self::JsHeap => "JS heap",
            Self::OffHeap => "off-heap (Buffers)",
            Self::Native => "native",
            Self::Steady => "steady",
        }
    }
}

/// The answer with its numbers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Nature {
    /// What it is.
    pub kind: NatureKind,
    /// Why, and what shows it.
    pub text: Masked,
}

/// Judges by the growth between two readings of one process, or by one alone. Measured: RSS ≈ heap used + some 100 MB
/// is normal for Node.
pub fn nature(now: &HeapReading, before: Option<&HeapReading>) -> Nature {
    let (kind, text) = match before {
        Some(before) => growth(now, before),
        None => standing(now),
    };
    Nature { kind, text: Masked::from(text) }
}

fn growth(now: &HeapReading, before: &HeapReading) -> (NatureKind, String) {
    let up = |now: Bytes, before: Bytes| now.saturating_sub(before);
    let heap = up(now.used, before.used);
    let external = up(now.external.max(now.array_buffers), before.external.max(before.array_buffers));
    let rss = up(now.rss, before.rss);
    let native = rss.saturating_sub(heap).saturating_sub(external);
    // Noise of collections and arenas.
    let floor = Bytes((before.rss.0 / 50).max(4_000_000));
    let numbers = format!("heap +{heap}, outside +{external}, resident +{rss}");
    if heap.max(external).max(native) < floor {
        (NatureKind::Steady, format!("nothing grows: {numbers}"))
    } else if heap >= external && heap.0 >= native.0 / 2 {
        (NatureKind::JsHeap, format!("the JS heap grows ({numbers}): a snapshot will show what"))
    } else if external >= native {
        (NatureKind::OffHeap, format!("Buffers grow ({numbers}): a snapshot shows who holds them, not their bytes"))
    } else {
        (
            NatureKind::Native,
            format!("native memory grows, not the heap ({numbers}): a snapshot will not show it; look at addons, child processes, malloc"),
        )
    }
}

fn standing(now: &HeapReading) -> (NatureKind, String) {
    let external = now.external.max(now.array_buffers);
    let native = now.rss.saturating_sub(now.used).saturating_sub(external);
    let numbers = format!("heap {}, outside {external}, resident {}", now.used, now.rss);
    if external > now.used && external > native {
        (NatureKind::OffHeap, format!("most of it are Buffers ({numbers}): a snapshot shows who holds them, not their bytes"))
    } else if native.0 > now.used.0.saturating_mul(2) && native > Bytes(250_000_000) {
        (NatureKind::Native, format!("most of it is native ({numbers}): a snapshot will not show it"))
    } else {
        (NatureKind::JsHeap, format!("most of it is the JS heap ({numbers}): a snapshot will show it"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(used: u64, external: u64, rss: u64) -> HeapReading {
        let mb = |n| Bytes(n * 1_000_000);
        HeapReading { used: mb(used), external: mb(external), rss: mb(rss), ..HeapReading::default() }
    }

    #[test]
    fn what_grows_decides() {
        let before = reading(60, 5, 160);
        let cases = [
            (reading(260, 5, 365), NatureKind::JsHeap),
            (reading(62, 300, 460), NatureKind::OffHeap),
            (reading(61, 6, 700), NatureKind::Native),
            (reading(61, 5, 161), NatureKind::Steady),
            (reading(20, 2, 150), NatureKind::Steady),
        ];
        for (now, kind) in cases {
            let said = nature(&now, Some(&before));
            assert_eq!(said.kind, kind, "{}", said.text);
        }
    }

    #[test]
    fn one_reading_gives_the_benefit_of_the_doubt_to_the_heap() {
        assert_eq!(nature(&reading(60, 5, 160), None).kind, NatureKind::JsHeap, "RSS ≈ heap + 100 MB is normal");
        assert_eq!(nature(&reading(60, 400, 600), None).kind, NatureKind::OffHeap);
        assert_eq!(nature(&reading(60, 5, 900), None).kind, NatureKind::Native);
    }
}
