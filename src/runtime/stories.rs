//! A desk on the demo's world: real processes, real wire, and nobody who presses a key.

#![allow(clippy::disallowed_methods, reason = "reads the evidence that was kept")]

use std::sync::Arc;
use std::time::Duration;

use super::{Desk, Hands};
use crate::app::model::Setting;
use crate::app::{ArmChoice, Intent, Model, proposal};
use crate::base::{Bytes, Clock, ContainerRef, Masked, ScaledClock};
use crate::cluster::{Options, Session};
use crate::demo::{self, Demo};
use crate::incident::{ActRequest, ActTarget, Arming, Outcome, Plan, Sign};
use crate::pressure::Board;

/// A loaded machine is slow; a broken program never gets there.
const PATIENCE: Duration = Duration::from_secs(400);

fn setting() -> Setting {
    Setting {
        context: "demo".into(),
        namespace: "shop".into(),
        who: Masked::own("ann"),
        tool: Masked::own("0.1.0"),
        read_only: false,
        notice: String::new(),
        plan: Plan::default(),
        judge_by_s: 900,
        repository: None,
        source_maps: Vec::new(),
        taken: Vec::new(),
        parallel: 2,
        channels: Vec::new(),
    }
}

async fn until<T>(desk: &mut Desk, what: &str, found: impl Fn(&Model) -> Option<T>) -> T {
    let wait = async {
        loop {
            if let Some(found) = found(&desk.model) {
                return found;
            }
            desk.listen().await;
        }
    };
    match tokio::time::timeout(PATIENCE, wait).await {
        Ok(found) => found,
        Err(_) => {
            let captures: Vec<String> =
                desk.model.captures.iter().map(|c| format!("{} {} {}", c.evidence, c.method, c.state.line())).collect();
            let toasts: Vec<&str> = desk.model.toasts.iter().map(|t| t.text.as_str()).collect();
            panic!("{what} did not come; captures {captures:?}, said {toasts:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_armed_pod_dies_and_all_of_it_is_kept_without_a_key() {
    let demo = Demo::start(demo::Options { pace: 6.0, ..demo::Options::default() }).await.expect("a demo");
    if !demo.mode().is_live() {
        crate::skips::skipped("", demo.mode().sentence());
        return;
    }
    let home = tempfile::tempdir().expect("a scratch folder");
    let clock: Arc<dyn Clock> = Arc::new(ScaledClock::new(1.0));
    let options = Options { kubeconfig: Some(demo.kubeconfig()), namespace: Some("shop".into()), ..Options::default() };
    let session = Session::connect(options, clock.clone()).await.expect("the demo answers");
    let hands = Hands {
        clock: clock.clone(),
        session: session.clone(),
        metrics: crate::metrics::Options::default(),
        holder: crate::disk::Holder::this_process("a test".to_owned(), clock.now().wall),
        data_dir: home.path().join("data"),
        cache_dir: home.path().join("cache"),
        channels: Vec::new(),
        template: None,
        tool: "0.1.0".into(),
    };
    let mut desk = Desk::new(Model::new(setting(), Board::default(), clock.now()), hands);
    let prefix = demo.deployment().to_owned();
    // The replica with the hot partition has the most restarts behind it.
    let container: ContainerRef = until(&mut desk, "a pod that runs", |model| {
        let rows = model.board.rows().iter().filter(|r| r.container.pod.name.starts_with(&prefix));
        rows.max_by_key(|r| r.restarts).filter(|r| r.running).map(|r| r.container.clone())
    })
    .await;
    // Room for a snapshot at the heap limit: under the demo's limit the kernel would kill it.
    let target = ActTarget { kind: "pod".into(), namespace: "shop".into(), name: container.pod.name.clone() };
    let args = [("container", container.name.as_str()), ("memory", "4Gi")].map(|(k, v)| (k.to_owned(), v.to_owned()));
    let preview = session.preview(&ActRequest { act: "resize".into(), target, args: args.into() }).await.expect("a preview");
    session.perform(&preview).await.expect("resized in place");
    until(&mut desk, "the higher limit", |model| (model.board.find(&container)?.limit? >= Bytes::mib(4096)).then_some(())).await;
    desk.wish(Intent::Arm { containers: vec![container.clone()] });
    until(&mut desk, "what would be armed", |model| (!proposal(model, &container).looking).then_some(())).await;
    let proposed = proposal(&desk.model, &container);
    assert_eq!(proposed.how, Arming::Inspector, "{proposed:?}");
    desk.wish(Intent::ArmAs { containers: vec![container.clone()], choice: ArmChoice::RunTime });
    // From here on nobody does anything.
    let of_it = |c: &crate::incident::Capture, method: &str| c.container.as_ref() == Some(&container) && c.method.as_str() == method;
    let (heap, log) = until(&mut desk, "the heap and the log of the life that ended", |model| {
        let state = model.incident.as_ref()?;
        let came = |c: &&crate::incident::Capture| matches!(c.outcome, Some(Outcome::Complete | Outcome::Truncated)) && c.bytes.0 > 0;
        let heap = state.captures.iter().filter(came).find(|c| of_it(c, "near-limit"))?.clone();
        let log = state.captures.iter().filter(came).find(|c| of_it(c, "log"))?.clone();
        // How it died is known: V8's limit, told apart from the kernel's kill by the log.
        state.deaths.iter().find(|d| d.container == container && d.cause.as_str().contains("FATAL ERROR"))?;
        Some((heap, log))
    })
    .await;
    let state = desk.model.incident.clone().expect("arming has declared it");
    let evidence = home.path().join("data/incidents").join(state.id.as_str()).join("evidence");
    let kept = std::fs::read_to_string(evidence.join(log.file.as_ref().expect("a file").as_str())).expect("the log is kept");
    assert!(kept.contains("FATAL ERROR") && kept.contains("JavaScript heap out of memory"), "{kept}");
    assert!(heap.bytes > Bytes(1_000_000), "{heap:?}");
    let process = heap.provenance.as_ref().map(|p| p.process.clone()).expect("where it comes from");
    assert_eq!(process.pid, 1);
    let watch = state.watches.last().expect("it is recorded");
    let signs: Vec<Sign> = watch.signs.iter().map(|(_, sign, _)| *sign).collect();
    assert!(signs.contains(&Sign::Log) && signs.contains(&Sign::Death), "{signs:?}");
    // Whether it is a whole heap is said by its bytes; what leaks in it is asked elsewhere (a debug build takes minutes).
    assert!(desk.model.analyses.iter().any(|a| a.evidence.contains(&heap.evidence)), "its analysis was begun by itself");
    desk.leave().await;
    demo.stop().await;
}
