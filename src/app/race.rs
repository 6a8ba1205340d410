//! The race on the screen: when the process will die at its present growth, when its heap will be here, and what will be
//! kept if the growth wins.

use std::time::Duration;

use super::model::{Capture, Model};
use crate::base::span;
use crate::preflight::CaptureState;
use crate::pressure::Eta;

/// Where the race stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Race {
    /// `OOM in about 40 s at this slope; copy done in 25 s`.
    pub words: String,
    /// Whether the growth wins.
    pub lost: bool,
    /// What will be here then; empty while the copy wins.
    pub keeps: String,
}

/// A snapshot that comes through the inspector comes about this fast where nothing better is known, in bytes a second.
const LINK: f64 = 30e6;
/// Where the sections of a snapshot end, as shares of the file: objects and references of an ordinary heap (measured on
/// Node 18 to 26). Names are last.
const NODES_END: f64 = 0.31;
const EDGES_END: f64 = 0.90;

/// The race of a capture that is under way; `None` where nothing grows, or where no number is known.
pub fn race(model: &Model, capture: &Capture) -> Option<Race> {
    capture.job?;
    let Eta::AtMost { left, to } = &model.board.find(&capture.container)?.eta else { return None };
    let dies = format!("OOM in about {} at this slope ({to})", span(*left));
    let (needs, keeps) = match &capture.state {
        CaptureState::Copying { copied, of, rate } => {
            let needs = capture.state.left()?;
            let size = of.map_or(0.0, |of| of.0 as f64).max(1.0);
            let here = copied.0 as f64 + rate.map_or(0.0, |rate| rate.0 as f64) * left.as_secs_f64();
            (needs, kept(here / size))
        }
        CaptureState::Building { done, total } => {
            let gone = model.now.mono.saturating_sub(capture.began.mono);
            let build = if *done > 0 && total > done {
                gone.mul_f64((total - done) as f64 / *done as f64)
            } else {
                capture.assessment.as_ref()?.predicted.freeze?.high.saturating_sub(gone)
            };
            let copy = capture.expected.map_or(0.0, |bytes| bytes.0 as f64 / LINK);
            (build + Duration::from_secs_f64(copy), "nothing: V8 writes when it has built all of it".to_owned())
        }
        _ => return None,
    };
    let lost = needs > *left;
    Some(Race { words: format!("{dies}; copy done in {}", span(needs)), lost, keeps: if lost { keeps } else { String::new() } })
}

fn kept(share: f64) -> String {
    let percent = (share.clamp(0.0, 1.0) * 100.0).floor();
    let what = match share {
        s if s >= EDGES_END => "objects and references whole, names cut",
        s if s >= NODES_END => "objects whole, references and names cut",
        _ => "only part of the objects",
    };
    format!("about {percent:.0} % of it: {what}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_follows_the_order_of_the_file() {
        assert_eq!(kept(0.95), "about 95 % of it: objects and references whole, names cut");
        assert_eq!(kept(0.5), "about 50 % of it: objects whole, references and names cut");
        assert_eq!(kept(0.1), "about 10 % of it: only part of the objects");
        assert!(kept(7.0).starts_with("about 100 %"));
    }
}
