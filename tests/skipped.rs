//! Runs last: counts what was skipped on this machine, by name and with the reason, so that green never hides it.
#![allow(clippy::disallowed_methods, clippy::print_stdout, reason = "a program of the tests that prints")]

#[path = "../src/skips.rs"]
#[allow(dead_code, reason = "only the list is read here")]
mod skips;

fn main() {
    let path = skips::list();
    let text = path.as_ref().and_then(|p| std::fs::read_to_string(p).ok()).unwrap_or_default();
    let lines: std::collections::BTreeSet<&str> = text.lines().collect();
    for line in &lines {
        println!("{line}");
    }
    println!("tests skipped on this machine: {}", lines.len());
    if let Some(path) = path {
        let _ = std::fs::remove_file(path);
    }
}
