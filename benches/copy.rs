//! How fast a snapshot comes out of a pod, against `kubectl cp` and a plain `kubectl exec cat`, over the same link in the same run.
//!
//! ```text
//! cargo bench --bench copy -- FILE.heapsnapshot
//! ```
//!
//! The pod is one of the demo's (real processes, root needed), the link a relay on the loopback that lets so many bytes a second
//! through towards the client: 5 MB/s, 100 Mbit/s, all. Everything (pod, server, relay, client) shares this machine's processors, so
//! ratios mean something and rates do not; without a limit the pod's compressor is what takes the time.
//! What is copied is compared, by sha256, with what was put there.
#![allow(clippy::disallowed_methods, reason = "a bench reads the clock and files and starts processes")]
#![allow(clippy::print_stdout, reason = "its output is its result")]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use cutoff::base::{Bytes, ContainerRef, ScaledClock};
use cutoff::cluster::{Options, PodNews, Session};
use cutoff::demo::{self, Demo};
use cutoff::pressure::ContainerState;
use futures::StreamExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Mutex;

/// Bytes a second, and what it is called.
const LINKS: [(&str, Option<f64>); 3] = [("5 MB/s", Some(5e6)), ("100 Mbit/s", Some(12.5e6)), ("no limit", None)];
const RUNS: usize = 2;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    let [file] = args.as_slice() else {
        println!("give one .heapsnapshot file: cargo bench --bench copy -- FILE");
        return;
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.block_on(bench(Path::new(file)));
}

async fn bench(file: &Path) {
    if Command::new("kubectl").args(["version", "--client"]).output().is_err() {
        println!("skipped: no kubectl on PATH");
        return;
    }
    let demo = Demo::start(demo::Options { pace: 0.02, ..demo::Options::default() }).await.expect("a demo");
    if !demo.mode().is_live() {
        println!("skipped: {}", demo.mode().sentence());
        return;
    }
    let options = Options { kubeconfig: Some(demo.kubeconfig()), ..Options::default() };
    let session = Session::connect(options, Arc::new(ScaledClock::new(1.0))).await.expect("the demo answers");
    let container = running(&session, "storefront").await;
    let home = tempfile::tempdir().expect("a directory");
    let size = file.metadata().expect("the snapshot").len();
    let put = ["exec", "-i", &container.pod.name, "-c", &container.name, "--", "sh", "-c", "cat >/tmp/x.heapsnapshot"];
    let mut put = kubectl(&demo.kubeconfig(), &container, &put);
    put.stdin(std::fs::File::open(file).expect("the snapshot"));
    assert!(wait(put).await.1, "the file is put into the pod");
    let want = sha(file);
    println!(
        "{} of {}; rates of the file, median of {RUNS} runs in turn",
        Bytes(size),
        file.file_name().unwrap_or_default().to_string_lossy()
    );
    println!("{:<12} {:>14} {:>14} {:>14} {:>9} {:>9}", "link", "kubectl cp", "exec cat", "cutoff copy", "to cp", "to cat");
    for (name, limit) in LINKS {
        let kubeconfig = relayed(&demo, home.path(), limit).await;
        let mut took: [Vec<f64>; 3] = Default::default();
        for _ in 0..RUNS {
            for (tool, took) in took.iter_mut().enumerate() {
                let out = home.path().join("out");
                for old in ["out", "out.json"] {
                    let _ = std::fs::remove_file(home.path().join(old));
                }
                let (spent, well) = wait(command(tool, &kubeconfig, &container, &out)).await;
                assert!(well && sha(&out) == want, "tool {tool} over {name} brings the file");
                took.push(spent.as_secs_f64());
            }
        }
        let [cp, cat, ours] = took.map(|mut runs| {
            runs.sort_by(f64::total_cmp);
            size as f64 / runs[(runs.len() - 1) / 2]
        });
        let rate = |rate: f64| format!("{:.1} MB/s", rate / 1e6);
        println!("{name:<12} {:>14} {:>14} {:>14} {:>8.2}x {:>8.2}x", rate(cp), rate(cat), rate(ours), ours / cp, ours / cat);
    }
    demo.stop().await;
}

fn kubectl(kubeconfig: &Path, container: &ContainerRef, args: &[&str]) -> Command {
    let mut command = Command::new("kubectl");
    command.arg("--kubeconfig").arg(kubeconfig).args(["-n", &container.pod.namespace]).args(args);
    command
}

