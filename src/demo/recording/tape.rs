//! The bundled recording, made of a live run of this demo on Node 20 (see `tape.json`): memory over time and log of one life of
//! each container, what the read-only probe printed in it, and a heap snapshot.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde::Deserialize;

/// One life of a container.
#[derive(Debug, Deserialize)]
pub(super) struct Life {
    /// Seconds since the start, anonymous bytes, mapped file bytes.
    pub memory: Vec<(f64, u64, u64)>,
    /// Milliseconds since the start and the line; `{time}` stands for the time of writing.
    pub log: Vec<(u64, String)>,
    /// When it died (seconds) and its exit code; without, the life goes on.
    pub death: Option<(f64, i32)>,
}

impl Life {
    /// Memory at `at` seconds, between the samples around it.
    pub fn memory_at(&self, at: f64) -> (u64, u64) {
        let next = self.memory.iter().position(|m| m.0 > at).unwrap_or(self.memory.len());
        match (next.checked_sub(1).and_then(|i| self.memory.get(i)), self.memory.get(next)) {
            (Some(a), Some(b)) => {
                let share = (at - a.0) / (b.0 - a.0).max(1e-3);
                let between = |x: u64, y: u64| (x as f64 + (y as f64 - x as f64) * share) as u64;
                (between(a.1, b.1), between(a.2, b.2))
            }
            (Some(m), None) | (None, Some(m)) => (m.1, m.2),
            (None, None) => (0, 0),
        }
    }

    /// Seconds that the recording has.
    pub fn length(&self) -> f64 {
        let log = self.log.last().map_or(0.0, |l| l.0 as f64 / 1000.0);
        self.death.map_or_else(|| self.memory.last().map_or(log, |m| m.0.max(log)), |d| d.0)
    }
}

/// The recorded lives by image.
pub(super) fn lives() -> &'static BTreeMap<String, Life> {
    static LIVES: OnceLock<BTreeMap<String, Life>> = OnceLock::new();
    LIVES.get_or_init(|| serde_json::from_str(include_str!("tape.json")).expect("a test reads the bundled tape"))
}

/// What the probe printed in a container of this image, with placeholders for what changes (`{now}`, `{rss}`, …).
pub(super) fn probe(image: &str) -> &'static str {
    match image {
        "content-import" => include_str!("probe-content-import.txt"),
        "storefront" => include_str!("probe-storefront.txt"),
        "mailer" => include_str!("probe-mailer.txt"),
        "nightly-prices" => include_str!("probe-nightly-prices.txt"),
        _ => include_str!("probe-log-shipper.txt"),
    }
}

/// The recorded heap snapshot of the leaking service, as Node wrote it.
pub(super) fn snapshot() -> Vec<u8> {
    use std::io::Read as _;
    let mut bytes = Vec::new();
    let mut reader = flate2::read::GzDecoder::new(&include_bytes!("content-import.heapsnapshot.gz")[..]);
    reader.read_to_end(&mut bytes).expect("a test reads the bundled snapshot");
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tape_is_whole() {
        let lives = lives();
        for image in ["content-import", "storefront", "mailer", "nightly-prices", "log-shipper"] {
            let life = &lives[image];
            assert!(life.memory.len() >= 20 && !life.log.is_empty(), "{image}");
            assert!(probe(image).starts_with("@@{token} begin 1 sh") && probe(image).ends_with("@@{token} end\n"), "{image}");
        }
        let leak = &lives["content-import"];
        let (start, code) = (leak.memory_at(20.0).0, leak.death.unwrap().1);
        assert!(leak.memory_at(leak.length() - 10.0).0 > start * 3, "it climbs");
        assert_eq!(code, 139);
        assert!(leak.log.iter().any(|l| l.1.contains("JavaScript heap out of memory")));
        let snapshot = snapshot();
        assert!(snapshot.starts_with(b"{\"snapshot\"") && snapshot.ends_with(b"]}"));
        assert!(snapshot.windows(13).any(|w| w == b"parsedUpdates"));
    }
}
