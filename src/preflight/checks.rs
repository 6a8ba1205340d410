//! The single grounds of an assessment: each looks at one thing and says it in a sentence with its numbers.

use crate::base::{Bytes, span};
use crate::node::{Effect, Role, Signal, Usr2};

use super::assessment::{Check, Predicted, Reason, Risk};
use super::reading::HeapSource;
use super::situation::{Builds, Demand, Situation};

/// Memory: need against headroom. Only what fits at the upper bound is safe: a pod with 694 MB free that needed 540 MB to
/// 1.48 GB was killed (measured on a real cluster).
pub(super) fn memory(at: &Situation<'_>, demand: &Demand, predicted: &Predicted) -> Option<Reason> {
    let need = predicted.memory?;
    let say = |risk, text: String| Some(Reason::new(Check::Memory, risk, text));
    let Some(limit) = at.limit() else {
        return say(Risk::Unknown, format!("needs {need} on top and the container has no limit: the memory of its node decides"));
    };
    let Some(working_set) = at.working_set() else {
        return say(Risk::Unknown, format!("needs {need} on top, and nobody says how much of the limit of {} is in use", limit.binary()));
    };
    // At the heap limit the heap itself will have grown first.
    let growth = match demand.builds {
        Builds::AtHeapLimit => at.heap_limit().unwrap_or_default().saturating_sub(at.reading().map_or(Bytes(0), |h| h.used)),
        Builds::Now | Builds::Never => Bytes(0),
    };
    let free = limit.saturating_sub(working_set).saturating_sub(growth);
    let numbers = match demand.builds {
        Builds::AtHeapLimit => format!("at V8's limit it needs {need} on top, and {free} will be free then under {}", limit.binary()),
        Builds::Now | Builds::Never => format!("needs {need} on top, {free} is free under {}", limit.binary()),
    };
    let high = at.facts.cgroup.as_ref().and_then(|c| c.high).filter(|high| high.0 < working_set.0.saturating_add(need.high.0));
    if free < need.low {
        say(Risk::WouldKill, numbers)
    } else if free < need.high {
        say(
            Risk::Risky,
            if at.reading().is_some_and(|heap| heap.census.is_some()) {
                format!("{numbers}: too close")
            } else {
                format!("{numbers}: a heap of small objects in one long array would be killed")
            },
        )
    } else if let Some(high) = high {
        say(Risk::Risky, format!("{numbers}, but above memory.high of {} the kernel slows it to a crawl", high.binary()))
    } else {
        say(Risk::Ok, numbers)
    }
}

/// Freeze against the liveness probe.
pub(super) fn freeze(at: &Situation<'_>, predicted: &Predicted) -> Option<Reason> {
    let freeze = predicted.freeze?;
    let throttled = slowed(at);
    let say = |risk, text: String| Some(Reason::new(Check::Freeze, risk, text));
    let Some(budget) = at.liveness() else {
        return say(Risk::Ok, format!("answers nobody for {freeze}{throttled}; there is no liveness probe to kill it"));
    };
    let kill = span(budget.until_kill);
    if freeze.low > budget.until_kill {
        say(Risk::WouldKill, format!("answers nobody for {freeze}{throttled}, and the liveness probe kills it after {kill}"))
    } else if freeze.high > budget.until_kill {
        say(Risk::Risky, format!("answers nobody for {freeze}{throttled}; the liveness probe bears {kill}"))
    } else {
        say(Risk::Ok, format!("answers nobody for {freeze}{throttled}; the liveness probe bears {kill}"))
    }
}

/// What makes the freeze longer than the work that is in it.
fn slowed(at: &Situation<'_>) -> String {
    let limited = at.cpus().filter(|cpus| *cpus < 1.0).map(|cpus| format!("limited to {cpus} CPU"));
    let busy = at.facts.load.filter(|load| load.contention() > 1.0).map(|load| format!("the node is busy: {load}"));
    match (limited, busy) {
        (None, None) => String::new(),
        (Some(limited), None) => format!(" ({limited})"),
        (None, Some(busy)) => format!(" ({busy})"),
        (Some(limited), Some(busy)) => format!(" ({limited}, {busy})"),
    }
}

