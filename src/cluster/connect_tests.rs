//! Kubeconfigs that cannot be used, and plugins that fail.
#![allow(clippy::disallowed_methods, reason = "writes kubeconfigs for itself")]

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use tempfile::TempDir;

use super::{Deadlines, Error, Options, Session};
use crate::base::{Clock, ScaledClock, Trouble, TroubleKind};

fn clock() -> Arc<dyn Clock> {
    Arc::new(ScaledClock::new(1.0))
}

/// A port on which nobody listens.
const NOBODY: &str = "http://127.0.0.1:9";

fn kubeconfig(server: &str, user: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: prod\n\
         clusters: [{{name: c, cluster: {{server: {server}}}}}]\n\
         contexts: [{{name: prod, context: {{cluster: c, user: u, namespace: shop}}}}]\n\
         users: [{{name: u, user: {user}}}]\n"
    )
}

async fn connect(dir: &Path, text: &str) -> Result<Session, Error> {
    let file = dir.join("config");
    std::fs::write(&file, text).expect("a scratch file");
    let deadlines = Deadlines { connect_s: 10, call_s: 2, ..Deadlines::default() };
    Session::connect(Options { kubeconfig: Some(file), deadlines, ..Options::default() }, clock()).await
}

#[tokio::test]
async fn a_broken_kubeconfig_is_placed_but_not_quoted() {
    let dir = TempDir::new().expect("a scratch folder");
    let text = kubeconfig(NOBODY, "{token: SECRET-TOKEN-123}") + "users: {oops: [SECRET-TOKEN-123\n";
    let error = connect(dir.path(), &text).await.expect_err("no YAML");
    let trouble = Trouble::from(error);
    assert_eq!(trouble.kind, TroubleKind::Config);
    assert!(trouble.place.contains("/config:"), "{trouble}");
    assert!(!trouble.to_string().contains("SECRET-TOKEN"), "{trouble}");
}

#[tokio::test]
async fn a_missing_file_and_a_missing_context_are_named() {
    let file = std::path::PathBuf::from("/nonexistent/kubeconfig");
    let error = Session::connect(Options { kubeconfig: Some(file), ..Options::default() }, clock()).await.expect_err("no file");
    assert!(matches!(&error, Error::Config { place, .. } if place == "/nonexistent/kubeconfig"), "{error:?}");

    let dir = TempDir::new().expect("a scratch folder");
    let file = dir.path().join("config");
    std::fs::write(&file, kubeconfig(NOBODY, "{}")).expect("a scratch file");
    let options = Options { kubeconfig: Some(file), context: Some("staging".into()), ..Options::default() };
    let error = Session::connect(options, clock()).await.expect_err("no such context");
    assert!(error.to_string().contains("staging"), "{error}");
}

#[tokio::test]
async fn a_server_that_is_not_there_is_unreachable() {
    let dir = TempDir::new().expect("a scratch folder");
    let error = connect(dir.path(), &kubeconfig(NOBODY, "{token: abc}")).await.expect_err("nobody listens");
    assert!(matches!(&error, Error::Unreachable { server, .. } if server == NOBODY), "{error:?}");
}

#[tokio::test]
async fn a_server_that_never_answers_is_not_waited_for() {
    let dir = TempDir::new().expect("a scratch folder");
    // Takes connections into its backlog and says nothing.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let server = format!("http://{}", silent.local_addr().expect("bound"));
    let error = connect(dir.path(), &kubeconfig(&server, "{token: abc}")).await.expect_err("no answer");
    assert!(matches!(error, Error::TimedOut { .. }), "{error:?}");
}

fn plugin(dir: &Path, script: &str) -> String {
    let file = dir.join("plugin");
    std::fs::write(&file, format!("#!/bin/sh\n{script}\n")).expect("a scratch file");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).expect("own file");
    format!(
        "{{exec: {{apiVersion: client.authentication.k8s.io/v1, command: {}, interactiveMode: IfAvailable, provideClusterInfo: false}}}}",
        file.display()
    )
}

#[tokio::test]
async fn what_a_failing_plugin_says_is_the_hint() {
    let dir = TempDir::new().expect("a scratch folder");
    let user = plugin(dir.path(), "echo 'token has expired, run aws sso login --profile prod; token=SECRET-TOKEN-9' >&2; exit 255");
    let error = connect(dir.path(), &kubeconfig(NOBODY, &user)).await.expect_err("the plugin fails");
    let Error::Plugin { hint } = &error else { panic!("{error:?}") };
    assert!(hint.as_str().contains("run aws sso login --profile prod"), "{}", hint.as_str());
    assert!(!hint.as_str().contains("SECRET-TOKEN-9"));
    assert!(Trouble::from(error).remedy.contains("aws sso login"));
}

#[tokio::test]
async fn what_a_plugin_prints_is_a_credential_and_never_shown() {
    let dir = TempDir::new().expect("a scratch folder");
    let user = plugin(dir.path(), "printf 'kind: ExecCredential\\nstatus: {\\n  token: SECRET-TOKEN-9\\n'");
    let error = connect(dir.path(), &kubeconfig(NOBODY, &user)).await.expect_err("nonsense");
    assert!(matches!(error, Error::Plugin { .. }), "{error:?}");
    assert!(!format!("{error:?} {}", Trouble::from(error.clone())).contains("SECRET"), "{error:?}");
}

#[tokio::test]
async fn a_plugin_that_hangs_is_not_waited_for() {
    let dir = TempDir::new().expect("a scratch folder");
    let file = dir.path().join("config");
    let user = plugin(dir.path(), "exec sleep 2");
    std::fs::write(&file, kubeconfig(NOBODY, &user)).expect("a scratch file");
    let deadlines = Deadlines { connect_s: 1, ..Deadlines::default() };
    let options = Options { kubeconfig: Some(file), deadlines, ..Options::default() };
    let error = Session::connect(options, clock()).await.expect_err("it hangs");
    assert!(matches!(error, Error::TimedOut { .. }), "{error:?}");
}
