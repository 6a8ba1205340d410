//! Lines of a container's log, without gaps and without doubles.
//!
//! Measured: the end of a stream never means that the container ended (a dead kubelet looks the same), so the pod is
//! asked; `sinceTime` has the precision of a second, so a follow that broke is resumed from the floor of it and lines up
//! to the last one seen are dropped; what a removed container leaves is an error text *as a line*.

use std::time::Duration;

use chrono::{DateTime, Utc};
use futures::io::{AsyncBufRead, AsyncBufReadExt};
use futures::stream::{BoxStream, StreamExt};
use k8s_openapi::jiff::Timestamp;
use kube::api::LogParams;

use super::backoff::Backoff;
use super::error::Error;
use super::rule::Rule;
use super::session::Session;
use crate::base::{ContainerRef, Trouble, Untrusted};
use crate::pressure::{ContainerFacts, ContainerState};

const LOG: Rule = Rule::new("", "pods/log", "get");
/// Longest line that is kept; the rest of it is dropped.
const LONGEST: usize = 64 << 10;
/// A container that ended is started again within the kubelet's back-off (10 s to 5 min).
const RESTART_POLL: Duration = Duration::from_secs(2);

/// Which lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LogOptions {
    /// Go on with new lines, also of the container's next lives, until the pod is gone.
    pub follow: bool,
    /// Lines of the life before the present one.
    pub previous: bool,
    /// Only lines from this moment on.
    pub since: Option<DateTime<Utc>>,
    /// Only this many of the newest lines.
    pub tail: Option<u32>,
}

/// A line of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// When the runtime took it; `None` when it had no timestamp.
    pub at: Option<DateTime<Utc>>,
    /// What it says, without line break.
    pub text: Untrusted,
}

/// What a log tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogNews {
    /// A line.
    Line(LogLine),
    /// The stream broke; it is resumed without a gap.
    Broken(Trouble),
    /// The container ended; with `follow` lines of the next life come when it runs.
    Ended,
    /// The container was started again; what follows is of this life.
    Restarted {
        /// The new restart count.
        restarts: u32,
    },
}

impl Session {
    /// Streams the log of `container`. The stream ends when all lines were told, with `follow` when the pod is gone; an
    /// `Err` ends it too. Nothing happens until it is polled.
    pub fn logs(&self, container: &ContainerRef, options: LogOptions) -> BoxStream<'static, Result<LogNews, Error>> {
        let reader = Reader {
            session: self.clone(),
            container: container.clone(),
            since: options.since.and_then(|t| Timestamp::from_second((t + self.skew()).timestamp()).ok()),
            options: LogOptions { follow: options.follow && !options.previous, ..options },
            lines: None,
            seen: None,
            restarts: None,
            ended: false,
            catching_up: None,
            backoff: Backoff::new(),
            over: false,
        };
        futures::stream::unfold(reader, |mut reader| async move {
            if reader.over {
                return None;
            }
            let news = reader.next().await.transpose()?;
            reader.over = news.is_err();
            Some((news, reader))
        })
        .boxed()
    }
}

type Lines = std::pin::Pin<Box<dyn AsyncBufRead + Send>>;

struct Reader {
    session: Session,
    container: ContainerRef,
    options: LogOptions,
    since: Option<Timestamp>,
    lines: Option<Lines>,
    /// Timestamp of the newest line told.
    seen: Option<Timestamp>,
    /// Restart count of the life that is read.
    restarts: Option<u32>,
    /// The life that is read has ended, and this was told.
    ended: bool,
    /// The rest of the last life is read before the life with this restart count.
    catching_up: Option<u32>,
    backoff: Backoff,
    over: bool,
}

