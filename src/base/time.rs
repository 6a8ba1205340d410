//! Moments and the clock that gives them. Pure rooms get a [`Stamp`] with each message and never ask for the time.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

/// A moment in *incident time*: wall clock for people and deadlines, monotonic time as a check on it
/// (a laptop that slept, a clock that was set).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Stamp {
    /// Wall-clock time in UTC.
    pub wall: DateTime<Utc>,
    /// Monotonic time since an arbitrary start of this process; comparable only within one run.
    pub mono: Duration,
}

impl Stamp {
    /// A stamp at `wall`, with monotonic time zero. For tests and for folding a journal.
    pub const fn at(wall: DateTime<Utc>) -> Self {
        Self { wall, mono: Duration::ZERO }
    }

    /// This moment moved by `by` on both clocks.
    #[must_use]
    pub fn plus(self, by: Duration) -> Self {
        let delta = TimeDelta::from_std(by).unwrap_or(TimeDelta::MAX);
        Self { wall: self.wall.checked_add_signed(delta).unwrap_or(DateTime::<Utc>::MAX_UTC), mono: self.mono.saturating_add(by) }
    }
}

/// Gives the time. Only the desk reads it; everybody else is told.
pub trait Clock: Send + Sync {
    /// The present moment in incident time.
    fn now(&self) -> Stamp;
}

/// The system's clock, optionally running `speed` times faster from its creation on (`demo --speed N`).
#[derive(Debug)]
pub struct ScaledClock {
    wall: DateTime<Utc>,
    start: Instant,
    speed: f64,
}

impl ScaledClock {
    /// A clock that shows the system's time and ticks `speed` times as fast; 1.0 follows the system's clock exactly,
    /// also when that is set while the program runs.
    #[expect(clippy::disallowed_methods, reason = "the one owner of the system's clock")]
    pub fn new(speed: f64) -> Self {
        Self { wall: Utc::now(), start: Instant::now(), speed: if speed.is_finite() && speed > 0.0 { speed } else { 1.0 } }
    }

    /// How many times faster than real time this clock runs.
    pub fn speed(&self) -> f64 {
        self.speed
    }
}

impl Clock for ScaledClock {
    #[expect(clippy::disallowed_methods, reason = "the one owner of the system's clock")]
    fn now(&self) -> Stamp {
        let real = self.start.elapsed();
        if (self.speed - 1.0).abs() < f64::EPSILON {
            return Stamp { wall: Utc::now(), mono: real };
        }
        let mono = real.mul_f64(self.speed);
        Stamp::at(self.wall).plus(mono)
    }
}

/// A clock that a test moves by hand.
#[derive(Debug)]
pub struct ScriptedClock(Mutex<Stamp>);

impl ScriptedClock {
    /// A clock that stands at `wall`.
    pub fn new(wall: DateTime<Utc>) -> Self {
        Self(Mutex::new(Stamp::at(wall)))
    }

    /// Moves both clocks on.
    pub fn advance(&self, by: Duration) {
        let mut now = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        *now = now.plus(by);
    }

    /// Sets the wall clock alone, as an administrator or a wake from sleep does.
    pub fn step_wall(&self, wall: DateTime<Utc>) {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).wall = wall;
    }
}

impl Clock for ScriptedClock {
    fn now(&self) -> Stamp {
        *self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scripted_clock_moves_only_by_hand() {
        let start = DateTime::<Utc>::UNIX_EPOCH;
        let clock = ScriptedClock::new(start);
        clock.advance(Duration::from_secs(7200));
        assert_eq!(clock.now().wall - start, TimeDelta::hours(2));
        clock.step_wall(start);
        assert_eq!(clock.now().mono, Duration::from_secs(7200), "a stepped wall clock leaves monotonic time alone");
    }

    #[test]
    fn time_at_its_end_does_not_overflow() {
        let last = Stamp { wall: DateTime::<Utc>::MAX_UTC, mono: Duration::MAX };
        assert_eq!(last.plus(Duration::from_secs(1)), last);
    }
}
