//! Quantities with their units, printed as people read them; and the parsers of how people and Kubernetes write them.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A number of bytes. Displayed in decimal units with three significant digits: `812 B`, `14.2 MB`, `1.43 GB`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Bytes(pub u64);

impl Bytes {
    /// `self - other`, or zero.
    #[must_use]
    pub const fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// Mebibytes as Kubernetes users write limits: `512 MiB` is `Bytes::mib(512)`.
    pub const fn mib(n: u64) -> Self {
        Self(n << 20)
    }

    /// In binary units, as limits are written: `512 MiB`, `1.5 GiB`.
    pub fn binary(self) -> String {
        scaled(self.0 as f64, 1024.0, &["B", "KiB", "MiB", "GiB", "TiB"])
    }

    /// `self / whole` as a share; 0 when `whole` is 0.
    pub fn share_of(self, whole: Self) -> f64 {
        if whole.0 == 0 { 0.0 } else { self.0 as f64 / whole.0 as f64 }
    }
}

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&scaled(self.0 as f64, 1000.0, &["B", "kB", "MB", "GB", "TB"]))
    }
}

/// Change of memory in bytes per second; may be negative. Displayed per minute: `+12.0 MB/min`.
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BytesPerSecond(pub f64);

impl fmt::Display for BytesPerSecond {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let minute = self.0 * 60.0;
        let sign = if minute < 0.0 { '-' } else { '+' };
        f.pad(&format!("{sign}{}/min", scaled(minute.abs(), 1000.0, &["B", "kB", "MB", "GB", "TB"])))
    }
}

/// A count with thousands separated: `1,234,567`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Count(pub u64);

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.0.to_string();
        let mut out = String::with_capacity(digits.len() + digits.len() / 3);
        for (i, c) in digits.chars().enumerate() {
            if i > 0 && (digits.len() - i).is_multiple_of(3) {
                out.push(',');
            }
            out.push(c);
        }
        f.pad(&out)
    }
}

fn scaled(value: f64, base: f64, units: &[&str]) -> String {
    let mut value = value;
    let mut unit = 0;
    // 999.5 would round up to "1000" in this unit.
    while value >= 999.5 && unit + 1 < units.len() {
        value /= base;
        unit += 1;
    }
    let digits = if unit == 0 || value >= 99.95 {
        0
    } else if value >= 9.995 {
        1
    } else {
        2
    };
    format!("{value:.digits$} {}", units[unit])
}

/// A span as a person reads it, two units at most: `45 s`, `4 min`, `1 h 47 min`, `3 d 4 h`, `7 months`.
pub fn span(d: Duration) -> String {
    let s = d.as_secs();
    let (min, h, days) = (s / 60, s / 3600, s / 86_400);
    match () {
        () if s < 60 => format!("{s} s"),
        () if min < 10 && !s.is_multiple_of(60) => format!("{min} min {} s", s % 60),
        () if min < 60 => format!("{min} min"),
        () if h < 24 && min % 60 == 0 => format!("{h} h"),
        () if h < 24 => format!("{h} h {} min", min % 60),
        () if days < 7 && h % 24 != 0 => format!("{days} d {} h", h % 24),
        () if days < 60 => format!("{days} d"),
        () if days < 700 => format!("{} months", (days as f64 / 30.44).round()),
        () => format!("{:.1} years", days as f64 / 365.25),
    }
}

