//! Runs a program with a deadline: an argument array, no shell; text to its standard input, a bounded answer back.

use std::io::{Read, Write};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use super::failure::{Failure, said};

/// Bytes that are kept of each output; the rest is read and dropped, so that the program does not block.
const KEPT: u64 = 64 * 1024;
/// How often the program is asked whether it ended.
const STEP: Duration = Duration::from_millis(20);

/// A program that ended well: its output.
pub(super) fn run(argv: &[String], input: &[u8], deadline: Duration) -> Result<Vec<u8>, Failure> {
    let [program, arguments @ ..] = argv else { return Err(Failure::lasting("the command is empty")) };
    let mut child = start(program, arguments)?;
    let (out, err) = (reader(child.stdout.take()), reader(child.stderr.take()));
    if let Some(mut stdin) = child.stdin.take() {
        let input = input.to_vec();
        // A program that does not read its input is no failure of ours; it may know all it needs from its arguments.
        std::thread::spawn(move || stdin.write_all(&input).and_then(|()| stdin.flush()));
    }
    let Some(status) = wait(&mut child, deadline, program)? else {
        return Err(Failure::passing(format!("`{program}` did not end within {} s and was stopped", deadline.as_secs())));
    };
    // A grandchild may hold the pipes open after the program ended: what came until now is enough.
    let answer = |rx: &mpsc::Receiver<Vec<u8>>| rx.recv_timeout(Duration::from_secs(1)).unwrap_or_default();
    if status.success() {
        return Ok(answer(&out));
    }
    let words = said(&answer(&err));
    Err(Failure::passing(match status.code() {
        Some(code) => format!("`{program}` ended with exit code {code}{words}"),
        None => format!("`{program}` was killed by a signal{words}"),
    }))
}

#[expect(clippy::disallowed_methods, reason = "commands of channels and secrets are this file's, with a deadline")]
fn start(program: &str, arguments: &[String]) -> Result<Child, Failure> {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    // Ctrl-C in the terminal is for cutoff, not for a post that is on its way.
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    command.spawn().map_err(|error| Failure::lasting(format!("`{program}` could not be started: {}", error.kind())))
}

fn reader(pipe: Option<impl Read + Send + 'static>) -> mpsc::Receiver<Vec<u8>> {
    let (tx, rx) = mpsc::sync_channel(1);
    std::thread::spawn(move || {
        let mut kept = Vec::new();
        if let Some(mut pipe) = pipe {
            let _ = pipe.by_ref().take(KEPT).read_to_end(&mut kept);
            let _ = tx.send(kept);
            let _ = std::io::copy(&mut pipe, &mut std::io::sink());
        }
    });
    rx
}

fn wait(child: &mut Child, deadline: Duration, program: &str) -> Result<Option<ExitStatus>, Failure> {
    let steps = deadline.as_millis().div_ceil(STEP.as_millis()).max(1);
    for _ in 0..steps {
        match child.try_wait() {
            Ok(Some(status)) => return Ok(Some(status)),
            Ok(None) => std::thread::sleep(STEP),
            Err(error) => return Err(Failure::passing(format!("`{program}` could not be waited for: {}", error.kind()))),
        }
    }
    let _ = child.kill();
    let _ = child.wait();
    Ok(None)
}
