//! What changes the cluster: patches with their dry-runs, rollback, resize, quarantine, eviction, leases, reviews.

use k8s_openapi::api::apps::v1::{Deployment, ReplicaSet};
use k8s_openapi::api::authorization::v1::SelfSubjectAccessReview;
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::{ConfigMap, Pod};
use kube::api::{Api, DeleteParams, ListParams, Patch, PatchParams, PostParams};
use serde_json::{Value, json};

use super::*;
use crate::demo::Fault;

fn refused<T: std::fmt::Debug>(result: kube::Result<T>) -> (u16, String) {
    match result.unwrap_err() {
        kube::Error::Api(status) => (status.code, status.message.clone()),
        other => panic!("no status: {other}"),
    }
}

#[tokio::test]
async fn a_dry_run_shows_the_change_and_does_nothing() {
    let demo = recorded().await;
    let api: Api<Deployment> = Api::default_namespaced(client(&demo).await);
    let before = api.get("content-import").await.unwrap();
    let change = |memory: &str| json!({ "spec": { "template": { "spec": { "containers": [{ "name": "app", "resources": { "limits": { "memory": memory } } }] } } } });
    let strict = PatchParams { dry_run: true, ..PatchParams::default() }.validation_strict();
    let shown = api.patch("content-import", &strict, &Patch::Strategic(change("1Gi"))).await.unwrap();
    assert_eq!(shown.metadata.generation, before.metadata.generation.map(|g| g + 1));
    assert_eq!(shown.metadata.resource_version, before.metadata.resource_version);
    assert_eq!(api.get("content-import").await.unwrap().spec, before.spec);

    let (code, message) = refused(api.patch("content-import", &strict, &Patch::Strategic(change("64Mi"))).await);
    assert_eq!(code, 422);
    assert!(message.contains("less than or equal to memory limit"), "{message}");
    let typo = json!({ "spec": { "template": { "spec": { "containers": [{ "name": "app", "resourcez": {} , "imagee": "x" }] } } } });
    let (code, message) = refused(api.patch("content-import", &strict, &Patch::Strategic(&typo)).await);
    assert_eq!(code, 422);
    assert!(message.contains("unknown field \"spec.template.spec.containers[0].imagee\""), "{message}");
    let stale = json!({ "metadata": { "resourceVersion": "1" }, "spec": { "replicas": 2 } });
    let (code, message) = refused(api.patch("content-import", &strict, &Patch::Merge(&stale)).await);
    assert_eq!(code, 409);
    assert!(message.contains("the object has been modified"), "{message}");
    assert_eq!(refused(api.get("nothing").await).0, 404);
}

#[tokio::test]
async fn a_rollback_takes_the_old_replica_set_again_and_restarts_every_pod() {
    let demo = recorded().await;
    let client = client(&demo).await;
    let old: Vec<String> = replicas(&client).await.iter().map(|p| name(p).to_string()).collect();
    let deployments: Api<Deployment> = Api::default_namespaced(client.clone());
    let sets: Api<ReplicaSet> = Api::default_namespaced(client.clone());
    let revision = |set: &ReplicaSet| set.metadata.annotations.as_ref().unwrap()["deployment.kubernetes.io/revision"].clone();
    let list = sets.list(&ListParams::default().labels("app=content-import")).await.unwrap().items;
    let target = list.iter().find(|s| revision(s) == "41").unwrap();
    let mut template = serde_json::to_value(target.spec.template.as_ref().unwrap()).unwrap();
    template["metadata"]["labels"].as_object_mut().unwrap().remove("pod-template-hash");
    let now = deployments.get("content-import").await.unwrap();
    // The way kubectl does it, with the version as a guard (kube-real.md, 6).
    let patch: Value = json!([
        { "op": "test", "path": "/metadata/resourceVersion", "value": now.metadata.resource_version },
        { "op": "replace", "path": "/spec/template", "value": template },
    ]);
    let url = "/apis/apps/v1/namespaces/shop/deployments/content-import";
    let request = http::Request::patch(url).header("content-type", "application/json-patch+json").body(patch.to_string().into_bytes());
    client.request::<Deployment>(request.unwrap()).await.unwrap();
    until("new pods everywhere", || async {
        let pods = pods(&client).await.list(&ListParams::default().labels("app=content-import")).await.unwrap().items;
        let new = pods.iter().filter(|p| !old.iter().any(|o| o == name(p)) && is_ready(p)).count();
        (new == 3 && pods.len() == 3).then_some(())
    })
    .await;
    let set = sets.get(target.metadata.name.as_ref().unwrap()).await.unwrap();
    assert_eq!(revision(&set), "44");
    assert_eq!(set.metadata.annotations.unwrap()["deployment.kubernetes.io/revision-history"], "41");
}

