//! Which failures are tried again, and when. Alertmanager's rules (`notify/util.go`, `Retrier.Check`): network errors, 5xx
//! and 429; nothing else, since the same request would be refused again.

use std::time::Duration;

use chrono::DateTime;

/// Wait before the second try; doubled for each further one.
const FIRST: Duration = Duration::from_secs(5);
/// Longest wait that is not asked for by the receiver.
const LONGEST: Duration = Duration::from_secs(300);
/// Longest wait that a receiver may ask for; an outage cannot wait for a day.
const ASKED: Duration = Duration::from_secs(900);
/// Tries after which a post is given up: about half an hour of waiting.
pub const TRIES: u32 = 12;

/// Whether a request that was answered with `status` (`None`: not answered at all) may succeed when it is made again.
pub fn may_retry(status: Option<u16>) -> bool {
    status.is_none_or(|code| code == 429 || (500..=599).contains(&code))
}

/// How long to wait before the next try, after `tries` that failed. `asked` is the receiver's `Retry-After`. `None` when
/// the post is given up.
pub fn wait(tries: u32, asked: Option<Duration>) -> Option<Duration> {
    if tries >= TRIES {
        return None;
    }
    let doubled = FIRST.saturating_mul(1 << tries.saturating_sub(1).min(16)).min(LONGEST);
    Some(asked.map_or(doubled, |asked| asked.min(ASKED).max(Duration::from_secs(1))))
}

/// Reads `Retry-After` (RFC 9110 §10.2.3): seconds, or a date, which is compared with the `Date` of the same answer, so
/// that no clock of ours is asked.
pub fn retry_after(header: &str, date: Option<&str>) -> Option<Duration> {
    let header = header.trim();
    if let Ok(seconds) = header.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let at = DateTime::parse_from_rfc2822(header).ok()?;
    let now = DateTime::parse_from_rfc2822(date?.trim()).ok()?;
    (at - now).to_std().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_may_pass_is_tried_again() {
        let cases = [(None, true), (Some(429), true), (Some(500), true), (Some(503), true), (Some(599), true)];
        let never = [200, 202, 301, 400, 401, 403, 404, 408, 413, 422].map(|code| (Some(code), false));
        for (status, again) in cases.into_iter().chain(never) {
            assert_eq!(may_retry(status), again, "{status:?}");
        }
    }

    #[test]
    fn waits_double_and_the_receiver_is_heard_within_reason() {
        let s = Duration::from_secs;
        assert_eq!([1, 2, 3, 8, 11].map(|n| wait(n, None)), [Some(s(5)), Some(s(10)), Some(s(20)), Some(s(300)), Some(s(300))]);
        assert_eq!(wait(1, Some(s(30))), Some(s(30)));
        assert_eq!(wait(1, Some(s(86_400))), Some(s(900)));
        assert_eq!(wait(1, Some(s(0))), Some(s(1)), "never at once");
        assert_eq!(wait(TRIES, Some(s(1))), None);
        let all: Duration = (1..TRIES).filter_map(|n| wait(n, None)).sum();
        assert!(all > s(20 * 60) && all < s(60 * 60), "{all:?}");
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let date = Some("Tue, 24 Nov 2026 10:00:00 GMT");
        assert_eq!(retry_after(" 30 ", None), Some(Duration::from_secs(30)));
        assert_eq!(retry_after("Tue, 24 Nov 2026 10:02:00 GMT", date), Some(Duration::from_secs(120)));
        for (header, date) in
            [("soon", date), ("Tue, 24 Nov 2026 10:02:00 GMT", None), ("Tue, 24 Nov 2026 09:00:00 GMT", date), ("-1", date)]
        {
            assert_eq!(retry_after(header, date), None, "{header}");
        }
    }
}
