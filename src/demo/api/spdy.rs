//! Port-forward as kubectl speaks it since 1.31: SPDY/3.1 frames in the binary messages of a WebSocket (KEP-4006).
//!
//! Framing and header compression: SPDY Protocol, Draft 3.1, sections 2.2 and 2.6.10 (the dictionary is the one given
//! there). A forwarded connection is two streams that share a `requestID`: one for data, one for errors
//! (`kubelet/pkg/cri/streaming/portforward/httpstream.go`).

use std::collections::HashMap;
use std::sync::Arc;

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress};
use futures::{SinkExt, StreamExt};
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::Message;

use super::context::Context;
use super::tunnel::connection;
use super::websocket::Socket;

/// The subprotocol that asks for it.
pub(super) const PROTOCOL: &str = "SPDY/3.1+portforward.k8s.io";

const DICTIONARY: &[u8] = include_bytes!("spdy.dictionary");
/// A header block of a port-forward has some 100 bytes.
const MOST_HEADERS: usize = 64 * 1024;
const FIN: u8 = 1;
const SYN_STREAM: u16 = 1;
const SYN_REPLY: u16 = 2;
const RST_STREAM: u16 = 3;
const PING: u16 = 6;

/// A frame without its 8 bytes of head.
enum Frame {
    Control { kind: u16, body: Vec<u8> },
    Data { stream: u32, flags: u8, body: Vec<u8> },
}

fn number(bytes: &[u8]) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(..4)?.try_into().ok()?))
}

/// Takes the first whole frame out of `buffer`.
fn take_frame(buffer: &mut Vec<u8>) -> Option<Frame> {
    let (first, second) = (number(buffer)?, number(buffer.get(4..)?)?);
    let (flags, length) = ((second >> 24) as u8, (second & 0x00ff_ffff) as usize);
    if buffer.len() < 8 + length {
        return None;
    }
    let body = buffer[8..8 + length].to_vec();
    buffer.drain(..8 + length);
    Some(if first & 0x8000_0000 == 0 {
        Frame::Data { stream: first, flags, body }
    } else {
        Frame::Control { kind: (first & 0xffff) as u16, body }
    })
}

fn control(kind: u16, body: &[u8]) -> Vec<u8> {
    let mut frame = vec![0x80, 3, 0, kind as u8];
    frame.extend_from_slice(&(body.len() as u32).to_be_bytes());
    frame.extend_from_slice(body);
    frame
}

fn data(stream: u32, flags: u8, body: &[u8]) -> Vec<u8> {
    let mut frame = stream.to_be_bytes().to_vec();
    frame.extend_from_slice(&(u32::from(flags) << 24 | body.len() as u32).to_be_bytes());
    frame.extend_from_slice(body);
    frame
}

/// Header blocks of one connection share one compression state in each direction.
struct Headers {
    inflate: Decompress,
    deflate: Compress,
}

impl Headers {
    fn new() -> Option<Self> {
        let mut deflate = Compress::new(Compression::default(), true);
        deflate.set_dictionary(DICTIONARY).ok()?;
        Some(Self { inflate: Decompress::new(true), deflate })
    }

    fn read(&mut self, block: &[u8]) -> Option<HashMap<String, String>> {
        let (mut out, mut at) = (Vec::with_capacity(4096), 0);
        loop {
            let (read, had) = (self.inflate.total_in(), out.len());
            match self.inflate.decompress_vec(&block[at..], &mut out, FlushDecompress::Sync) {
                Ok(_) => {}
                Err(error) if error.needs_dictionary().is_some() => drop(self.inflate.set_dictionary(DICTIONARY).ok()?),
                Err(_) => return None,
            }
            let consumed = usize::try_from(self.inflate.total_in() - read).ok()?;
            at += consumed;
            if out.len() == out.capacity() {
                out.reserve(4096);
            } else if at >= block.len() || (consumed == 0 && out.len() == had) {
                break;
            }
            if out.len() > MOST_HEADERS {
                return None;
            }
        }
        let count = number(&out)?;
        let mut rest = &out[4..];
        let mut word = || {
            let length = number(rest)? as usize;
            let text = rest.get(4..4 + length)?;
            rest = &rest[4 + length..];
            Some(String::from_utf8_lossy(text).into_owned())
        };
        (0..count).map(|_| Some((word()?.to_lowercase(), word()?))).collect()
    }

    /// A block without headers.
    fn none(&mut self) -> Option<Vec<u8>> {
        let mut out = Vec::with_capacity(256);
        self.deflate.compress_vec(&[0; 4], &mut out, FlushCompress::Sync).ok()?;
        Some(out)
    }
}

