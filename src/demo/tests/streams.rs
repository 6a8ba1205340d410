//! exec and port-forward, against real pods and against the recording.

use std::time::Duration;

use futures::{SinkExt, StreamExt};
use k8s_openapi::api::core::v1::Pod;
use kube::api::{Api, AttachParams, AttachedProcess};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

use super::*;

struct Said {
    out: String,
    err: String,
    status: Value,
}

impl Said {
    fn exit_code(&self) -> &str {
        self.status["details"]["causes"][0]["message"].as_str().unwrap_or("")
    }
}

async fn said(mut attached: AttachedProcess) -> Said {
    let (mut stdout, mut stderr) = (attached.stdout().unwrap(), attached.stderr().unwrap());
    let status = attached.take_status().unwrap();
    let (mut out, mut err) = (String::new(), String::new());
    let (a, b) = tokio::join!(stdout.read_to_string(&mut out), stderr.read_to_string(&mut err));
    a.unwrap();
    b.unwrap();
    let status = serde_json::to_value(status.await).unwrap();
    Said { out, err, status }
}

async fn exec(api: &Api<Pod>, pod: &str, command: &[&str]) -> Said {
    let attach = AttachParams::default().container("app").stdout(true).stderr(true).max_stdout_buf_size(1 << 20);
    let attached = api.exec(pod, command.iter().copied(), &attach).await.unwrap();
    tokio::time::timeout(PATIENCE, said(attached)).await.expect("in time")
}

#[tokio::test]
async fn exec_is_in_the_pod_and_ends_as_the_command_does() {
    let Some(demo) = live("exec_is_in_the_pod_and_ends_as_the_command_does").await else { return };
    let client = client(&demo).await;
    let api = pods(&client).await;
    let pod = name(&replicas(&client).await[2]).to_string();
    let both = exec(&api, &pod, &["sh", "-c", "echo out; echo err >&2; exit 7"]).await;
    assert_eq!((both.out.as_str(), both.err.as_str(), both.exit_code()), ("out\n", "err\n", "7"));
    assert_eq!(both.status["reason"], "NonZeroExitCode");
    let status = exec(&api, &pod, &["cat", "/proc/1/status"]).await;
    assert!(status.out.starts_with("Name:\tnode\n") && status.out.contains("\nPid:\t1\n"), "{}", status.out);
    assert_eq!(status.status["status"], "Success");
    let limits = exec(&api, &pod, &["cat", "/sys/fs/cgroup/memory.max", "/proc/sys/kernel/hostname"]).await;
    assert_eq!(limits.out, format!("{}\n{pod}\n", 640 << 20));
    // The kubelet's first look at a young pod may still be to come.
    let mut current = 0u64;
    for _ in 0..40 {
        current = exec(&api, &pod, &["cat", "/sys/fs/cgroup/memory.current"]).await.out.trim().parse().unwrap();
        if current > 20 << 20 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(250)).await;
    }
    assert!(current > 20 << 20 && current < 640 << 20, "{current}");
    let missing = exec(&api, &pod, &["no-such-program"]).await;
    assert_eq!(missing.status["code"], 500);
    assert!(missing.status["message"].as_str().unwrap().contains("executable file not found in $PATH"));
    let other = AttachParams::default().container("zz");
    assert!(matches!(api.exec(&pod, ["true"], &other).await, Err(kube::Error::Api(s)) if s.code == 400));
    assert!(matches!(api.exec("nobody", ["true"], &AttachParams::default()).await, Err(kube::Error::Api(s)) if s.code == 404));
}

#[tokio::test]
async fn a_megabyte_goes_in_and_its_end_is_heard() {
    let Some(demo) = live("a_megabyte_goes_in_and_its_end_is_heard").await else { return };
    let client = client(&demo).await;
    let api = pods(&client).await;
    let pod = name(&replicas(&client).await[2]).to_string();
    let attach = AttachParams::default().container("app").stdin(true).stdout(true).stderr(true);
    let mut attached = api.exec(&pod, ["wc", "-c"], &attach).await.unwrap();
    let mut stdin = attached.stdin().unwrap();
    let feeding = async {
        stdin.write_all(&vec![b'x'; 1_000_000]).await.unwrap();
        stdin.shutdown().await.unwrap();
    };
    let (said, ()) = tokio::join!(said(attached), feeding);
    assert_eq!(said.out.trim(), "1000000");
    assert_eq!(said.status["status"], "Success");
}

#[tokio::test]
async fn the_inspector_of_a_real_process_is_reached_through_its_pod() {
    let Some(demo) = live("the_inspector_of_a_real_process_is_reached_through_its_pod").await else { return };
    let client = client(&demo).await;
    let api = pods(&client).await;
    let replicas = replicas(&client).await;
    let (open, closed) = (name(&replicas[1]), name(&replicas[0]));
    exec(&api, open, &["kill", "-USR1", "1"]).await;
    let version = until("the inspector", || get(&api, open, "/json/version")).await;
    assert!(version.contains("node.js/v"), "{version}");
    // The neighbour has a loopback of its own, where nobody listens.
    let mut forward = api.portforward(closed, &[9229]).await.unwrap();
    let refused = tokio::time::timeout(PATIENCE, forward.take_error(9229).unwrap()).await.unwrap().unwrap();
    assert!(refused.contains("connection refused"), "{refused}");
}

