//! What the matrix says, as tables of Markdown and, for the costs, as data.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use crate::base::Bytes;
use crate::preflight::{Between, Measured, Predicted};

/// One cell.
pub struct Row {
    pub major: u16,
    pub launcher: &'static str,
    pub flags: &'static str,
    pub dir: &'static str,
    pub memory: &'static str,
    pub best: String,
    pub fit: [Option<Fit>; 3],
    pub signal: String,
    pub near_limit: String,
}

/// Where an outcome lies by its prediction.
#[derive(Clone, Copy, PartialEq)]
pub enum Fit {
    Inside,
    /// Above the upper bound by this factor.
    Over(f64),
    /// Below the lower bound by this factor.
    Under(f64),
}

impl Fit {
    pub fn of(low: f64, high: f64, got: f64) -> Self {
        if got > high {
            Self::Over(got / high)
        } else if got < low {
            Self::Under(low / got.max(1e-9))
        } else {
            Self::Inside
        }
    }
}

impl std::fmt::Display for Fit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Inside => f.pad("inside"),
            Self::Over(by) => write!(f, "over ×{by:.2}"),
            Self::Under(by) => write!(f, "under ×{by:.2}"),
        }
    }
}

fn bytes(bounds: Option<Between<Bytes>>, got: Option<Bytes>) -> Option<Fit> {
    let (bounds, got) = (bounds?, got?);
    Some(Fit::of(bounds.low.0 as f64, bounds.high.0 as f64, got.0 as f64))
}

fn time(bounds: Option<Between<Duration>>, got: Option<Duration>) -> Option<Fit> {
    let (bounds, got) = (bounds?, got?);
    Some(Fit::of(bounds.low.as_secs_f64(), bounds.high.as_secs_f64(), got.as_secs_f64()))
}

/// Memory, freeze (by CPU time, since tests share the machine) and file.
pub fn fits(predicted: &Predicted, measured: &Measured) -> [Option<Fit>; 3] {
    [bytes(predicted.memory, measured.memory), time(predicted.freeze, measured.cpu), bytes(predicted.file, measured.file)]
}

/// `all`, or what each major says where they differ.
fn folded(by_major: &BTreeMap<u16, String>) -> String {
    let mut said: Vec<(String, Vec<u16>)> = Vec::new();
    for (major, text) in by_major {
        match said.iter_mut().find(|(t, _)| t == text) {
            Some((_, majors)) => majors.push(*major),
            None => said.push((text.clone(), vec![*major])),
        }
    }
    match &said[..] {
        [(text, _)] => text.clone(),
        all => {
            let one = |(text, majors): &(String, Vec<u16>)| {
                format!("{}: {text}", majors.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "))
            };
            all.iter().map(one).collect::<Vec<_>>().join("; ")
        }
    }
}

/// Prints the decisions, cells of all majors in one line; with `UPDATE=1` writes them.
pub fn decisions(rows: &[Row]) {
    if rows.is_empty() {
        return;
    }
    let mut majors: Vec<u16> = rows.iter().map(|row| row.major).collect();
    majors.sort_unstable();
    majors.dedup();
    let names = majors.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let mut text = format!(
        "# What the tool decides and what comes of it\n\nNode {names}; {} cells on real processes. In each the right process was found, the best method was taken by the \
         tool's own code, its file was whole, and the process lived. `signal` and `near-limit` are the verdicts on these methods; `signal` was taken where it is OK \
         and refused elsewhere, `cdp` was refused in tight memory (WILL BE KILLED), and the process lived.\n\n\
         | start | flags | directory | memory | best | memory, freeze, file by prediction | signal | near-limit |\n|---|---|---|---|---|---|---|---|\n",
        rows.len()
    );
    let mut keys = Vec::new();
    for row in rows {
        let key = (row.launcher, row.flags, row.dir, row.memory);
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    for key in keys {
        let here = || rows.iter().filter(|row| (row.launcher, row.flags, row.dir, row.memory) == key);
        let column = |of: &dyn Fn(&Row) -> String| folded(&here().map(|row| (row.major, of(row))).collect());
        let fit = |row: &Row| row.fit.map(|fit| fit.map_or_else(|| "–".to_owned(), |fit| fit.to_string())).join(", ");
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} | {} | {} | {} |",
            key.0,
            key.1,
            key.2,
            key.3,
            column(&|row| row.best.clone()),
            column(&fit),
            column(&|row| row.signal.clone()),
            column(&|row| row.near_limit.clone()),
        );
    }
    keep("decisions.md", &text);
}

/// Prints a table; with `UPDATE=1` it becomes part of the repository.
pub fn keep(name: &str, text: &str) {
    eprintln!("{text}");
    if std::env::var_os("UPDATE").is_some() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/matrix").join(name);
        std::fs::write(&path, text).expect("the table");
    }
}