/// `hh:mm:ss`, as on the incident clock.
pub fn clock(d: Duration) -> String {
    let s = d.as_secs();
    format!("{:02}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60)
}

/// Reads a span as people write it in configs: `90s`, `20m`, `2h`, `1h30m`, `1d`. A bare number is refused, since its
/// unit would be a guess. `None` when it is not a span.
pub fn parse_span(text: &str) -> Option<Duration> {
    let mut total = 0u64;
    let mut number = String::new();
    let mut any = false;
    for c in text.trim().chars() {
        match c {
            '0'..='9' => number.push(c),
            ' ' if number.is_empty() => {}
            's' | 'm' | 'h' | 'd' => {
                let unit = match c {
                    's' => 1,
                    'm' => 60,
                    'h' => 3600,
                    _ => 86_400,
                };
                total = total.checked_add(number.parse::<u64>().ok()?.checked_mul(unit)?)?;
                number.clear();
                any = true;
            }
            _ => return None,
        }
    }
    (any && number.is_empty()).then(|| Duration::from_secs(total))
}

/// Reads a Kubernetes quantity of bytes (`512Mi`, `1.5G`, `590208Ki`, `1e9`, `134217728`, `1500m`), rounding up as
/// `resource.Quantity` does (`k8s.io/apimachinery/pkg/api/resource/quantity.go`). `None` when it is none or negative.
pub fn parse_quantity(text: &str) -> Option<Bytes> {
    let text = text.trim();
    let split = text.find(|c: char| !(c.is_ascii_digit() || c == '.' || c == '+')).unwrap_or(text.len());
    let (number, suffix) = text.split_at(split);
    let value: f64 = number.parse().ok()?;
    let factor = match suffix {
        "" => 1.0,
        "m" => 1e-3,
        "k" => 1e3,
        "M" => 1e6,
        "G" => 1e9,
        "T" => 1e12,
        "P" => 1e15,
        "Ki" => 1024.0,
        "Mi" => 1024.0 * 1024.0,
        "Gi" => 1024.0 * 1024.0 * 1024.0,
        "Ti" => 1024.0f64.powi(4),
        "Pi" => 1024.0f64.powi(5),
        exponent => {
            let digits = exponent.strip_prefix(['e', 'E'])?;
            10f64.powi(digits.parse().ok()?)
        }
    };
    let bytes = (value * factor).ceil();
    (bytes.is_finite() && bytes >= 0.0 && bytes < u64::MAX as f64).then_some(Bytes(bytes as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_read_well_at_every_size() {
        let cases = [
            (0, "0 B"),
            (999, "999 B"),
            (1000, "1.00 kB"),
            (14_200_000, "14.2 MB"),
            (999_700_000, "1.00 GB"),
            (1_432_000_000, "1.43 GB"),
            (u64::MAX, "18446744 TB"),
        ];
        for (n, shown) in cases {
            assert_eq!(Bytes(n).to_string(), shown);
        }
        assert_eq!(Bytes::mib(512).binary(), "512 MiB");
        assert_eq!(BytesPerSecond(-200_000.0).to_string(), "-12.0 MB/min");
        assert_eq!(Count(1_234_567).to_string(), "1,234,567");
    }

    #[test]
    fn spans_read_well() {
        for (s, shown) in
            [(45, "45 s"), (250, "4 min 10 s"), (3000, "50 min"), (6420, "1 h 47 min"), (7200, "2 h"), (18_500_000, "7 months")]
        {
            assert_eq!(span(Duration::from_secs(s)), shown);
        }
        assert_eq!(clock(Duration::from_secs(6432)), "01:47:12");
    }

    #[test]
    fn spans_are_parsed_with_their_unit_only() {
        assert_eq!(parse_span("1h30m"), Some(Duration::from_secs(5400)));
        for bad in ["", "2", "2 hours", "h", "-1h", "99999999999999999999h"] {
            assert_eq!(parse_span(bad), None, "{bad}");
        }
    }

    #[test]
    fn quantities_as_kubernetes_writes_them() {
        let cases = [("512Mi", 512 << 20), ("590208Ki", 590_208 << 10), ("1.5G", 1_500_000_000), ("1e3", 1000), ("1500m", 2), ("0", 0)];
        for (text, bytes) in cases {
            assert_eq!(parse_quantity(text), Some(Bytes(bytes)), "{text}");
        }
        for bad in ["", "Mi", "12Qi", "-1", "1ee3"] {
            assert_eq!(parse_quantity(bad), None, "{bad}");
        }
    }
}
