//! Rights and tokens: what the shipped Role is enough for, and what is said when something of it is missing.

use std::path::PathBuf;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use cutoff::cluster::{LogNews, LogOptions, all_rules};
use cutoff::pressure::Workload;
use futures::StreamExt;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use serde_json::{Value, json};

use super::acts::{act, perform};
use super::session::{is_whole, wait};
use super::world::{Pod, Room, shared, until};

const DENIED: i32 = 5;

#[test]
fn the_shipped_role_is_enough_for_everything() {
    let Some(turn) = shared("the_shipped_role_is_enough_for_everything") else { return };
    let room = turn.room("role");
    let on_call = on_call(&room);
    for mib in [1, 2] {
        turn.apply(&room.name, &Pod::named("importer").holds(8, "heap", mib).limit("512Mi").deployment().to_string());
        room.kubectl(&["rollout", "status", "deployment/importer", "--timeout=60s"]);
    }
    let pod_of = |rows: &Value| {
        rows["pods"]
            .as_array()
            .and_then(|rows| rows.iter().find(|r| r["state"] == "Running"))
            .map(|r| r["pod"].as_str().unwrap_or_default().to_owned())
    };
    let said = room.cutoff_as(&on_call, &["pods", "--json", "--for", "1s"]);
    assert_eq!(said.code, 0, "{}", said.err);
    let pod = pod_of(&said.json()).expect("a pod that runs");
    assert!(said.json()["pods"].as_array().expect("rows").iter().any(|row| row["working_set_bytes"].is_u64()), "memory is seen");
    let said = room.cutoff_as(&on_call, &["preflight", &pod]);
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    for method in ["cdp", "sampling"] {
        let out = room.path("evidence");
        let said = room.cutoff_as(&on_call, &["capture", &pod, "--method", method, "--yes", "--json", "-o", &out.to_string_lossy()]);
        assert_eq!(said.code, 0, "{method}: {}", said.err);
        assert_eq!(said.json()["state"], "COMPLETE");
    }
    wait(async {
        let session = room.session_as(on_call.clone()).await;
        let missing: Vec<_> = session.allowed(&all_rules()).await.expect("answered").into_iter().filter(|a| !a.allowed).collect();
        assert!(missing.is_empty(), "{missing:?}");
        let container = room.container(&pod);
        let lines: Vec<_> = session.logs(&container, LogOptions { tail: Some(5), ..LogOptions::default() }).collect().await;
        assert!(lines.iter().any(|l| matches!(l, Ok(LogNews::Line(_)))), "{lines:?}");
        session.events(&container.pod).await.expect("events");
        let workload = Workload { kind: "deployment".into(), name: "importer".into() };
        assert_eq!(session.history(&workload, &room.name).await.expect("a history").len(), 2);
        perform(&session, &act("resize", "pod", &room, &pod, &[("container", "node"), ("memory", "640Mi")])).await;
        perform(&session, &act("isolate", "pod", &room, &pod, &[])).await;
        perform(&session, &act("rollback", "deployment", &room, "importer", &[])).await;
        perform(&session, &act("restart", "deployment", &room, "importer", &[])).await;
    });
}

