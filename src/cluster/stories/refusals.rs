//! No right, no token, no metrics, no answer.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;

use super::world::{first, sh, world};
use crate::base::ScriptedClock;
use crate::cluster::{Deadlines, Error, Options, Rule, Session, all_rules};
use crate::demo::Fault;

#[tokio::test]
async fn rights_are_asked_for_before_they_are_missed() {
    let Some(world) = world().await else { return };
    let session = world.session().await;
    assert!(session.allowed(&all_rules()).await.expect("answered").iter().all(|a| a.allowed));
    world.fault(Fault::ExecForbidden);
    let rules = [Rule::new("", "pods/exec", "create"), Rule::new("", "pods", "list")];
    let answers = session.allowed(&rules).await.expect("answered");
    assert_eq!(answers.iter().map(|a| (&a.rule, a.allowed)).collect::<Vec<_>>(), [(&rules[0], false), (&rules[1], true)]);
    let app = first(&world.running(&session, "storefront").await);
    let error = session.run(&app, &sh("true"), Duration::from_secs(5), 10).await.expect_err("forbidden");
    assert!(matches!(&error, Error::Denied { rule, .. } if rule.resource == "pods/exec"), "{error:?}");
}

#[tokio::test]
async fn a_refused_token_is_renewed_once_and_then_told() {
    let Some(world) = world().await else { return };
    let session = world.session().await;
    let pod = world.running(&session, "storefront").await.pod;
    world.fault(Fault::Unauthorized);
    let error = session.pod(&pod).await.expect_err("refused");
    assert!(error.is_expired(), "{error:?}");
    world.demo.faults().clear(Fault::Unauthorized);
    session.pod(&pod).await.expect("the same session goes on");
    session.renew().await.expect("a person may ask for it");
}

#[tokio::test]
async fn missing_and_ill_metrics_are_told_apart_at_once() {
    let Some(world) = world().await else { return };
    let session = world.session().await;
    world.fault(Fault::MetricsAbsent);
    assert_eq!(session.pod_metrics().await, Err(Error::MetricsAbsent));
    world.demo.faults().clear_all();
    world.fault(Fault::MetricsUnavailable);
    let asked = tokio::time::Instant::now();
    assert!(matches!(session.pod_metrics().await, Err(Error::MetricsIll { .. })));
    assert!(asked.elapsed() < Duration::from_secs(2), "kube's own retry would not have returned for minutes");
}

#[tokio::test]
async fn a_silent_server_is_not_waited_for() {
    let Some(world) = world().await else { return };
    let deadlines = Deadlines { call_s: 1, ..world.options().deadlines };
    let session = world.session_with(Options { deadlines, ..world.options() }).await;
    let pod = world.running(&session, "storefront").await.pod;
    world.fault(Fault::Silent);
    assert!(matches!(session.pod(&pod).await, Err(Error::TimedOut { .. })));
    world.demo.faults().clear_all();
    session.pod(&pod).await.expect("it speaks again");
}

#[tokio::test]
async fn times_of_a_server_whose_clock_is_off_are_told_in_ours() {
    let Some(world) = world().await else { return };
    let session = world.session().await;
    let pod = world.running(&session, "storefront").await;
    assert_eq!(session.skew(), TimeDelta::zero(), "one machine, one clock");
    let ahead = Arc::new(ScriptedClock::new(session.now() + TimeDelta::minutes(5)));
    let other = Session::connect(world.options(), ahead).await.expect("connected");
    let skew = other.skew();
    assert!((skew + TimeDelta::minutes(5)).abs() < TimeDelta::seconds(3), "{skew}");
    let there = other.pod(&pod.pod).await.expect("there");
    assert_eq!(there.created.expect("made"), pod.created.expect("made") - skew);
}
