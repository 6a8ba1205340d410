//! Changes: shown first, done as shown, taken back.

use std::collections::BTreeMap;
use std::time::Duration;

use super::world::{World, world};
use crate::base::Bytes;
use crate::cluster::{Error, Options, Session};
use crate::demo::Fault;
use crate::incident::{ActRequest, ActTarget, LeftoverKind};
use crate::pressure::{COPY_OF, ISOLATED, LIMIT_BEFORE, PodFacts, limit_before};

fn request(act: &str, kind: &str, name: &str, args: &[(&str, &str)]) -> ActRequest {
    ActRequest {
        act: act.into(),
        target: ActTarget { kind: kind.into(), namespace: "shop".into(), name: name.into() },
        args: args.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect::<BTreeMap<_, _>>(),
    }
}

async fn current(world: &World, session: &Session) -> u64 {
    let history = session.history(&world.leaking(), "shop").await.expect("a history");
    history.iter().find(|r| r.current).expect("one is current").revision
}

#[tokio::test]
async fn a_rollback_is_shown_done_and_taken_back() {
    let Some(world) = world().await else { return };
    let session = world.session().await;
    let history = session.history(&world.leaking(), "shop").await.expect("a history");
    assert!(history.len() >= 3 && history.windows(2).all(|w| w[0].revision > w[1].revision), "{history:?}");
    assert!(history.iter().all(|r| r.made.is_some() && r.cause.is_some() && r.image.contains("content-import:")));
    let (from, to) = (history[0].revision, history[1].revision);
    assert!(history[0].current && history[0].replicas > 0);

    let preview = session.preview(&request("rollback", "deployment", "content-import", &[])).await.expect("shown");
    let diff: Vec<&str> = preview.diff.iter().map(crate::base::Masked::as_str).collect();
    assert!(diff.iter().any(|l| l.starts_with("- spec.template.spec.containers[app].image = ")), "{diff:?}");
    assert!(diff.iter().any(|l| l.starts_with("+ spec.template.spec.containers[app].image = ")), "{diff:?}");
    assert_eq!(preview.confirm.as_deref(), Some("content-import"));
    assert_eq!(current(&world, &session).await, from, "a preview changes nothing");

    let receipt = session.perform(&preview).await.expect("done");
    assert!(receipt.summary.as_str().contains(&format!("from revision {from} to {to}")), "{receipt:?}");
    let image = history[1].image.clone();
    world.until(&session, |pods| pods.iter().any(|p| p.containers[0].image == image).then_some(())).await;

    // The same once more: the deployment is not what was shown.
    assert!(matches!(session.perform(&preview).await, Err(Error::Conflict { .. } | Error::Refused { .. })));

    let undo = session.preview(&receipt.undo.expect("can be taken back")).await.expect("shown");
    session.perform(&undo).await.expect("done");
    let image = history[0].image.clone();
    world.until(&session, |pods| pods.iter().any(|p| p.containers[0].image == image).then_some(())).await;
}

#[tokio::test]
async fn what_is_not_there_is_not_rolled_back_to() {
    let Some(world) = world().await else { return };
    let session = world.session().await;
    let of = |revision: &'static str| request("rollback", "deployment", "content-import", &[("revision", revision)]);
    let now = current(&world, &session).await.to_string();
    assert!(matches!(session.preview(&of("1")).await, Err(Error::Refused { .. })), "not kept any more");
    let same = request("rollback", "deployment", "content-import", &[("revision", &now)]);
    assert!(matches!(session.preview(&same).await, Err(Error::Refused { .. })), "already there");
    assert!(matches!(session.preview(&request("rollback", "pod", "x", &[])).await, Err(Error::Refused { .. })));
    let missing = session.preview(&request("rollback", "deployment", "nobody", &[])).await;
    assert!(matches!(missing, Err(Error::NotFound { .. })), "{missing:?}");
    world.fault(Fault::ReadOnly);
    let denied = session.preview(&request("rollback", "deployment", "content-import", &[])).await;
    assert!(matches!(&denied, Err(Error::Denied { rule, .. }) if rule.to_string() == "patch deployments.apps"), "{denied:?}");
}

#[tokio::test]
async fn a_read_only_session_shows_and_does_not_do() {
    let Some(world) = world().await else { return };
    let session = world.session_with(Options { read_only: true, ..world.options() }).await;
    let preview = session.preview(&request("restart", "deployment", "mailer", &[])).await.expect("shown");
    assert!(preview.diff.iter().any(|l| l.as_str().contains("restartedAt")), "{preview:?}");
    assert!(matches!(session.perform(&preview).await, Err(Error::Refused { .. })));
}

