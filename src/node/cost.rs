//! What a snapshot costs the process that takes it: native memory, time in which it stands still, and the file.
//!
//! Measured on Node 18 to 26 with heaps of 10 MB to 1 GB of 20 shapes (`tests/matrix/`); all methods cost the same. The
//! memory is taken before the first byte of the file. What decides it is not the heap's size but what it is made of:
//! V8 takes some 160 bytes an object, 36 a field, and **a kilobyte for each index of the longest array**, since it makes a
//! name of every index and keeps it in the buffer of 1024 bytes that it was printed into (`StringsStorage::GetVFormatted`;
//! seen in all five majors). An array of a million short strings takes 44 bytes of memory for one byte of heap, the same
//! strings in arrays of a thousand take 10.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::base::Bytes;

/// What a heap is made of, as far as it is known; it decides how much a snapshot of it costs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shape {
    /// Not known: ordinary objects are assumed, the upper bound is that of one array of short strings.
    #[default]
    Unknown,
    /// Ordinary objects with a few properties each, in no very long array.
    Objects,
    /// Many objects of two or three words, in no very long array.
    Tiny,
    /// Long strings and large arrays of numbers.
    Strings,
}

/// V8's count of what is alive, which a full collection gives without a snapshot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Census {
    /// Objects: about the nodes of a snapshot.
    pub objects: u64,
    /// Fields of objects that can point to another.
    pub fields: u64,
    /// Fields of arrays and tables that can; those that hold numbers or nothing are not told apart.
    pub elements: u64,
    /// The most of them that one array or table can have.
    pub longest: u64,
    /// Strings of their own (not interned).
    pub strings: u64,
    /// Bytes of characters.
    pub text: Bytes,
}

/// What each thing of a census costs.
struct Weights {
    object: f64,
    /// A snapshot has an edge for each field, and two for each element: from the array and from its store.
    field: f64,
    /// Each index of the longest array.
    index: f64,
    string: f64,
    character: f64,
}

impl Weights {
    fn most(&self, census: &Census) -> f64 {
        let elements = (2 * census.elements) as f64 * self.field + census.longest as f64 * self.index;
        elements + self.least(census) + census.fields as f64 * self.field * 0.5
    }

    /// Arrays may hold numbers, fields nothing.
    fn least(&self, census: &Census) -> f64 {
        census.objects as f64 * self.object
            + census.fields as f64 * self.field * 0.5
            + census.strings as f64 * self.string
            + census.text.0 as f64 * self.character
    }
}

/// Bytes of native memory. 18 shapes of heap on five majors took 0.86 to 1.05 of it, but for arrays of numbers, half-empty
/// tables and long text, which take less.
const MEMORY: Weights = Weights { object: 160.0, field: 38.0, index: 900.0, string: 180.0, character: 0.0 };
/// Microseconds of CPU on Node 24.
const TIME: Weights = Weights { object: 1.3, field: 0.22, index: 0.9, string: 1.2, character: 0.0 };
/// Bytes of the file.
const FILE: Weights = Weights { object: 28.0, field: 14.5, index: 24.0, string: 10.0, character: 0.1 };

impl Census {
    /// The same heap grown to `share` times its size, by more of what is there.
    #[must_use]
    pub fn grown(self, share: f64) -> Self {
        let by = |n: u64| (n as f64 * share.max(1.0)) as u64;
        Self {
            objects: by(self.objects),
            fields: by(self.fields),
            elements: by(self.elements),
            longest: by(self.longest),
            strings: by(self.strings),
            text: Bytes(by(self.text.0)),
        }
    }
}

/// A bound below and above.
pub type Bounds<T> = (T, T);

/// Native memory in bytes for one byte of JS heap: (usual, most).
pub const fn memory_factor(major: u16, shape: Shape) -> Bounds<f64> {
    match (shape, major) {
        (Shape::Strings, _) => (0.4, 0.8),
        // 18.0 in a pod of Node 20: the builder's own tables double as they grow.
        (Shape::Tiny, 0..24) => (8.0, 20.0),
        (Shape::Tiny, _) => (7.5, 18.0),
        (Shape::Objects, 0..22) => (6.2, 7.9),
        (Shape::Objects, _) => (5.0, 7.3),
        // Short strings in one array: 44 times were measured (Node 20), 41 (24).
        (Shape::Unknown, 0..22) => (6.2, 48.0),
        (Shape::Unknown, _) => (5.0, 45.0),
    }
}

