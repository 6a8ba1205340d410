//! An inspector (Chrome DevTools Protocol over HTTP and WebSocket) that serves the recorded snapshot the way Node does:
//! progress during the build, chunks of 102,400 characters, an empty result at the end.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::{SinkExt, StreamExt};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode, header};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::io::DuplexStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::Role;

use super::answers::node_pid;
use super::played::{ID, Played, lock};
use super::tape;

const CHUNK: usize = 102_400;
/// Heap limit of the recorded process: 112 MiB old space and 48 MiB young generation.
const LIMIT: u64 = 160 << 20;

type Shared = Arc<Mutex<Played>>;

/// Serves one connection.
pub(super) async fn serve(stream: DuplexStream, pod: Shared) {
    let service = service_fn(move |request| {
        let pod = pod.clone();
        async move { Ok::<_, Infallible>(answer(request, pod)) }
    });
    let connection = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    // A client that goes away is no error of the inspector.
    let _ = connection.with_upgrades().await;
}

fn answer(mut request: Request<Incoming>, pod: Shared) -> Response<Full<Bytes>> {
    let path = request.uri().path().to_string();
    let body = match path.as_str() {
        "/json" | "/json/list" => json!([{
            "description": "node.js instance", "devtoolsFrontendUrl": format!("devtools://devtools/bundled/js_app.html?ws=127.0.0.1:9229/{ID}"),
            "faviconUrl": "https://nodejs.org/static/images/favicons/favicon.ico", "id": ID, "title": "node[1]", "type": "node",
            "url": "file:///usr/src/app/src/main.js", "webSocketDebuggerUrl": format!("ws://127.0.0.1:9229/{ID}"),
        }]),
        "/json/version" => json!({ "Browser": "node.js/v20.20.2", "Protocol-Version": "1.1" }),
        _ if path.trim_matches('/') == ID => return upgrade(&mut request, pod),
        _ => {
            let mut missing = Response::new(Full::default());
            *missing.status_mut() = StatusCode::NOT_FOUND;
            return missing;
        }
    };
    let mut reply = Response::new(Full::from(body.to_string()));
    reply.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/json; charset=UTF-8"));
    reply
}

fn upgrade(request: &mut Request<Incoming>, pod: Shared) -> Response<Full<Bytes>> {
    let key = request.headers().get(header::SEC_WEBSOCKET_KEY).map(|k| k.as_bytes().to_vec()).unwrap_or_default();
    let upgrading = hyper::upgrade::on(request);
    tokio::spawn(async move {
        if let Ok(upgraded) = upgrading.await {
            talk(WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Role::Server, None).await, pod).await;
        }
    });
    let mut reply = Response::new(Full::default());
    *reply.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = reply.headers_mut();
    headers.insert(header::UPGRADE, header::HeaderValue::from_static("websocket"));
    headers.insert(header::CONNECTION, header::HeaderValue::from_static("Upgrade"));
    if let Ok(accept) = header::HeaderValue::from_str(&derive_accept_key(&key)) {
        headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
    }
    reply
}

async fn talk(mut socket: WebSocketStream<TokioIo<hyper::upgrade::Upgraded>>, pod: Shared) {
    lock(&pod).said.push("Debugger attached.".into());
    while let Some(Ok(message)) = socket.next().await {
        let Message::Text(text) = message else { continue };
        let Ok(call) = serde_json::from_str::<Value>(&text) else { continue };
        let (id, method) = (call["id"].clone(), call["method"].as_str().unwrap_or("").to_string());
        if method == "HeapProfiler.takeHeapSnapshot" && !snapshot(&mut socket, &call["params"]).await {
            break;
        }
        let expression = call["params"]["expression"].as_str().unwrap_or("");
        let answer = match method.as_str() {
            "Runtime.evaluate" => json!({ "id": id, "result": evaluate(&lock(&pod), expression) }),
            "Runtime.getHeapUsage" => {
                let used = lock(&pod).heap();
                json!({ "id": id, "result": { "usedSize": used, "totalSize": used + (8 << 20) } })
            }
            "HeapProfiler.takeHeapSnapshot"
            | "HeapProfiler.enable"
            | "HeapProfiler.disable"
            | "HeapProfiler.collectGarbage"
            | "Runtime.enable"
            | "Runtime.disable"
            | "Debugger.enable"
            | "Debugger.disable"
            | "Debugger.pause"
            | "Debugger.resume"
            | "HeapProfiler.startSampling" => json!({ "id": id, "result": {} }),
            other => json!({ "id": id, "error": { "code": -32601, "message": format!("'{other}' is not recorded") } }),
        };
        if socket.send(Message::text(answer.to_string())).await.is_err() {
            break;
        }
        if expression.contains("_debugEnd") {
            let mut played = lock(&pod);
            played.inspector = false;
            played.said.push(format!("Debugger ending on ws://127.0.0.1:9229/{ID}"));
            return;
        }
    }
}

