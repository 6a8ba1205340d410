//! Accounts memory, enforces limits, and writes what the container sees of it: cgroup v2 files as the kernel documents
//! them (`Documentation/admin-guide/cgroup-v2.rst`).

use std::fmt::Write as _;
use std::sync::Arc;

use super::container::{Container, State};
use super::worker::Worker;

/// How many CPU readings are kept for the metrics' window.
const READINGS: usize = 120;

impl Worker {
    /// Reads what every container uses, kills what is over its limit. True when some container is near its limit.
    pub fn account(self: &Arc<Self>) -> bool {
        let names: Vec<String> =
            self.containers().iter().filter(|c| matches!(c.state, State::Running { .. })).map(|c| c.name.clone()).collect();
        let mut near = false;
        for name in names {
            let Some(usage) = self.machine.usage(&self.uid, &name) else { continue };
            let over = self.with(&name, |c| {
                c.usage = usage;
                c.peak = c.peak.max(usage.working_set());
                let at = crate::demo::clock::now();
                c.cpu.push((at, usage.cpu.as_nanos()));
                if c.cpu.len() > READINGS {
                    c.cpu.remove(0);
                }
                let limit = c.limit().unwrap_or(u64::MAX);
                near |= usage.working_set() > limit / 2;
                let over = usage.working_set() > limit && !c.oom;
                if over {
                    c.oom = true;
                    c.hits += 1;
                    c.kills += u64::from(usage.processes);
                    c.peak = limit;
                }
                over
            });
            self.publish_cgroup(&name);
            if over == Some(true) {
                self.machine.kill(&self.uid, &name);
            }
        }
        near
    }

    /// Writes the container's `/sys/fs/cgroup`.
    pub fn publish_cgroup(&self, name: &str) {
        if let Some(files) = self.with(name, |c| files(c)) {
            self.machine.publish_cgroup(&self.uid, name, &files);
        }
    }
}

/// File names and contents.
fn files(c: &Container) -> Vec<(&'static str, String)> {
    let limit = c.limit().map_or_else(|| "max".to_string(), |l| l.to_string());
    let usage = c.usage;
    let current = usage.working_set();
    let cpu_max = match c.applied["limits"]["cpu"].as_str() {
        Some(quantity) => {
            let cores: f64 =
                quantity.strip_suffix('m').map_or_else(|| quantity.parse().unwrap_or(1.0), |m| m.parse().unwrap_or(1000.0) / 1000.0);
            format!("{} 100000\n", (cores * 100_000.0).round() as u64)
        }
        None => "max 100000\n".into(),
    };
    let mut stat = String::new();
    for (key, value) in [
        ("anon", usage.anon),
        ("file", usage.file + usage.shmem),
        ("kernel", 0),
        ("shmem", usage.shmem),
        ("file_mapped", usage.file),
        ("file_dirty", 0),
        ("inactive_anon", usage.anon),
        ("active_anon", usage.shmem),
        ("inactive_file", 0),
        ("active_file", usage.file),
        ("unevictable", 0),
    ] {
        let _ = writeln!(stat, "{key} {value}");
    }
    let micros = usage.cpu.as_micros();
    vec![
        ("cgroup.controllers", "cpu memory pids\n".into()),
        ("memory.max", format!("{limit}\n")),
        ("memory.high", "max\n".into()),
        ("memory.low", "0\n".into()),
        ("memory.min", "0\n".into()),
        ("memory.current", format!("{current}\n")),
        ("memory.peak", format!("{}\n", c.peak.max(current))),
        ("memory.swap.max", "0\n".into()),
        ("memory.swap.current", "0\n".into()),
        ("memory.stat", stat),
        ("memory.events", format!("low 0\nhigh 0\nmax {}\noom {}\noom_kill {}\noom_group_kill {}\n", c.hits, c.hits, c.kills, c.hits)),
        ("cpu.max", cpu_max),
        ("cpu.stat", format!("usage_usec {micros}\nuser_usec {micros}\nsystem_usec 0\nnr_periods 0\nnr_throttled 0\nthrottled_usec 0\n")),
        ("pids.max", "max\n".into()),
        ("pids.current", format!("{}\n", usage.processes)),
    ]
}