/// Who would be hit by the method's signals.
pub(super) fn signal(at: &Situation<'_>, demand: &Demand) -> Option<Reason> {
    let process = at.process()?;
    let pid = process.pid;
    let say = |risk, text: String| Some(Reason::new(Check::Signal, risk, text));
    if demand.usr2 {
        return match process.signals.usr2(pid, &process.flags) {
            Usr2::Snapshot => say(Risk::Ok, format!("process {pid} runs with --heapsnapshot-signal=SIGUSR2 and catches it")),
            Usr2::Report => say(Risk::Impossible, format!("SIGUSR2 makes process {pid} write a report (--report-on-signal), no snapshot")),
            Usr2::AppHandler if process.title_overwritten => {
                say(Risk::Impossible, format!("process {pid} catches SIGUSR2, but its title hides its flags: what it would do is unknown"))
            }
            Usr2::AppHandler => {
                say(Risk::Impossible, format!("process {pid} has a SIGUSR2 handler of its own: what it would do is unknown"))
            }
            Usr2::Nothing if pid == 1 => say(
                Risk::Impossible,
                "process 1 runs without --heapsnapshot-signal: as the container's first it ignores SIGUSR2, nothing would come".to_owned(),
            ),
            Usr2::Nothing => say(Risk::Impossible, format!("process {pid} runs without --heapsnapshot-signal and ignores SIGUSR2")),
            Usr2::Kills => say(Risk::WouldKill, format!("process {pid} runs without --heapsnapshot-signal: SIGUSR2 kills it (exit 140)")),
        };
    }
    if !demand.inspector || at.facts.inspector(pid).is_some() {
        return None;
    }
    match process.signals.effect(Signal::Usr1, pid) {
        Effect::Handled if process.flags.snapshot_signal.as_deref() == Some("SIGUSR1") => {
            say(Risk::Impossible, "SIGUSR1 is taken by --heapsnapshot-signal: it writes a snapshot and opens no inspector".to_owned())
        }
        Effect::Handled => say(Risk::Ok, format!("process {pid} catches SIGUSR1: it opens the inspector, no restart needed")),
        Effect::Nothing => say(Risk::Impossible, format!("process {pid} swallows SIGUSR1 (--disable-sigusr1): the inspector stays closed")),
        Effect::Kills => say(Risk::WouldKill, format!("process {pid} does not catch SIGUSR1, which would kill it")),
    }
}

/// What a person would try by hand, and whom it would hit: explained here instead of done.
pub(super) fn by_hand(at: &Situation<'_>, demand: &Demand) -> Vec<Reason> {
    let Some(process) = at.process() else { return Vec::new() };
    let mut reasons = Vec::new();
    let mut say = |text: String| reasons.push(Reason::new(Check::Signal, Risk::Ok, text));
    if let Some(first) = at.facts.process(1).filter(|first| first.pid != process.pid && first.same_container) {
        let name = first.command.as_str().split(' ').next().and_then(|word| word.rsplit('/').next()).unwrap_or("another program");
        let name = if first.role == Role::Launcher { first.command.as_str() } else { name };
        let pid = process.pid;
        if demand.usr2 {
            let without = process.signals.effect(Signal::Usr2, pid) == Effect::Kills;
            let what = match (name, without) {
                ("tini" | "dumb-init", true) => format!("passes it on to process {pid}, which has no handler and dies: the pod restarts"),
                ("tini" | "dumb-init", false) => {
                    format!("passes it on to process {pid}; with -g to its whole group, and a shell or npm in it dies")
                }
                _ => format!("hits {name} and never reaches process {pid}"),
            };
            say(format!("by hand: process 1 is {name}; kill -USR2 1 {what}"));
        }
        if demand.inspector && first.role == Role::Launcher {
            say(format!("by hand: process 1 is {name}; kill -USR1 1 opens the inspector of {name}, not that of the app ({pid})"));
        }
    }
    if demand.inspector && at.facts.inspector(process.pid).is_none() {
        say("by hand: --inspect needs a restart, which loses this heap; SIGUSR1 opens the same inspector in the running process".to_owned());
    }
    reasons
}

