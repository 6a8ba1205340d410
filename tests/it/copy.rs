//! `cutoff copy` as a user calls it, on a pod of the demo: real processes behind a server that speaks the Kubernetes API.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use cutoff::base::{ContainerRef, ScaledClock};
use cutoff::capture::{Place, SessionPlace};
use cutoff::cluster::{Options, PodNews, Session};
use cutoff::demo::{self, Demo, Fault};
use cutoff::pressure::ContainerState;
use futures::StreamExt;
use serde_json::Value;

struct World {
    demo: Demo,
    place: SessionPlace,
    home: tempfile::TempDir,
}

impl World {
    /// The demo with a running pod; `None` where it can only play its recording.
    async fn start() -> Option<Self> {
        let demo = Demo::start(demo::Options { pace: 0.05, ..demo::Options::default() }).await.expect("a demo");
        if !demo.mode().is_live() {
            crate::skips::skipped("copy::a_file_comes_out_of_a_pod", demo.mode().sentence());
            return None;
        }
        let options = Options { kubeconfig: Some(demo.kubeconfig()), ..Options::default() };
        let session = Session::connect(options, Arc::new(ScaledClock::new(1.0))).await.expect("the demo answers");
        let container = running(&session, "storefront").await;
        Some(Self { demo, place: SessionPlace::new(session, container), home: tempfile::tempdir().expect("a directory") })
    }