/// Native memory that a snapshot of a heap of `used` bytes takes on top: (usual, most).
pub fn memory(used: Bytes, major: u16, shape: Shape) -> Bounds<Bytes> {
    let (usual, most) = memory_factor(major, shape);
    (scaled(used, usual), scaled(used, most))
}

/// The most that it can be for a heap of `used` bytes of any shape, `large` of them in objects above 128 KiB each: a
/// field takes 8 bytes of heap, an object at least 16.
pub fn memory_with_large(used: Bytes, large: Bytes, major: u16) -> Bytes {
    let (_, small) = memory_factor(major, Shape::Tiny);
    let indexes = (large.0 / 8).max(16_384) as f64 * MEMORY.index;
    Bytes((used.0 as f64 * small + indexes * 1.25) as u64)
}

/// The same where V8 counted what is alive.
pub fn memory_of(census: &Census) -> Bounds<Bytes> {
    // The tables that V8 builds double as they grow; what the inspector has not sent yet waits in memory.
    (Bytes((MEMORY.least(census) * 0.85) as u64), Bytes((MEMORY.most(census) * 1.25) as u64 + (20 << 20)))
}

/// CPU seconds for a gigabyte of heap, in which the process answers nobody: (usual, most).
const fn cpu_seconds(major: u16, shape: Shape) -> Bounds<f64> {
    let (objects, tiny) = match major {
        // Node 18 is far slower on heaps full of short distinct strings: 390 s a GB were seen, once 6000 (fixed in V8 since).
        0..20 => (140.0, 500.0),
        20..22 => (75.0, 110.0),
        22..24 => (60.0, 85.0),
        _ => (47.0, 62.0),
    };
    match shape {
        Shape::Strings => (4.0, 8.0),
        Shape::Tiny => (objects, tiny * 1.3),
        Shape::Objects => (objects * 0.85, objects * 1.4),
        Shape::Unknown => (objects * 0.85, tiny * 1.3),
    }
}

/// Wall time that the process stands still for a heap of `used` bytes on `cpus` CPUs (a limit of 0.5 doubles it; more
/// than one CPU does not help).
pub fn freeze(used: Bytes, major: u16, shape: Shape, cpus: Option<f64>) -> Bounds<Duration> {
    let (usual, most) = cpu_seconds(major, shape);
    let seconds = |per_gb: f64| wall(used.0 as f64 / 1e9 * per_gb, cpus);
    (seconds(usual), seconds(most))
}

/// The same where V8 counted what is alive.
pub fn freeze_of(census: &Census, major: u16, cpus: Option<f64>) -> Bounds<Duration> {
    let (usual, most) = match major {
        0..20 => (0.9, 6.0),
        20..22 => (0.9, 2.8),
        22..24 => (0.8, 2.2),
        _ => (0.6, 2.0),
    };
    // Node 18 is slow on distinct strings, the slower the more there are: 85 to 240 microseconds each were seen.
    let strings = if major < 20 { census.strings as f64 * 300e-6 } else { 0.0 };
    (wall(TIME.least(census) * usual / 1e6, cpus), wall(TIME.most(census) * most / 1e6 + strings, cpus))
}

/// CPU time of the count itself: a full collection that walks the heap twice.
pub fn census_freeze(used: Bytes, cpus: Option<f64>) -> Duration {
    wall(used.0 as f64 / 1e9 * 12.0, cpus)
}

fn wall(cpu_seconds: f64, cpus: Option<f64>) -> Duration {
    let slow = 1.0 / cpus.unwrap_or(1.0).clamp(0.02, 1.0);
    Duration::from_secs_f64((cpu_seconds * slow).clamp(0.05, 1e7))
}

/// Size of the file for a heap of `used` bytes: (low, high).
pub fn file(used: Bytes, shape: Shape) -> Bounds<Bytes> {
    let (low, high) = match shape {
        Shape::Strings => (0.25, 0.35),
        Shape::Tiny => (1.4, 2.3),
        Shape::Objects => (1.3, 1.9),
        Shape::Unknown => (0.28, 2.8),
    };
    (scaled(used, low), scaled(used, high))
}

