//! Answers of the API server: JSON, plain text, streams.

use std::io;

use futures::{Stream, StreamExt};
use http_body_util::{BodyExt, Full, StreamBody, combinators::UnsyncBoxBody};
use hyper::body::{Bytes, Frame};
use hyper::{Response, header};
use serde_json::Value;

use crate::demo::world::Refusal;

/// Body of every answer.
pub(crate) type Body = UnsyncBoxBody<Bytes, io::Error>;
/// An answer.
pub(crate) type Reply = Response<Body>;

fn full(bytes: impl Into<Bytes>) -> Body {
    Full::new(bytes.into()).map_err(|never| match never {}).boxed_unsync()
}

/// An answer with `code`, or 500 where the code is none.
fn reply(code: u16, content_type: &'static str, body: Body) -> Reply {
    let mut reply = Response::new(body);
    *reply.status_mut() = hyper::StatusCode::from_u16(code).unwrap_or(hyper::StatusCode::INTERNAL_SERVER_ERROR);
    reply.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static(content_type));
    reply
}

/// A JSON answer.
pub(crate) fn json(code: u16, value: &Value) -> Reply {
    reply(code, "application/json", full(value.to_string()))
}

/// A plain text answer.
pub(crate) fn plain(code: u16, text: impl Into<String>) -> Reply {
    reply(code, "text/plain; charset=utf-8", full(text.into()))
}

/// A refusal as a Status.
pub(crate) fn refuse(refusal: &Refusal) -> Reply {
    json(refusal.code, &refusal.status())
}

/// A body that comes piece by piece.
pub(crate) fn stream(content_type: &'static str, pieces: impl Stream<Item = Bytes> + Send + 'static) -> Reply {
    let frames = pieces.map(|bytes| Ok(Frame::data(bytes)));
    reply(200, content_type, StreamBody::new(frames).boxed_unsync())
}

/// An empty answer with `101 Switching Protocols`.
pub(crate) fn switching(accept: &str, protocol: &str) -> Reply {
    let mut reply = Response::new(full(""));
    *reply.status_mut() = hyper::StatusCode::SWITCHING_PROTOCOLS;
    let headers = reply.headers_mut();
    headers.insert(header::UPGRADE, header::HeaderValue::from_static("websocket"));
    headers.insert(header::CONNECTION, header::HeaderValue::from_static("Upgrade"));
    for (name, value) in [(header::SEC_WEBSOCKET_ACCEPT, accept), (header::SEC_WEBSOCKET_PROTOCOL, protocol)] {
        if let Ok(value) = header::HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    }
    reply
}
