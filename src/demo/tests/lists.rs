//! Lists, watches, metrics, logs, discovery.

use std::collections::BTreeSet;

use futures::{AsyncBufReadExt, StreamExt, TryStreamExt};
use k8s_openapi::api::apps::v1::{Deployment, ReplicaSet};
use k8s_openapi::api::core::v1::{Event, Pod};
use kube::api::{Api, ApiResource, DynamicObject, GroupVersionKind, ListParams, LogParams, PartialObjectMeta, WatchEvent, WatchParams};
use kube::runtime::watcher;

use super::*;

#[tokio::test]
async fn the_shop_is_as_the_story_says() {
    let demo = recorded().await;
    let client = client(&demo).await;
    assert_eq!(client.apiserver_version().await.unwrap().minor, "35");
    let groups: Vec<String> = client.list_api_groups().await.unwrap().groups.into_iter().map(|g| g.name).collect();
    assert!(groups.contains(&"metrics.k8s.io".into()) && groups.contains(&"apps".into()), "{groups:?}");
    let replicas = replicas(&client).await;
    assert_eq!(replicas.iter().map(restarts).collect::<Vec<_>>(), [5, 2, 1]);
    let last = replicas[0].status.as_ref().unwrap().container_statuses.as_ref().unwrap()[0].last_state.clone().unwrap();
    assert_eq!(last.terminated.unwrap().exit_code, 139);

    let sets: Api<ReplicaSet> = Api::default_namespaced(client.clone());
    let mut history: Vec<(String, String, String)> = Vec::new();
    for set in sets.list(&ListParams::default().labels("app=content-import")).await.unwrap() {
        let notes = set.metadata.annotations.unwrap();
        let image = set.spec.template.unwrap().spec.unwrap().containers[0].image.clone().unwrap();
        history.push((notes["deployment.kubernetes.io/revision"].clone(), notes["kubernetes.io/change-cause"].clone(), image));
    }
    history.sort();
    assert_eq!(history.iter().map(|h| h.0.as_str()).collect::<Vec<_>>(), ["41", "42", "43"]);
    assert!(history.iter().all(|h| h.1.starts_with("release ") && h.2.contains("/content-import:")), "{history:?}");

    let deployments: Api<Deployment> = Api::default_namespaced(client.clone());
    let status = deployments.get(demo.deployment()).await.unwrap().status.unwrap();
    assert_eq!((status.replicas, status.updated_replicas), (Some(3), Some(3)));
    let events: Api<Event> = Api::default_namespaced(client);
    let reasons: BTreeSet<String> = events.list(&ListParams::default()).await.unwrap().items.into_iter().filter_map(|e| e.reason).collect();
    assert!(reasons.contains("BackOff") && reasons.contains("Started"), "{reasons:?}");
}

#[tokio::test]
async fn pages_hold_every_pod_once_and_expire_when_compacted() {
    let demo = recorded().await;
    let client = client(&demo).await;
    replicas(&client).await;
    let api: Api<PartialObjectMeta<Pod>> = Api::default_namespaced(client.clone());
    let mut names = Vec::new();
    let mut params = ListParams::default().limit(4);
    loop {
        let page = api.list(&params).await.unwrap();
        assert!(page.items.len() <= 4);
        names.extend(page.items.iter().map(|p| p.metadata.name.clone().unwrap()));
        match page.metadata.continue_.filter(|c| !c.is_empty()) {
            Some(token) => params = ListParams::default().limit(4).continue_token(&token),
            None => break,
        }
    }
    assert_eq!(names.len(), 6);
    assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), 6);

    let first = api.list(&ListParams::default().limit(2)).await.unwrap();
    demo.compact();
    let next = ListParams::default().limit(2).continue_token(&first.metadata.continue_.unwrap());
    assert_eq!(code(api.list(&next).await.unwrap_err()), 410);
}

fn code(error: kube::Error) -> u16 {
    match error {
        kube::Error::Api(status) => status.code,
        other => panic!("no status: {other}"),
    }
}