/// The same where V8 counted what is alive.
pub fn file_of(census: &Census) -> Bounds<Bytes> {
    (Bytes((FILE.least(census) * 0.8) as u64), Bytes((FILE.most(census) * 1.4) as u64 + (1 << 20)))
}

fn scaled(bytes: Bytes, by: f64) -> Bytes {
    Bytes((bytes.0 as f64 * by) as u64)
}
#[cfg(test)]
mod tests {
    use super::*;

    /// major, shape, heap MB, overhead MiB, CPU s, file MB: the table of measurements.
    const MEASURED: [(u16, Shape, u64, u64, f64, u64); 11] = [
        (18, Shape::Objects, 212, 1282, 29.6, 313),
        (20, Shape::Objects, 219, 1317, 16.9, 330),
        (20, Shape::Objects, 523, 3106, 39.1, 814),
        (22, Shape::Objects, 211, 1128, 12.7, 320),
        (24, Shape::Objects, 223, 1061, 9.3, 291),
        (24, Shape::Objects, 1061, 5342, 55.6, 1518),
        (26, Shape::Objects, 208, 1146, 8.7, 292),
        (20, Shape::Tiny, 100, 1303, 10.8, 193),
        (24, Shape::Tiny, 108, 1193, 6.5, 177),
        (20, Shape::Strings, 422, 248, 2.5, 120),
        (24, Shape::Strings, 417, 165, 1.9, 118),
    ];

    #[test]
    fn every_measurement_lies_inside_its_bounds() {
        for (major, shape, heap, overhead, cpu, size) in MEASURED {
            let used = Bytes(heap * 1_000_000);
            for shape in [shape, Shape::Unknown] {
                let (usual, most) = memory(used, major, shape);
                // A heap of strings needs less than the usual; that is the safe side for an unknown shape.
                assert!(Bytes::mib(overhead) <= most, "{major} {shape:?}: {overhead} MiB over {most}");
                assert!(
                    shape == Shape::Unknown || usual.0 * 9 / 10 <= Bytes::mib(overhead).0,
                    "{major} {shape:?}: {usual} over {overhead} MiB"
                );
                assert!(freeze(used, major, shape, None).1.as_secs_f64() >= cpu, "{major} {shape:?}");
                let (low, high) = file(used, shape);
                assert!(low.0 <= size * 1_000_000 && size * 1_000_000 <= high.0, "{major} {shape:?}: {size} MB, {low} to {high}");
            }
        }
    }

    #[test]
    fn half_a_cpu_doubles_the_freeze() {
        let whole = freeze(Bytes(1 << 28), 20, Shape::Objects, Some(4.0)).0;
        assert_eq!(freeze(Bytes(1 << 28), 20, Shape::Objects, Some(0.5)).0, whole * 2);
    }

    /// Heaps of twelve shapes on five majors, each captured; V8's count before it and what was measured.
    #[test]
    fn every_row_of_the_recorded_matrix_lies_inside_its_bounds() {
        let number = |text: &str| text.parse::<u64>().expect("a number");
        for line in include_str!("../../tests/matrix/costs.csv").lines().skip(1) {
            let f: Vec<&str> = line.split(',').collect();
            let (major, used, large) = (f[0].parse::<u16>().expect("a major"), Bytes(number(f[2])), Bytes(number(f[3])));
            let census = Census {
                objects: number(f[4]),
                fields: number(f[5]),
                elements: number(f[6]),
                longest: number(f[7]),
                strings: number(f[8]),
                text: Bytes(number(f[9])),
            };
            let (took, cpu, size) = (Bytes(number(f[10])), Duration::from_millis(number(f[11])), Bytes(number(f[12])));
            let (low, high) = memory_of(&census);
            assert!(low <= took && took <= high, "{line}: memory {low} to {high}");
            let without = [memory_with_large(used, large, major), memory(used, major, Shape::Unknown).1];
            assert!(without.iter().all(|most| took <= *most), "{line}: {without:?} without a count");
            // The tests share their machine: a lower bound of CPU time is none of the model's claims.
            assert!(cpu <= freeze_of(&census, major, None).1, "{line}: {:?}", freeze_of(&census, major, None));
            let (low, high) = file_of(&census);
            assert!(low <= size && size <= high, "{line}: file {low} to {high}");
        }
    }
}