async fn snapshot(socket: &mut WebSocketStream<TokioIo<hyper::upgrade::Upgraded>>, params: &Value) -> bool {
    let Ok(bytes) = tokio::task::spawn_blocking(tape::snapshot).await else { return false };
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let count = text.split("\"node_count\":").nth(1).and_then(|t| t.split([',', '}']).next()).and_then(|n| n.trim().parse::<u64>().ok());
    let total = count.unwrap_or(1);
    if params["reportProgress"] == true {
        for tenth in 1..=10u64 {
            tokio::time::sleep(Duration::from_millis(40)).await;
            let params = json!({ "done": total * tenth / 10, "total": total, "finished": tenth == 10 });
            let event = json!({ "method": "HeapProfiler.reportHeapSnapshotProgress", "params": params });
            if socket.send(Message::text(event.to_string())).await.is_err() {
                return false;
            }
        }
    }
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let mut end = rest.len().min(CHUNK);
        while !rest.is_char_boundary(end) {
            end -= 1;
        }
        let (chunk, after) = rest.split_at(end);
        rest = after;
        let event = json!({ "method": "HeapProfiler.addHeapSnapshotChunk", "params": { "chunk": chunk } });
        if socket.send(Message::text(event.to_string())).await.is_err() {
            return false;
        }
    }
    true
}

/// The expressions that a heap capture asks for; anything else throws and says why.
fn evaluate(pod: &Played, expression: &str) -> Value {
    let (usage, used) = (pod.usage(), pod.heap());
    let value = |value: Value| json!({ "result": { "type": "object", "value": value } });
    if expression.contains("_debugEnd") {
        return json!({ "result": { "type": "undefined" } });
    }
    if expression.contains("setImmediate") {
        return json!({ "result": { "type": "number", "value": 1, "description": "1" } });
    }
    if expression.contains("process.version") {
        return value(json!({
            "pid": node_pid(pod.image).parse::<u32>().unwrap_or(1), "version": "v20.20.2", "execArgv": pod.argv.iter().filter(|a| a.starts_with("--")).collect::<Vec<_>>(),
            "nodeOptions": "", "cwd": "/usr/src/app", "uptimeMs": (pod.up * 1000.0) as u64,
        }));
    }
    if expression.contains("getHeapStatistics") && expression.contains("memoryUsage") {
        return value(json!({
            "used": used, "limit": LIMIT, "external": 1_500_000, "arrayBuffers": 10_515, "rss": usage.working_set(), "detachedContexts": 0,
            "spaces": [["new_space", 1_000_000], ["old_space", used.saturating_sub(2_500_000)], ["code_space", 500_000], ["large_object_space", 1_000_000]],
        }));
    }
    let description = "Error: this process is a recording: it evaluates only what a heap capture asks for";
    json!({
        "result": { "type": "object", "subtype": "error", "className": "Error", "description": description },
        "exceptionDetails": {
            "exceptionId": 1, "text": "Uncaught", "lineNumber": 0, "columnNumber": 0,
            "exception": { "type": "object", "subtype": "error", "className": "Error", "description": description },
        },
    })
}
