//! A second client that knows nothing of ours: kubectl, where it is installed.

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::process::Command;

use super::*;

async fn kubectl(demo: &Demo, arguments: &str) -> Option<(bool, String)> {
    let mut command = Command::new("kubectl");
    command.args(arguments.split_whitespace()).env("KUBECONFIG", demo.kubeconfig()).env("HOME", "/nonexistent").kill_on_drop(true);
    let output = tokio::time::timeout(PATIENCE, command.output()).await.expect("kubectl ends").ok()?;
    let text = [output.stdout, output.stderr].map(|b| String::from_utf8_lossy(&b).into_owned()).concat();
    Some((output.status.success(), text))
}

/// What the inspector says through `kubectl port-forward` (SPDY in a WebSocket).
async fn forwarded(demo: &Demo, pod: &str) -> String {
    let mut command = Command::new("kubectl");
    command.args(["port-forward", pod, ":9229"]).env("KUBECONFIG", demo.kubeconfig()).env("HOME", "/nonexistent");
    let mut child = command.stdout(std::process::Stdio::piped()).kill_on_drop(true).spawn().expect("kubectl runs");
    let mut said = String::new();
    let mut stdout = BufReader::new(child.stdout.take().expect("its output"));
    tokio::time::timeout(PATIENCE, stdout.read_line(&mut said)).await.expect("in time").expect("a line");
    let address = said.split_whitespace().find(|w| w.starts_with("127.0.0.1:")).expect("a local port").to_string();
    let ask = async {
        let mut stream = tokio::net::TcpStream::connect(address).await.expect("a connection");
        stream.write_all(b"GET /json/version HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await.expect("a question");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.expect("an answer");
        answer
    };
    tokio::time::timeout(PATIENCE, ask).await.expect("in time")
}

#[tokio::test]
async fn kubectl_understands_the_server() {
    let demo = recorded().await;
    let client = client(&demo).await;
    let pod = name(&replicas(&client).await[0]).to_string();
    if kubectl(&demo, "version --client").await.is_none() {
        crate::skips::skipped("kubectl_understands_the_server", "kubectl is not on PATH");
        return;
    }
    for (arguments, expected) in [
        ("get pods", "1/1     Running   5".to_string()),
        ("get deploy,rs", "deployment.apps/content-import   3/3     3            3".into()),
        ("get events", "BackOff".into()),
        ("logs -p POD --tail=1", "_start".into()),
        ("exec POD -- cat /proc/1/status", "Name:\tnode".into()),
        ("rollout history deploy/content-import", "release 2.31.1".into()),
        ("rollout undo deploy/content-import --to-revision=41 --dry-run=server", "rolled back (server dry run)".into()),
        ("describe pod POD", "Restart Count:  5".into()),
        ("auth can-i create pods/exec", "yes".into()),
        ("explain-nothing", "unknown command".into()),
    ] {
        let (_, text) = kubectl(&demo, &arguments.replace("POD", &pod)).await.expect("kubectl runs");
        assert!(text.contains(&expected), "kubectl {arguments}:\n{text}");
    }
    let (_, text) = until("metrics", || async { kubectl(&demo, "top pods").await.filter(|t| t.0) }).await;
    assert!(text.contains("content-import-") && text.contains("Mi"), "{text}");
    assert!(kubectl(&demo, &format!("exec {pod} -- kill -USR1 1")).await.expect("kubectl runs").0);
    assert!(forwarded(&demo, &pod).await.contains("node.js/v"));
    let (ok, text) = kubectl(&demo, &format!("exec {pod} -- sh -c false")).await.expect("kubectl runs");
    assert!(!ok && text.contains("exit code 1"), "{text}");
}
