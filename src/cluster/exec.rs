//! Commands in containers.
//!
//! What was measured on a real server and decides how this is built: a connection that is reset leaves the reader
//! waiting for ever (so each read is raced with the status and with silence); a kubelet that dies gives end of output
//! *and* status Success (so the end proves nothing: who needs the whole must check length or sum himself); an exit code
//! stands in the status' causes; a client that goes away leaves the command running in the pod (so long commands are
//! started under `timeout`).

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::future::BoxFuture;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Status;
use kube::api::{AttachParams, AttachedProcess};
use tokio::io::{AsyncRead, AsyncReadExt, ReadBuf};
use tokio::time::{Sleep, sleep};

use super::error::{Error, foreign};
use super::rule::Rule;
use super::session::Session;
use crate::base::{ContainerRef, Masked, Untrusted};

pub(super) const EXEC: Rule = Rule::new("", "pods/exec", "create");
/// Of stderr this much is kept: its beginning, where the reason stands.
const STDERR_KEPT: usize = 64 << 10;
/// kube's default of 1 KiB costs two thirds of the rate where each read is written to a file.
const BUFFER: usize = 1 << 20;

/// A command that runs in a container. Read its standard output from it (`AsyncRead`), then ask [`Exec::finish`].
///
/// A read fails with [`io::ErrorKind::ConnectionReset`] when the connection broke and with [`io::ErrorKind::TimedOut`]
/// after silence; what was read before is good. End of output says nothing about its completeness.
pub struct Exec {
    what: String,
    process: AttachedProcess,
    stdout: Pipe,
    stderr: Pipe,
    stderr_kept: Vec<u8>,
    status: Outcome,
    idle: Duration,
    silence: Option<Pin<Box<Sleep>>>,
}

type Pipe = Option<Pin<Box<dyn AsyncRead + Send>>>;

/// The status as far as it has come.
enum Outcome {
    Awaited(BoxFuture<'static, Option<Status>>),
    /// `None`: the connection ended without one.
    Came(Option<Box<Status>>),
}

/// How a command ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExecEnd {
    /// Exit code. `None`: the server could not say, see `failure`. A kubelet that died in mid-stream reports 0.
    pub code: Option<i32>,
    /// Why there is no exit code: no such command, container not running; the server's words.
    pub failure: Option<Masked>,
    /// The connection ended before the command did: the output is a part.
    pub broken: Option<Masked>,
    /// The first 64 KiB of standard error.
    pub stderr: Untrusted,
}

impl ExecEnd {
    /// The command ran and exited with 0, as far as the server says.
    pub fn succeeded(&self) -> bool {
        self.code == Some(0) && self.broken.is_none()
    }

    /// The image does not have the command (no shell, no `cat`).
    pub fn no_such_command(&self) -> bool {
        self.failure.as_ref().is_some_and(|f| {
            let said = f.as_str();
            said.contains("executable file not found") || said.contains("no such file or directory")
        }) || matches!(self.code, Some(126 | 127))
    }
}

/// What a short command printed, and how it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// Standard output, at most as much as was asked for.
    pub stdout: Vec<u8>,
    /// Standard output was longer than that; then the end was not waited for.
    pub cut: bool,
    /// Exit code, stderr, and what went wrong.
    pub end: ExecEnd,
}

impl Session {
    /// Starts `command` in `container`, without a shell and without standard input.
    ///
    /// # Errors
    /// [`Error::Denied`], [`Error::NotFound`], [`Error::Invalid`] (no such container), or as any call. That the command
    /// exists is only known at the end.
    pub async fn exec(&self, container: &ContainerRef, command: &[String]) -> Result<Exec, Error> {
        let process = self
            .call(&EXEC, &container.to_string(), |client| async move {
                let attach = AttachParams::default()
                    .container(&container.name)
                    .stdin(false)
                    .stdout(true)
                    .stderr(true)
                    .max_stdout_buf_size(BUFFER)
                    .max_stderr_buf_size(BUFFER);
                Self::pods(client, &container.pod.namespace).exec(&container.pod.name, command.iter().cloned(), &attach).await
            })
            .await?;
        Ok(Exec::new(process, container.to_string(), self.options().deadlines.idle()))
    }

