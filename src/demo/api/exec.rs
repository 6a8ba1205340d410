//! `pods/exec` over WebSocket: channels 0 stdin, 1 stdout, 2 stderr, 3 error (the Status), 4 resize, 255 close (v5)
//! (`kubelet/pkg/cri/streaming/remotecommand/websocket.go`).

use std::sync::Arc;
use std::time::Duration;

use futures::stream::{SplitSink, SplitStream};
use futures::{SinkExt, StreamExt};
use hyper::{Request, body::Incoming};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::Message;

use super::context::Context;
use super::logs::container;
use super::objects::find;
use super::reply::Reply;
use super::request::{Query, Target};
use super::websocket::{Socket, closing, upgrade};
use crate::demo::faults::{Fault, Faults};
use crate::demo::pods::{ExecRefusal, Session, Sink, Source};
use crate::demo::world::Refusal;

const STDIN: u8 = 0;
const STDOUT: u8 = 1;
const STDERR: u8 = 2;
const ERROR: u8 = 3;
const CLOSE: u8 = 255;

/// What is cut off when a fault cuts: this many bytes pass first, so that a stream is cut in its middle.
pub(super) const CUT_AFTER: usize = 64 * 1024;
/// Bytes a second under [`Fault::SlowDrip`].
pub(super) const DRIP: usize = 16 * 1024;

/// Answers an exec request.
pub(crate) fn exec(context: &Arc<Context>, target: &Target, query: &Query, request: &mut Request<Incoming>) -> Result<Reply, Refusal> {
    let pod = find(context, target)?;
    let container = container(&pod, query, &target.name)?;
    let argv = query.all("command");
    if argv.is_empty() {
        return Err(Refusal::bad_request("you must specify at least 1 command for the container"));
    }
    let [stdin, stdout, stderr] = ["stdin", "stdout", "stderr"].map(|stream| query.is(stream));
    if !(stdin || stdout || stderr) {
        return Err(Refusal::bad_request("you must specify at least 1 of stdin, stdout, stderr"));
    }
    let uid = pod["metadata"]["uid"].as_str().unwrap_or_default().to_string();
    let context = context.clone();
    upgrade(request, &["v5.channel.k8s.io", "v4.channel.k8s.io"], move |socket, protocol| async move {
        let started = context.kubelet.machine().exec(&uid, &container, &argv, stdin).await;
        let (mut out, input) = socket.split();
        // An empty frame on the lowest channel tells the client that the stream stands.
        let lowest = if stdout { STDOUT } else { STDERR };
        if out.send(frame(lowest, &[])).await.is_err() {
            return;
        }
        match started {
            Ok(session) => run(session, out, input, protocol, &argv, &context.faults).await,
            Err(refusal) => finish(&mut out, &refused(&refusal, &container, &argv)).await,
        }
    })
}

fn frame(channel: u8, bytes: &[u8]) -> Message {
    let mut message = Vec::with_capacity(bytes.len() + 1);
    message.push(channel);
    message.extend_from_slice(bytes);
    Message::Binary(message.into())
}

async fn finish(out: &mut SplitSink<Socket, Message>, status: &Value) {
    let _ = out.send(frame(ERROR, status.to_string().as_bytes())).await;
    let _ = out.send(closing()).await;
}

