//! Times and counts as the words of this room use them. All times are UTC, so that a text reads the same everywhere.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Timelike, Utc};

use crate::base::{clock, span};
use crate::incident::{Effectiveness, SlopeChange, State};

/// `2026-11-24T10:00:00Z`.
pub(super) fn iso(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// `10:00 UTC`, or with its date when that is another day than `today`'s.
pub(super) fn hour(at: DateTime<Utc>, today: DateTime<Utc>) -> String {
    if at.date_naive() == today.date_naive() { at.format("%H:%M UTC").to_string() } else { at.format("%Y-%m-%d %H:%M UTC").to_string() }
}

/// `T+01:47:12`, or `T-…` before the declaration.
pub(super) fn t_plus(state: &State, at: DateTime<Utc>) -> String {
    let since = at - state.declared.wall;
    let sign = if since < TimeDelta::zero() { '-' } else { '+' };
    format!("T{sign}{}", clock(since.abs().to_std().unwrap_or_default()))
}

/// The time between two moments as people read it; zero if they are the other way round.
pub(super) fn between(from: DateTime<Utc>, to: DateTime<Utc>) -> String {
    span((to - from).to_std().unwrap_or(Duration::ZERO))
}

/// `at` moved to the next full minute.
pub(super) fn next_minute(at: DateTime<Utc>) -> DateTime<Utc> {
    match at.with_second(0).and_then(|m| m.with_nanosecond(0)) {
        Some(minute) if minute < at => minute + TimeDelta::minutes(1),
        Some(minute) => minute,
        None => at,
    }
}

/// `1 container`, `3 containers`.
pub(super) fn count(n: usize, one: &str, more: &str) -> String {
    if n == 1 { format!("1 {one}") } else { format!("{n} {more}") }
}

/// What came of a change, in words: `no change: +12.0 MB/min before, +11.8 MB/min after`.
pub(super) fn effect(change: &SlopeChange) -> String {
    let slope = |s: Option<crate::base::BytesPerSecond>| s.map_or_else(|| "unknown".to_owned(), |s| s.to_string());
    format!("{}: {} before, {} after", effect_word(change.effect), slope(change.before), slope(change.after))
}

/// The word for how much a change helped.
pub(super) const fn effect_word(effect: Effectiveness) -> &'static str {
    match effect {
        Effectiveness::Helped => "helped",
        Effectiveness::NoChange => "no change",
        Effectiveness::Worse => "worse",
        Effectiveness::TooEarly => "too early to say",
    }
}

/// The first 12 digits of a hash, enough to compare by eye.
pub(super) fn short(hash: &str) -> &str {
    hash.get(..12).unwrap_or(hash)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incident::story::{minute, second, told};

    #[test]
    fn times_read_the_same_everywhere() {
        let at = minute(0).wall;
        assert_eq!(t_plus(&told(vec![]), second(6432).wall), "T+01:47:12");
        assert_eq!(t_plus(&told(vec![]), at - TimeDelta::seconds(61)), "T-00:01:01");
        assert_eq!(next_minute(second(61).wall), minute(2).wall);
        assert_eq!(next_minute(minute(2).wall), minute(2).wall);
        assert!(hour(at + TimeDelta::days(1), at).contains('-'));
        assert_eq!(hour(at, at).len(), "10:00 UTC".len());
        assert_eq!(between(minute(5).wall, minute(0).wall), "0 s");
    }
}