    /// What a shell line prints in the pod, asked until its Node is up.
    async fn shell(&self, line: &str) -> String {
        let command = ["sh", "-c", line].map(str::to_owned);
        let output = self.place.run(&command, Duration::from_secs(60), 1 << 20).await.expect("it runs");
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    fn command(&self, path: &str, args: &[&str]) -> Command {
        let pod = &self.place.container().pod;
        let mut command = Command::new(env!("CARGO_BIN_EXE_cutoff"));
        command.args(["copy", &format!("{}/{}:{path}", pod.namespace, pod.name), "--json", "--kubeconfig"]);
        command.arg(self.demo.kubeconfig()).args(args);
        if !args.contains(&"-c") {
            command.args(["-c", &self.place.container().name]);
        }
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("HOME", self.home.path());
        command.current_dir(self.home.path()).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs it beside the demo, which lives in this process.
    async fn copy(&self, path: &str, args: &[&str]) -> (i32, Value, String) {
        let mut command = self.command(path, args);
        said(&tokio::task::spawn_blocking(move || command.output().expect("cutoff starts")).await.expect("no panic"))
    }
}

fn said(out: &Output) -> (i32, Value, String) {
    let json = serde_json::from_slice(&out.stdout).unwrap_or_default();
    (out.status.code().unwrap_or(-1), json, String::from_utf8_lossy(&out.stderr).into_owned())
}

async fn running(session: &Session, prefix: &str) -> ContainerRef {
    let mut news = session.watch_pods();
    let wait = async {
        loop {
            let pods = match news.next().await.expect("a watch never ends") {
                PodNews::All(all) => all,
                PodNews::One(one) => vec![*one],
                PodNews::Gone(_) | PodNews::Stale { .. } | PodNews::Back => Vec::new(),
            };
            let runs = |c: &cutoff::pressure::ContainerFacts| matches!(c.state, ContainerState::Running { .. });
            let up = pods.iter().find(|p| !p.deleting && p.pod.name.starts_with(prefix) && p.containers.first().is_some_and(runs));
            if let Some(pod) = up {
                return ContainerRef { pod: pod.pod.clone(), name: pod.containers[0].name.clone() };
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(90), wait).await.expect("a pod runs")
}

/// Waits until the file at `path` has `least` bytes, or the program ended.
async fn grown(child: &mut Child, path: &Path, least: u64) {
    let began = Instant::now();
    while path.metadata().map_or(0, |m| m.len()) < least {
        assert!(child.try_wait().expect("a child").is_none(), "it ended before {least} bytes had come");
        assert!(began.elapsed() < Duration::from_secs(120), "{least} bytes in two minutes");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_comes_out_of_a_pod() {
    let Some(world) = World::start().await else { return };
    world.shell("cd /tmp && node -e 'require(\"v8\").writeHeapSnapshot(\"/tmp/x.heapsnapshot\")'").await;
    // Nothing in it can be packed.
    world.shell("dd if=/dev/urandom of=/tmp/noise bs=65536 count=512").await;
    let sum = |line: String| line.split(' ').next().unwrap_or_default().to_owned();
    let (snapshot, noise) = (sum(world.shell("sha256sum /tmp/x.heapsnapshot").await), sum(world.shell("sha256sum /tmp/noise").await));
    assert!(snapshot.len() == 64 && noise.len() == 64, "{snapshot} {noise}");

    // What is no file, what is not there, what nobody can be asked about.
    for (path, args, code, words) in [
        ("/tmp/none", &[][..], 4, "no such file"),
        ("/tmp", &[], 2, "no plain file"),
        ("/tmp/noise", &["--delete"], 9, "--yes"),
        ("/tmp/noise", &["--delete", "--yes", "--read-only"], 9, "read-only"),
        ("/tmp/noise", &["-c", "nobody"], 4, "no such container"),
    ] {
        let (found, _, err) = world.copy(path, args).await;
        assert!(found == code && err.contains(words), "{path} {args:?}: exit {found}, {err}");
    }

    // A finished snapshot: whole, the same as in the pod, private, and it stays there.
    let (code, json, err) = world.copy("/tmp/x.heapsnapshot", &[]).await;
    assert_eq!((code, &json["state"], &json["same_in_pod"]), (0, &"COMPLETE".into(), &true.into()), "{json:#} {err}");
    assert_eq!(
        (&json["schema"], json["sha256"].as_str(), &json["deleted_in_pod"]),
        (&"cutoff.copy/1".into(), Some(snapshot.as_str()), &false.into())
    );
    assert_eq!(
        std::fs::canonicalize(json["file"].as_str().expect("a file")).expect("there"),
        std::fs::canonicalize(world.path("x.heapsnapshot")).expect("there")
    );
    assert!(json["remark"].as_str().is_some_and(|r| r.contains("zstd -1") || r.contains("gzip -1")), "{json:#}");
    let record: Value = serde_json::from_slice(&std::fs::read(world.path("x.heapsnapshot.json")).expect("a record")).expect("JSON");
    let from = &record["provenance"];
    assert_eq!(
        (&from["path"], &from["same_in_pod"], &from["method"]),
        (&"/tmp/x.heapsnapshot".into(), &true.into(), &"copy".into()),
        "{record:#}"
    );
    assert_eq!(world.shell("ls /tmp/x.heapsnapshot").await, "/tmp/x.heapsnapshot");
    let (code, _, err) = world.copy("/tmp/x.heapsnapshot", &["-o", "x.heapsnapshot"]).await;
    assert!(code != 0 && sum(sha(&world.path("x.heapsnapshot"))) == snapshot, "nothing is overwritten: {code} {err}");

    // The connection is reset again and again.
    world.demo.faults().set(Fault::SlowDrip);
    let mut child = world.command("/tmp/x.heapsnapshot", &["-o", "reset"]).spawn().expect("cutoff starts");
    grown(&mut child, &world.path("reset.json"), 1).await;
    world.demo.faults().set(Fault::StreamReset);
    world.demo.faults().clear(Fault::SlowDrip);
    grown(&mut child, &world.path("reset"), 300_000).await;
    world.demo.faults().clear_all();
    let (code, json, err) = said(&tokio::task::spawn_blocking(move || child.wait_with_output().expect("an end")).await.expect("no panic"));
    assert_eq!((code, json["sha256"].as_str(), &json["same_in_pod"]), (0, Some(snapshot.as_str()), &true.into()), "{json:#} {err}");
    assert!(json["remark"].as_str().is_some_and(|r| r.contains("broke")), "{json:#}");

    // cutoff itself is killed in the middle; the next call goes on where it was, and deletes what it was told to.
    let mut child = world.command("/tmp/noise", &["-o", "cut"]).spawn().expect("cutoff starts");
    grown(&mut child, &world.path("cut"), 1).await;
    world.demo.faults().set(Fault::SlowDrip);
    child.kill().expect("killed");
    child.wait().expect("reaped");
    world.demo.faults().clear_all();
    let before = world.path("cut").metadata().expect("what came").len();
    assert!(before < 512 * 65536, "in the middle: {before}");
    let (code, json, err) = world.copy("/tmp/noise", &["-o", "cut", "--delete", "--yes"]).await;
    assert_eq!((code, json["sha256"].as_str(), &json["deleted_in_pod"]), (0, Some(noise.as_str()), &true.into()), "{json:#} {err}");
    assert!(err.contains("goes on after"), "{err}");
    assert_eq!(world.copy("/tmp/noise", &[]).await.0, 4, "it is gone");
    // Readers were told to go, but for the one of the client that was killed: it is blocked on output that nobody reads.
    let left = "for c in /proc/[0-9]*/cmdline; do tr '\\000' ' ' <$c | grep -q 'CT[O]1 H' && echo $c; done";
    let began = Instant::now();
    while world.shell(left).await.lines().count() > 1 {
        assert!(began.elapsed() < Duration::from_secs(60), "readers left: {}", world.shell(left).await);
    }
    world.demo.stop().await;
}

fn sha(path: &Path) -> String {
    use sha2::Digest;
    sha2::Sha256::digest(std::fs::read(path).expect("there")).iter().map(|byte| format!("{byte:02x}")).collect()
}
