//! One process from its section of the probe.

use chrono::{DateTime, TimeDelta, Utc};

use crate::base::{Bytes, Masked, Untrusted};
use crate::node::facts::{Process, Role};
use crate::node::flags::Flags;
use crate::node::signals::Signals;

use super::sections::{Section, plain};

/// A process and what is needed only to find its role.
pub(super) struct Seen {
    pub process: Process,
    pub state: char,
    pub cluster_child: bool,
    pub cgroup: String,
    pub args: Vec<String>,
    /// Clock ticks after boot.
    pub start: u64,
}

impl Seen {
    /// Whether the program is Node, by its file, or by its name where the file may not be read.
    pub fn is_node(&self) -> bool {
        let exe = self.process.exe.trim_end_matches(" (deleted)");
        let name = if exe.is_empty() { self.args.first().map_or("", String::as_str) } else { exe };
        let name = name.rsplit('/').next().unwrap_or(name);
        let rest = name.strip_prefix("node").map(|rest| rest.strip_prefix("js").unwrap_or(rest));
        rest.is_some_and(|rest| rest.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | '-' | 'v')))
    }
}

/// What is the same for all processes of one probe.
pub(super) struct Moment {
    /// The pod's clock.
    pub now: DateTime<Utc>,
    /// Seconds since boot.
    pub uptime: f64,
    /// Ticks a second.
    pub ticks: f64,
}

/// Reads a `proc` section; `None` when there is not even a pid in it.
pub(super) fn process(section: &Section<'_>, moment: &Moment) -> Option<Seen> {
    let pid = section.argument.trim().parse().ok()?;
    // `pid (comm) state ppid …`: comm may hold spaces and brackets, so count from the last bracket.
    let stat = section.value("stat").unwrap_or_default();
    let after: Vec<&str> = stat.rsplit_once(')').map_or("", |(_, rest)| rest).split_whitespace().collect();
    let state = after.first().and_then(|s| s.chars().next()).unwrap_or('?');
    let ticks = |field: usize| after.get(field).and_then(|n| n.parse::<u64>().ok()).unwrap_or(0);
    let start = ticks(19);
    let status = |key: &str| section.value(key).map(str::trim);
    let kib =
        |key: &str| Bytes(status(key).and_then(|v| v.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0).saturating_mul(1024));
    let mask = |key: &str| status(key).and_then(|v| u64::from_str_radix(v, 16).ok()).unwrap_or(0);
    // Real, effective, saved, file-system: the last decides about files.
    let id = |key: &str| status(key).and_then(|v| v.split_whitespace().nth(3)?.parse::<u32>().ok());
    let mut groups: Vec<u32> = id("Gid:").into_iter().collect();
    groups.extend(status("Groups:").unwrap_or_default().split_whitespace().filter_map(|g| g.parse::<u32>().ok()));

    let mut args: Vec<String> = section.values("arg").map(str::to_owned).collect();
    // A title is written over the arguments, the rest of their place is filled with nothing.
    while args.last().is_some_and(String::is_empty) {
        args.pop();
    }
    let environment = |name: &str| section.values("env").find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
    let node_options = environment("NODE_OPTIONS").filter(|v| !v.is_empty());

    let mut seen = Seen {
        process: Process {
            pid,
            parent: after.get(1).and_then(|n| n.parse().ok()).or_else(|| status("PPid:")?.parse().ok()).unwrap_or(0),
            role: Role::Other,
            exe: section.value("exe").and_then(plain).unwrap_or_default(),
            name: Untrusted::new(status("Name:").unwrap_or_default()).clean(),
            command: Masked::from(args.join(" ")),
            title_overwritten: false,
            started: started(start, moment),
            uid: id("Uid:").unwrap_or(u32::MAX),
            groups,
            overrides_modes: mask("CapEff:") & 0b10 != 0,
            rss: kib("VmRSS:"),
            rss_peak: kib("VmHWM:"),
            anonymous: kib("RssAnon:"),
            cpu: std::time::Duration::try_from_secs_f64((ticks(11) + ticks(12)) as f64 / moment.ticks).unwrap_or_default(),
            threads: status("Threads:").and_then(|n| n.parse().ok()).unwrap_or(0),
            workers: section.value("workers").and_then(|n| n.trim().parse().ok()),
            signals: Signals { caught: mask("SigCgt:"), blocked: mask("SigBlk:"), ignored: mask("SigIgn:") },
            cwd: section.value("cwd").and_then(plain),
            flags: Flags::default(),
            node_options: node_options.map(Masked::from),
            version: None,
            sees_sockets: section.value("fd").is_some(),
            owns: section.values("owns").filter_map(|n| n.trim().parse().ok()).collect(),
            same_container: true,
        },
        state,
        cluster_child: environment("NODE_UNIQUE_ID").is_some(),
        cgroup: section.value("cg").unwrap_or_default().to_owned(),
        args,
        start,
    };
    if seen.is_node() {
        seen.process.title_overwritten = !seen.args.first().is_some_and(|first| names_a_program(first, &seen.process.exe));
        let given: &[String] = if seen.process.title_overwritten { &[] } else { seen.args.get(1..).unwrap_or_default() };
        seen.process.flags = Flags::merged(node_options, given);
    }
    Some(seen)
}

/// Whether the first argument still is the name of the program (and not a title).
fn names_a_program(first: &str, exe: &str) -> bool {
    let base = |path: &str| path.trim_end_matches(" (deleted)").rsplit('/').next().unwrap_or_default().to_owned();
    !first.contains(' ') && (first.starts_with('/') || base(first) == base(exe) || base(first).starts_with("node"))
}

fn started(ticks: u64, moment: &Moment) -> Option<DateTime<Utc>> {
    let age = moment.uptime - ticks as f64 / moment.ticks;
    if !(0.0..1e10).contains(&age) {
        return None;
    }
    moment.now.checked_sub_signed(TimeDelta::milliseconds((age * 1000.0) as i64))
}
