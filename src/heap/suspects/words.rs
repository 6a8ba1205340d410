//! The sentences of a suspect.

use crate::base::{Bytes, Count, Masked, span};
use crate::heap::verdict::{HolderKind, Place, Suspect};

/// A file as a person says it: the last two components.
pub(super) fn short(place: &Place) -> String {
    let parts: Vec<&str> = place.file.as_str().rsplit('/').take(2).collect();
    let file = parts.into_iter().rev().collect::<Vec<_>>().join("/");
    format!("{file}:{}", place.line)
}

/// `+12,000 ImportedContent`, `+12,000 entries`.
fn things(count: u64, class: &str) -> String {
    match class {
        "" => format!("{} entries", Count(count)),
        class => format!("{} {class}", Count(count)),
    }
}

fn what(kind: HolderKind) -> String {
    let word = kind.word();
    let article = if word.starts_with(['a', 'e', 'i', 'o', 'u', 'A', 'E', 'I', 'O', 'U']) { "an" } else { "a" };
    match kind {
        HolderKind::Listeners
        | HolderKind::Timers
        | HolderKind::Promises
        | HolderKind::AsyncFrames
        | HolderKind::Subscribers
        | HolderKind::Closure
        | HolderKind::Metrics
        | HolderKind::RequestScope
        | HolderKind::Sockets
        | HolderKind::Buffers
        | HolderKind::Strings => word.to_owned(),
        _ => format!("{article} {word}"),
    }
}

/// One sentence that a tired person understands.
pub(super) fn headline(s: &Suspect, seconds: Option<f64>, because: &[&str], detail: Option<&str>) -> Masked {
    let at = s.location.as_ref().map(|p| format!(" at {}", short(p))).unwrap_or_default();
    let package = s.package.as_ref().map(|p| format!(", stored by {p}")).unwrap_or_default();
    let detail = detail.map(|d| format!(", {d}")).unwrap_or_default();
    let holder = format!("{} ({}{detail}{package}){at}", s.holder, what(s.holder_kind));
    let share = |x: f64| format!("{:.0} %", x * 100.0);
    let text = match s.growth_bytes {
        Some(growth) => {
            let growth = Bytes(u64::try_from(growth).unwrap_or(0));
            let more = s
                .count_growth
                .filter(|&n| n > 0)
                .map(|n| format!(" by {}", things(u64::try_from(n).unwrap_or(0), s.growing_class.as_str())))
                .unwrap_or_default();
            let during = seconds.map(|t| format!(" in {}", span(std::time::Duration::from_secs_f64(t.max(0.0))))).unwrap_or_default();
            let of = s.growth_share.map(|g| format!(", {} of all growth", share(g))).unwrap_or_default();
            format!("{holder} grows{more}{during}: +{growth}{of}; it now keeps {}, {} of the heap", Bytes(s.retained_bytes), share(s.share))
        }
        None => {
            let since = because.first().map(|b| format!("; {b}")).unwrap_or_default();
            let many = if s.count > 1 { format!("holds {}: ", things(s.count, s.growing_class.as_str())) } else { "keeps ".to_owned() };
            format!("{holder} {many}{}, {} of the heap{since}", Bytes(s.retained_bytes), share(s.share))
        }
    };
    Masked::from(text)
}
