//! For tests: a file system that is soon full.
#![allow(clippy::disallowed_methods, reason = "mounting is a command's business")]
#![allow(clippy::print_stderr, reason = "a skipped test says so")]

use std::path::Path;
use std::process::Command;

pub(crate) struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.path()).output();
    }
}

/// A file system of `bytes`; `None`, said by the test's name, where mounting one is not permitted.
pub(crate) fn small_disk(bytes: u64) -> Option<SmallDisk> {
    let dir = tempfile::tempdir().expect("dir");
    let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &format!("size={bytes}"), "tmpfs"]).arg(dir.path()).output();
    if mounted.is_ok_and(|out| out.status.success()) {
        return Some(SmallDisk(dir));
    }
    eprintln!("skipped {}: mounting a small file system needs root", std::thread::current().name().unwrap_or("test"));
    None
}
