//! What a signal would do to a process: the masks of `/proc/PID/status` decide, not the documentation.
//!
//! Measured: a default Node catches USR1 and not USR2; process 1 ignores what it does not catch, any other process dies
//! of it; `--disable-sigusr1` blocks USR1; the mask cannot tell Node's own handler from one of the app.

use serde::{Deserialize, Serialize};

use super::flags::Flags;

/// The two signals that Node listens to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Signal {
    /// Opens the inspector.
    Usr1,
    /// Writes a snapshot or a report where a flag says so.
    Usr2,
}

impl Signal {
    /// Its bit in the masks of Linux (x86, arm): 1 << (number − 1).
    const fn bit(self) -> u64 {
        match self {
            Self::Usr1 => 1 << 9,
            Self::Usr2 => 1 << 11,
        }
    }

    /// Name for `kill -s`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Usr1 => "USR1",
            Self::Usr2 => "USR2",
        }
    }
}

/// Signal masks of a process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signals {
    /// `SigCgt`: handlers.
    pub caught: u64,
    /// `SigBlk` of the main thread.
    pub blocked: u64,
    /// `SigIgn`.
    pub ignored: u64,
}

/// What happens when a signal is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// A handler runs: Node's or the app's.
    Handled,
    /// Nothing: blocked, ignored, or process 1 without a handler.
    Nothing,
    /// The process dies.
    Kills,
}

/// What SIGUSR2 would do, as far as masks and flags prove it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Usr2 {
    /// Writes a heap snapshot: a flag says so and a handler is there.
    Snapshot,
    /// Writes a diagnostic report.
    Report,
    /// A handler of the app runs (pm2, nodemon, own); what it does is unknown.
    AppHandler,
    /// Nothing at all.
    Nothing,
    /// Kills the process (exit 140).
    Kills,
}

impl Signals {
    /// What `signal` would do to process `pid`.
    pub const fn effect(self, signal: Signal, pid: u32) -> Effect {
        let bit = signal.bit();
        if self.blocked & bit != 0 || self.ignored & bit != 0 {
            Effect::Nothing
        } else if self.caught & bit != 0 {
            Effect::Handled
        } else if pid == 1 {
            Effect::Nothing
        } else {
            Effect::Kills
        }
    }

    /// What SIGUSR2 would do to process `pid` that runs with `flags`.
    pub fn usr2(self, pid: u32, flags: &Flags) -> Usr2 {
        match self.effect(Signal::Usr2, pid) {
            Effect::Nothing => Usr2::Nothing,
            Effect::Kills => Usr2::Kills,
            Effect::Handled if flags.usr2_is_snapshot() => Usr2::Snapshot,
            Effect::Handled if flags.report_signal.as_deref() == Some("SIGUSR2") => Usr2::Report,
            Effect::Handled => Usr2::AppHandler,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_masks_of_real_processes() {
        let node = Signals { caught: 0x1_0000_4602, blocked: 0, ignored: 0x1000 };
        let with_usr2 = Signals { caught: 0x1_0000_4e02, ..node };
        let no_usr1 = Signals { caught: 0x1_0000_4402, blocked: 0x200, ..node };
        let snapshot = Flags { snapshot_signal: Some("SIGUSR2".to_owned()), ..Flags::default() };
        let report = Flags { report_signal: Some("SIGUSR2".to_owned()), ..Flags::default() };
        assert_eq!(node.effect(Signal::Usr1, 1), Effect::Handled);
        assert_eq!(no_usr1.effect(Signal::Usr1, 7), Effect::Nothing, "--disable-sigusr1");
        let table = [
            (node, 1, &snapshot, Usr2::Nothing),
            (node, 7, &snapshot, Usr2::Kills),
            (with_usr2, 7, &snapshot, Usr2::Snapshot),
            (with_usr2, 7, &report, Usr2::Report),
            (with_usr2, 1, &Flags::default(), Usr2::AppHandler),
        ];
        for (signals, pid, flags, what) in table {
            assert_eq!(signals.usr2(pid, flags), what);
        }
        let shell = Signals { caught: 0, blocked: 0, ignored: 0 };
        assert_eq!(shell.effect(Signal::Usr2, 12), Effect::Kills, "sh under tini dies of it, and the pod with it");
    }
}