async fn run(
    session: Session,
    mut out: SplitSink<Socket, Message>,
    input: SplitStream<Socket>,
    protocol: &str,
    argv: &[String],
    faults: &Faults,
) {
    let Session { stdin, stdout, stderr, mut exit } = session;
    let (into, mut pieces) = mpsc::channel::<(u8, Vec<u8>)>(4);
    tokio::spawn(read(STDOUT, stdout, into.clone()));
    tokio::spawn(read(STDERR, stderr, into));
    let mut feeding = tokio::spawn(feed(stdin, input, protocol == "v5.channel.k8s.io"));
    let mut sent = 0;
    let mut fed = false;
    loop {
        let piece = tokio::select! {
            piece = pieces.recv() => piece,
            left = &mut feeding, if !fed => {
                fed = true;
                if left.is_ok_and(|client_left| client_left) {
                    // The command stays in the pod, blocked on its full pipe: nobody reads it any more.
                    let _ = exit.await;
                    return;
                }
                continue;
            }
        };
        let Some((channel, bytes)) = piece else { break };
        while faults.is(Fault::Silent) {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        for part in bytes.chunks(if faults.is(Fault::SlowDrip) { DRIP / 4 } else { 32 * 1024 }) {
            if faults.is(Fault::SlowDrip) {
                tokio::time::sleep(Duration::from_millis(250)).await;
            }
            if out.send(frame(channel, part)).await.is_err() {
                let _ = exit.await;
                return;
            }
            sent += part.len();
            if sent >= CUT_AFTER && cut(&mut out, faults).await {
                // Both halves of the socket go now: a reset is seen at once, and the command stays, blocked on its pipe.
                feeding.abort();
                drop(out);
                let _ = exit.await;
                return;
            }
        }
    }
    if cut(&mut out, faults).await {
        feeding.abort();
        return;
    }
    let code = (&mut exit).await.unwrap_or(255);
    finish(&mut out, &exited(code, argv)).await;
    // The client closes in its turn; the reading half sees it.
    let _ = tokio::time::timeout(Duration::from_secs(5), async {
        if !fed {
            let _ = (&mut feeding).await;
        }
    })
    .await;
    feeding.abort();
}

/// Ends the stream as the fault that is on says; true when it has.
async fn cut(out: &mut SplitSink<Socket, Message>, faults: &Faults) -> bool {
    if faults.is(Fault::StreamReset) {
        return true;
    }
    if faults.is(Fault::ExecCutWithoutStatus) {
        let _ = out.send(closing()).await;
        return true;
    }
    if faults.is(Fault::ExecCutWithSuccess) {
        finish(out, &json!({ "metadata": {}, "status": "Success" })).await;
        return true;
    }
    false
}

async fn read(channel: u8, mut from: Source, into: mpsc::Sender<(u8, Vec<u8>)>) {
    let mut buffer = vec![0; 128 * 1024];
    while let Ok(n) = from.read(&mut buffer).await {
        if n == 0 || into.send((channel, buffer[..n].to_vec())).await.is_err() {
            return;
        }
    }
}

/// Writes what comes to the command's standard input. Gives true when the client is gone.
async fn feed(mut stdin: Option<Sink>, mut input: SplitStream<Socket>, closes: bool) -> bool {
    while let Some(message) = input.next().await {
        match message {
            Ok(Message::Binary(bytes)) => match bytes.split_first() {
                Some((&STDIN, data)) => {
                    if let Some(sink) = &mut stdin
                        && (sink.write_all(data).await.is_err() || sink.flush().await.is_err())
                    {
                        stdin = None;
                    }
                }
                Some((&CLOSE, [STDIN])) if closes => stdin = None,
                _ => {}
            },
            Ok(Message::Close(_)) | Err(_) => return true,
            Ok(_) => {}
        }
    }
    true
}

fn exited(code: i32, argv: &[String]) -> Value {
    if code == 0 {
        return json!({ "metadata": {}, "status": "Success" });
    }
    json!({
        "metadata": {}, "status": "Failure",
        "message": format!("command terminated with non-zero exit code: error executing command {argv:?}, exit code {code}"),
        "reason": "NonZeroExitCode", "details": { "causes": [{ "reason": "ExitCode", "message": code.to_string() }] },
    })
}

fn refused(refusal: &ExecRefusal, container: &str, argv: &[String]) -> Value {
    let message = match refusal {
        ExecRefusal::NotRunning => format!("unable to upgrade connection: container not found (\"{container}\")"),
        ExecRefusal::NotFound(program) => format!(
            "Internal error occurred: error executing command in container: failed to exec in container: failed to start exec: \
             OCI runtime exec failed: exec failed: unable to start container process: exec: \"{program}\": executable file not found in $PATH: unknown"
        ),
        ExecRefusal::Failed(why) => format!("Internal error occurred: error executing command {argv:?} in container: {why}"),
    };
    json!({
        "metadata": {}, "status": "Failure", "message": message, "reason": "InternalError",
        "details": { "causes": [{ "message": message }] }, "code": 500,
    })
}
