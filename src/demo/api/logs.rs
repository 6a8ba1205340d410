//! `pods/log`: whole or followed, of the present or the previous life.

use std::sync::Arc;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use futures::stream;
use hyper::body::Bytes;
use serde_json::Value;
use tokio::sync::mpsc;

use super::context::Context;
use super::objects::find;
use super::reply::{self, Reply};
use super::request::{Query, Target};
use crate::demo::faults::{Fault, Faults};
use crate::demo::kubelet::LogBook;
use crate::demo::pods::Line;
use crate::demo::world::Refusal;

/// The container that a request means.
pub(crate) fn container(pod: &Value, query: &Query, name: &str) -> Result<String, Refusal> {
    let names: Vec<&str> = pod["spec"]["containers"].as_array().into_iter().flatten().filter_map(|c| c["name"].as_str()).collect();
    match query.get("container") {
        "" if names.len() == 1 => Ok(names[0].to_string()),
        "" => Err(Refusal::bad_request(format!("a container name must be specified for pod {name}, choose one of: [{}]", names.join(" ")))),
        given if names.contains(&given) => Ok(given.to_string()),
        given => Err(Refusal::bad_request(format!("container {given} is not valid for pod {name}"))),
    }
}

struct Reader {
    timestamps: bool,
    since: Option<DateTime<Utc>>,
    left: Option<u64>,
}

/// Answers `GET …/log`.
pub(crate) fn log(context: &Arc<Context>, target: &Target, query: &Query) -> Result<Reply, Refusal> {
    let pod = find(context, target)?;
    let name = &target.name;
    let container = container(&pod, query, name)?;
    let waiting = || Refusal::bad_request(format!("container \"{container}\" in pod \"{name}\" is waiting to start: ContainerCreating"));
    let worker = context.kubelet.worker_of(&pod).ok_or_else(waiting)?;
    let previous = query.is("previous");
    let book = worker.log(&container, previous).ok_or_else(waiting)?;
    let book =
        book.ok_or_else(|| Refusal::bad_request(format!("previous terminated container \"{container}\" in pod \"{name}\" not found")))?;
    let since = match (query.get("sinceTime"), query.get("sinceSeconds")) {
        ("", "") => None,
        ("", seconds) => {
            let seconds: i64 = seconds.parse().map_err(|_| Refusal::bad_request("sinceSeconds must be a number"))?;
            Some(crate::demo::clock::now() - TimeDelta::seconds(seconds.clamp(0, 1 << 40)))
        }
        (time, _) => {
            Some(time.parse::<DateTime<Utc>>().map_err(|_| Refusal::bad_request(format!("sinceTime {time} is no RFC 3339 time")))?)
        }
    };
    let mut reader = Reader { timestamps: query.is("timestamps"), since, left: query.number("limitBytes") };
    let (lines, next) = book.since(0);
    let mut lines: Vec<Line> = lines.into_iter().filter(|l| reader.wants(l)).collect();
    if let Some(tail) = query.number("tailLines") {
        let skip = lines.len().saturating_sub(usize::try_from(tail).unwrap_or(usize::MAX));
        lines.drain(..skip);
    }
    let first = reader.text(&lines);
    if !query.is("follow") {
        return Ok(reply::plain(200, String::from_utf8_lossy(&first).into_owned()));
    }
    let (into, pieces) = mpsc::channel(16);
    tokio::spawn(follow(book, next, reader, first, into, context.faults.clone()));
    let pieces = stream::unfold(pieces, |mut pieces| async { pieces.recv().await.map(|piece| (piece, pieces)) });
    Ok(reply::stream("text/plain; charset=utf-8", pieces))
}

/// Sends new lines until the container ends (or the reader goes away).
async fn follow(book: Arc<LogBook>, mut next: u64, mut reader: Reader, first: Bytes, into: mpsc::Sender<Bytes>, faults: Faults) {
    let mut changed = book.subscribe();
    if !first.is_empty() && into.send(first).await.is_err() {
        return;
    }
    loop {
        while faults.is(Fault::Silent) {
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
        let closed = *changed.borrow_and_update();
        let (lines, end) = book.since(next);
        next = end;
        let lines: Vec<Line> = lines.into_iter().filter(|l| reader.wants(l)).collect();
        let text = reader.text(&lines);
        if !text.is_empty() && into.send(text).await.is_err() {
            return;
        }
        if closed || reader.left == Some(0) {
            return;
        }
        tokio::select! {
            said = changed.changed() => if said.is_err() { return },
            () = into.closed() => return,
        }
    }
}

impl Reader {
    fn wants(&self, line: &Line) -> bool {
        self.since.is_none_or(|since| line.at >= since)
    }

    fn text(&mut self, lines: &[Line]) -> Bytes {
        let mut out = Vec::new();
        for line in lines {
            if self.timestamps {
                out.extend_from_slice(line.at.to_rfc3339_opts(SecondsFormat::Nanos, true).as_bytes());
                out.push(b' ');
            }
            out.extend_from_slice(&line.bytes);
            out.push(b'\n');
        }
        if let Some(left) = &mut self.left {
            out.truncate(usize::try_from(*left).unwrap_or(usize::MAX));
            *left -= out.len() as u64;
        }
        out.into()
    }
}