/// Serves one WebSocket until the client leaves.
pub(super) async fn run(context: Arc<Context>, uid: String, socket: Socket) {
    let Some(mut headers) = Headers::new() else { return };
    let (mut out, mut input) = socket.split();
    let (into, mut frames) = mpsc::channel::<Vec<u8>>(16);
    let mut buffer = Vec::new();
    let mut errors: HashMap<String, u32> = HashMap::new();
    let mut writers: HashMap<u32, mpsc::Sender<Vec<u8>>> = HashMap::new();
    loop {
        let message = tokio::select! {
            frame = frames.recv() => {
                let Some(frame) = frame else { return };
                if out.send(Message::Binary(frame.into())).await.is_err() {
                    return;
                }
                continue;
            }
            message = input.next() => message,
        };
        match message {
            Some(Ok(Message::Binary(bytes))) => buffer.extend_from_slice(&bytes),
            Some(Ok(Message::Close(_)) | Err(_)) | None => return,
            Some(Ok(_)) => {}
        }
        while let Some(frame) = take_frame(&mut buffer) {
            let answer = match frame {
                Frame::Control { kind: SYN_STREAM, body } => {
                    let (Some(stream), Some(block)) = (number(&body), body.get(10..)) else { return };
                    let Some(asked) = headers.read(block) else { return };
                    let of = |key: &str| asked.get(key).cloned().unwrap_or_default();
                    match (of("streamtype").as_str(), of("port").parse::<u16>()) {
                        ("error", _) => drop(errors.insert(of("requestid"), stream)),
                        ("data", Ok(port)) => {
                            let (writer, queue) = mpsc::channel(16);
                            writers.insert(stream, writer);
                            let error = errors.remove(&of("requestid"));
                            tokio::spawn(forward(context.clone(), uid.clone(), port, (stream, error), queue, into.clone()));
                        }
                        _ => return,
                    }
                    let Some(block) = headers.none() else { return };
                    control(SYN_REPLY, &[&stream.to_be_bytes()[..], &block].concat())
                }
                Frame::Control { kind: PING, body } => control(PING, &body),
                Frame::Control { kind: RST_STREAM, body } => {
                    writers.remove(&number(&body).unwrap_or(0));
                    continue;
                }
                Frame::Control { .. } => continue,
                Frame::Data { stream, flags, body } => {
                    if let Some(writer) = writers.get(&stream).filter(|_| !body.is_empty()) {
                        let _ = writer.send(body).await;
                    }
                    if flags & FIN != 0 {
                        writers.remove(&stream);
                    }
                    continue;
                }
            };
            if out.send(Message::Binary(answer.into())).await.is_err() {
                return;
            }
        }
    }
}

/// One connection into the pod, as frames of its two streams.
async fn forward(
    context: Arc<Context>,
    uid: String,
    port: u16,
    (stream, error): (u32, Option<u32>),
    queue: mpsc::Receiver<Vec<u8>>,
    into: mpsc::Sender<Vec<u8>>,
) {
    let (pieces, mut from_pod) = mpsc::channel(4);
    let copying = tokio::spawn(connection(context, uid, port, 0, queue, pieces));
    while let Some((channel, bytes)) = from_pod.recv().await {
        let to = if channel == 0 { Some(stream) } else { error };
        if let Some(to) = to
            && into.send(data(to, 0, &bytes)).await.is_err()
        {
            break;
        }
    }
    for stream in [Some(stream), error].into_iter().flatten() {
        let _ = into.send(data(stream, FIN, &[])).await;
    }
    copying.abort();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_come_in_any_pieces() {
        let whole = [data(7, FIN, b"abc"), control(PING, &[0, 0, 0, 1])].concat();
        let mut buffer = Vec::new();
        let mut seen = Vec::new();
        for byte in whole {
            buffer.push(byte);
            while let Some(frame) = take_frame(&mut buffer) {
                seen.push(match frame {
                    Frame::Data { stream, flags, body } => format!("data {stream} {flags} {}", String::from_utf8_lossy(&body)),
                    Frame::Control { kind, body } => format!("control {kind} {body:?}"),
                });
            }
        }
        assert_eq!(seen, ["data 7 1 abc", "control 6 [0, 0, 0, 1]"]);
    }

    #[test]
    fn header_blocks_are_read_with_the_dictionary_and_rubbish_is_refused() {
        let mut client = Compress::new(Compression::default(), true);
        client.set_dictionary(DICTIONARY).unwrap();
        let mut headers = Headers::new().unwrap();
        for port in ["9229", "3000"] {
            let mut plain = 2u32.to_be_bytes().to_vec();
            for word in ["Port", port, "streamType", "data"] {
                plain.extend_from_slice(&(word.len() as u32).to_be_bytes());
                plain.extend_from_slice(word.as_bytes());
            }
            let mut block = Vec::with_capacity(1024);
            client.compress_vec(&plain, &mut block, FlushCompress::Sync).unwrap();
            let read = headers.read(&block).unwrap();
            assert_eq!((read["port"].as_str(), read["streamtype"].as_str()), (port, "data"));
        }
        assert!(Headers::new().unwrap().read(b"no zlib at all").is_none());
    }
}
