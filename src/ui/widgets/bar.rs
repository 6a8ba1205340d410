//! A bar of a share: `████░░`.

/// A bar of `columns` for `share` (0 to 1; more is shown as full, what is not a number as empty).
pub fn bar(share: f64, columns: usize) -> String {
    let share = if share.is_finite() { share.clamp(0.0, 1.0) } else { 0.0 };
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a column count is small and positive")]
    let full = ((share * columns as f64).round() as usize).min(columns);
    // Something is not nothing, and not yet everything is not everything.
    let full = match full {
        0 if share > 0.0 && columns > 0 => 1,
        n if n == columns && share < 1.0 && columns > 1 => columns - 1,
        n => n,
    };
    "█".repeat(full) + &"░".repeat(columns - full)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_whole_is_full() {
        let cases = [(0.0, "░░░░"), (0.01, "█░░░"), (0.5, "██░░"), (0.99, "███░"), (1.0, "████"), (1.7, "████"), (f64::NAN, "░░░░")];
        for (share, shown) in cases {
            assert_eq!(bar(share, 4), shown, "{share}");
        }
        assert_eq!(bar(0.5, 0), "");
    }
}
