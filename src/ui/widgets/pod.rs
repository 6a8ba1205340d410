//! A container in words: the same symbol, word and numbers on every screen.

use std::time::Duration;

use super::super::theme::Role;
use super::text::{fit_middle, width};
use crate::app::Model;
use crate::base::{Bytes, span};
use crate::pressure::{EndKind, Eta, Row};

/// Less than this is left: it is dying.
const DYING: Duration = Duration::from_secs(120);
/// Less than this is left: soon.
const SOON: Duration = Duration::from_secs(900);

/// How a container stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    Dying,
    Soon,
    Full,
    Climbing,
    Calm,
    Down,
    Ended,
    Unknown,
}

fn standing(row: &Row) -> Standing {
    if !row.running {
        let ended = matches!(row.last_end.as_ref().map(|e| e.kind), Some(EndKind::Completed)) || row.state == "Completed";
        return if ended { Standing::Ended } else { Standing::Down };
    }
    match &row.eta {
        Eta::AtMost { left, .. } if *left < DYING => Standing::Dying,
        Eta::AtMost { left, .. } if *left < SOON => Standing::Soon,
        _ if row.share.is_some_and(|s| s >= 0.9) => Standing::Full,
        Eta::AtMost { .. } => Standing::Climbing,
        Eta::NotGrowing => Standing::Calm,
        Eta::Unknown { .. } if row.working_set.is_some() => Standing::Calm,
        Eta::Unknown { .. } => Standing::Unknown,
    }
}

/// Symbol and role.
pub fn mark(row: &Row) -> (&'static str, Role) {
    match standing(row) {
        Standing::Dying => ("✖", Role::Bad),
        Standing::Soon | Standing::Full => ("▲", Role::Warn),
        Standing::Climbing => ("↑", Role::Warn),
        Standing::Calm => ("●", Role::Good),
        Standing::Down => ("✖", Role::Bad),
        Standing::Ended => ("✔", Role::Dim),
        Standing::Unknown => ("○", Role::Dim),
    }
}

/// The word: the cluster's where it is not simply running, else that of its memory.
pub fn word(row: &Row) -> String {
    if row.state != "Running" {
        return row.state.clone();
    }
    match standing(row) {
        Standing::Dying => "DYING",
        Standing::Soon => "SOON",
        Standing::Full => "FULL",
        Standing::Climbing => "climbing",
        Standing::Calm => "steady",
        Standing::Down => "down",
        Standing::Ended => "ended",
        Standing::Unknown => "no data",
    }
    .to_owned()
}

/// `81 %`, `–` when it is not known.
pub fn percent(row: &Row) -> String {
    row.share.map_or_else(|| "–".to_owned(), |s| format!("{:.0} %", s * 100.0))
}

/// A span at a glance: its greatest unit is enough.
pub fn glance(span: Duration) -> String {
    match span.as_secs() {
        s @ 0..120 => format!("{s} s"),
        s @ 120..7200 => format!("{} min", s / 60),
        s @ 7200..172_800 => format!("{} h", s / 3600),
        s => format!("{} d", s / 86_400),
    }
}

/// Time left: `~4 min`, `steady`, `–`.
pub fn eta(row: &Row) -> String {
    match &row.eta {
        Eta::AtMost { left, .. } if left.is_zero() => "now".to_owned(),
        Eta::AtMost { left, .. } => format!("~{}", glance(*left)),
        Eta::NotGrowing => "no climb".to_owned(),
        Eta::Unknown { .. } => "–".to_owned(),
    }
}

/// Time left, to what, or why that cannot be told: in a sentence.
pub fn eta_words(row: &Row) -> String {
    match &row.eta {
        Eta::AtMost { left, to } if left.is_zero() => format!("should be at its {to} now"),
        Eta::AtMost { left, to } => format!("{to} in {} at most", span(*left)),
        Eta::NotGrowing => "does not climb, as far as the samples tell".to_owned(),
        Eta::Unknown { why } => format!("time left unknown: {why}"),
    }
}

/// Working set and limit in the limit's unit: `412/512 MiB`.
pub fn memory(row: &Row) -> String {
    match (row.working_set, row.limit) {
        (None, None) => "–".to_owned(),
        (None, Some(limit)) => format!("–/{}", limit.binary()),
        (Some(used), None) => format!("{} no limit", used.binary()),
        (Some(used), Some(limit)) => {
            let whole = limit.binary();
            let Some((number, unit)) = whole.split_once(' ') else { return whole };
            let size = match unit {
                "KiB" => 1u64 << 10,
                "MiB" => 1 << 20,
                "GiB" => 1 << 30,
                _ => return format!("{}/{whole}", used.binary()),
            };
            let part = used.0 as f64 / size as f64;
            // 64.0 MiB is written 64 MiB where it stands beside another number.
            let number = number.strip_suffix(".0").or_else(|| number.strip_suffix(".00")).unwrap_or(number);
            if part < 9.95 { format!("{part:.1}/{number} {unit}") } else { format!("{part:.0}/{number} {unit}") }
        }
    }
}

/// Working set alone.
pub fn used(row: &Row) -> String {
    row.working_set.map_or_else(|| "–".to_owned(), Bytes::binary)
}

/// The newest samples for a small graph.
pub fn points(row: &Row) -> Vec<f64> {
    row.spark.iter().map(|b| b.0 as f64).collect()
}

/// How it ended last, in the best words there are.
pub fn ended(row: &Row) -> String {
    match (&row.died, &row.last_end) {
        (Some(words), _) => words.clone(),
        (None, Some(end)) => end.word.clone(),
        (None, None) => String::new(),
    }
}

/// `text` with the names of pods cut in their middle and without their namespace, if it does not fit into `columns` otherwise.
pub fn shorten(model: &Model, text: &str, columns: usize) -> String {
    let mut text = text.to_owned();
    for row in model.board.rows() {
        if width(&text) <= columns {
            break;
        }
        let pod = &row.container.pod;
        text = text.replace(&format!("{}/{}", pod.namespace, pod.name), &pod.name).replace(&pod.name, &fit_middle(&pod.name, 15));
    }
    text
}