/// Whether the inspector can be opened and reached.
pub(super) fn inspector(at: &Situation<'_>, demand: &Demand) -> Vec<Reason> {
    let Some(process) = at.process().filter(|_| demand.inspector) else { return Vec::new() };
    let mut reasons = Vec::new();
    if let Some(open) = at.facts.inspector(process.pid) {
        reasons.push(Reason::new(Check::Inspector, Risk::Ok, format!("the inspector listens already on {}:{}", open.ip, open.port)));
        if open.is_exposed() {
            let text = format!("it listens on {}: every pod that reaches this one can run code in it, without a password", open.ip);
            reasons.push(Reason::new(Check::Exposure, Risk::Risky, text));
        }
    } else if let Some(other) = at.facts.port_taken_by_other(process.pid) {
        let text = format!("port {} is taken by another process of the pod: SIGUSR1 could not open the inspector", other.port);
        reasons.push(Reason::new(Check::Inspector, Risk::Impossible, text));
    } else if process.flags.inspector_port().is_none() {
        let text = "--inspect-port=0: the port is found by the socket that SIGUSR1 opens";
        let risk = if process.sees_sockets { Risk::Ok } else { Risk::Risky };
        reasons.push(Reason::new(Check::Inspector, risk, text));
    }
    if process.flags.permission {
        let text = "it runs under Node's permission model, which may forbid the inspector";
        reasons.push(Reason::new(Check::Inspector, Risk::Unknown, text));
    }
    reasons
}

/// The directory in the pod: a failed write ends the app.
pub(super) fn disk(at: &Situation<'_>, demand: &Demand, predicted: &Predicted) -> Option<Reason> {
    let process = at.process().filter(|_| demand.writes)?;
    let say = |risk, text: String| Some(Reason::new(Check::Disk, risk, text));
    let Some(dir) = at.facts.dump_dir(process.pid, demand.usr2) else {
        return say(Risk::Unknown, "the directory that the file would go to was not looked at".to_owned());
    };
    let path = &dir.path;
    if !dir.exists {
        return say(Risk::WouldKill, format!("{path} does not exist: the failed write would end the app"));
    }
    match dir.writable_by(process) {
        Some(false) if dir.read_only => {
            return say(Risk::WouldKill, format!("{path} is read-only: the failed write would end the app (EROFS)"));
        }
        Some(false) => {
            return say(Risk::WouldKill, format!("user {} may not write to {path}: the failed write would end the app", process.uid));
        }
        Some(true) => {}
        None => return say(Risk::Unknown, format!("nobody can tell whether user {} may write to {path}", process.uid)),
    }
    let Some(file) = predicted.file else { return say(Risk::Ok, format!("{path} can be written to")) };
    let Some(free) = dir.free else { return say(Risk::Unknown, format!("the file takes {file}, and the free space of {path} is unknown")) };
    let text = format!("the file takes {file}, {free} is free in {path}");
    // With an unknown shape the lower bound is that of a heap of strings; a full disk kills, so the middle must fit.
    let middle = Bytes(file.low.0 / 2 + file.high.0 / 2);
    if free < file.low {
        say(Risk::WouldKill, format!("{text}: the failed write would end the app (ENOSPC)"))
    } else if dir.is_memory() {
        say(Risk::Risky, format!("{path} is tmpfs: the {file} of the file count as memory of the pod"))
    } else if free < middle {
        say(Risk::Risky, text)
    } else {
        say(Risk::Ok, text)
    }
}

/// Free space here.
pub(super) fn local_disk(at: &Situation<'_>, demand: &Demand, predicted: &Predicted) -> Option<Reason> {
    let file = predicted.file.filter(|_| demand.brings_file)?;
    let free = at.local_free?;
    let text = format!("the file takes {file}, {free} is free here");
    let risk = if free < file.low {
        Risk::Impossible
    } else if free < file.high {
        Risk::Risky
    } else {
        Risk::Ok
    };
    Some(Reason::new(Check::LocalDisk, risk, text))
}

/// What the growth says: whether it would end before the pod does.
pub(super) fn race(at: &Situation<'_>, demand: &Demand) -> Option<Reason> {
    let race = super::race::race(at, demand)?;
    let risk = if race.is_lost() { Risk::Risky } else { Risk::Ok };
    Some(Reason::new(Check::Race, risk, race.line()))
}

