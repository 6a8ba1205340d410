//! Through a Kubernetes API: the demo's server and kubelet, real processes in its pods.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use tokio_util::sync::CancellationToken;

use crate::base::{ContainerRef, Masked, ScaledClock};
use crate::capture::{Depth, SessionPlace, survey};
use crate::cluster::{Options, PodNews, Session};
use crate::demo::{self, Demo};
use crate::incident::{ActRequest, ActTarget, Outcome};
use crate::node::{Role, dump_args};
use crate::preflight::{HeapSource, Risk};
use crate::pressure::ContainerState;

use super::now::{captured_in, is_snapshot};

#[tokio::test(flavor = "multi_thread")]
async fn from_a_pod_of_the_demo_by_the_wire() {
    let demo = Demo::start(demo::Options { pace: 0.2, ..demo::Options::default() }).await.expect("a demo");
    if !demo.mode().is_live() {
        crate::skips::skipped("", demo.mode().sentence());
        return;
    }
    let options = Options { kubeconfig: Some(demo.kubeconfig()), ..Options::default() };
    let session = Session::connect(options, Arc::new(ScaledClock::new(1.0))).await.expect("the demo answers");
    // One pod of the leaking workload, and one whose Node runs under a shell.
    for prefix in [demo.deployment(), "storefront"] {
        let container = running(&session, prefix).await;
        let place = SessionPlace::new(session.clone(), container.clone());
        let found = survey(&place, None, (None, None), Depth::Inspector).await.expect("a survey");
        let heap = found.heap.expect("V8's own numbers");
        assert!(heap.source == HeapSource::Inspector && heap.used.0 > 1_000_000, "{container}: {heap:?}");
        assert!(found.facts.cgroup.as_ref().is_some_and(|c| c.limit.is_some()), "{container}: {:?}", found.facts.cgroup);
        assert!(found.facts.target().is_some_and(|p| p.role == Role::App), "{container}");
        let (assessment, captured, bytes, words) = captured_in(&place, "cdp", true, CancellationToken::new()).await;
        if assessment.risk == Risk::WouldKill {
            // The demo's limits are small; what the verdict says is proved elsewhere.
            continue;
        }
        assert_eq!(captured.outcome, Outcome::Complete, "{container}: {} {words:?} {}", captured.done.state.line(), assessment.headline());
        assert!(is_snapshot(&bytes), "{container}");
        assert_eq!(captured.restarts.0, captured.restarts.1.expect("the pod"), "{container}");
        assert_eq!(captured.process_lives, Some(true), "{container}");
    }
    // The last resort: the diff is the server's own, and the new pods are armed.
    let container = running(&session, demo.deployment()).await;
    let place = SessionPlace::new(session.clone(), container.clone());
    let found = survey(&place, None, (None, None), Depth::Probe).await.expect("a survey");
    let workload = found.pod.workload.clone().expect("it has a workload");
    let target = ActTarget { kind: workload.kind, namespace: container.pod.namespace.clone(), name: workload.name };
    let request = ActRequest { act: "arm".into(), target, args: dump_args(&container.name, None) };
    let preview = session.preview(&request).await.expect("a preview");
    let added = |line: &Masked| line.as_str().starts_with('+') && line.as_str().contains("--heapsnapshot-near-heap-limit=1");
    assert!(preview.diff.iter().any(added), "{:?}", preview.diff);
    assert!(preview.confirm.is_some() && !preview.warnings.is_empty());
    let receipt = session.perform(&preview).await.expect("a receipt");
    assert_eq!(receipt.undo.map(|undo| undo.act).as_deref(), Some("rollback"));
    let armed = async {
        loop {
            let now = running(&session, demo.deployment()).await;
            let place = SessionPlace::new(session.clone(), now.clone());
            if let Ok(found) = survey(&place, None, (None, None), Depth::Probe).await
                && found.facts.target().is_some_and(|p| p.flags.near_limit == Some(1) && p.flags.usr2_is_snapshot())
            {
                return;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(90), armed).await.expect("armed pods within a minute and a half");
    demo.stop().await;
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
            let up = pods.iter().find(|p| {
                !p.deleting
                    && p.pod.name.starts_with(prefix)
                    && matches!(p.containers.first().map(|c| &c.state), Some(ContainerState::Running { .. }))
            });
            if let Some(pod) = up {
                return ContainerRef { pod: pod.pod.clone(), name: pod.containers[0].name.clone() };
            }
        }
    };
    let container = tokio::time::timeout(Duration::from_secs(60), wait).await.expect("it runs within a minute");
    // Its Node may only just be starting.
    tokio::time::sleep(Duration::from_secs(3)).await;
    container
}
