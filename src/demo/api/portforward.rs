//! `pods/portforward` over WebSocket (v4): for the port with index i channel 2i carries data and 2i+1 errors; each begins
//! with the port number, two bytes, little endian (`kubelet/pkg/cri/streaming/portforward/websocket.go`).

use std::sync::Arc;
use std::time::Duration;

use futures::stream::SplitSink;
use futures::{SinkExt, StreamExt};
use hyper::{Request, body::Incoming};
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::Message;

use super::context::Context;
use super::exec::{CUT_AFTER, DRIP};
use super::objects::find;
use super::reply::Reply;
use super::request::{Query, Target};
use super::spdy;
use super::tunnel::connection;
use super::websocket::{Socket, closing, upgrade};
use crate::demo::faults::{Fault, Faults};
use crate::demo::world::{Refusal, text};

/// Answers a port-forward request.
pub(crate) fn forward(context: &Arc<Context>, target: &Target, query: &Query, request: &mut Request<Incoming>) -> Result<Reply, Refusal> {
    let pod = find(context, target)?;
    if text(&pod, &["status", "phase"]) != "Running" {
        let phase = text(&pod, &["status", "phase"]);
        return Err(Refusal::bad_request(format!("unable to forward port because pod is not running. Current status={phase}")));
    }
    let uid = text(&pod, &["metadata", "uid"]).to_string();
    let offered = request.headers().get(hyper::header::SEC_WEBSOCKET_PROTOCOL).and_then(|v| v.to_str().ok()).unwrap_or("");
    if offered.contains(spdy::PROTOCOL) {
        let context = context.clone();
        return upgrade(request, &[spdy::PROTOCOL], move |socket, _| spdy::run(context, uid, socket));
    }
    let given = query.all("ports");
    let ports: Vec<u16> = given.iter().flat_map(|p| p.split(',')).filter_map(|p| p.parse().ok()).filter(|p| *p > 0).collect();
    if ports.is_empty() || ports.len() > 100 {
        return Err(Refusal::bad_request("query parameter \"ports\" must name at least one port"));
    }
    let context = context.clone();
    upgrade(request, &["v4.channel.k8s.io"], move |socket, _| run(context, uid, ports, socket))
}

async fn send(out: &mut SplitSink<Socket, Message>, channel: u8, bytes: &[u8]) -> bool {
    let mut message = Vec::with_capacity(bytes.len() + 1);
    message.push(channel);
    message.extend_from_slice(bytes);
    out.send(Message::Binary(message.into())).await.is_ok()
}

async fn run(context: Arc<Context>, uid: String, ports: Vec<u16>, socket: Socket) {
    let (mut out, mut input) = socket.split();
    for (i, port) in ports.iter().enumerate() {
        for channel in [2 * i, 2 * i + 1] {
            if !send(&mut out, channel as u8, &port.to_le_bytes()).await {
                return;
            }
        }
    }
    let (into, mut pieces) = mpsc::channel::<(u8, Vec<u8>)>(4);
    let mut writers = Vec::new();
    for (i, port) in ports.iter().enumerate() {
        let (to_pod, queue) = mpsc::channel::<Vec<u8>>(16);
        writers.push(to_pod);
        tokio::spawn(connection(context.clone(), uid.clone(), *port, (2 * i) as u8, queue, into.clone()));
    }
    drop(into);
    let faults: &Faults = &context.faults;
    let mut sent = 0;
    loop {
        tokio::select! {
            piece = pieces.recv() => {
                let Some((channel, bytes)) = piece else { break };
                while faults.is(Fault::Silent) {
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
                for part in bytes.chunks(if faults.is(Fault::SlowDrip) { DRIP / 4 } else { 32 * 1024 }) {
                    if faults.is(Fault::SlowDrip) {
                        tokio::time::sleep(Duration::from_millis(250)).await;
                    }
                    if !send(&mut out, channel, part).await {
                        return;
                    }
                    sent += part.len();
                    if sent >= CUT_AFTER && faults.is(Fault::StreamReset) {
                        return;
                    }
                }
            }
            message = input.next() => match message {
                Some(Ok(Message::Binary(bytes))) => {
                    if let Some((&channel, data)) = bytes.split_first()
                        && channel % 2 == 0
                        && let Some(writer) = writers.get(usize::from(channel / 2))
                    {
                        let _ = writer.send(data.to_vec()).await;
                    }
                }
                Some(Ok(Message::Close(_)) | Err(_)) | None => return,
                Some(Ok(_)) => {}
            },
        }
    }
    let _ = out.send(closing()).await;
}
