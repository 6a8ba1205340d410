//! Changes of the cluster: seen first by the server's own dry-run, then done, then taken back.

use cutoff::cluster::Session;
use cutoff::incident::{ActRequest, ActTarget, Preview};
use cutoff::pressure::Workload;

use super::session::wait;
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
    room.kubectl(&["rollout", "status", "deployment/importer", "--timeout=60s"]);
    let pods = || room.kubectl(&["get", "pods", "-o", "name"]).lines().map(|l| l.trim_start_matches("pod/").to_owned()).collect::<Vec<_>>();
    let pod = pods().remove(0);
    wait(async {
        let session = room.session().await;
        perform(&session, &act("isolate", "pod", &room, &pod, &[])).await;
    });
    until("the replacement", || (pods().len() == 2).then_some(()));
    room.kubectl(&["rollout", "status", "deployment/importer", "--timeout=60s"]);
    assert_eq!((room.of_pod(&pod, "/metadata/ownerReferences"), room.restarts(&pod)), (serde_json::Value::Null, 0));
}

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