    /// Runs a short `command` in `container` to its end, within `deadline`, and keeps at most `max_bytes` of its output.
    ///
    /// # Errors
    /// As [`Session::exec`], and [`Error::TimedOut`], [`Error::Broken`]. A command that exits with an error is no error.
    pub async fn run(&self, container: &ContainerRef, command: &[String], deadline: Duration, max_bytes: usize) -> Result<Output, Error> {
        let what = || format!("{} in {container}", command.first().map_or("command", String::as_str));
        let run = async {
            let mut exec = self.exec(container, command).await?;
            exec.idle = deadline;
            let mut stdout = Vec::new();
            let mut limited = (&mut exec).take(max_bytes as u64 + 1);
            let read = limited.read_to_end(&mut stdout).await;
            if stdout.len() > max_bytes {
                // The rest may be endless: leave it.
                stdout.truncate(max_bytes);
                let stderr = Untrusted::new(std::mem::take(&mut exec.stderr_kept));
                return Ok(Output { stdout, cut: true, end: ExecEnd { code: None, failure: None, broken: None, stderr } });
            }
            let end = exec.finish().await;
            match (read, &end.broken) {
                (Err(error), _) => Err(Error::Broken { what: what(), why: foreign(error.to_string()) }),
                (Ok(_), Some(why)) => Err(Error::Broken { what: what(), why: why.clone() }),
                (Ok(_), None) => Ok(Output { stdout, cut: false, end }),
            }
        };
        tokio::time::timeout(deadline, run).await.unwrap_or_else(|_| Err(Error::TimedOut { what: what(), after: deadline }))
    }
}

impl std::fmt::Debug for Exec {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Exec").field("what", &self.what).finish_non_exhaustive()
    }
}

impl Exec {
    fn new(mut process: AttachedProcess, what: String, idle: Duration) -> Self {
        let stdout = process.stdout().map(|s| Box::pin(s) as Pin<Box<dyn AsyncRead + Send>>);
        let stderr = process.stderr().map(|s| Box::pin(s) as Pin<Box<dyn AsyncRead + Send>>);
        let status = process.take_status().map_or(Outcome::Came(None), |s| Outcome::Awaited(Box::pin(s)));
        Self { what, process, stdout, stderr, stderr_kept: Vec::new(), status, idle, silence: None }
    }

    /// Where it runs.
    pub fn what(&self) -> &str {
        &self.what
    }

    /// Sets how long its output may be silent.
    pub fn idle_after(&mut self, idle: Duration) {
        self.idle = idle;
    }

    /// Waits for the end; output that was not read is thrown away. A command that should run on is not waited for
    /// longer than the idle time: drop the `Exec` to leave it.
    pub async fn finish(mut self) -> ExecEnd {
        let mut sink = vec![0; 64 << 10];
        let cut = loop {
            match self.read(&mut sink).await {
                Ok(0) => break None,
                Ok(_) => {}
                Err(error) => break Some(error),
            }
        };
        if cut.is_none() {
            // Stdout may have been closed by a command that runs on.
            let _ = tokio::time::timeout(self.idle, std::future::poll_fn(|cx| self.poll_status(cx))).await;
        }
        let idle = self.idle;
        let stderr = Untrusted::new(std::mem::take(&mut self.stderr_kept));
        let (mut code, mut failure, mut broken) = (None, None, None);
        match &self.status {
            Outcome::Came(Some(status)) => (code, failure) = read_status(status),
            Outcome::Came(None) => broken = Some(Masked::own("the connection ended without a status")),
            Outcome::Awaited(_) => broken = Some(Masked::own("no status came")),
        }
        if let Some(error) = cut {
            broken = Some(foreign(error.to_string()));
        }
        // The streams and the status are taken: only now does joining tell the truth.
        if let Ok(Err(error)) = tokio::time::timeout(idle.min(Duration::from_secs(2)), self.process.join()).await
            && broken.is_some()
        {
            broken = Some(foreign(error.to_string()));
        }
        ExecEnd { code, failure, broken, stderr }
    }