#[tokio::test]
async fn a_restart_replaces_the_pods() {
    let Some(world) = world().await else { return };
    let session = world.session().await;
    let old = world.running(&session, "mailer").await;
    let preview = session.preview(&request("restart", "deployment", "mailer", &[])).await.expect("shown");
    session.perform(&preview).await.expect("done");
    world.until(&session, |pods| pods.iter().any(|p| p.pod.name.starts_with("mailer") && p.uid != old.uid).then_some(())).await;
}

fn limit(pod: &PodFacts) -> Option<Bytes> {
    pod.containers[0].limit
}

#[tokio::test]
async fn a_limit_is_raised_in_place_and_put_back() {
    let Some(world) = world().await else { return };
    let session = world.session().await;
    let pod = world.running(&session, "storefront").await;
    let name = pod.pod.name.as_str();
    let (old, restarts) = (limit(&pod).expect("a limit"), pod.containers[0].restarts);
    let raise = request("resize", "pod", name, &[("container", "app"), ("memory", "320Mi")]);
    let preview = session.preview(&raise).await.expect("shown");
    assert!(preview.diff.iter().any(|l| l.as_str().contains("limits.memory = 320Mi")), "{preview:?}");
    let receipt = session.perform(&preview).await.expect("done");
    let raised = session.pod(&pod.pod).await.expect("there");
    assert_eq!((limit(&raised), raised.containers[0].restarts), (Some(Bytes::mib(320)), restarts));

    // Back again: lowering asks what is in use.
    let mut undo = receipt.undo.expect("can be taken back");
    undo.args.insert("in_use".into(), "80Mi".into());
    let undo = session.preview(&undo).await.expect("shown");
    session.perform(&undo).await.expect("done");
    assert_eq!(limit(&session.pod(&pod.pod).await.expect("there")), Some(old));

    let below = request("resize", "pod", name, &[("container", "app"), ("memory", "64Mi"), ("in_use", "80Mi")]);
    assert!(matches!(session.preview(&below).await, Err(Error::Refused { .. })), "below what is in use");
}

#[tokio::test]
async fn what_the_node_cannot_give_is_put_back_and_told() {
    let Some(world) = world().await else { return };
    let session = world.session().await;
    let pod = world.running(&session, "storefront").await;
    let huge = request("resize", "pod", &pod.pod.name, &[("container", "app"), ("memory", "900Gi")]);
    let preview = session.preview(&huge).await.expect("the server accepts it, as a real one does");
    let error = session.perform(&preview).await.expect_err("infeasible");
    assert!(
        matches!(&error, Error::Refused { why, .. } if why.as_str().contains("Infeasible") && why.as_str().contains("put back")),
        "{error:?}"
    );
    let after = world.until(&session, |pods| pods.iter().find(|p| p.pod == pod.pod && p.resize.is_none()).cloned()).await;
    assert_eq!(limit(&after), limit(&pod));
}

#[tokio::test]
async fn an_isolated_pod_is_replaced_and_lives_on() {
    let Some(world) = world().await else { return };
    let session = world.session().await;
    let pod = world.running(&session, "mailer").await;
    let isolate = request("isolate", "pod", &pod.pod.name, &[]);
    let preview = session.preview(&isolate).await.expect("shown");
    assert!(preview.diff.iter().any(|l| l.as_str().starts_with("- metadata.labels.app = ")), "{preview:?}");
    let receipt = session.perform(&preview).await.expect("done");
    let orphan = world
        .until(&session, |pods| {
            let replaced = pods.iter().any(|p| p.pod.name.starts_with("mailer") && p.uid != pod.uid && p.workload.is_some());
            pods.iter().find(|p| p.uid == pod.uid && p.workload.is_none() && replaced).cloned()
        })
        .await;
    assert_eq!(orphan.labels.get(ISOLATED).map(String::as_str), Some("true"));
    assert!(!orphan.deleting && orphan.containers[0].restarts == pod.containers[0].restarts);
    assert!(matches!(session.preview(&isolate).await, Err(Error::Refused { .. })), "once is enough");

    let undo = session.preview(&receipt.undo.expect("can be taken back")).await.expect("shown");
    assert_eq!(undo.confirm.as_deref(), Some(pod.pod.name.as_str()), "the ReplicaSet may end it: its name is wanted");
    session.perform(&undo).await.expect("done");
    let labels = tokio::time::timeout(Duration::from_secs(5), session.pod(&pod.pod)).await.expect("answered");
    if let Ok(back) = labels {
        assert_eq!((back.labels.get("app"), back.labels.get(ISOLATED)), (pod.labels.get("app"), None));
    }
}

