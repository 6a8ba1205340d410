//! Changes of the cluster: seen first by the server's own dry-run, then done, then taken back.

use cutoff::cluster::Session;
use cutoff::incident::{ActRequest, ActTarget, Preview};
use cutoff::pressure::Workload;
use serde_json::json;

use super::session::{is_whole, wait};
use super::world::{Pod, Room, shared, until};

#[test]
fn a_rollback_is_tried_first_and_done_once() {
    let Some(turn) = shared("a_rollback_is_tried_first_and_done_once") else { return };
    let room = turn.room("rollback");
    for mib in [1, 2, 3] {
        turn.apply(&room.name, &Pod::named("importer").holds(8, "heap", mib).limit("256Mi").deployment().to_string());
        room.kubectl(&["rollout", "status", "deployment/importer", "--timeout=60s"]);
    }
    let leak = || room.kubectl(&["get", "deployment", "importer", "-o", "jsonpath={.spec.template.spec.containers[0].env[2].value}"]);
    wait(async {
        let session = room.session().await;
        let workload = Workload { kind: "deployment".into(), name: "importer".into() };
        let history = session.history(&workload, &room.name).await.expect("a history");
        assert_eq!(history.iter().map(|r| (r.revision, r.current)).collect::<Vec<_>>(), [(3, true), (2, false), (1, false)]);
        let request = act("rollback", "deployment", &room, "importer", &[("revision", "1")]);
        let preview = session.preview(&request).await.expect("a preview");
        assert_eq!(leak(), "3", "a preview changes nothing");
        let diff: Vec<&str> = preview.diff.iter().map(cutoff::base::Masked::as_str).collect();
        assert!(
            diff.iter().any(|l| l.starts_with('-') && l.contains('3')) && diff.iter().any(|l| l.starts_with('+') && l.contains('1')),
            "{diff:?}"
        );
        assert_eq!(preview.confirm.as_deref(), Some("importer"), "its name has to be typed");
        let receipt = session.perform(&preview).await.expect("done");
        assert_eq!(leak(), "1");
        session.perform(&preview).await.expect_err("what was seen is not what is there any more");
        let back = session.preview(&receipt.undo.expect("an undo")).await.expect("a preview");
        session.perform(&back).await.expect("undone");
        assert_eq!(leak(), "3");
    });
    room.kubectl(&["rollout", "status", "deployment/importer", "--timeout=60s"]);
}

#[test]
fn a_limit_is_raised_in_place_and_what_the_node_cannot_give_is_put_back() {
    let Some(turn) = shared("a_limit_is_raised_in_place_and_what_the_node_cannot_give_is_put_back") else { return };
    let room = turn.room("resize");
    room.start(&Pod::named("importer").holds(8, "none", 0).exactly("256Mi"));
    let in_force = || room.of_pod("importer", "/status/containerStatuses/0/resources/limits/memory");
    wait(async {
        let session = room.session().await;
        let raise = |to: &str| act("resize", "pod", &room, "importer", &[("container", "node"), ("memory", to)]);
        let receipt = perform(&session, &raise("512Mi")).await;
        assert_eq!(in_force(), "512Mi", "done means: the kubelet has done it");
        let preview = session.preview(&raise("900Gi")).await.expect("the server accepts what no node has");
        let refusal = session.perform(&preview).await.expect_err("the kubelet does not").to_string();
        assert!(refusal.contains("Infeasible") && refusal.contains("put back"), "{refusal}");
        assert_eq!(room.of_pod("importer", "/spec/containers/0/resources/limits/memory"), "512Mi");
        let undo = receipt.undo.expect("an undo");
        let undo = ActRequest { args: [undo.args, [("in_use".into(), "64Mi".into())].into()].into_iter().flatten().collect(), ..undo };
        perform(&session, &undo).await;
        assert_eq!((in_force(), room.restarts("importer")), ("256Mi".into(), 0));
    });
}

