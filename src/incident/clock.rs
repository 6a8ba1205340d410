//! The clock as people read it at one moment, and the check of the wall clock against the monotonic one.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::due::{Due, next_due, update_due};
use super::state::State;
use crate::base::Stamp;

/// Where an incident stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// What is broken, and how badly? Until the first act or capture, at most until the scope post.
    SizeUp,
    /// Reverts and other quick fixes are tried.
    QuickFixes,
    /// The same, shortly before the cut-off.
    Warning,
    /// The cut-off has passed and wants a decision.
    CutOff,
    /// Quick fixes are over.
    DeepRca,
    /// The incident is over.
    Resolved,
}

impl Phase {
    /// The word on the screen.
    pub const fn word(self) -> &'static str {
        match self {
            Self::SizeUp => "SIZE-UP",
            Self::QuickFixes => "QUICK FIXES",
            Self::Warning => "WARNING",
            Self::CutOff => "CUT-OFF",
            Self::DeepRca => "DEEP RCA",
            Self::Resolved => "RESOLVED",
        }
    }

    /// A symbol beside the word, one column wide, different for each.
    pub const fn symbol(self) -> &'static str {
        match self {
            Self::SizeUp => "○",
            Self::QuickFixes => "●",
            Self::Warning => "▲",
            Self::CutOff => "■",
            Self::DeepRca => "◆",
            Self::Resolved => "✓",
        }
    }

    /// The symbol where only ASCII can be shown.
    pub const fn ascii(self) -> &'static str {
        match self {
            Self::SizeUp => "o",
            Self::QuickFixes => "*",
            Self::Warning => "^",
            Self::CutOff => "#",
            Self::DeepRca => "+",
            Self::Resolved => "=",
        }
    }
}

/// The clock at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockView {
    /// Since the declaration; stands still once resolved.
    pub since: Duration,
    /// When the cut-off is due, after extensions.
    pub cutoff: DateTime<Utc>,
    /// Seconds to the cut-off, negative when it is past. Stands still once resolved.
    pub left_s: i64,
    /// Where the incident stands.
    pub phase: Phase,
    /// The cut-off's prompt waits for a decision.
    pub undecided: bool,
    /// What comes next.
    pub next: Option<Due>,
    /// Seconds to the next status post, negative when it is overdue; `None` once resolved.
    pub update_in_s: Option<i64>,
}

/// The clock of `state` at `now`.
pub fn clock_view(state: &State, now: Stamp) -> ClockView {
    let at = state.resolved.as_ref().map_or(now.wall, |end| end.mark.at);
    ClockView {
        since: (at - state.declared.wall).to_std().unwrap_or_default(),
        cutoff: state.cutoff.due,
        left_s: (state.cutoff.due - at).num_seconds(),
        phase: phase(state, at),
        undecided: state.is_open() && state.cutoff.deep_since.is_none() && at >= state.cutoff.due,
        next: next_due(state, now),
        update_in_s: update_due(state).map(|due| (due - at).num_seconds()),
    }
}

fn phase(state: &State, at: DateTime<Utc>) -> Phase {
    if !state.is_open() {
        Phase::Resolved
    } else if state.cutoff.deep_since.is_some() {
        Phase::DeepRca
    } else if at >= state.cutoff.due {
        Phase::CutOff
    } else if at >= state.cutoff.warn_at {
        Phase::Warning
    } else if !state.acts.is_empty() || !state.captures.is_empty() || (at - state.declared.wall).num_seconds() >= size_up_s(state) {
        Phase::QuickFixes
    } else {
        Phase::SizeUp
    }
}

fn size_up_s(state: &State) -> i64 {
    i64::try_from(state.plan.scope_post_s).unwrap_or(i64::MAX)
}

/// Wall and monotonic clock may differ by this much between two readings without being called a step.
const STEP_S: i64 = 2;

/// By how many seconds the wall clock moved against the monotonic one between two readings of one run: sleep, or it
/// was set. `None` if it did not, or if `earlier` is of another run (monotonic time starts anew).
pub fn clock_step(earlier: Stamp, now: Stamp) -> Option<i64> {
    let mono = now.mono.checked_sub(earlier.mono)?;
    let wall_ms = (now.wall - earlier.wall).num_milliseconds();
    let off_ms = wall_ms.saturating_sub(i64::try_from(mono.as_millis()).unwrap_or(i64::MAX));
    (off_ms.saturating_abs() > STEP_S * 1000).then_some(off_ms / 1000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incident::story::{minute, second, start, told};
    use crate::incident::{Decision, Kind};

    #[test]
    fn the_word_follows_the_clock() {
        let answered = |d| vec![(120, Kind::CutoffReached { due: minute(120).wall }), (125, Kind::Decided(d))];
        let longer = || Decision::Extend { minutes: 40, reason: "one revert left".into() };
        let over = || vec![(70, Kind::Resolved { text: "rolled back".into() })];
        let cases = [
            (vec![], 0, "SIZE-UP", 7200),
            (vec![], 10, "QUICK FIXES", 6600),
            (vec![], 89, "QUICK FIXES", 1860),
            (vec![], 90, "WARNING", 1800),
            (vec![], 120, "CUT-OFF", 0),
            (vec![], 150, "CUT-OFF", -1800),
            (answered(Decision::GoDeep), 126, "DEEP RCA", -360),
            (answered(longer()), 126, "QUICK FIXES", 2340),
            (answered(longer()), 155, "WARNING", 600),
            (answered(longer()), 165, "CUT-OFF", 0),
            (over(), 300, "RESOLVED", 3000),
        ];
        for (story, at, word, left) in cases {
            let view = clock_view(&told(story), minute(at));
            assert_eq!((view.phase.word(), view.left_s), (word, left), "minute {at}");
            assert_eq!(view.undecided, word == "CUT-OFF");
        }
        assert_eq!(clock_view(&told(over()), minute(300)).since, Duration::from_secs(4200), "a resolved clock stands");
        assert_eq!(clock_view(&told(vec![]), Stamp::at(start() - chrono::TimeDelta::hours(1))).since, Duration::ZERO);
    }

    #[test]
    fn every_phase_can_be_told_apart_without_colour() {
        let all = [Phase::SizeUp, Phase::QuickFixes, Phase::Warning, Phase::CutOff, Phase::DeepRca, Phase::Resolved];
        for name in [Phase::word, Phase::symbol, Phase::ascii] {
            let names: std::collections::BTreeSet<&str> = all.iter().map(|p| name(*p)).collect();
            assert_eq!(names.len(), all.len());
        }
        assert!(all.iter().all(|p| p.ascii().is_ascii()));
    }

    #[test]
    fn sleep_and_set_clocks_are_seen_and_ordinary_ticks_are_not() {
        let at = |wall: u64, mono: u64| Stamp { wall: second(wall).wall, mono: Duration::from_secs(mono) };
        let cases = [
            (at(0, 0), at(1, 1), None, "a tick"),
            (at(0, 0), at(3600, 3598), None, "slewing"),
            (at(0, 0), at(3600, 10), Some(3590), "slept"),
            (at(3600, 0), at(0, 1), Some(-3601), "set back"),
            (at(0, 500), at(3600, 3), None, "another run"),
        ];
        for (earlier, now, step, story) in cases {
            assert_eq!(clock_step(earlier, now), step, "{story}");
        }
    }
}