impl Reader {
    async fn next(&mut self) -> Result<Option<LogNews>, Error> {
        loop {
            let Some(lines) = &mut self.lines else {
                if let Some(restarts) = self.catching_up.take() {
                    self.open_lines(false).await?;
                    return Ok(Some(LogNews::Restarted { restarts }));
                }
                if let Some(news) = self.open().await? {
                    return Ok(Some(news));
                }
                if self.lines.is_none() {
                    return Ok(None);
                }
                continue;
            };
            match read_line(lines).await {
                Ok(Some(raw)) => {
                    if let Some(line) = self.take(&raw) {
                        self.backoff.reset();
                        return Ok(Some(LogNews::Line(line)));
                    }
                }
                Ok(None) => {
                    self.lines = None;
                    if !self.options.follow {
                        self.over = true;
                        return Ok(None);
                    }
                }
                Err(error) => {
                    self.lines = None;
                    let what = format!("log of {}", self.container);
                    let error = Error::Broken { what, why: super::error::foreign(error.to_string()) };
                    if !self.options.follow {
                        return Err(error);
                    }
                    return Ok(Some(LogNews::Broken(error.into())));
                }
            }
        }
    }

    /// Opens the log of the present life, after looking at the pod which life that is. `None` with no lines: all over.
    async fn open(&mut self) -> Result<Option<LogNews>, Error> {
        loop {
            if self.options.follow && self.restarts.is_some() {
                let wait = if self.ended { RESTART_POLL } else { self.backoff.next() };
                tokio::time::sleep(wait).await;
            }
            let facts = match self.session.pod(&self.container.pod).await {
                Ok(facts) => facts,
                // The pod is gone: the log is over. Gone at the first look is an error.
                Err(error) if error.is_not_found() && self.restarts.is_some() => return Ok(None),
                Err(error) if self.may_wait(&error) => return Ok(Some(LogNews::Broken(error.into()))),
                Err(error) => return Err(error),
            };
            let Some(state) = facts.containers.into_iter().find(|c| c.name == self.container.name) else {
                return Err(Error::NotFound { what: format!("container {}", self.container) });
            };
            let before = self.restarts.replace(state.restarts);
            if before.is_some_and(|b| b != state.restarts) {
                self.ended = false;
                // Timestamps go on across lives, so `seen` stays: what was told of the last life is not told again.
                if before.is_some_and(|b| b + 1 == state.restarts) && self.open_lines(true).await.is_ok() {
                    self.catching_up = Some(state.restarts);
                    return Ok(None);
                }
                self.open_lines(false).await?;
                return Ok(Some(LogNews::Restarted { restarts: state.restarts }));
            }
            if self.options.follow && before.is_some() && !running(&state) {
                if self.ended {
                    continue;
                }
                self.ended = true;
                return Ok(Some(LogNews::Ended));
            }
            return match self.open_lines(self.options.previous).await {
                Ok(()) => Ok(None),
                // The answer to a follow begins with the first line: a quiet log is no trouble, since the pod was just
                // asked and the server answered.
                Err(Error::TimedOut { .. }) if self.options.follow => continue,
                Err(error) if before.is_some() && self.may_wait(&error) => Ok(Some(LogNews::Broken(error.into()))),
                Err(error) => Err(error),
            };
        }
    }

    /// Whether a follow goes on after `error`: everything that time may heal.
    fn may_wait(&self, error: &Error) -> bool {
        self.options.follow
            && self.restarts.is_some()
            && matches!(
                error,
                Error::Unreachable { .. }
                    | Error::TimedOut { .. }
                    | Error::Server { .. }
                    | Error::Expired { .. }
                    | Error::Broken { .. }
                    | Error::Invalid { .. }
            )
    }

