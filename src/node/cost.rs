//! What a snapshot costs the process that takes it: native memory, time in which it stands still, and the file.
//!
//! Measured on Node 18 to 26 with heaps of 60 MB to 1 GB; all methods cost the same. The memory is taken before the
//! first byte of the file.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::base::Bytes;

/// What a heap is made of, as far as it is known; it decides how much a snapshot of it costs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shape {
    /// Not known: ordinary objects are assumed, the upper bound is that of tiny ones.
    #[default]
    Unknown,
    /// Ordinary objects with a few properties each.
    Objects,
    /// Many objects of two or three words.
    Tiny,
    /// Long strings and large arrays of numbers.
    Strings,
}

/// A bound below and above.
pub type Bounds<T> = (T, T);

/// Native memory in bytes for one byte of JS heap: (usual, most).
pub const fn memory_factor(major: u16, shape: Shape) -> Bounds<f64> {
    match (shape, major) {
        (Shape::Strings, _) => (0.4, 0.8),
        // 18.0 in a pod of Node 20: the builder's own tables double as they grow.
        (Shape::Tiny, 0..24) => (11.0, 20.0),
        (Shape::Tiny, _) => (9.5, 14.5),
        (Shape::Objects, 0..22) => (6.2, 7.9),
        (Shape::Objects, _) => (5.0, 7.3),
        (Shape::Unknown, 0..22) => (6.2, 20.0),
        (Shape::Unknown, _) => (5.0, 15.0),
    }
}

/// Native memory that a snapshot of a heap of `used` bytes takes on top: (usual, most).
pub fn memory(used: Bytes, major: u16, shape: Shape) -> Bounds<Bytes> {
    let (usual, most) = memory_factor(major, shape);
    (scaled(used, usual), scaled(used, most))
}

/// The same from the number of objects, which V8 reports while it builds: 290 to 350 bytes each, edges included, up to
/// 470 for tiny ones.
pub const fn memory_of_nodes(nodes: u64, major: u16) -> Bounds<Bytes> {
    if major >= 22 { (Bytes(nodes * 286), Bytes(nodes * 430)) } else { (Bytes(nodes * 331), Bytes(nodes * 471)) }
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
    let slow = 1.0 / cpus.unwrap_or(1.0).clamp(0.02, 1.0);
    let seconds = |per_gb: f64| Duration::from_secs_f64((used.0 as f64 / 1e9 * per_gb * slow).clamp(0.05, 1e7));
    (seconds(usual), seconds(most))
}

/// Size of the file for a heap of `used` bytes: (low, high).
pub fn file(used: Bytes, shape: Shape) -> Bounds<Bytes> {
    let (low, high) = match shape {
        Shape::Strings => (0.25, 0.35),
        Shape::Tiny => (1.6, 2.3),
        Shape::Objects => (1.3, 1.9),
        Shape::Unknown => (0.28, 2.3),
    };
    (scaled(used, low), scaled(used, high))
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
}
