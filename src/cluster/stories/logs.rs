//! Logs through cuts and restarts.

use std::time::Duration;

use futures::StreamExt;

use super::world::{first, nobody, sh, world};
use crate::base::ContainerRef;
use crate::cluster::{Error, LogNews, LogOptions, Session};

async fn all(session: &Session, container: &ContainerRef, options: LogOptions) -> Vec<LogNews> {
    let collected = session.logs(container, options).map(|n| n.expect("readable")).collect();
    tokio::time::timeout(Duration::from_secs(20), collected).await.expect("it ends")
}

#[tokio::test]
async fn a_followed_log_has_neither_gap_nor_double_through_a_cut() {
    let Some(world) = world().await else { return };
    let session = world.session().await;
    let app = first(&world.running(&session, "nightly-prices").await);
    let mut followed = session.logs(&app, LogOptions { follow: true, ..LogOptions::default() });
    let mut lines = Vec::new();
    let mut broken = 0;
    let mut after = 0;
    let wait = async {
        while broken < 2 || after < 3 {
            match followed.next().await.expect("goes on").expect("readable") {
                LogNews::Line(line) => {
                    lines.push(line);
                    after += 1;
                    // Twice in mid-stream, each time when new lines had come since the last.
                    if broken < 2 && after == 2 {
                        world.relay.cut();
                        world.relay.mend();
                    }
                }
                LogNews::Broken(_) => {
                    broken += 1;
                    after = 0;
                }
                LogNews::Ended | LogNews::Restarted { .. } => panic!("the container runs"),
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(60), wait).await.expect("it logs");
    let whole: Vec<_> = all(&session, &app, LogOptions::default())
        .await
        .into_iter()
        .map(|n| match n {
            LogNews::Line(line) => line,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(lines, whole[..lines.len()], "the same lines as read at one go");
}

#[tokio::test]
async fn a_tail_and_what_is_not_there() {
    let Some(world) = world().await else { return };
    let session = world.session().await;
    let pod = world.running(&session, "content-import").await;
    let app = first(&pod);
    // A pod that has only just started has less to tell.
    let told = async { while all(&session, &app, LogOptions::default()).await.len() < 4 {} };
    tokio::time::timeout(Duration::from_secs(60), told).await.expect("it logs");
    assert_eq!(all(&session, &app, LogOptions { tail: Some(3), ..LogOptions::default() }).await.len(), 3);
    let gone = ContainerRef { pod: nobody(), name: "app".into() };
    let error = session.logs(&gone, LogOptions { follow: true, ..LogOptions::default() }).next().await.expect("told").expect_err("gone");
    assert!(error.is_not_found());
    let wrong = ContainerRef { name: "zz".into(), ..app };
    let told = session.logs(&wrong, LogOptions::default()).next().await.expect("told");
    assert!(matches!(told, Err(Error::NotFound { .. })));
}

#[tokio::test]
async fn a_follow_goes_on_in_the_next_life() {
    let Some(world) = world().await else { return };
    let session = world.session().await;
    let app = first(&world.running(&session, "mailer").await);
    let mut followed = session.logs(&app, LogOptions { follow: true, tail: Some(1), ..LogOptions::default() });
    let mut last = None;
    let wait = async {
        let mut killed = false;
        loop {
            match followed.next().await.expect("goes on").expect("readable") {
                LogNews::Line(line) if !killed => {
                    killed = true;
                    last = Some(line);
                    let kill = sh("kill -TERM $(pidof node) 2>/dev/null || kill -TERM 1");
                    let _ = session.run(&app, &kill, Duration::from_secs(5), 100).await;
                }
                LogNews::Restarted { restarts } => return restarts,
                LogNews::Line(line) => last = Some(line),
                LogNews::Ended | LogNews::Broken(_) => {}
            }
        }
    };
    let restarts = tokio::time::timeout(Duration::from_secs(60), wait).await.expect("the kubelet restarts it");
    assert!(restarts >= 1);
    let wait = async { while !matches!(followed.next().await.expect("goes on").expect("readable"), LogNews::Line(_)) {} };
    tokio::time::timeout(Duration::from_secs(20), wait).await.expect("lines of the new life");
    let previous = all(&session, &app, LogOptions { previous: true, follow: true, ..LogOptions::default() }).await;
    let known = |n: &LogNews| matches!(n, LogNews::Line(line) if last.as_ref() == Some(line));
    assert!(last.is_some() && previous.iter().any(known), "the life that ended can be read again");
}
