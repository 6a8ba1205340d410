//! Watching through a bad network.

use std::time::Duration;

use futures::StreamExt;
use futures::stream::BoxStream;

use super::world::world;
use crate::base::TroubleKind;
use crate::cluster::{Options, PodNews};
use crate::demo::Fault;

/// The next news that `is` accepts, within ten seconds; others are passed over.
async fn next(news: &mut BoxStream<'static, PodNews>, is: impl Fn(&PodNews) -> bool) -> PodNews {
    let wait = async {
        loop {
            let told = news.next().await.expect("a watch never ends");
            if is(&told) {
                return told;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(10), wait).await.expect("told within ten seconds")
}

#[tokio::test]
async fn a_server_that_restarts_leaves_the_rows_stale_and_then_fresh() {
    let Some(world) = world().await else { return };
    let session = world.session().await;
    let mut news = session.watch_pods();
    let PodNews::All(all) = next(&mut news, |n| matches!(n, PodNews::All(_))).await else { unreachable!() };
    assert!(all.len() >= 6, "{} pods", all.len());
    assert!(all.iter().any(|p| p.workload == Some(world.leaking())), "the deployment is known without its ReplicaSet");

    world.relay.cut();
    let PodNews::Stale { trouble, .. } = next(&mut news, |n| matches!(n, PodNews::Stale { .. })).await else { unreachable!() };
    assert_eq!(trouble.kind, TroubleKind::Unreachable);
    // What a restarted server does: it has forgotten the versions.
    world.demo.compact();
    let mended = tokio::time::Instant::now();
    world.relay.mend();
    next(&mut news, |n| *n == PodNews::Back).await;
    let told = next(&mut news, |n| matches!(n, PodNews::All(_) | PodNews::One(_) | PodNews::Gone(_))).await;
    assert!(matches!(told, PodNews::All(_)), "410 means a new list");
    assert!(mended.elapsed() < Duration::from_secs(4), "{:?}", mended.elapsed());
}

#[tokio::test]
async fn a_cut_without_a_change_is_told_to_be_over() {
    let Some(world) = world().await else { return };
    let session = world.session_with(Options { labels: Some("app=mailer".into()), ..world.options() }).await;
    let mut news = session.watch_pods();
    let PodNews::All(all) = next(&mut news, |n| matches!(n, PodNews::All(_))).await else { unreachable!() };
    assert_eq!(all.len(), 1, "the label selector is the server's work");
    world.relay.cut();
    next(&mut news, |n| matches!(n, PodNews::Stale { .. })).await;
    world.relay.mend();
    // Nothing happened to the pod, so there is no event; and yet the screen must not stay grey.
    next(&mut news, |n| *n == PodNews::Back).await;
}

#[tokio::test]
async fn an_expired_token_is_told_and_overcome() {
    let Some(world) = world().await else { return };
    let session = world.session().await;
    let mut news = session.watch_pods();
    next(&mut news, |n| matches!(n, PodNews::All(_))).await;
    world.fault(Fault::Unauthorized);
    world.relay.cut();
    world.relay.mend();
    let denied = |n: &PodNews| matches!(n, PodNews::Stale { trouble, .. } if trouble.kind == TroubleKind::Denied);
    next(&mut news, denied).await;
    world.demo.faults().clear(Fault::Unauthorized);
    next(&mut news, |n| *n == PodNews::Back).await;
}

#[tokio::test]
async fn versions_that_are_always_too_old_do_not_make_it_spin() {
    let Some(world) = world().await else { return };
    let session = world.session().await;
    world.fault(Fault::WatchGone);
    let mut news = session.watch_pods();
    let lists = async {
        let mut lists = 0;
        while let Some(told) = news.next().await {
            lists += usize::from(matches!(told, PodNews::All(_)));
        }
        lists
    };
    let counted = std::cell::Cell::new(0);
    let count = async {
        counted.set(lists.await);
    };
    // One at once, then 0.2, 0.4, 0.8 s …: at most six in three seconds.
    let _ = tokio::time::timeout(Duration::from_secs(3), count).await;
    assert!(counted.get() <= 6, "{} lists", counted.get());
}