#[tokio::test]
async fn a_limit_raised_for_a_capture_is_remembered_by_the_pod_until_it_is_put_back() {
    let Some(world) = world().await else { return };
    let session = world.session().await;
    let pod = world.running(&session, "storefront").await;
    let name = pod.pod.name.as_str();
    let old = limit(&pod).expect("a limit");
    let raise = request("resize", "pod", name, &[("container", "app"), ("memory", "400Mi"), ("for", "capture")]);
    let preview = session.preview(&raise).await.expect("shown");
    assert!(preview.diff.iter().any(|l| l.as_str().contains(LIMIT_BEFORE)), "the label is shown: {preview:?}");
    assert!(preview.call.as_str().contains("; then PATCH"), "both calls are shown: {}", preview.call);
    let receipt = session.perform(&preview).await.expect("done");
    let left = receipt.leaves.expect("it is to be put back");
    assert_eq!(left.kind, LeftoverKind::Limit);
    let raised = session.pod(&pod.pod).await.expect("there");
    let mark = raised.labels.get(LIMIT_BEFORE).and_then(|mark| limit_before(mark)).expect("a label remembers it");
    assert_eq!((mark.0, crate::base::parse_quantity(mark.1), limit(&raised)), ("app", Some(old), Some(Bytes::mib(400))));

    // Shown again, the other way round; what is in use is asked of whoever measures.
    let mut back = left.settle;
    back.args.insert("in_use".into(), "80Mi".into());
    let preview = session.preview(&back).await.expect("shown");
    let receipt = session.perform(&preview).await.expect("done");
    assert!(receipt.summary.as_str().contains("in force by the kubelet's status; no restart"), "{}", receipt.summary);
    assert!(receipt.leaves.is_none());
    let after = session.pod(&pod.pod).await.expect("there");
    assert_eq!((limit(&after), after.labels.get(LIMIT_BEFORE)), (Some(old), None));
    assert!(matches!(session.perform(&preview).await, Err(Error::Conflict { .. } | Error::Refused { .. })), "once");
    let again = session.preview(&back).await;
    assert!(matches!(&again, Err(Error::Refused { why, .. }) if why.as_str().contains("change nothing")), "{again:?}");
}

#[tokio::test]
async fn a_debug_copy_is_selected_by_nobody_and_cleaned_up() {
    let Some(world) = world().await else { return };
    let session = world.session().await;
    let pod = world.running(&session, "mailer").await;
    let mut copy = request("debug-copy", "pod", &pod.pod.name, &[]);
    copy.args = crate::node::dump_args("app", Some(96));
    copy.args.insert("memory".into(), "960Mi".into());
    let preview = session.preview(&copy).await.expect("shown");
    let diff: Vec<&str> = preview.diff.iter().map(crate::base::Masked::as_str).collect();
    assert!(diff.iter().any(|l| l.starts_with("- metadata.labels.app = ")), "{diff:?}");
    assert!(diff.iter().any(|l| l.starts_with("+ ") && l.contains("--max-old-space-size=96")), "{diff:?}");
    assert!(preview.warnings.iter().any(|w| w.as_str().contains("one more instance")), "{preview:?}");
    let before = session.history(&crate::pressure::Workload { kind: "deployment".into(), name: "mailer".into() }, "shop").await;
    assert!(before.is_ok());
    let receipt = session.perform(&preview).await.expect("done");
    let left = receipt.leaves.expect("it is listed");
    let name = left.settle.target.name.clone();
    let made = world
        .until(&session, |pods| {
            let up = |c: &crate::pressure::ContainerFacts| matches!(c.state, crate::pressure::ContainerState::Running { .. });
            pods.iter().find(|p| p.pod.name == name && p.containers.iter().all(up)).cloned()
        })
        .await;
    assert_eq!((made.workload.as_ref(), limit(&made)), (None, Some(Bytes::mib(960))));
    assert_eq!(made.labels.get(COPY_OF).map(String::as_str), Some(pod.pod.name.as_str()));
    assert_eq!(made.labels.len(), 1, "nothing selects it: {:?}", made.labels);
    assert!(matches!(session.preview(&request("debug-copy", "pod", &name, &[])).await, Err(Error::Refused { .. })), "no copy of a copy");

    // Nobody else's pod is deleted, whatever is asked.
    let other = session.preview(&request("clean-up", "pod", &pod.pod.name, &[])).await;
    assert!(matches!(&other, Err(Error::Refused { why, .. }) if why.as_str().contains("neither isolated nor copied")), "{other:?}");
    let preview = session.preview(&left.settle).await.expect("shown");
    assert_eq!(preview.confirm.as_deref(), Some(name.as_str()), "its name has to be typed");
    assert!(preview.call.as_str().starts_with("DELETE ") && preview.call.as_str().contains(&made.uid), "{}", preview.call);
    assert!(session.pod(&made.pod).await.is_ok_and(|p| !p.deleting), "a preview deletes nothing");
    session.perform(&preview).await.expect("done");
    world.until(&session, |pods| (!pods.iter().any(|p| p.uid == made.uid)).then_some(())).await;
    assert!(session.pod(&pod.pod).await.is_ok_and(|p| !p.deleting), "the original lives on");
}