#[test]
fn an_isolated_pod_is_replaced_and_runs_on() {
    let Some(turn) = shared("an_isolated_pod_is_replaced_and_runs_on") else { return };
    let room = turn.room("isolate");
    turn.apply(&room.name, &Pod::named("importer").holds(8, "none", 0).deployment().to_string());
    let service = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "importer"},
        "spec": {"selector": {"app": "importer"}, "ports": [{"port": 80}]}});
    turn.apply(&room.name, &service.to_string());
    room.kubectl(&["rollout", "status", "deployment/importer", "--timeout=60s"]);
    let pods = || room.kubectl(&["get", "pods", "-o", "name"]).lines().map(|l| l.trim_start_matches("pod/").to_owned()).collect::<Vec<_>>();
    let pod = pods().remove(0);
    let orphan = wait(async {
        let session = room.session().await;
        let clean = act("clean-up", "pod", &room, &pod, &[]);
        let refusal = session.preview(&clean).await.expect_err("a pod in service is not deleted").to_string();
        assert!(refusal.contains("neither isolated nor copied"), "{refusal}");
        perform(&session, &act("isolate", "pod", &room, &pod, &[])).await.leaves.expect("it is listed").settle
    });
    until("the replacement", || (pods().len() == 2).then_some(()));
    room.kubectl(&["rollout", "status", "deployment/importer", "--timeout=60s"]);
    assert_eq!((room.of_pod(&pod, "/metadata/ownerReferences"), room.restarts(&pod)), (serde_json::Value::Null, 0));
    let endpoints = || room.kubectl(&["get", "endpoints", "importer", "-o", "jsonpath={.subsets[*].addresses[*].targetRef.name}"]);
    until("the Service has the replacement alone", || {
        let names = endpoints();
        (!names.is_empty() && !names.contains(&pod)).then_some(())
    });
    wait(async {
        let session = room.session().await;
        let preview = session.preview(&orphan).await.expect("a preview");
        assert_eq!(preview.confirm.as_deref(), Some(pod.as_str()), "its name has to be typed");
        assert!(pods().contains(&pod), "a preview deletes nothing");
        session.perform(&preview).await.expect("done");
    });
    until("the orphan is gone", || (!pods().contains(&pod)).then_some(()));
    assert_eq!(pods().len(), 1, "the replacement alone is left");
}

#[test]
fn a_debug_copy_leaves_its_heap_while_the_service_goes_on() {
    let Some(turn) = shared("a_debug_copy_leaves_its_heap_while_the_service_goes_on") else { return };
    let room = turn.room("copy");
    // The original's heap is far too large for its limit; the copy's is not.
    turn.apply(&room.name, &Pod::named("importer").holds(40, "heap", 3).limit("512Mi").deployment().to_string());
    room.kubectl(&["rollout", "status", "deployment/importer", "--timeout=60s"]);
    let pod = room.kubectl(&["get", "pods", "-o", "name"]).trim().trim_start_matches("pod/").to_owned();
    let left = wait(async {
        let session = room.session().await;
        let mut request = act("debug-copy", "pod", &room, &pod, &[("memory", "3Gi")]);
        request.args.extend(cutoff::node::dump_args("node", Some(72)));
        let preview = session.preview(&request).await.expect("a preview");
        assert!(preview.diff.iter().any(|l| l.as_str().starts_with("- metadata.labels.app")), "{:?}", preview.diff);
        session.perform(&preview).await.expect("done").leaves.expect("it is listed").settle
    });
    let copy = left.target.name.clone();
    until("the copy runs", || (room.of_pod(&copy, "/status/containerStatuses/0/state/running") != serde_json::Value::Null).then_some(()));
    assert_eq!(room.of_pod(&copy, "/metadata/labels"), json!({"cutoff.dev/copy-of": pod}));
    let said = until("its Node is up, and the file comes", || {
        Some(room.capture(&copy, &["--method", "near-limit", "--yes"])).filter(|said| !said.out.is_empty())
    });
    assert_eq!((said.code, &said.json()["state"]), (0, &"COMPLETE".into()), "{}{}", said.out, said.err);
    assert!(is_whole(&std::fs::read(said.json()["file"].as_str().expect("a file")).expect("it is there")));
    eprintln!("copy: {} bytes; {}", said.json()["bytes"], said.json()["remark"]);
    let said = room.cutoff(&["act", "clean-up", &copy]);
    assert!(said.code == REFUSED && said.err.contains(&format!("--confirm {copy}")), "{}", said.err);
    let said = room.cutoff(&["act", "clean-up", &copy, "--confirm", &copy]);
    assert_eq!(said.code, 0, "{}", said.err);
    until("the copy is gone", || room.of_pod(&copy, "/metadata").is_null().then_some(()));
    assert!(!room.of_pod(&pod, "/metadata").is_null(), "the original is still there");
}

/// Exit code of what is not done unasked.
const REFUSED: i32 = 9;

/// A wish.
pub fn act(act: &str, kind: &str, room: &Room<'_>, name: &str, args: &[(&str, &str)]) -> ActRequest {
    ActRequest {
        act: act.to_owned(),
        target: ActTarget { kind: kind.to_owned(), namespace: room.name.clone(), name: name.to_owned() },
        args: args.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect(),
    }
}

/// Sees what would be done, and does it.
pub async fn perform(session: &Session, request: &ActRequest) -> cutoff::incident::Receipt {
    let preview: Preview = session.preview(request).await.expect("a preview");
    session.perform(&preview).await.expect("done")
}
