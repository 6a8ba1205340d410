//! Tests that this machine cannot run: named with the reason where they stand, and counted at the end by `tests/skipped.rs`.

use std::fmt::Display;
use std::io::Write;
use std::path::PathBuf;

/// Where the names wait until they are counted: beside the test binaries' folder.
pub(crate) fn list() -> Option<PathBuf> {
    Some(std::env::current_exe().ok()?.parent()?.join("skipped.log"))
}

/// Says that `test` (empty: the one that runs in this thread) is skipped, and why.
#[allow(clippy::disallowed_methods, reason = "tests write where tests are built")]
pub(crate) fn skipped(test: &str, why: impl Display) {
    let thread = std::thread::current();
    let test = if test.is_empty() { thread.name().unwrap_or("a test") } else { test };
    let line = format!("SKIPPED {test}: {why}\n");
    // Straight to the descriptor: the harness would keep what a passing test prints.
    let _ = std::io::stderr().lock().write_all(line.as_bytes());
    let file = list().and_then(|path| std::fs::OpenOptions::new().create(true).append(true).open(path).ok());
    if let Some(mut file) = file {
        let _ = file.write_all(line.as_bytes());
    }
}
