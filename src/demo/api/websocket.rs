//! Upgrades a request to a WebSocket with one of Kubernetes' channel protocols
//! (`apimachinery/pkg/util/remotecommand/constants.go`).

use std::future::Future;

use hyper::{Request, body::Incoming, header};
use hyper_util::rt::TokioIo;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role};
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};

use super::reply::{self, Reply};
use crate::demo::world::Refusal;

/// A WebSocket on an upgraded connection.
pub(crate) type Socket = WebSocketStream<TokioIo<hyper::upgrade::Upgraded>>;

/// Answers 101 with the first protocol of `served` that the client offers, and hands the socket to `work`.
pub(crate) fn upgrade<W, F>(request: &mut Request<Incoming>, served: &[&'static str], work: W) -> Result<Reply, Refusal>
where
    W: FnOnce(Socket, &'static str) -> F + Send + 'static,
    F: Future<Output = ()> + Send + 'static,
{
    let headers = request.headers();
    let has = |name: header::HeaderName| headers.get_all(name).iter().filter_map(|v| v.to_str().ok()).collect::<Vec<_>>().join(",");
    if !has(header::UPGRADE).eq_ignore_ascii_case("websocket") {
        return Err(Refusal::bad_request("Upgrade request required"));
    }
    let key = has(header::SEC_WEBSOCKET_KEY);
    let offered = has(header::SEC_WEBSOCKET_PROTOCOL);
    let offered: Vec<&str> = offered.split(',').map(str::trim).collect();
    let Some(protocol) = served.iter().find(|p| offered.contains(p)).copied() else {
        let message = format!("unable to negotiate protocol: client supports {offered:?}, server accepts {served:?}");
        return Err(Refusal::new(403, "Forbidden", message));
    };
    let answer = reply::switching(&derive_accept_key(key.as_bytes()), protocol);
    let upgrading = hyper::upgrade::on(request);
    tokio::spawn(async move {
        if let Ok(upgraded) = upgrading.await {
            let socket = WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Role::Server, None).await;
            work(socket, protocol).await;
        }
    });
    Ok(answer)
}

/// A Close frame with code 1000: kubectl takes one without a code for a broken stream.
pub(crate) fn closing() -> Message {
    Message::Close(Some(CloseFrame { code: CloseCode::Normal, reason: Utf8Bytes::from_static("") }))
}