#[tokio::test]
async fn a_resize_is_applied_or_says_why_not() {
    let demo = recorded().await;
    let client = client(&demo).await;
    let api = pods(&client).await;
    let victim = name(&replicas(&client).await[1]).to_string();
    let resize = |memory: &str| {
        Patch::Strategic(json!({ "spec": { "containers": [{ "name": "app", "resources": { "limits": { "memory": memory } } }] } }))
    };
    let applied = |pod: &Pod| {
        let status = pod.status.as_ref().unwrap();
        let limits = status.container_statuses.as_ref().unwrap()[0].resources.clone().unwrap().limits.unwrap();
        let open: Vec<(String, String)> = status
            .conditions
            .iter()
            .flatten()
            .filter(|c| c.type_.starts_with("PodResize"))
            .map(|c| (c.type_.clone(), c.reason.clone().unwrap_or_default()))
            .collect();
        (limits["memory"].0.clone(), open)
    };
    let params = PatchParams::default();
    let dry = PatchParams { dry_run: true, ..PatchParams::default() };
    api.patch_subresource("resize", &victim, &dry, &resize("2Gi")).await.unwrap();
    assert_eq!(applied(&api.get(&victim).await.unwrap()), ("640Mi".into(), vec![]));
    api.patch_subresource("resize", &victim, &params, &resize("1280Mi")).await.unwrap();
    until("the new limit", || async { (applied(&api.get(&victim).await.unwrap()) == ("1280Mi".into(), vec![])).then_some(()) }).await;
    api.patch_subresource("resize", &victim, &params, &resize("900Gi")).await.unwrap();
    until("infeasible", || async {
        let (limit, open) = applied(&api.get(&victim).await.unwrap());
        (limit == "1280Mi" && open == [("PodResizePending".to_string(), "Infeasible".to_string())]).then_some(())
    })
    .await;
    api.patch_subresource("resize", &victim, &params, &resize("1280Mi")).await.unwrap();
    until("all is well again", || async { applied(&api.get(&victim).await.unwrap()).1.is_empty().then_some(()) }).await;
    let pod = api.get(&victim).await.unwrap();
    assert_eq!(restarts(&pod), 2, "a resize restarts nothing");
    // Anything else than resources is refused there, and resources are refused elsewhere.
    let image = Patch::Strategic(json!({ "spec": { "containers": [{ "name": "app", "image": "other" }] } }));
    assert_eq!(refused(api.patch_subresource("resize", &victim, &params, &image).await).0, 422);
    assert_eq!(refused(api.patch(&victim, &params, &resize("2Gi")).await).0, 422);
}

#[tokio::test]
async fn a_pod_without_its_label_lives_on_and_is_replaced() {
    let demo = recorded().await;
    let client = client(&demo).await;
    let api = pods(&client).await;
    let hot = name(&replicas(&client).await[0]).to_string();
    let quarantine = json!({ "metadata": { "labels": { "app": null, "quarantine": "true" } } });
    api.patch(&hot, &PatchParams::default(), &Patch::Merge(&quarantine)).await.unwrap();
    let orphan =
        until("the orphan", || async { Some(api.get(&hot).await.unwrap()).filter(|p| p.metadata.owner_references.is_none()) }).await;
    assert!(is_ready(&orphan));
    let others = replicas(&client).await;
    assert!(others.iter().all(|p| name(p) != hot), "a replacement has come");
    let evicted = json!({ "apiVersion": "policy/v1", "kind": "Eviction", "metadata": { "name": hot }, "deleteOptions": { "preconditions": { "uid": "wrong" } } });
    let post = |body: &Value, uri: String| {
        http::Request::post(uri).header("content-type", "application/json").body(body.to_string().into_bytes()).unwrap()
    };
    let uri = format!("/api/v1/namespaces/shop/pods/{hot}/eviction");
    let (code, message) = refused(client.request::<Value>(post(&evicted, uri.clone())).await);
    assert_eq!(code, 409);
    assert!(message.contains("the UID in the precondition"), "{message}");
    let right = json!({ "apiVersion": "policy/v1", "kind": "Eviction", "metadata": { "name": hot } });
    client.request::<Value>(post(&right, format!("{uri}?dryRun=All"))).await.unwrap();
    assert!(api.get(&hot).await.unwrap().metadata.deletion_timestamp.is_none());
    client.request::<Value>(post(&right, uri)).await.unwrap();
    until("its end", || async { api.get_opt(&hot).await.unwrap().is_none().then_some(()) }).await;
}

