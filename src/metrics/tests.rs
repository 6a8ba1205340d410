//! The sources against the demo's real processes.

use std::time::Duration;

use super::{Options, Poller, Reading};
use crate::base::ContainerRef;
use crate::cluster::world::{World, first, nobody, world};
use crate::cluster::{Error, Session};
use crate::demo::Fault;
use crate::metrics::{SOURCES, Source, sources::Cgroup};
use crate::pressure::PodSample;

/// Polls until a round gives what `found` wants; a pod has no sample in its first seconds.
async fn until<T>(poller: &mut Poller, closely: &[ContainerRef], found: impl Fn(&Reading) -> Option<T>) -> T {
    let wait = async {
        let mut pause = tokio::time::interval(Duration::from_millis(500));
        loop {
            pause.tick().await;
            if let Some(found) = found(&poller.poll(closely).await) {
                return found;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(40), wait).await.expect("measured within 40 s")
}

async fn storefront(world: &World, session: &Session) -> ContainerRef {
    first(&world.running(session, "storefront").await)
}

fn of<'a>(reading: &'a Reading, container: &ContainerRef) -> Vec<&'a PodSample> {
    reading.samples.iter().filter(|s| s.pod == container.pod && s.container == container.name).collect()
}

#[tokio::test]
async fn both_sources_tell_of_the_same_memory() {
    let Some(world) = world().await else { return };
    let session = world.session().await;
    let app = storefront(&world, &session).await;
    let mut poller = Poller::new(session.clone(), Options::default());
    let broad = until(&mut poller, &[], |r| of(r, &app).first().map(|s| (*s).clone())).await;
    assert_eq!(broad.source, "metrics-server");
    let reading = poller.poll(std::slice::from_ref(&app)).await;
    let exact: Vec<_> = reading.samples.iter().filter(|s| s.source == "cgroup").collect();
    assert_eq!(exact.iter().map(|s| &s.pod).collect::<Vec<_>>(), [&app.pod], "{:?}", reading.troubles);
    assert_eq!(of(&reading, &app).len(), 2, "one of each source");
    let ratio = exact[0].working_set.share_of(broad.working_set);
    assert!((0.5..2.0).contains(&ratio), "{} against {}", exact[0].working_set, broad.working_set);
    assert!(exact[0].at >= broad.at, "a direct reading is fresh");
}

#[tokio::test]
async fn without_a_metrics_server_the_chosen_ones_are_still_measured() {
    let Some(world) = world().await else { return };
    let session = world.session().await;
    let app = storefront(&world, &session).await;
    for (fault, retry) in [(Fault::MetricsAbsent, false), (Fault::MetricsUnavailable, true)] {
        world.fault(fault);
        let mut poller = Poller::new(session.clone(), Options::default());
        let reading = poller.poll(std::slice::from_ref(&app)).await;
        assert_eq!(reading.samples.len(), 1, "{:?}", reading.troubles);
        let told = &reading.troubles[0];
        assert_eq!((told.source, told.trouble.retry), ("metrics-server", retry), "{}", told.trouble);
        world.demo.faults().clear_all();
        let again = poller.poll(&[]).await;
        assert_eq!(again.troubles.is_empty(), retry, "what is absent is not asked for again at once; what is ill is");
    }
}

#[tokio::test]
async fn what_cannot_be_read_directly_is_left_to_the_other_source() {
    let Some(world) = world().await else { return };
    let session = world.session().await;
    let app = storefront(&world, &session).await;
    let mut poller = Poller::new(session.clone(), Options::default());
    until(&mut poller, &[], |r| (!of(r, &app).is_empty()).then_some(())).await;
    world.fault(Fault::ExecForbidden);
    let closely = std::slice::from_ref(&app);
    let first = poller.poll(closely).await;
    assert_eq!(first.troubles.iter().map(|t| t.source).collect::<Vec<_>>(), ["cgroup"]);
    for _ in 0..2 {
        poller.poll(closely).await;
    }
    let given_up = poller.poll(closely).await;
    assert!(given_up.troubles.is_empty() && of(&given_up, &app).iter().any(|s| s.source == "metrics-server"), "{given_up:?}");
}

#[tokio::test]
async fn a_container_that_is_gone_does_not_spoil_the_round() {
    let Some(world) = world().await else { return };
    let session = world.session().await;
    let app = storefront(&world, &session).await;
    let gone = ContainerRef { pod: nobody(), name: "app".into() };
    let samples = Cgroup.poll(&session, &[gone.clone(), app]).await.expect("one of two");
    assert_eq!(samples.len(), 1);
    assert!(matches!(Cgroup.poll(&session, &[gone]).await, Err(Error::NotFound { .. })));
}

#[tokio::test]
async fn who_is_read_directly_stays_so_for_a_while() {
    let Some(world) = world().await else { return };
    let session = world.session().await;
    let app = storefront(&world, &session).await;
    let mut poller = Poller::new(session.clone(), Options { direct: 1, ..Options::default() });
    poller.poll(std::slice::from_ref(&app)).await;
    let unasked = poller.poll(&[]).await;
    assert!(unasked.samples.iter().any(|s| s.source == "cgroup"), "not asked for, but a moment ago");
    let other = first(&world.running(&session, "mailer").await);
    let asked = poller.poll(std::slice::from_ref(&other)).await;
    let exact: Vec<_> = asked.samples.iter().filter(|s| s.source == "cgroup").map(|s| &s.pod).collect();
    assert_eq!(exact, [&other.pod], "whoever is asked for comes first");
}

#[test]
fn sources_have_names_of_their_own_and_rights() {
    let names: std::collections::BTreeSet<_> = SOURCES.iter().map(|s| s.name()).collect();
    assert_eq!(names.len(), SOURCES.len());
    assert!(SOURCES.iter().all(|s| !s.needs().is_empty()));
}
