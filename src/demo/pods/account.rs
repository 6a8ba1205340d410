//! Memory and CPU of a container's processes, read from the container's own `/proc` (`proc(5)`).

use std::path::PathBuf;
use std::time::Duration;

use super::types::Usage;

/// Clock ticks of `/proc/PID/stat`; USER_HZ is 100 on every architecture that Node runs on.
const TICK: Duration = Duration::from_millis(10);

/// Sums what the processes in the PID namespace of `pid` use. `None` when `pid` is gone.
pub(super) fn usage(pid: u32) -> Option<Usage> {
    let proc = PathBuf::from(format!("/proc/{pid}/root/proc"));
    let mut sum = Usage::default();
    for entry in std::fs::read_dir(&proc).ok()?.flatten() {
        let name = entry.file_name();
        if !name.to_str().is_some_and(|n| n.bytes().all(|b| b.is_ascii_digit())) {
            continue;
        }
        let status = std::fs::read_to_string(entry.path().join("status")).unwrap_or_default();
        let stat = std::fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        if status.is_empty() {
            continue;
        }
        sum.processes += 1;
        sum.anon += kib(&status, "RssAnon:");
        sum.shmem += kib(&status, "RssShmem:");
        // Processes of one container map the same binary: its pages are charged once.
        sum.file = sum.file.max(kib(&status, "RssFile:"));
        sum.cpu += cpu(&stat);
    }
    (sum.processes > 0).then_some(sum)
}

fn kib(status: &str, field: &str) -> u64 {
    let value = status.lines().find_map(|l| l.strip_prefix(field)).unwrap_or("0");
    value.split_whitespace().next().and_then(|n| n.parse::<u64>().ok()).unwrap_or(0) * 1024
}

/// utime, stime and those of reaped children: fields 14 to 17, counted behind the command in parentheses.
fn cpu(stat: &str) -> Duration {
    let Some((_, rest)) = stat.rsplit_once(')') else { return Duration::ZERO };
    let ticks: u64 = rest.split_whitespace().skip(11).take(4).filter_map(|n| n.parse::<u64>().ok()).sum();
    TICK * u32::try_from(ticks).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stat_line_with_a_hostile_command_is_read() {
        let stat = "7 (a) R) S 1 7 7 0 -1 4194560 9 0 0 0 150 50 3 2 20 0 11 0 8 1 1";
        assert_eq!(cpu(stat), Duration::from_millis(2050));
        assert_eq!(kib("VmRSS:\t 12 kB\nRssAnon:\t    8 kB\n", "RssAnon:"), 8192);
    }
}