#[tokio::test]
async fn a_deleted_deployment_takes_its_replica_sets_and_pods_with_it() {
    let demo = recorded().await;
    let client = client(&demo).await;
    let deployments: Api<Deployment> = Api::default_namespaced(client.clone());
    let sets: Api<ReplicaSet> = Api::default_namespaced(client.clone());
    replicas(&client).await;
    deployments.delete("mailer", &DeleteParams::default()).await.unwrap();
    let mailer = ListParams::default().labels("app=mailer");
    until("nothing left of it", || async {
        let left = sets.list(&mailer).await.unwrap().items.len() + pods(&client).await.list(&mailer).await.unwrap().items.len();
        (left == 0).then_some(())
    })
    .await;
    assert_eq!(replicas(&client).await.len(), 3, "the others stay");
}

#[tokio::test]
async fn config_maps_and_leases_are_kept_and_guarded_by_their_version() {
    let demo = recorded().await;
    let client = client(&demo).await;
    let maps: Api<ConfigMap> = Api::default_namespaced(client.clone());
    let mut map: ConfigMap = serde_json::from_value(json!({ "metadata": { "name": "incident" }, "data": { "a": "1" } })).unwrap();
    let dry = PostParams { dry_run: true, ..PostParams::default() };
    maps.create(&dry, &map).await.unwrap();
    assert_eq!(refused(maps.get("incident").await).0, 404);
    let made = maps.create(&PostParams::default(), &map).await.unwrap();
    assert_eq!(refused(maps.create(&PostParams::default(), &map).await).0, 409);
    map.data.as_mut().unwrap().insert("b".into(), "2".into());
    map.metadata.resource_version.clone_from(&made.metadata.resource_version);
    maps.replace("incident", &PostParams::default(), &map).await.unwrap();
    assert_eq!(refused(maps.replace("incident", &PostParams::default(), &map).await).0, 409);
    maps.delete("incident", &DeleteParams::default()).await.unwrap();
    assert_eq!(refused(maps.get("incident").await).0, 404);
    let leases: Api<Lease> = Api::default_namespaced(client);
    let lease: Lease =
        serde_json::from_value(json!({ "metadata": { "name": "pen" }, "spec": { "holderIdentity": "a", "leaseDurationSeconds": 15 } }))
            .unwrap();
    leases.create(&PostParams::default(), &lease).await.unwrap();
    let taken = json!({ "spec": { "holderIdentity": "b" } });
    let after = leases.patch("pen", &PatchParams::default(), &Patch::Merge(&taken)).await.unwrap();
    assert_eq!(after.spec.unwrap().holder_identity.as_deref(), Some("b"));
}

#[tokio::test]
async fn reviews_tell_what_the_server_will_allow() {
    let demo = recorded().await;
    let api: Api<SelfSubjectAccessReview> = Api::all(client(&demo).await);
    let ask = async |verb: &str, subresource: &str| {
        let attributes = json!({ "namespace": "shop", "verb": verb, "resource": "pods", "subresource": subresource });
        let review = serde_json::from_value(json!({ "metadata": {}, "spec": { "resourceAttributes": attributes } })).unwrap();
        let status = api.create(&PostParams::default(), &review).await.unwrap().status.unwrap();
        (status.allowed, status.reason.is_some())
    };
    assert_eq!(ask("create", "exec").await, (true, true));
    demo.faults().set(Fault::ExecForbidden);
    assert_eq!(ask("create", "exec").await, (false, false));
    assert_eq!(ask("create", "portforward").await, (true, true));
    demo.faults().set(Fault::ReadOnly);
    assert_eq!(ask("patch", "").await, (false, false));
    assert_eq!(ask("list", "").await, (true, true));
}