async fn get(api: &Api<Pod>, pod: &str, path: &str) -> Option<String> {
    let mut forward = api.portforward(pod, &[9229]).await.ok()?;
    let mut stream = forward.take_stream(9229)?;
    stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n").as_bytes()).await.ok()?;
    // Node keeps the connection open: the body ends by its length.
    let mut answer = Vec::new();
    let mut buffer = [0; 4096];
    while !is_whole(&answer) {
        match tokio::time::timeout(Duration::from_secs(10), stream.read(&mut buffer)).await.ok()?.ok()? {
            0 => break,
            n => answer.extend_from_slice(&buffer[..n]),
        }
    }
    String::from_utf8(answer).ok().filter(|a| a.starts_with("HTTP/1."))
}

fn is_whole(answer: &[u8]) -> bool {
    let text = String::from_utf8_lossy(answer);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|l| l.to_lowercase().strip_prefix("content-length:")?.trim().parse::<usize>().ok());
    length.is_some_and(|l| body.len() >= l)
}

#[tokio::test]
async fn the_recorded_pod_gives_a_whole_snapshot_over_the_same_wire() {
    let demo = recorded().await;
    let client = client(&demo).await;
    let api = pods(&client).await;
    let pod = name(&replicas(&client).await[0]).to_string();
    assert!(get(&api, &pod, "/json/list").await.is_none(), "closed before the signal");
    assert_eq!(exec(&api, &pod, &["kill", "-USR1", "1"]).await.status["status"], "Success");
    let list = until("the inspector", || get(&api, &pod, "/json/list")).await;
    let target: Value = serde_json::from_str(list.split("\r\n\r\n").nth(1).unwrap()).unwrap();
    let url = target[0]["webSocketDebuggerUrl"].as_str().unwrap();
    let mut forward = api.portforward(&pod, &[9229]).await.unwrap();
    let stream = forward.take_stream(9229).unwrap();
    let config = WebSocketConfig::default().max_message_size(None).max_frame_size(None);
    let (mut socket, _) = tokio_tungstenite::client_async_with_config(url, stream, Some(config)).await.unwrap();
    let call = json!({ "id": 1, "method": "HeapProfiler.takeHeapSnapshot", "params": { "reportProgress": true } });
    socket.send(Message::text(call.to_string())).await.unwrap();
    let (mut snapshot, mut progress) = (String::new(), 0);
    loop {
        let message = tokio::time::timeout(PATIENCE, socket.next()).await.unwrap().unwrap().unwrap();
        let event: Value = serde_json::from_str(message.to_text().unwrap()).unwrap();
        match event["method"].as_str() {
            Some("HeapProfiler.addHeapSnapshotChunk") => snapshot.push_str(event["params"]["chunk"].as_str().unwrap()),
            Some("HeapProfiler.reportHeapSnapshotProgress") => progress += 1,
            _ => {
                assert_eq!(event, json!({ "id": 1, "result": {} }));
                break;
            }
        }
    }
    assert!(progress > 5 && snapshot.len() > 5_000_000 && snapshot.ends_with("]}"));
    let end = json!({ "id": 2, "method": "Runtime.evaluate", "params": { "expression": "process._debugEnd()" } });
    socket.send(Message::text(end.to_string())).await.unwrap();
    until("a closed inspector", || async { get(&api, &pod, "/json/list").await.is_none().then_some(()) }).await;
}

#[tokio::test]
async fn a_recorded_pod_runs_nothing_on_this_machine() {
    let demo = recorded().await;
    let client = client(&demo).await;
    let api = pods(&client).await;
    let pod = name(&replicas(&client).await[0]).to_string();
    let marker = demo.kubeconfig().with_file_name("marker");
    let said = exec(&api, &pod, &["sh", "-c", &format!("touch {}", marker.display())]).await;
    assert_eq!(said.exit_code(), "126");
    assert!(said.err.contains("this pod is a recording"), "{}", said.err);
    assert!(!marker.exists());
    let looked = "while read -r a b; do [ \"$a\" = SigCgt: ] && [ \"$b\" = MASK ] && kill -USR1 1 && echo sent; done </proc/1/status";
    for (mask, answer) in [("0000000000000000", ""), ("0000000100004602", "sent\n")] {
        assert_eq!(
            exec(&api, &pod, &["sh", "-c", &looked.replace("MASK", mask)]).await.out,
            answer,
            "a signal is sent to the process that was looked at"
        );
    }
    let files = exec(&api, &pod, &["cat", "/sys/fs/cgroup/memory.max", "/proc/1/cmdline"]).await;
    assert_eq!(files.out, format!("{}\nnode\0--max-old-space-size=112\0src/main.js\0", 640 << 20));
}
