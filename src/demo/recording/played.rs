//! The state of one container that is played back.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use super::tape::Life;
use crate::demo::pods::Usage;

pub(super) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The inspector's port.
pub(super) const PORT: u16 = 9229;

/// Id of the inspector's one target.
pub(super) const ID: &str = "5f0ac0de-0000-4000-a000-000000009229";

/// State of one playing container.
#[derive(Debug)]
pub(super) struct Played {
    pub image: &'static str,
    pub life: &'static Life,
    pub argv: Vec<String>,
    /// Seconds into the recording.
    pub at: f64,
    /// Seconds since the start.
    pub up: f64,
    pub inspector: bool,
    pub cgroup: BTreeMap<&'static str, String>,
    /// Lines to be logged besides the recording's.
    pub said: Vec<String>,
    /// Ends it, with `code`.
    pub end: Arc<Notify>,
    pub code: i32,
}

impl Played {
    /// What it uses now.
    pub fn usage(&self) -> Usage {
        let (anon, file) = self.life.memory_at(self.at);
        Usage { anon, file, shmem: 0, cpu: Duration::from_secs_f64(self.at * 0.012 + 0.4), processes: 1 }
    }

    /// Used JavaScript heap in bytes: what is anonymous beyond an empty Node.
    pub fn heap(&self) -> u64 {
        self.usage().anon.saturating_sub(16 << 20).max(5 << 20)
    }

    /// Whether process 1 is Node (else a shell that started it, or no Node at all).
    pub fn node_is_first(&self) -> bool {
        self.argv.first().is_some_and(|program| program == "node")
    }

    /// SIGUSR1 came: Node opens its inspector.
    pub fn open_inspector(&mut self) {
        if !self.inspector {
            self.inspector = true;
            self.said.push(format!("Debugger listening on ws://127.0.0.1:{PORT}/{ID}"));
            self.said.push("For help, see: https://nodejs.org/en/docs/inspector".into());
        }
    }
}