    async fn open_lines(&mut self, previous: bool) -> Result<(), Error> {
        // Floor: kube rounds to the nearest second and would lose half a second of lines.
        let resume = self.seen.and_then(|t| Timestamp::from_second(t.as_second()).ok());
        let params = LogParams {
            container: Some(self.container.name.clone()),
            follow: self.options.follow && !previous,
            previous,
            since_time: resume.or(self.since),
            tail_lines: self.options.tail.filter(|_| self.seen.is_none()).map(i64::from),
            timestamps: true,
            ..LogParams::default()
        };
        let (pod, params) = (&self.container.pod, &params);
        let lines = self
            .session
            .call(&LOG, &self.container.to_string(), |client| async move {
                let lines: Lines = Box::pin(Session::pods(client, &pod.namespace).log_stream(&pod.name, params).await?);
                Ok(lines)
            })
            .await?;
        self.lines = Some(lines);
        Ok(())
    }

    /// Splits the timestamp off; `None` for a line that was told already or is none.
    fn take(&mut self, raw: &[u8]) -> Option<LogLine> {
        // A container that was removed: an error text in the place of a log.
        if self.seen.is_none() && raw.starts_with(b"unable to retrieve container logs for ") {
            return None;
        }
        let (at, text) = split(raw);
        if let Some(at) = at {
            if self.seen.is_some_and(|seen| at <= seen) {
                return None;
            }
            self.seen = Some(at);
        }
        Some(LogLine { at: at.map(|t| self.session.local(t)), text: Untrusted::new(text) })
    }
}

fn running(container: &ContainerFacts) -> bool {
    matches!(container.state, ContainerState::Running { .. })
}

/// `2026-11-24T03:00:00.123456789Z text`.
fn split(raw: &[u8]) -> (Option<Timestamp>, &[u8]) {
    let Some(space) = raw.iter().take(40).position(|&b| b == b' ') else {
        let stamp = std::str::from_utf8(raw).ok().and_then(|t| t.parse().ok());
        return if stamp.is_some() { (stamp, b"") } else { (None, raw) };
    };
    match std::str::from_utf8(&raw[..space]).ok().and_then(|t| t.parse().ok()) {
        Some(at) => (Some(at), &raw[space + 1..]),
        None => (None, raw),
    }
}

/// One line without its break, at most [`LONGEST`] bytes of it; `None` at the end. A last line without a break is a
/// line.
async fn read_line(lines: &mut Lines) -> std::io::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    let mut any = false;
    loop {
        let chunk = lines.fill_buf().await?;
        if chunk.is_empty() {
            return Ok(any.then_some(line));
        }
        any = true;
        let end = chunk.iter().position(|&b| b == b'\n');
        let taken = end.unwrap_or(chunk.len());
        let room = LONGEST.saturating_sub(line.len());
        line.extend_from_slice(&chunk[..taken.min(room)]);
        let used = end.map_or(chunk.len(), |e| e + 1);
        lines.as_mut().consume(used);
        if end.is_some() {
            if line.last() == Some(&b'\r') {
                line.pop();
            }
            return Ok(Some(line));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_are_split_off() {
        let (at, text) = split(b"2026-11-24T03:00:00.123456789Z heap out of memory");
        assert_eq!(at.expect("a time").subsec_nanosecond(), 123_456_789);
        assert_eq!(text, b"heap out of memory");
        assert_eq!(split(b"no time here"), (None, &b"no time here"[..]));
        assert_eq!(split(b"2026-11-24T03:00:00Z").1, b"", "an empty line of the process");
        assert_eq!(split(b""), (None, &b""[..]));
    }

    #[tokio::test]
    async fn lines_are_read_whatever_ends_them() {
        let long = vec![b'x'; LONGEST + 10];
        let mut text = b"one\r\n\ntwo\n".to_vec();
        text.extend_from_slice(&long);
        text.extend_from_slice(b"\nlast");
        let mut lines: Lines = Box::pin(futures::io::BufReader::new(futures::io::Cursor::new(text)));
        let mut read = Vec::new();
        while let Some(line) = read_line(&mut lines).await.expect("memory does not fail") {
            read.push(line.len());
        }
        assert_eq!(read, [3, 0, 3, LONGEST, 4]);
    }
}
