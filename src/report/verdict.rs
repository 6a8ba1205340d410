//! The verdict in one sentence that a tired person understands, and the age of the code it names.

use chrono::{DateTime, Utc};

use crate::base::Masked;
use crate::heap::{Age, Verdict};
use crate::source::LastChange;

/// The first suspect's headline with the age of its code, or why nothing is named.
pub fn verdict_sentence(verdict: &Verdict) -> Masked {
    match verdict.first() {
        Some(first) => match &first.age {
            Some(age) => Masked::from(format!("{}; {}", first.headline, age_words(age, None))),
            None => first.headline.clone(),
        },
        None => verdict.reason.clone(),
    }
}

/// What git said, as a verdict keeps it.
pub fn verdict_age(change: &LastChange) -> Age {
    Age {
        commit: Masked::from(change.commit.chars().take(12).collect::<String>()),
        subject: change.subject.clone(),
        changed: change.changed,
        file: Masked::from(change.file.as_str()),
        older_than: change.older_than,
        changes: change.changes,
    }
}

/// `last changed 7 months ago (2026-04-01, 1a2b3c4d5e6f), before all 3 changes of the last day: reverting them cannot mend it`. Without `now`
/// only the date is given.
pub fn age_words(age: &Age, now: Option<DateTime<Utc>>) -> Masked {
    let ago = now.map(|now| format!("{} ago ", long_span((now - age.changed).num_days()))).unwrap_or_default();
    let when = format!("last changed {ago}({}, {})", age.changed.format("%Y-%m-%d"), age.commit);
    let n = age.changes;
    let than = match (age.older_than, n) {
        (_, 0) => String::new(),
        (older, n) if older == n && n == 1 => ", before the only change of the last day: reverting it cannot mend this".to_owned(),
        (older, n) if older == n => format!(", before all {n} changes of the last day: reverting them cannot mend this"),
        (0, n) => format!(", not before any of the {n} changes of the last day: one of them may have brought it"),
        (older, n) => format!(", before {older} of the {n} changes of the last day"),
    };
    Masked::from(format!("{when}{than}"))
}

fn long_span(days: i64) -> String {
    let of = |n: i64, word: &str| format!("{n} {word}{}", if n == 1 { "" } else { "s" });
    match days {
        ..=0 => "less than a day".to_owned(),
        1..=60 => of(days, "day"),
        61..=729 => of(days * 100 / 3044, "month"),
        _ => of(days / 365, "year"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn age(older_than: u32, changes: u32) -> Age {
        Age {
            commit: "1a2b3c4d5e6f".into(),
            subject: "Cache".into(),
            changed: DateTime::from_timestamp(1_775_037_600, 0).expect("a date"),
            file: "src/a.js".into(),
            older_than,
            changes,
        }
    }

    #[test]
    fn old_code_takes_the_blame_from_the_patches_of_today() {
        let now = age(0, 0).changed + chrono::TimeDelta::days(237);
        let cases = [
            (
                3,
                3,
                "last changed 7 months ago (2026-04-01, 1a2b3c4d5e6f), before all 3 changes of the last day: reverting them cannot mend this",
            ),
            (
                1,
                1,
                "last changed 7 months ago (2026-04-01, 1a2b3c4d5e6f), before the only change of the last day: reverting it cannot mend this",
            ),
            (1, 3, "last changed 7 months ago (2026-04-01, 1a2b3c4d5e6f), before 1 of the 3 changes of the last day"),
            (
                0,
                2,
                "last changed 7 months ago (2026-04-01, 1a2b3c4d5e6f), not before any of the 2 changes of the last day: one of them may have brought it",
            ),
            (0, 0, "last changed 7 months ago (2026-04-01, 1a2b3c4d5e6f)"),
        ];
        for (older, changes, words) in cases {
            assert_eq!(age_words(&age(older, changes), Some(now)).as_str(), words);
        }
    }

    #[test]
    fn without_a_suspect_the_reason_is_the_sentence() {
        let verdict = Verdict { reason: "nothing grows".into(), ..Verdict::default() };
        assert_eq!(verdict_sentence(&verdict).as_str(), "nothing grows");
    }
}
