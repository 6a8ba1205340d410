//! Memory and CPU of the container from the files of cgroup version 1 or 2.
//!
//! Version 1 writes "no limit" as the largest page-aligned number, version 2 as `max`.

use crate::base::Bytes;
use crate::node::facts::{Cgroup, MilliCpu};

use super::sections::Section;

/// Reads the `cg1` or `cg2` sections; `None` when there are none with memory.
pub(super) fn cgroup(sections: &[Section<'_>]) -> Option<Cgroup> {
    let files = Files(sections);
    let mut read = if files.file("cg2", "memory.current").is_some() { version2(&files) } else { version1(&files)? };
    read.cpus = read.cpus.or_else(|| cpu_of_version1(&files));
    Some(read)
}

struct Files<'a>(&'a [Section<'a>]);

impl Files<'_> {
    fn file(&self, version: &str, name: &str) -> Option<&[&str]> {
        let section = self.0.iter().find(|s| s.name == version && s.argument == name)?;
        Some(&section.lines)
    }

    fn number(&self, version: &str, name: &str) -> Option<u64> {
        self.file(version, name)?.first()?.trim().parse().ok()
    }

    /// `key value` lines.
    fn entry(&self, version: &str, name: &str, key: &str) -> u64 {
        let find = || self.file(version, name)?.iter().find_map(|line| line.strip_prefix(key)?.strip_prefix(' ')?.trim().parse().ok());
        find().unwrap_or(0)
    }
}

fn version2(files: &Files<'_>) -> Cgroup {
    let limit = |name| files.number("cg2", name).map(Bytes);
    let stat = |key| Bytes(files.entry("cg2", "memory.stat", key));
    let cpus = files.file("cg2", "cpu.max").and_then(|lines| {
        let (quota, period) = lines.first()?.split_once(' ')?;
        milli(quota.parse().ok()?, period.trim().parse().ok()?)
    });
    Cgroup {
        version: 2,
        limit: limit("memory.max"),
        high: limit("memory.high"),
        current: limit("memory.current").unwrap_or_default(),
        inactive_file: stat("inactive_file"),
        anonymous: stat("anon"),
        shmem: stat("shmem"),
        peak: limit("memory.peak"),
        limit_hits: files.entry("cg2", "memory.events", "max"),
        oom_kills: files.entry("cg2", "memory.events", "oom_kill"),
        swap_limit: limit("memory.swap.max"),
        cpus,
        throttled: files.entry("cg2", "cpu.stat", "nr_throttled"),
    }
}

fn version1(files: &Files<'_>) -> Option<Cgroup> {
    let stat = |key| Bytes(files.entry("cg1", "memory.stat", key));
    let current = Bytes(files.number("cg1", "memory.usage_in_bytes")?);
    // The smallest limit of all parents; where the file's own is unlimited a parent may still hold it.
    let own = files.number("cg1", "memory.limit_in_bytes");
    let inherited = Some(files.entry("cg1", "memory.stat", "hierarchical_memory_limit")).filter(|&n| n > 0);
    let limit = own.into_iter().chain(inherited).min().filter(|&n| n < 1 << 60).map(Bytes);
    Some(Cgroup {
        version: 1,
        limit,
        high: None,
        current,
        inactive_file: stat("total_inactive_file"),
        anonymous: stat("total_rss"),
        shmem: stat("total_shmem"),
        peak: files.number("cg1", "memory.max_usage_in_bytes").map(Bytes),
        limit_hits: files.number("cg1", "memory.failcnt").unwrap_or(0),
        oom_kills: files.entry("cg1", "memory.oom_control", "oom_kill"),
        swap_limit: None,
        cpus: None,
        throttled: files.entry("cg1", "cpu.stat", "nr_throttled"),
    })
}

fn cpu_of_version1(files: &Files<'_>) -> Option<MilliCpu> {
    // −1 is "no limit" and no unsigned number.
    milli(files.number("cg1", "cpu.cfs_quota_us")?, files.number("cg1", "cpu.cfs_period_us")?)
}

fn milli(quota: u64, period: u64) -> Option<MilliCpu> {
    (period > 0).then(|| MilliCpu(quota.saturating_mul(1000) / period))
}

#[cfg(test)]
mod tests {
    use super::super::sections::sections;
    use super::*;

    #[test]
    fn version_2_as_a_kubelet_makes_it() {
        let text = "@@t cg2 memory.max\n536870912\n@@t cg2 memory.high\nmax\n@@t cg2 memory.current\n500000000\n@@t cg2 memory.peak\n530000000\n@@t cg2 memory.events\nlow 0\nhigh 0\nmax 81\noom 1\noom_kill 1\noom_group_kill 0\n@@t cg2 memory.stat\nanon 410000000\nfile 80000000\nshmem 0\ninactive_file 60000000\n@@t cg2 cpu.max\n50000 100000\n@@t cg2 cpu.stat\nnr_periods 9\nnr_throttled 4\n";
        let read = cgroup(&sections(text, "t")).expect("memory");
        assert_eq!(read.working_set(), Bytes(440_000_000));
        assert_eq!(read.headroom(), Some(Bytes(96_870_912)));
        assert_eq!((read.limit_hits, read.oom_kills, read.throttled, read.high), (81, 1, 4, None));
        assert_eq!(read.cpus, Some(MilliCpu(500)));
    }

    #[test]
    fn version_1_without_a_limit_of_its_own() {
        let text = "@@t cg1 memory.limit_in_bytes\n9223372036854771712\n@@t cg1 memory.usage_in_bytes\n1000\n@@t cg1 memory.failcnt\n7\n@@t cg1 memory.oom_control\noom_kill_disable 0\nunder_oom 0\noom_kill 2\n@@t cg1 memory.stat\nhierarchical_memory_limit 4000\ntotal_inactive_file 100\n@@t cg1 cpu.cfs_quota_us\n-1\n@@t cg1 cpu.cfs_period_us\n100000\n";
        let read = cgroup(&sections(text, "t")).expect("memory");
        assert_eq!((read.limit, read.headroom(), read.cpus), (Some(Bytes(4000)), Some(Bytes(3100)), None));
        assert_eq!((read.limit_hits, read.oom_kills), (7, 2));
        assert_eq!(cgroup(&sections("@@t cg1 memory.failcnt\n7\n", "t")), None);
    }
}
