//! Time left to a ceiling.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::series::{Point, seconds};
use super::slope::Line;
use crate::base::Bytes;

/// A limit that kills: the container's, or one the app knows of (V8's heap limit plus what lies outside the heap).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Ceiling {
    /// Working set at which it kills.
    pub bytes: Bytes,
    /// What it is: `container limit`, `V8 heap limit`.
    pub what: String,
}

/// How long a container still lives at the present slope.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "is")]
pub enum Eta {
    /// Its memory does not climb, as far as the samples can tell.
    NotGrowing,
    /// At most this long: leaks speed up (garbage collection takes over near the limit), they rarely slow down.
    AtMost {
        /// From `now` on; zero when the line has crossed the ceiling already.
        left: Duration,
        /// Which ceiling comes first.
        to: String,
    },
    /// Cannot be told.
    Unknown {
        /// Why, in a few words: `no sample yet`, `no limit`, `too few samples`, `samples stopped`.
        why: &'static str,
    },
}

/// A line further away than this says nothing.
const FAR: Duration = Duration::from_secs(7 * 86_400);

/// The time left from `now` for a container that stood at `newest` and moves along `line`.
pub(super) fn eta(newest: Option<Point>, line: Option<&Line>, ceilings: &[Ceiling], now: DateTime<Utc>) -> Eta {
    let Some(newest) = newest else { return Eta::Unknown { why: "no sample yet" } };
    let Some(first) = ceilings.iter().min_by_key(|c| c.bytes) else { return Eta::Unknown { why: "no limit" } };
    let Some(line) = line else { return Eta::Unknown { why: "too few samples" } };
    if !line.climbs() {
        return Eta::NotGrowing;
    }
    let room = first.bytes.0.saturating_sub(newest.used.0) as f64;
    let left = room / line.slope - seconds(now - newest.at).max(0.0);
    match Duration::try_from_secs_f64(left.max(0.0)) {
        Ok(left) if left <= FAR => Eta::AtMost { left, to: first.what.clone() },
        _ => Eta::NotGrowing,
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    const SURE: Line = Line { slope: 1_000_000.0, low: 900_000.0, high: 1_100_000.0 };

    fn at_limit(mib: u64) -> Vec<Ceiling> {
        vec![Ceiling { bytes: Bytes::mib(mib), what: "container limit".into() }]
    }

    #[test]
    fn time_runs_off_since_the_sample() {
        let at = DateTime::<Utc>::UNIX_EPOCH;
        let point = Point { at, used: Bytes(400_000_000) };
        let ceiling = vec![Ceiling { bytes: Bytes(500_000_000), what: "container limit".into() }];
        let left = |now| eta(Some(point), Some(&SURE), &ceiling, now);
        let span = |s| Eta::AtMost { left: Duration::from_secs(s), to: "container limit".into() };
        assert_eq!(left(at), span(100));
        assert_eq!(left(at + TimeDelta::seconds(40)), span(60));
        assert_eq!(left(at + TimeDelta::seconds(400)), span(0), "it should be dead by now");
        assert_eq!(left(at - TimeDelta::seconds(40)), span(100), "a sample from the future is as new as they come");
    }

    #[test]
    fn the_nearest_ceiling_counts() {
        let at = DateTime::<Utc>::UNIX_EPOCH;
        let mut ceilings = at_limit(512);
        ceilings.push(Ceiling { bytes: Bytes::mib(300), what: "V8 heap limit".into() });
        let Eta::AtMost { to, .. } = eta(Some(Point { at, used: Bytes::mib(200) }), Some(&SURE), &ceilings, at) else {
            panic!("it climbs")
        };
        assert_eq!(to, "V8 heap limit");
    }

    #[test]
    fn what_cannot_be_told_says_why() {
        let at = DateTime::<Utc>::UNIX_EPOCH;
        let point = Some(Point { at, used: Bytes::mib(200) });
        assert_eq!(eta(None, None, &at_limit(512), at), Eta::Unknown { why: "no sample yet" });
        assert_eq!(eta(point, Some(&SURE), &[], at), Eta::Unknown { why: "no limit" });
        assert_eq!(eta(point, None, &at_limit(512), at), Eta::Unknown { why: "too few samples" });
        assert_eq!(eta(point, Some(&Line { slope: 5.0, low: -1.0, high: 9.0 }), &at_limit(512), at), Eta::NotGrowing);
        let creeping = Line { slope: 1.0, low: 0.5, high: 2.0 };
        assert_eq!(eta(point, Some(&creeping), &at_limit(512), at), Eta::NotGrowing, "ten years are no ETA");
    }
}