/// Restart, rights, and the traps of the pod.
pub(super) fn policy(at: &Situation<'_>, demand: &Demand) -> Vec<Reason> {
    let mut reasons = Vec::new();
    for right in at.refused {
        reasons.push(Reason::new(Check::Rights, Risk::Impossible, format!("you may not {right}")));
    }
    if demand.restarts {
        let text = "starts new pods: this process and its heap are lost, and the file needs the next out-of-memory death";
        reasons.push(Reason::new(Check::Restart, Risk::Risky, text));
    }
    // What a person would find out only after a resize.
    if at.pod.resize_restarts && demand.builds != Builds::Never {
        let text = "a change of its memory limit restarts this container (resizePolicy: RestartContainer): the heap would be lost, so none is offered";
        reasons.push(Reason::new(Check::Policy, Risk::Ok, text));
    }
    if at.pod.qos == "BestEffort" && demand.builds == Builds::Now {
        let text = "the pod is BestEffort: it is the first to be evicted or killed when its node runs short of memory";
        reasons.push(Reason::new(Check::Policy, Risk::Unknown, text));
    }
    if at.pod.deleting {
        reasons.push(Reason::new(Check::Restart, Risk::Risky, "the pod is being deleted: it may go at any moment"));
    }
    if at.facts.cgroup.as_ref().is_some_and(|c| c.limit_hits > 0) && demand.builds == Builds::Now {
        let hits = at.facts.cgroup.as_ref().map_or(0, |c| c.limit_hits);
        reasons.push(Reason::new(Check::Memory, Risk::Ok, format!("the memory limit was hit {hits} times in this container's life")));
    }
    if let (true, Some(process)) = (demand.writes, at.process())
        && let Some(dir) = at.facts.dump_dir(process.pid, demand.usr2)
        && demand.builds == Builds::AtHeapLimit
        && dir.exists
        && dir.dies_with_container()
    {
        let text = format!("{} goes with the container: the file must be copied while it is written, before the process dies", dir.path);
        reasons.push(Reason::new(Check::Restart, Risk::Risky, text));
    }
    reasons
}

/// Whether the memory is another container's business.
pub(super) fn elsewhere(at: &Situation<'_>) -> Option<Reason> {
    let oom_here = at.facts.cgroup.as_ref().is_some_and(|c| c.oom_kills > 0 || c.limit_hits > 0);
    if at.pod.others_killed.is_empty() || oom_here {
        return None;
    }
    let names = at.pod.others_killed.join(", ");
    let text = format!("this container never hit its limit; what was killed for memory is {names}: a heap from here will not show why");
    Some(Reason::new(Check::Nature, Risk::Unknown, text))
}

/// Children that died while process 1 lived: no restart shows them.
pub(super) fn children(at: &Situation<'_>) -> Option<Reason> {
    let deaths = at.facts.child_deaths();
    let first = at.facts.process(1).filter(|_| deaths.oom_kills > 0);
    let mut signs = Vec::new();
    if let Some(first) = first {
        let kills = if deaths.oom_kills == 1 { "a process was".to_owned() } else { format!("{} processes were", deaths.oom_kills) };
        let name = if first.name.is_empty() { "process 1".to_owned() } else { format!("process 1 ({})", first.name) };
        signs.push(format!("{kills} killed for memory in this container while {name} lived: its restart count does not show it"));
    }
    if deaths.replaced > 0 {
        signs.push(format!("{} cluster children replaced dead ones", deaths.replaced));
    }
    let text = (!signs.is_empty()).then(|| signs.join("; "))?;
    Some(Reason::new(Check::Nature, Risk::Ok, text))
}

/// Whether the number under it all is a guess.
pub(super) fn basis(at: &Situation<'_>, demand: &Demand) -> Option<Reason> {
    let heap = at.reading().filter(|_| demand.builds == Builds::Now)?;
    match heap.source {
        HeapSource::Resident => {
            let text = format!("the heap's size is guessed from resident memory ({} at most)", heap.used);
            Some(Reason::new(Check::Memory, Risk::Unknown, text))
        }
        HeapSource::Inspector | HeapSource::Report => None,
    }
}
