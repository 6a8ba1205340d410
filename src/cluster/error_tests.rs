//! Errors as they were seen on a real server, and what a person reads.

use kube::core::Status;

use super::error::Error;
use super::rule::Rule;
use crate::base::{Trouble, TroubleKind};

const EXEC: Rule = Rule::new("", "pods/exec", "get");

fn told(code: u16, reason: &str, message: &str, rule: &Rule) -> (Error, Trouble) {
    let status = Status { code, reason: reason.into(), message: message.into(), ..Status::default() };
    let error = Error::from_kube(kube::Error::Api(Box::new(status)), rule, "shop/api", "https://10.0.0.1:6443");
    (error.clone(), error.into())
}

#[test]
fn a_missing_right_is_named() {
    let patch = Rule::new("apps", "deployments", "patch");
    let cases = [
        (
            r#"deployments.apps "api" is forbidden: User "u" cannot patch resource "deployments" in API group "apps" in the namespace "shop""#,
            &patch,
            "not allowed to patch deployments.apps",
        ),
        (
            r#"pods "api" is forbidden: User "u" cannot get resource "pods/exec" in API group "" in the namespace "shop""#,
            &EXEC,
            "not allowed to get pods/exec",
        ),
        // Kubernetes 1.35 with `get` alone: an empty reason.
        (r#"pods "api" is forbidden: "#, &EXEC, "not allowed to create pods/exec"),
    ];
    for (message, rule, what) in cases {
        let (_, trouble) = told(403, "Forbidden", message, rule);
        assert_eq!((trouble.what.as_ref(), trouble.kind), (what, TroubleKind::Denied));
        assert!(trouble.remedy.contains("role.yaml"));
    }
}

#[test]
fn each_answer_says_what_can_be_done() {
    let get = Rule::new("", "pods", "get");
    assert!(told(401, "Unauthorized", "Unauthorized", &get).0.is_expired());
    assert!(told(404, "NotFound", "pods \"api\" not found", &get).0.is_not_found());
    assert!(matches!(told(409, "Conflict", "the object has been modified", &get).0, Error::Conflict { .. }));
    assert!(matches!(told(422, "", "testing value /metadata/generation failed: test failed", &get).0, Error::Conflict { .. }));
    assert!(matches!(told(422, "Invalid", "limits.memory: must be greater", &get).0, Error::Invalid { .. }));
    assert!(told(503, "ServiceUnavailable", "etcd", &get).1.retry, "503 passes");
    assert!(!told(403, "Forbidden", "no", &get).1.retry, "a missing right does not");
}

#[test]
fn what_the_server_says_is_masked() {
    let (_, trouble) = told(500, "InternalError", "dial https://u:hunter2@10.0.0.9 with Bearer abcdefgh12345678", &EXEC);
    let shown = trouble.to_string();
    assert!(!shown.contains("hunter2") && !shown.contains("abcdefgh12345678"), "{shown}");
}
