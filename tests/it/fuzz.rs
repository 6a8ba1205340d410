//! The fuzz targets (`tests/fuzz`) over their corpus and over bounded, repeatable mutations of it, so that they run without a nightly
//! compiler. `CUTOFF_FUZZ=N` makes N mutations of each file instead of 150.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

#[path = "../fuzz/targets.rs"]
mod targets;

/// splitmix64: small, and the same everywhere.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % below.max(1) as u64) as usize
    }
}

/// What breaks parsers: brackets, ends of strings, numbers at the limits.
const WORDS: [&str; 16] =
    ["[", "]", "{", "}", "\"", "\\", ",", ":", "-1", "0", "4294967295", "18446744073709551616", "1e309", "\\ud800", "null", "\u{0}"];

/// One to four changes: a byte, a word, a piece cut out, doubled, or taken from another file.
fn mutate(dice: &mut Dice, file: &[u8], other: &[u8]) -> Vec<u8> {
    let mut bytes = file.to_vec();
    for _ in 0..=dice.roll(4) {
        let at = dice.roll(bytes.len());
        let len = dice.roll(40).min(bytes.len() - at);
        match dice.roll(6) {
            0 if !bytes.is_empty() => bytes[at] = dice.roll(256) as u8,
            1 => drop(bytes.splice(at..at, WORDS[dice.roll(WORDS.len())].bytes())),
            2 => drop(bytes.drain(at..at + len)),
            3 => {
                let piece = bytes[at..at + len].to_vec();
                bytes.splice(at..at, piece);
            }
            4 => {
                let from = dice.roll(other.len());
                let to = (from + len).min(other.len());
                bytes.splice(at..at + len, other[from..to].iter().copied());
            }
            _ => bytes.truncate(at),
        }
    }
    bytes
}

fn fuzz(name: &str, target: fn(&[u8])) {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus").join(name);
    let mut paths: Vec<_> = std::fs::read_dir(&dir).expect("the corpus").filter_map(|e| Some(e.ok()?.path())).collect();
    paths.sort();
    let corpus: Vec<Vec<u8>> = paths.iter().map(|p| std::fs::read(p).expect("readable")).collect();
    assert!(corpus.len() >= 3, "{}", dir.display());
    let times = std::env::var("CUTOFF_FUZZ").ok().and_then(|n| n.parse().ok()).unwrap_or(150);
    for (n, file) in corpus.iter().enumerate() {
        target(file);
        let mut dice = Dice(n as u64);
        for time in 0..times {
            let other = dice.roll(corpus.len());
            let bytes = mutate(&mut dice, file, &corpus[other]);
            let survived = catch_unwind(AssertUnwindSafe(|| target(&bytes)));
            assert!(survived.is_ok(), "{name}: mutation {time} of {}:\n{}", paths[n].display(), String::from_utf8_lossy(&bytes));
        }
    }
}

#[test]
fn snapshots() {
    fuzz("snapshot", targets::snapshot);
}

#[test]
fn source_maps() {
    fuzz("source_map", targets::source_map);
}

#[test]
fn profiles() {
    fuzz("profile", targets::profile);
}

#[test]
fn reports() {
    fuzz("report", targets::report);
}