#[tokio::test]
async fn both_ways_of_watching_see_a_pod_go_and_its_replacement_come() {
    let demo = recorded().await;
    let client = client(&demo).await;
    let victim = name(&replicas(&client).await[2]).to_string();
    for config in [watcher::Config::default(), watcher::Config::default().streaming_lists()] {
        let api = pods(&client).await;
        let mut events = std::pin::pin!(watcher(api.clone(), config.labels("app=content-import")));
        let mut seen = BTreeSet::new();
        loop {
            match events.next().await.unwrap().unwrap() {
                watcher::Event::InitApply(pod) => drop(seen.insert(name(&pod).to_string())),
                watcher::Event::InitDone => break,
                _ => {}
            }
        }
        assert!(seen.len() >= 3, "{seen:?}");
        if !seen.contains(&victim) {
            continue;
        }
        api.delete(&victim, &kube::api::DeleteParams::default().grace_period(0)).await.unwrap();
        let (mut gone, mut new) = (false, false);
        while !(gone && new) {
            match tokio::time::timeout(PATIENCE, events.next()).await.expect("in time").unwrap().unwrap() {
                watcher::Event::Delete(pod) => gone |= name(&pod) == victim,
                watcher::Event::Apply(pod) => new |= !seen.contains(name(&pod)),
                _ => {}
            }
        }
    }
}

#[tokio::test]
async fn a_watch_from_a_compacted_version_is_gone() {
    let demo = recorded().await;
    let client = client(&demo).await;
    let api = pods(&client).await;
    let version = api.list(&ListParams::default()).await.unwrap().metadata.resource_version.unwrap();
    replicas(&client).await;
    demo.compact();
    let mut events = std::pin::pin!(api.watch(&WatchParams::default(), &version).await.unwrap());
    match events.next().await.unwrap() {
        Ok(WatchEvent::Error(status)) => assert_eq!((status.code, status.reason.as_str()), (410, "Expired")),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn memory_climbs_in_the_replica_that_has_the_hot_partition() {
    let demo = recorded().await;
    let client = client(&demo).await;
    let hot = name(&replicas(&client).await[0]).to_string();
    let kind = ApiResource::from_gvk_with_plural(&GroupVersionKind::gvk("metrics.k8s.io", "v1beta1", "PodMetrics"), "pods");
    let api: Api<DynamicObject> = Api::default_namespaced_with(client, &kind);
    let usage = async || {
        let sample = api.get_opt(&hot).await.unwrap()?;
        let memory = sample.data["containers"][0]["usage"]["memory"].as_str()?.to_string();
        assert!(sample.data["window"].as_str().unwrap().ends_with('s') && sample.data["timestamp"].as_str().unwrap().ends_with('Z'));
        crate::base::parse_quantity(&memory)
    };
    let first = until("a sample", &usage).await;
    until("a climb of 20 MiB", || async { usage().await.filter(|now| now.0 > first.0 + (20 << 20)) }).await;
}

#[tokio::test]
async fn logs_are_followed_to_the_death_and_the_last_life_tells_why() {
    let demo = Demo::start(Options { recorded: true, pace: 40.0, ..Options::default() }).await.unwrap();
    let client = client(&demo).await;
    let api = pods(&client).await;
    let hot = name(&replicas(&client).await[0]).to_string();
    let params = LogParams { follow: true, timestamps: true, ..LogParams::default() };
    let mut lines = api.log_stream(&hot, &params).await.unwrap().lines();
    let mut stamps: Vec<String> = Vec::new();
    let mut fatal = false;
    while let Some(line) = lines.try_next().await.unwrap() {
        let (stamp, text) = line.split_once(' ').unwrap();
        stamps.push(stamp.to_string());
        fatal |= text.starts_with("FATAL ERROR: ") && text.ends_with("JavaScript heap out of memory");
    }
    assert!(fatal, "the stream ends with the container");
    assert!(stamps.is_sorted() && stamps.iter().all(|s| s.len() == "2026-11-24T23:39:16.973947489Z".len()), "{stamps:?}");
    let pod = until("the restart", || async { Some(api.get(&hot).await.unwrap()).filter(|p| restarts(p) == 6) }).await;
    let last = pod.status.unwrap().container_statuses.unwrap()[0].last_state.clone().unwrap().terminated.unwrap();
    assert_eq!((last.exit_code, last.reason.as_deref()), (139, Some("Error")));
    let previous = LogParams { previous: true, tail_lines: Some(40), ..LogParams::default() };
    assert!(until("the previous log", || async { api.logs(&hot, &previous).await.ok() }).await.contains("heap out of memory"));
    let few = LogParams { previous: true, limit_bytes: Some(10), ..LogParams::default() };
    assert_eq!(api.logs(&hot, &few).await.unwrap().len(), 10);
    let late = LogParams { previous: true, since_time: Some("2199-01-01T00:00:00Z".parse().unwrap()), ..LogParams::default() };
    assert_eq!(api.logs(&hot, &late).await.unwrap(), "");
}
