//! Words of what waits for hours: how a container is armed, what is a sign of its death, when a second snapshot is due.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::base::{Bytes, parse_quantity, parse_span, span};

/// How a container is made to leave its heap at the next death.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Arming {
    /// It was started with the flags of a capture.
    Flags,
    /// Through the inspector, at run time; the next life has to be armed again.
    Inspector,
    /// Nothing in the pod is changed: only what it leaves by itself is collected.
    Only,
}

impl Arming {
    /// In a few words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Flags => "armed by its flags",
            Self::Inspector => "armed through the inspector",
            Self::Only => "only watched, nothing in the pod is changed",
        }
    }
}

/// The first thing that was seen of a death.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sign {
    /// A new file in its directory.
    File,
    /// A line of its log.
    Log,
    /// The kernel killed it for memory.
    OomKill,
    /// It ended, or was started again.
    Death,
    /// The pod is going or gone, or another has its name.
    Replaced,
}

impl Sign {
    /// The word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Log => "log line",
            Self::OomKill => "OOMKilled",
            Self::Death => "death",
            Self::Replaced => "pod replaced",
        }
    }
}

/// When a second snapshot of one process is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "when")]
pub enum PairWhen {
    /// When the working set has grown by this much.
    Grown {
        /// Bytes on top of the base.
        by: Bytes,
    },
    /// After this long.
    After {
        /// Seconds of incident time.
        seconds: u64,
    },
}

impl PairWhen {
    /// Reads `+50MB`, `+50Mi`, `+20%` (of `base`, the working set now), `10m`, `now`.
    ///
    /// # Errors
    /// What is wrong, in words for the person who typed it.
    pub fn parse(text: &str, base: Option<Bytes>) -> Result<Self, String> {
        let text = text.trim();
        if text.eq_ignore_ascii_case("now") {
            return Ok(Self::After { seconds: 0 });
        }
        let help = "write a growth (+50MB, +20%), a time (10m, 1h30m) or now";
        let Some(growth) = text.strip_prefix('+') else {
            let wait = parse_span(text).ok_or(help)?;
            return Ok(Self::After { seconds: wait.as_secs() });
        };
        let base = base.ok_or("the memory of this container is not measured: wait for a time instead (10m)")?;
        let growth = growth.trim();
        let by = match growth.strip_suffix('%') {
            Some(percent) => {
                let percent: f64 = percent.trim().parse().map_err(|_| help)?;
                Bytes((base.0 as f64 * percent.clamp(0.0, 1000.0) / 100.0) as u64)
            }
            // MB as people write it is M as Kubernetes does.
            None => parse_quantity(growth.strip_suffix(['B', 'b']).unwrap_or(growth)).ok_or(help)?,
        };
        if by.0 < 1 << 20 { Err("a growth of less than 1 MB proves nothing".to_owned()) } else { Ok(Self::Grown { by }) }
    }

    /// In a few words: `grown by 50.0 MB`, `in 10 min`.
    pub fn words(self) -> String {
        match self {
            Self::Grown { by } => format!("when its memory has grown by {by}"),
            Self::After { seconds: 0 } => "now".to_owned(),
            Self::After { seconds } => format!("after {}", span(Duration::from_secs(seconds))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_written_as_people_write_it() {
        let base = Some(Bytes(200_000_000));
        let cases = [
            ("+50MB", Ok(PairWhen::Grown { by: Bytes(50_000_000) })),
            ("+ 64Mi", Ok(PairWhen::Grown { by: Bytes::mib(64) })),
            ("+20%", Ok(PairWhen::Grown { by: Bytes(40_000_000) })),
            ("10m", Ok(PairWhen::After { seconds: 600 })),
            ("Now", Ok(PairWhen::After { seconds: 0 })),
            ("+0.1%", Err(())),
            ("+", Err(())),
            ("50", Err(())),
            ("", Err(())),
            ("soon", Err(())),
        ];
        for (text, wanted) in cases {
            assert_eq!(PairWhen::parse(text, base).map_err(drop), wanted, "{text:?}");
        }
        assert!(PairWhen::parse("+20%", None).is_err_and(|why| why.contains("10m")), "a growth of what?");
    }
}
