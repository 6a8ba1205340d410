//! How a byte stream to the inspector is had, and the one HTTP request before the WebSocket.

use std::time::Duration;

use futures::future::BoxFuture;
use serde::Deserialize;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use crate::base::{Masked, Trouble};

use super::error::Error;

/// A byte stream to the inspector's port.
pub trait ByteStream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> ByteStream for T {}

/// Opens byte streams to one inspector: a port-forward, or TCP in tests. Each call gives a new stream.
pub trait Dial: Send + Sync {
    /// Opens a stream. It may be open although nobody listens behind it (a port-forward): the first read tells.
    fn dial(&self) -> BoxFuture<'_, Result<Box<dyn ByteStream>, Trouble>>;
}

/// What `/json/list` says of the process.
#[derive(Clone, Debug, Deserialize)]
pub struct Target {
    /// Its id: the path of the WebSocket.
    pub id: String,
    /// `file:///usr/src/app/main.js` or empty.
    #[serde(default)]
    pub url: String,
    /// `node[1]` or the script.
    #[serde(default)]
    pub title: String,
}

/// Largest answer that is read: a real one has some 600 bytes.
const MOST: usize = 256 * 1024;

/// Asks the inspector who it is.
///
/// # Errors
/// [`Error::Dial`] when there is no stream, [`Error::Closed`] when nobody listens, [`Error::NotAnInspector`] when
/// something else does.
pub async fn targets(dial: &dyn Dial, deadline: Duration) -> Result<Vec<Target>, Error> {
    let ask = async {
        let mut stream = dial.dial().await.map_err(Error::Dial)?;
        // Node answers only to IP addresses and localhost (DNS rebinding); one request a connection.
        let request = "GET /json/list HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n";
        let closed = |_| Error::Closed { during: "/json/list".to_owned() };
        stream.write_all(request.as_bytes()).await.map_err(closed)?;
        let mut answer = Vec::with_capacity(2048);
        loop {
            let mut piece = [0; 4096];
            let n = stream.read(&mut piece).await.map_err(closed)?;
            answer.extend_from_slice(&piece[..n]);
            if let Some(body) = body(&answer) {
                return targets_of(body);
            }
            if n == 0 && answer.is_empty() {
                return Err(Error::Closed { during: "/json/list".to_owned() });
            }
            if n == 0 || answer.len() > MOST {
                return Err(Error::NotAnInspector(Masked::from(first_line(&answer))));
            }
        }
    };
    match tokio::time::timeout(deadline, ask).await {
        Ok(answer) => answer,
        Err(_) => Err(Error::TimedOut { during: "/json/list".to_owned(), after: deadline }),
    }
}

/// The body, once it is whole by its Content-Length.
fn body(answer: &[u8]) -> Option<&[u8]> {
    let end = answer.windows(4).position(|w| w == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&answer[..end]).ok()?;
    let length: usize = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().ok())?
    })?;
    head.starts_with("HTTP/1.").then_some(())?;
    answer.get(end + 4..end + 4 + length)
}

fn targets_of(body: &[u8]) -> Result<Vec<Target>, Error> {
    let all: Vec<Target> = serde_json::from_slice(body).map_err(|_| Error::NotAnInspector(Masked::from(first_line(body))))?;
    let is_id = |id: &str| !id.is_empty() && id.len() < 200 && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    if all.iter().all(|target| is_id(&target.id)) { Ok(all) } else { Err(Error::NotAnInspector(Masked::own("an id that is no path"))) }
}

fn first_line(bytes: &[u8]) -> String {
    let line = bytes.split(|b| *b == b'\n').next().unwrap_or_default();
    String::from_utf8_lossy(&line[..line.len().min(120)]).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_when_it_is_whole() {
        let text = "HTTP/1.0 200 OK\r\nContent-Type: application/json\r\nContent-Length: 20\r\n\r\n[ {\"id\": \"a-1\"}    ]";
        for cut in 0..text.len() {
            assert!(body(&text.as_bytes()[..cut]).is_none(), "{cut}");
        }
        let all = targets_of(body(text.as_bytes()).expect("whole")).expect("targets");
        assert_eq!(all[0].id, "a-1");
        assert!(targets_of(b"[{\"id\":\"../x y\"}]").is_err(), "an id becomes a path of a request");
        assert!(matches!(targets_of(b"<html>"), Err(Error::NotAnInspector(_))));
    }
}
