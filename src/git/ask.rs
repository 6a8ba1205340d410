//! One call of git: its answer, its complaint, or the deadline.

use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::Duration;

use crate::base::Untrusted;

/// No answer that is needed here is bigger; a runaway one must not fill the memory.
const MOST: u64 = 256 << 20;

/// What became of a call.
pub(super) enum Answer {
    /// It succeeded: standard output.
    Good(Vec<u8>),
    /// It failed: standard error.
    Failed(Untrusted),
    /// There is no git on this machine, or it may not be started.
    NoGit(String),
    /// It did not end before the deadline and was killed.
    TimedOut,
}

/// Runs `git ARGS` in `dir`, for `deadline` at most.
pub(super) fn ask(dir: &Path, args: &[&str], deadline: Duration) -> Answer {
    #[expect(clippy::disallowed_methods, reason = "git/ is the room that starts git, with a deadline")]
    let mut command = Command::new("git");
    command
        .arg("-C")
        .arg(dir)
        .args(["--no-pager", "--no-optional-locks", "--literal-pathspecs"])
        .args(["-c", "core.fsmonitor=false", "-c", "core.quotePath=false", "-c", "log.showSignature=false", "-c", "diff.external="])
        .args(args)
        .env("LC_ALL", "C")
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("GIT_OPTIONAL_LOCKS", "0")
        .env_remove("GIT_DIR")
        .env_remove("GIT_WORK_TREE")
        .env_remove("GIT_INDEX_FILE")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) => return Answer::NoGit(error.to_string()),
    };
    // Threads read both pipes, since a full one would stop git; one answer each, so the channels never fill.
    let (tell, told) = sync_channel::<(bool, Vec<u8>)>(2);
    let pipes: [(bool, Option<Box<dyn Read + Send>>); 2] =
        [(true, child.stdout.take().map(|p| Box::new(p) as _)), (false, child.stderr.take().map(|p| Box::new(p) as _))];
    for (is_out, pipe) in pipes {
        let tell = tell.clone();
        std::thread::spawn(move || {
            let mut bytes = Vec::new();
            if let Some(pipe) = pipe {
                // A pipe that breaks has given what there was.
                let _ = pipe.take(MOST).read_to_end(&mut bytes);
            }
            let _ = tell.send((is_out, bytes));
        });
    }
    drop(tell);
    let (mut out, mut err) = (Vec::new(), Vec::new());
    for _ in 0..2 {
        match told.recv_timeout(deadline) {
            Ok((true, bytes)) => out = bytes,
            Ok((false, bytes)) => err = bytes,
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) => {
                let _ = child.kill();
                let _ = child.wait();
                return Answer::TimedOut;
            }
        }
    }
    match child.wait() {
        Ok(status) if status.success() => Answer::Good(out),
        Ok(_) => Answer::Failed(Untrusted::new(err)),
        Err(error) => Answer::NoGit(error.to_string()),
    }
}