    fn poll_status(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Outcome::Awaited(status) = &mut self.status else { return Poll::Ready(()) };
        let status = std::task::ready!(status.as_mut().poll(cx));
        self.status = Outcome::Came(status.map(Box::new));
        Poll::Ready(())
    }

    /// Takes what stderr has, so that a full pipe does not stop stdout.
    fn drain_stderr(&mut self, cx: &mut Context<'_>) {
        let mut space = [0; 4096];
        while let Some(stderr) = &mut self.stderr {
            let mut buffer = ReadBuf::new(&mut space);
            match stderr.as_mut().poll_read(cx, &mut buffer) {
                Poll::Ready(Ok(())) if !buffer.filled().is_empty() => {
                    let room = STDERR_KEPT.saturating_sub(self.stderr_kept.len());
                    let taken = buffer.filled();
                    self.stderr_kept.extend_from_slice(&taken[..taken.len().min(room)]);
                    self.silence = None;
                }
                Poll::Ready(_) => self.stderr = None,
                Poll::Pending => return,
            }
        }
    }

    fn poll_stdout(&mut self, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match &mut self.stdout {
            Some(stdout) => stdout.as_mut().poll_read(cx, buffer),
            None => Poll::Ready(Ok(())),
        }
    }
}

impl AsyncRead for Exec {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        this.drain_stderr(cx);
        if let Poll::Ready(done) = this.poll_stdout(cx, buffer) {
            this.silence = None;
            return Poll::Ready(done);
        }
        if this.poll_status(cx).is_ready() {
            // What the task wrote before it ended is in the pipe by now.
            if let Poll::Ready(done) = this.poll_stdout(cx, buffer) {
                this.silence = None;
                return Poll::Ready(done);
            }
            if matches!(this.status, Outcome::Came(None)) {
                return Poll::Ready(Err(io::Error::new(io::ErrorKind::ConnectionReset, "the connection to the container was reset")));
            }
        }
        let idle = this.idle;
        let silence = this.silence.get_or_insert_with(|| Box::pin(sleep(idle)));
        if silence.as_mut().poll(cx).is_ready() {
            this.silence = None;
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, format!("no output for {} s", idle.as_secs()))));
        }
        Poll::Pending
    }
}

/// Exit code, or the reason why there is none. The code stands in the causes; `Status.code` is 500 or absent.
fn read_status(status: &Status) -> (Option<i32>, Option<Masked>) {
    if status.status.as_deref() == Some("Success") {
        return (Some(0), None);
    }
    let causes = status.details.iter().flat_map(|d| d.causes.iter().flatten());
    let code =
        causes.filter(|c| c.reason.as_deref() == Some("ExitCode")).find_map(|c| c.message.as_deref().and_then(|m| m.trim().parse().ok()));
    let failure = if code.is_none() { Some(foreign(status.message.as_deref().unwrap_or("the command failed"))) } else { None };
    (code, failure)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn exit_codes_come_from_the_causes() {
        let read = |status: serde_json::Value| {
            let (code, failure) = read_status(&serde_json::from_value(status).expect("a status"));
            ExecEnd { code, failure, broken: None, stderr: Untrusted::new("") }
        };
        assert!(read(json!({"status": "Success"})).succeeded());
        let seven = read(json!({"status": "Failure", "reason": "NonZeroExitCode",
            "details": {"causes": [{"reason": "ExitCode", "message": "7"}]}}));
        assert_eq!((seven.code, seven.failure), (Some(7), None));
        let no_shell = read(json!({"status": "Failure", "code": 500, "reason": "InternalError",
            "message": "error executing command in container: exec: \"sh\": executable file not found in $PATH: unknown"}));
        assert_eq!(no_shell.code, None);
        assert!(no_shell.no_such_command());
        assert!(!read(json!({"status": "Failure", "message": "container not found (\"node\")"})).no_such_command());
    }
}