#[test]
fn the_shipped_role_is_enough_to_arm_a_workload_and_wait_for_its_file() {
    let Some(turn) = shared("the_shipped_role_is_enough_to_arm_a_workload_and_wait_for_its_file") else { return };
    let room = turn.room("arm");
    let on_call = on_call(&room);
    turn.apply(&room.name, &Pod::named("importer").holds(40, "heap", 3).limit("3Gi").deployment().to_string());
    room.kubectl(&["rollout", "status", "deployment/importer", "--timeout=60s"]);
    let options = "jsonpath={.spec.template.spec.containers[0].env[?(@.name==\"NODE_OPTIONS\")].value}";
    let options = || room.kubectl(&["get", "deployment", "importer", "-o", options]);
    let receipt = wait(async {
        let session = room.session_as(on_call.clone()).await;
        let mut request = act("arm", "deployment", &room, "importer", &[]);
        request.args.extend(cutoff::node::dump_args("node", Some(72)));
        let preview = session.preview(&request).await.expect("a preview");
        assert_eq!((options().as_str(), preview.confirm.as_deref()), ("", Some("importer")), "shown, named, not done");
        assert!(preview.diff.iter().any(|l| l.as_str().contains("volumes[cutoff-dumps]")), "{:?}", preview.diff);
        session.perform(&preview).await.expect("done")
    });
    assert!(options().contains("--heapsnapshot-near-heap-limit=1"), "{}", options());
    room.kubectl(&["rollout", "status", "deployment/importer", "--timeout=60s"]);
    let armed = until("the old pod is gone", || {
        let names = room.kubectl(&["get", "pods", "-l", "app=importer", "-o", "name"]);
        let mut names = names.lines().map(|name| name.trim_start_matches("pod/").to_owned());
        names.next().filter(|_| names.next().is_none())
    });
    let out = room.path("evidence").to_string_lossy().into_owned();
    let said = room.cutoff_as(&on_call, &["capture", &armed, "--method", "near-limit", "--yes", "--json", "-o", &out]);
    assert_eq!((said.code, &said.json()["state"]), (0, &"COMPLETE".into()), "{}{}", said.out, said.err);
    assert!(is_whole(&std::fs::read(said.json()["file"].as_str().expect("a file")).expect("it is there")));
    // The death leaves a report beside it: for that --diagnostic-dir is not enough.
    let report =
        until("a report on the fatal error", || room.try_exec(&armed, "ls /var/cutoff-dumps").filter(|names| names.contains("report.")));
    eprintln!("armed: {} bytes; {}; {report:?}", said.json()["bytes"], said.json()["remark"]);
    wait(async {
        let session = room.session_as(on_call.clone()).await;
        let back = session.preview(&receipt.undo.expect("an undo")).await.expect("a preview");
        session.perform(&back).await.expect("undone");
    });
    assert_eq!(options(), "");
}

#[test]
fn a_missing_right_is_named() {
    let Some(turn) = shared("a_missing_right_is_named") else { return };
    let room = turn.room("rights");
    let on_call = on_call(&room);
    room.start(&Pod::named("importer").holds(8, "none", 0).limit("256Mi"));
    let names = |said: &super::world::Said, verb: &str, resource: &str| {
        assert_eq!(said.code, DENIED, "{}{}", said.out, said.err);
        assert!(said.err.contains(&format!("the verb {verb} on {resource}")) && said.err.contains("role.yaml"), "{}", said.err);
    };
    let without = |resource: &str, verb: &str| {
        let mut role: Value = serde_json::from_str(&room.kubectl(&["get", "role", "cutoff", "-o", "json"])).expect("a role");
        for rule in role["rules"].as_array_mut().expect("rules") {
            if rule["resources"].as_array().is_some_and(|all| all.contains(&json!(resource))) {
                rule["verbs"].as_array_mut().expect("verbs").retain(|v| v != verb);
            }
        }
        role["rules"].as_array_mut().expect("rules").retain(|rule| rule["verbs"].as_array().is_some_and(|verbs| !verbs.is_empty()));
        room.cluster.apply(&room.name, &role.to_string());
    };
    let out = room.path("evidence").to_string_lossy().into_owned();
    let capture = ["capture", "importer", "--method", "cdp", "-o", &out];
    assert_eq!(room.cutoff_as(&on_call, &capture).code, 0, "all rights are there");
    without("pods/exec", "create");
    let said = until("the server knows the smaller role", || Some(room.cutoff_as(&on_call, &capture)).filter(|said| said.code != 0));
    names(&said, "create", "pods/exec");
    names(&room.cutoff_as(&on_call, &["preflight", "importer"]), "create", "pods/exec");
    assert_eq!(room.cutoff_as(&on_call, &["pods"]).code, 0, "what needs no exec works on");
    without("pods", "list");
    let said = until("the server knows the smaller role", || Some(room.cutoff_as(&on_call, &["pods"])).filter(|said| said.code != 0));
    names(&said, "list", "pods");
}

