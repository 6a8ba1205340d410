//! A robust line through points: Theil–Sen (median of the slopes of all pairs), which up to 29 % of wild points cannot
//! move, with the quartiles of the same slopes as a measure of how sure it is.
//!
//! P. K. Sen, "Estimates of the Regression Coefficient Based on Kendall's Tau", JASA 63 (1968).

use serde::Serialize;

/// Slope in units of y per unit of x, with the quartiles of all pairwise slopes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(super) struct Line {
    pub slope: f64,
    pub low: f64,
    pub high: f64,
}

impl Line {
    /// Three quarters of all pairs of points climb.
    pub fn climbs(&self) -> bool {
        self.low > 0.0
    }
}

/// The line through `points` (x, y) that are parts of one level each: only pairs of the same part are compared, since
/// between two parts lies a step that is no growth. `None` without two different x in a part.
pub(super) fn line(parts: &[Vec<(f64, f64)>]) -> Option<Line> {
    let mut slopes = Vec::with_capacity(parts.iter().map(|p| p.len() * p.len() / 2).sum());
    for points in parts {
        for (i, a) in points.iter().enumerate() {
            for b in &points[i + 1..] {
                let dx = b.0 - a.0;
                if dx != 0.0 {
                    slopes.push((b.1 - a.1) / dx);
                }
            }
        }
    }
    if slopes.is_empty() {
        return None;
    }
    slopes.sort_by(f64::total_cmp);
    Some(Line { slope: median(&slopes), low: slopes[slopes.len() / 4], high: slopes[(slopes.len() * 3 / 4).min(slopes.len() - 1)] })
}

/// Median of sorted values; 0 of none.
pub(super) fn median(sorted: &[f64]) -> f64 {
    match sorted.len() {
        0 => 0.0,
        n if n % 2 == 1 => sorted[n / 2],
        n => f64::midpoint(sorted[n / 2 - 1], sorted[n / 2]),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_straight_line_is_found_exactly(slope in -1e6..1e6f64, start in 0.0..1e9f64, n in 2usize..40) {
            let points: Vec<_> = (0..n).map(|i| (i as f64, start + slope * i as f64)).collect();
            let found = line(&[points]).expect("two points");
            prop_assert!((found.slope - slope).abs() <= slope.abs() * 1e-6 + 1e-3);
        }

        #[test]
        fn a_step_between_two_parts_is_no_growth(slope in 1e3..1e6f64, step in 1e6..1e9f64, n in 3usize..20) {
            let part = |from: usize, up: f64| (from..from + n).map(|i| (i as f64, up + slope * i as f64)).collect::<Vec<_>>();
            let found = line(&[part(0, 0.0), part(n, step)]).expect("points");
            prop_assert!((found.slope - slope).abs() <= slope * 1e-3, "{found:?}");
        }

        #[test]
        fn a_fifth_of_wild_points_does_not_move_it_far(slope in 1e3..1e6f64, wild in prop::collection::vec(-1e10..1e10f64, 4)) {
            let mut points: Vec<_> = (0..20).map(|i| (f64::from(i), slope * f64::from(i))).collect();
            for (i, w) in wild.iter().enumerate() {
                points[i * 5 + 2].1 = *w;
            }
            let found = line(&[points]).expect("many points");
            prop_assert!((found.slope - slope).abs() < slope * 0.05, "{found:?}");
        }

        #[test]
        fn order_of_points_does_not_matter(points in prop::collection::vec((0.0..1e4f64, 0.0..1e9f64), 2..20)) {
            let mut turned = points.clone();
            turned.reverse();
            let (a, b) = (line(&[points]), line(&[turned]));
            prop_assert_eq!(a.map(|l| l.slope), b.map(|l| l.slope));
        }
    }

    #[test]
    fn noise_around_a_level_does_not_climb() {
        let points: Vec<_> = (0..30u32).map(|i| (f64::from(i), 1e8 + f64::from(i * 7919 % 13) * 1e6)).collect();
        assert!(!line(&[points]).expect("points").climbs());
        assert_eq!(line(&[vec![(1.0, 1.0), (1.0, 2.0)]]), None, "one moment has no slope");
    }
}
