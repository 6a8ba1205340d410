//! How fast a copy comes, by the caller's clock: incident time, as the growth that it races against.

use std::collections::VecDeque;
use std::time::Duration;

use crate::base::Bytes;

use super::state::CaptureState;

/// The rate is that of this last while: a link that slows down is seen soon, a short stall is smoothed.
const WINDOW: Duration = Duration::from_secs(10);
/// Looks closer together than this are one.
const APART: Duration = Duration::from_millis(250);

/// Puts the rate into the states of one copy.
#[derive(Clone, Debug, Default)]
pub struct Pace(VecDeque<(Duration, u64)>);

impl Pace {
    /// `state` as it was told at `now` (monotonic), with its rate if it is a copy that has gone on for a moment.
    pub fn told(&mut self, state: CaptureState, now: Duration) -> CaptureState {
        match state {
            CaptureState::Copying { copied, of, .. } => CaptureState::Copying { copied, of, rate: self.seen(now, copied) },
            other => other,
        }
    }

    fn seen(&mut self, now: Duration, bytes: Bytes) -> Option<Bytes> {
        match self.0.back_mut() {
            // What comes between two looks counts for the later one.
            Some(last) if now.saturating_sub(last.0) < APART => {}
            _ => self.0.push_back((now, bytes.0)),
        }
        while self.0.len() > 2 && self.0.get(1).is_some_and(|second| now.saturating_sub(second.0) >= WINDOW) {
            self.0.pop_front();
        }
        let (since, from) = *self.0.front()?;
        let took = now.saturating_sub(since);
        (took >= APART).then(|| Bytes((bytes.0.saturating_sub(from) as f64 / took.as_secs_f64()) as u64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rates(told: &[(u64, u64)]) -> Vec<Option<u64>> {
        let mut pace = Pace::default();
        let of = Some(Bytes(1000));
        let mut rate = |(ms, bytes): &(u64, u64)| {
            let state = CaptureState::Copying { copied: Bytes(*bytes), of, rate: None };
            match pace.told(state, Duration::from_millis(*ms)) {
                CaptureState::Copying { rate, .. } => rate.map(|rate| rate.0),
                other => panic!("{other:?}"),
            }
        };
        told.iter().map(&mut rate).collect()
    }

    #[test]
    fn the_rate_is_that_of_the_last_seconds() {
        assert_eq!(rates(&[(0, 0), (100, 50), (1000, 100), (2000, 200)]), [None, None, Some(100), Some(100)]);
        // Fast, then a stall: after the window nothing of the fast time is left.
        let stalled: Vec<(u64, u64)> = (0..40).map(|s| (s * 1000, 1000.min(s * 1000))).collect();
        assert_eq!(rates(&stalled).last(), Some(&Some(0)));
        // A clock that runs sixty times as fast has looks that lie far apart.
        assert_eq!(rates(&[(0, 0), (15_000, 150), (30_000, 300), (45_000, 900)]), [None, Some(10), Some(10), Some(40)]);
        assert_eq!(rates(&[(5000, 100), (1000, 50)]), [None, None], "a clock that steps back gives no rate");
    }

    #[test]
    fn what_is_no_copy_stays_as_it_is() {
        let building = CaptureState::Building { done: 1, total: 2 };
        assert_eq!(Pace::default().told(building.clone(), Duration::ZERO), building);
    }
}
