//! The WebSocket below the protocol: numbered commands out, answers and events in, for the main thread and for workers
//! (whose messages travel inside messages of the main one).
//!
//! Protocol: <https://chromedevtools.github.io/devtools-protocol/v8/>; workers: `node_protocol.pdl` in Node's source.

use std::borrow::Cow;
use std::time::Duration;

use futures::{SinkExt, StreamExt};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

use crate::base::Masked;

use super::dial::{ByteStream, Dial};
use super::error::Error;

/// Which thread a message belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lane {
    /// The main thread.
    Main,
    /// A worker, by the session id that `NodeWorker.attachedToWorker` gave.
    Worker(String),
}

/// Something that came in.
#[derive(Debug)]
pub(super) enum Heard {
    /// The answer to the command `id`.
    Answer { id: u64, lane: Lane, result: Result<String, Masked> },
    /// An event.
    Event { lane: Lane, method: String, params: String },
}

pub(super) struct Wire {
    socket: WebSocketStream<Box<dyn ByteStream>>,
    next: u64,
}

#[derive(Deserialize)]
struct Envelope<'a> {
    id: Option<u64>,
    #[serde(borrow)]
    method: Option<Cow<'a, str>>,
    #[serde(borrow)]
    params: Option<&'a RawValue>,
    #[serde(borrow)]
    result: Option<&'a RawValue>,
    error: Option<Refusal>,
}

#[derive(Deserialize)]
struct Refusal {
    #[serde(default)]
    message: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct FromWorker {
    session_id: String,
    message: String,
}

impl Wire {
    /// Opens the WebSocket of the target `id`.
    pub async fn open(dial: &dyn Dial, id: &str, deadline: Duration) -> Result<Self, Error> {
        let open = async {
            let stream = dial.dial().await.map_err(Error::Dial)?;
            // A chunk of a snapshot may have megabytes: no limits, and a buffer that takes them in one piece.
            let config = WebSocketConfig::default().max_message_size(None).max_frame_size(None).read_buffer_size(1 << 20);
            let url = format!("ws://127.0.0.1/{id}");
            let opened = tokio_tungstenite::client_async_with_config(url, stream, Some(config)).await;
            let (socket, _) = opened.map_err(|error| Error::NotAnInspector(Masked::from(error.to_string())))?;
            Ok(Self { socket, next: 0 })
        };
        match tokio::time::timeout(deadline, open).await {
            Ok(wire) => wire,
            Err(_) => Err(Error::TimedOut { during: "the WebSocket's opening".to_owned(), after: deadline }),
        }
    }

    /// Sends a command and returns its number.
    pub async fn send(&mut self, lane: &Lane, method: &str, params: &Value) -> Result<u64, Error> {
        self.next += 1;
        let id = self.next;
        let command = json!({ "id": id, "method": method, "params": params });
        let text = match lane {
            Lane::Main => command.to_string(),
            Lane::Worker(session) => {
                self.next += 1;
                let params = json!({ "sessionId": session, "message": command.to_string() });
                json!({ "id": self.next, "method": "NodeWorker.sendMessageToWorker", "params": params }).to_string()
            }
        };
        self.socket.send(Message::text(text)).await.map_err(|_| Error::Closed { during: method.to_owned() })?;
        Ok(id)
    }

    /// The next message; `None` when nothing came `within`. Nothing is lost when the future is dropped.
    pub async fn hear(&mut self, within: Duration, during: &str) -> Result<Option<Heard>, Error> {
        let closed = || Error::Closed { during: during.to_owned() };
        let until = tokio::time::Instant::now() + within;
        loop {
            let Ok(message) = tokio::time::timeout_at(until, self.socket.next()).await else { return Ok(None) };
            match message {
                Some(Ok(Message::Text(text))) => return read(text.as_str(), during).map(Some),
                Some(Ok(Message::Close(_)) | Err(_)) | None => return Err(closed()),
                Some(Ok(Message::Binary(_) | Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => {}
            }
        }
    }
}

fn read(text: &str, during: &str) -> Result<Heard, Error> {
    let heard = read_lane(text, Lane::Main, during)?;
    match heard {
        Heard::Event { method, params, .. } if method == "NodeWorker.receivedMessageFromWorker" => {
            let inner: FromWorker = serde_json::from_str(&params).map_err(|_| Error::Unreadable(during.to_owned()))?;
            read_lane(&inner.message, Lane::Worker(inner.session_id), during)
        }
        heard => Ok(heard),
    }
}

fn read_lane(text: &str, lane: Lane, during: &str) -> Result<Heard, Error> {
    let envelope: Envelope<'_> = serde_json::from_str(text).map_err(|_| Error::Unreadable(during.to_owned()))?;
    let raw = |value: Option<&RawValue>| value.map_or_else(|| "{}".to_owned(), |v| v.get().to_owned());
    match (envelope.id, envelope.method) {
        (Some(id), _) => Ok(Heard::Answer {
            id,
            lane,
            result: match envelope.error {
                Some(refusal) => Err(Masked::from(refusal.message)),
                None => Ok(raw(envelope.result)),
            },
        }),
        (None, Some(method)) => Ok(Heard::Event { lane, method: method.into_owned(), params: raw(envelope.params) }),
        (None, None) => Err(Error::Unreadable(during.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_workers_message_is_unwrapped() {
        let text =
            r#"{"method":"NodeWorker.receivedMessageFromWorker","params":{"sessionId":"2","message":"{\"id\":7,\"result\":{\"x\":1}}"}}"#;
        let Ok(Heard::Answer { id: 7, lane, result: Ok(result) }) = read(text, "test") else { panic!("an answer") };
        assert_eq!((lane, result.as_str()), (Lane::Worker("2".to_owned()), r#"{"x":1}"#));
        let refused = read(r#"{"id":1,"error":{"code":-32000,"message":"Debugger is not enabled"}}"#, "test");
        assert!(matches!(refused, Ok(Heard::Answer { result: Err(_), .. })));
        assert!(read("{}", "test").is_err() && read("[", "test").is_err());
    }
}
