//! After a capture: what was predicted against what happened. Both are recorded.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::base::{Bytes, Masked};

use super::assessment::{Between, Predicted};

/// What a capture really cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Measured {
    /// Peak of the memory − working set before; `None` where nobody watched.
    pub memory: Option<Bytes>,
    /// Silence of the process.
    pub freeze: Option<Duration>,
    /// CPU time that the process used meanwhile: on a machine that is not busy the freeze is not much longer.
    pub cpu: Option<Duration>,
    /// Size of the file.
    pub file: Option<Bytes>,
    /// From the first request to the last byte here.
    pub whole: Option<Duration>,
}

/// One prediction beside its outcome.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Compared {
    /// What: `memory`, `freeze`, `file`.
    pub what: Masked,
    /// `1.31 GB, predicted 1.20 GB to 3.40 GB`.
    pub text: Masked,
    /// Whether the outcome lies between the bounds; below them is no harm, but no truth either.
    pub inside: bool,
}

/// Compares what can be compared.
pub fn compare(predicted: &Predicted, measured: &Measured) -> Vec<Compared> {
    let mut all = Vec::new();
    fn one<T: Ord + Copy>(
        what: &'static str,
        bounds: Option<Between<T>>,
        got: Option<T>,
        show: impl Fn(T) -> String,
        range: impl Fn(Between<T>) -> String,
    ) -> Option<Compared> {
        let (bounds, got) = (bounds?, got?);
        let text = format!("{}, predicted {}", show(got), range(bounds));
        Some(Compared { what: Masked::own(what), text: Masked::from(text), inside: bounds.low <= got && got <= bounds.high })
    }
    all.extend(one("memory", predicted.memory, measured.memory, |b| b.to_string(), |b| b.to_string()));
    let cpu = measured.cpu.map_or_else(String::new, |cpu| format!(" ({:.1} s of CPU)", cpu.as_secs_f64()));
    all.extend(one("freeze", predicted.freeze, measured.freeze, |d| format!("{:.1} s{cpu}", d.as_secs_f64()), |b| b.to_string()));
    all.extend(one("file", predicted.file, measured.file, |b| b.to_string(), |b| b.to_string()));
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_happened_stands_beside_what_was_said() {
        let mb = |n: u64| Bytes(n * 1_000_000);
        let predicted = Predicted {
            memory: Some(Between { low: mb(100), high: mb(300) }),
            file: Some(Between { low: mb(10), high: mb(20) }),
            freeze: None,
        };
        let measured = Measured { memory: Some(mb(120)), file: Some(mb(25)), freeze: Some(Duration::from_secs(1)), ..Measured::default() };
        let compared = compare(&predicted, &measured);
        let said: Vec<(&str, bool)> = compared.iter().map(|c| (c.text.as_str(), c.inside)).collect();
        assert_eq!(said, [("120 MB, predicted 100 MB to 300 MB", true), ("25.0 MB, predicted 10.0 MB to 20.0 MB", false)]);
    }
}