#[test]
fn an_expired_and_a_wrong_token_are_told_with_the_way_out() {
    let Some(turn) = shared("an_expired_and_a_wrong_token_are_told_with_the_way_out") else { return };
    let room = turn.room("token");
    on_call(&room);
    room.start(&Pod::named("importer"));
    // The same token, signed by the cluster's own key, lives or has expired: nothing else differs.
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs();
    let good = with_token(&room, "good", &token(&room, now + 600));
    let said = room.cutoff_as(&good, &["pods"]);
    assert_eq!(said.code, 0, "{}", said.err);
    let expired = with_token(&room, "expired", &token(&room, now - 60));
    let wrong = with_token(&room, "wrong", "not.a.token");
    for kubeconfig in [&expired, &wrong] {
        for args in [&["pods"][..], &["preflight", "importer"], &["capture", "importer"]] {
            let said = room.cutoff_as(kubeconfig, args);
            assert_eq!(said.code, DENIED, "{args:?}: {}{}", said.out, said.err);
            assert!(said.err.contains("log in again") && said.out.is_empty(), "{args:?}: {}", said.err);
            assert!(!said.err.contains("not.a.token") && !said.err.contains("eyJ"), "no token on the screen: {}", said.err);
        }
    }
}

/// A service account with the Role that is shipped, and its kubeconfig.
fn on_call(room: &Room<'_>) -> PathBuf {
    let role = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/playbooks/rbac/role.yaml")).expect("the shipped role");
    let group = "  - apiGroup: rbac.authorization.k8s.io\n    kind: Group\n    name: on-call\n";
    assert!(role.contains(group) && role.contains("namespace: default"));
    let account = format!("  - kind: ServiceAccount\n    name: on-call\n    namespace: {}\n", room.name);
    let role = role.replace(group, &account).replace("namespace: default", &format!("namespace: {}", room.name));
    room.kubectl(&["create", "serviceaccount", "on-call"]);
    room.cluster.apply(&room.name, &role);
    let token = room.kubectl(&["create", "token", "on-call"]);
    with_token(room, "on-call", token.trim())
}

/// The administrator's kubeconfig with a token in the place of the certificate.
fn with_token(room: &Room<'_>, name: &str, token: &str) -> PathBuf {
    let mut config: Value = serde_json::from_str(&room.cluster.kubectl(&["config", "view", "--raw", "-o", "json"])).expect("a kubeconfig");
    config["users"][0]["user"] = json!({"token": token});
    let file = room.path(&format!("{name}.kubeconfig"));
    std::fs::write(&file, config.to_string()).expect("room on the disk");
    file
}

/// A token of the account `on-call` that expires at `until` (Unix seconds), signed as the API server signs them.
fn token(room: &Room<'_>, until: u64) -> String {
    let issuer = "https://kubernetes.default.svc";
    let uid = room.kubectl(&["get", "serviceaccount", "on-call", "-o", "jsonpath={.metadata.uid}"]);
    let claims = json!({
        "iss": issuer, "aud": [issuer], "sub": format!("system:serviceaccount:{}:on-call", room.name),
        "iat": until - 900, "nbf": until - 900, "exp": until,
        "kubernetes.io": {"namespace": room.name, "serviceaccount": {"name": "on-call", "uid": uid}},
    });
    let base64 = base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let signed = format!("{}.{}", base64.encode(r#"{"alg":"ES256","typ":"JWT"}"#), base64.encode(claims.to_string()));
    let key = Command::new("openssl")
        .args(["pkcs8", "-topk8", "-nocrypt", "-outform", "DER", "-in"])
        .arg(room.cluster.file("pki/sa.key"))
        .output();
    let random = ring::rand::SystemRandom::new();
    let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &key.expect("openssl starts").stdout, &random)
        .expect("the cluster's key");
    let signature = key.sign(&random, signed.as_bytes()).expect("a signature");
    format!("{signed}.{}", base64.encode(signature.as_ref()))
}