fn command(tool: usize, kubeconfig: &Path, container: &ContainerRef, out: &Path) -> Command {
    let (pod, from) = (&container.pod, "/tmp/x.heapsnapshot");
    match tool {
        0 => {
            let to = out.display().to_string();
            kubectl(kubeconfig, container, &["cp", "-c", &container.name, &format!("{}:{from}", pod.name), &to])
        }
        1 => {
            let mut command = kubectl(kubeconfig, container, &["exec", &pod.name, "-c", &container.name, "--", "cat", from]);
            command.stdout(std::fs::File::create(out).expect("a file"));
            command
        }
        _ => {
            let mut command = Command::new(env!("CARGO_BIN_EXE_cutoff"));
            let from = format!("{}/{}:{from}", pod.namespace, pod.name);
            command.args(["copy", &from, "-c", &container.name, "-o"]).arg(out).arg("--kubeconfig").arg(kubeconfig);
            command.env("HOME", out.parent().expect("a directory")).stdout(Stdio::null());
            command
        }
    }
}

/// Runs it beside the demo, which lives in this process.
async fn wait(mut command: Command) -> (Duration, bool) {
    let run = move || {
        let began = Instant::now();
        let status = command.stderr(Stdio::null()).status().expect("it starts");
        (began.elapsed(), status.success())
    };
    tokio::task::spawn_blocking(run).await.expect("no panic")
}

fn sha(path: &Path) -> String {
    let output = Command::new("sha256sum").arg(path).output().expect("sha256sum");
    String::from_utf8_lossy(&output.stdout).split(' ').next().unwrap_or_default().to_owned()
}

/// A kubeconfig of the demo whose server is reached through a relay with this limit towards the client.
async fn relayed(demo: &Demo, home: &Path, limit: Option<f64>) -> PathBuf {
    let text = std::fs::read_to_string(demo.kubeconfig()).expect("a kubeconfig");
    let server = text.split("127.0.0.1:").nth(1).expect("a server on the loopback");
    let port: u16 = server.chars().take_while(char::is_ascii_digit).collect::<String>().parse().expect("a port");
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
    let own = listener.local_addr().expect("bound").port();
    let next = Arc::new(Mutex::new(tokio::time::Instant::now()));
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            tokio::spawn(relay(client, port, limit, next.clone()));
        }
    });
    let path = home.join(format!("kubeconfig-{own}"));
    std::fs::write(&path, text.replace(&format!("127.0.0.1:{port}"), &format!("127.0.0.1:{own}"))).expect("written");
    path
}

async fn relay(client: TcpStream, port: u16, limit: Option<f64>, next: Arc<Mutex<tokio::time::Instant>>) {
    let Ok(server) = TcpStream::connect(("127.0.0.1", port)).await else { return };
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let up = tokio::spawn(async move {
        let _ = tokio::io::copy(&mut from_client, &mut to_server).await;
        let _ = to_server.shutdown().await;
    });
    let mut buffer = vec![0; 32 << 10];
    while let Ok(n) = from_server.read(&mut buffer).await {
        if let Some(limit) = limit {
            // All connections share the link.
            let mut at = next.lock().await;
            *at = (*at).max(tokio::time::Instant::now()) + Duration::from_secs_f64(n as f64 / limit);
            let until = *at;
            drop(at);
            tokio::time::sleep_until(until).await;
        }
        if n == 0 || to_client.write_all(&buffer[..n]).await.is_err() {
            break;
        }
    }
    let _ = to_client.shutdown().await;
    up.abort();
}

async fn running(session: &Session, prefix: &str) -> ContainerRef {
    let mut news = session.watch_pods();
    loop {
        let pods = match news.next().await.expect("a watch never ends") {
            PodNews::All(all) => all,
            PodNews::One(one) => vec![*one],
            PodNews::Gone(_) | PodNews::Stale { .. } | PodNews::Back => Vec::new(),
        };
        let up = |p: &&cutoff::pressure::PodFacts| {
            p.pod.name.starts_with(prefix) && p.containers.first().is_some_and(|c| matches!(c.state, ContainerState::Running { .. }))
        };
        if let Some(pod) = pods.iter().find(up) {
            return ContainerRef { pod: pod.pod.clone(), name: pod.containers[0].name.clone() };
        }
    }
}
