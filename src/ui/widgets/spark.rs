//! A small graph in one line: `▁▂▃▅▇`.

const LEVELS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// The last values that fit into `columns`, each as a column of eight levels between `floor` and `ceiling`; where
/// there are more values than columns, each column shows the largest of its share. Blank on the left when there are fewer.
pub fn spark(values: &[f64], floor: f64, ceiling: f64, columns: usize) -> String {
    if columns == 0 || values.is_empty() {
        return " ".repeat(columns);
    }
    let mut out = String::new();
    let shown = values.len().min(columns);
    out.push_str(&" ".repeat(columns - shown));
    for column in 0..shown {
        let (from, to) = (values.len() * column / shown, values.len() * (column + 1) / shown);
        let value = values[from..to].iter().copied().fold(f64::MIN, f64::max);
        let share = if ceiling > floor { ((value - floor) / (ceiling - floor)).clamp(0.0, 1.0) } else { 0.0 };
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 7")]
        let level = if share.is_finite() { (share * 7.0).round() as usize } else { 0 };
        out.push(LEVELS[level.min(7)]);
    }
    out
}

/// Floor and ceiling that make the change of `values` visible without making noise a mountain: the ceiling is the
/// largest value, the floor the smallest, but the range is at least a tenth of the largest.
pub fn range(values: &[f64]) -> (f64, f64) {
    let high = values.iter().copied().fold(0.0, f64::max);
    let low = values.iter().copied().fold(high, f64::min);
    (low.min(high * 0.9), high)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_climb_is_seen_as_a_climb() {
        assert_eq!(spark(&[0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0], 0.0, 7.0, 8), "▁▂▃▄▅▆▇█");
        assert_eq!(spark(&[0.0, 7.0], 0.0, 7.0, 4), "  ▁█");
        assert_eq!(spark(&[1.0, 9.0, 1.0, 1.0], 1.0, 9.0, 2), "█▁", "a spike is not lost");
        assert_eq!(spark(&[], 0.0, 1.0, 3), "   ");
        assert_eq!(spark(&[5.0, 5.0], 5.0, 5.0, 2), "▁▁");
        assert_eq!(spark(&[f64::NAN], 0.0, 1.0, 1), "▁");
    }
}
