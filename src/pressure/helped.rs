//! Did a change help? Slopes before and after it, per process, compared.

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;

use super::options::Options;
use super::series::Series;
use super::slope::median;
use crate::base::BytesPerSecond;

/// What follows from the two slopes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SlopeEffect {
    /// Memory climbs at less than a quarter of what it did, or not at all any more.
    Helped,
    /// No difference that the samples could prove.
    NoChange,
    /// It climbs at more than one and a half times what it did.
    Worse,
    /// Too few samples since the change.
    TooEarly,
}

/// Slopes of a workload before and after a change.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct SlopeChange {
    /// Median slope of the containers before.
    pub before: Option<BytesPerSecond>,
    /// Median slope after.
    pub after: Option<BytesPerSecond>,
    /// Containers that gave a slope before.
    pub measured_before: usize,
    /// Containers that gave a slope after.
    pub measured_after: usize,
    /// What follows.
    pub effect: SlopeEffect,
}

/// Slopes slower than this are level: 20 kB a minute is within what allocators and page cache do by themselves.
const LEVEL: f64 = 20_000.0 / 60.0;

pub(super) fn helped<'a>(
    series: impl Iterator<Item = &'a Series> + Clone,
    changed: DateTime<Utc>,
    now: DateTime<Utc>,
    options: &Options,
) -> SlopeChange {
    let (window, least) = (options.window(), options.least());
    let warm_up = TimeDelta::seconds(i64::try_from(options.warm_up_s).unwrap_or(i64::MAX / 1000));
    let warm = |s: &Series| s.started.map(|at| at.checked_add_signed(warm_up).unwrap_or(at));
    let before = slopes(series.clone().filter_map(|s| Some(s.line_over(window, least, warm(s), Some(changed))?.slope)));
    let after = slopes(series.filter_map(|s| {
        let from = warm(s).map_or(changed, |w| w.max(changed));
        Some(s.line_over(window, least, Some(from), Some(now + TimeDelta::milliseconds(1)))?.slope)
    }));
    SlopeChange {
        before: (!before.is_empty()).then(|| BytesPerSecond(median(&before))),
        after: (!after.is_empty()).then(|| BytesPerSecond(median(&after))),
        measured_before: before.len(),
        measured_after: after.len(),
        effect: effect(&before, &after),
    }
}

fn slopes(found: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut slopes: Vec<f64> = found.collect();
    slopes.sort_by(f64::total_cmp);
    slopes
}

fn effect(before: &[f64], after: &[f64]) -> SlopeEffect {
    if after.is_empty() {
        return SlopeEffect::TooEarly;
    }
    // Without a slope before there is nothing that could be proved.
    if before.is_empty() {
        return SlopeEffect::NoChange;
    }
    let (was, is) = (median(before).max(0.0), median(after).max(0.0));
    match () {
        () if was <= LEVEL && is <= LEVEL => SlopeEffect::NoChange,
        () if is <= LEVEL || is < was / 4.0 => SlopeEffect::Helped,
        () if is > was * 1.5 => SlopeEffect::Worse,
        () => SlopeEffect::NoChange,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_stays_the_same_did_not_help(slope in 1e3..1e8f64, n in 1usize..5) {
            prop_assert_eq!(effect(&vec![slope; n], &vec![slope; n]), SlopeEffect::NoChange);
        }

        #[test]
        fn a_leak_that_stopped_helped_and_the_reverse_is_worse(slope in 1e3..1e8f64, rest in 0.0..0.2f64) {
            prop_assert_eq!(effect(&[slope], &[slope * rest]), SlopeEffect::Helped);
            prop_assert_eq!(effect(&[slope * rest], &[slope]), SlopeEffect::Worse);
        }

        #[test]
        fn steeper_never_judges_better(before in 1e3..1e8f64, a in 0.0..1e8f64, b in 0.0..1e8f64) {
            let rank = |after: f64| match effect(&[before], &[after]) {
                SlopeEffect::Helped => 0, SlopeEffect::NoChange => 1, SlopeEffect::Worse => 2, SlopeEffect::TooEarly => 3,
            };
            prop_assert!(rank(a.min(b)) <= rank(a.max(b)));
        }
    }

    #[test]
    fn without_numbers_nothing_is_claimed() {
        assert_eq!(effect(&[1e6], &[]), SlopeEffect::TooEarly);
        assert_eq!(effect(&[], &[1e6]), SlopeEffect::NoChange);
        assert_eq!(effect(&[], &[]), SlopeEffect::TooEarly);
    }
}
