//! Every fault, as kube's client sees it (`kube-real.md`, K1–K4).

use k8s_openapi::api::core::v1::Pod;
use kube::api::{Api, ApiResource, AttachParams, DynamicObject, GroupVersionKind, ListParams};
use tokio::io::AsyncReadExt;

use super::*;
use crate::demo::Fault;

fn metrics(client: Client) -> Api<DynamicObject> {
    let kind = ApiResource::from_gvk_with_plural(&GroupVersionKind::gvk("metrics.k8s.io", "v1beta1", "PodMetrics"), "pods");
    Api::default_namespaced_with(client, &kind)
}

fn code<T: std::fmt::Debug>(result: kube::Result<T>) -> u16 {
    match result.unwrap_err() {
        kube::Error::Api(status) => status.code,
        other => panic!("no status: {other}"),
    }
}

#[tokio::test]
async fn metrics_may_be_ill_or_absent_and_tokens_expire() {
    let demo = recorded().await;
    let client = client(&demo).await;
    let (metrics, api) = (metrics(client.clone()), pods(&client).await);
    let list = ListParams::default();
    metrics.list(&list).await.unwrap();
    demo.faults().set(Fault::MetricsUnavailable);
    assert_eq!(code(metrics.list(&list).await), 503);
    demo.faults().clear(Fault::MetricsUnavailable);
    demo.faults().set(Fault::MetricsAbsent);
    assert_eq!(code(metrics.list(&list).await), 404);
    demo.faults().clear_all();
    demo.faults().set(Fault::Unauthorized);
    assert_eq!(code(api.list(&list).await), 401);
    assert_eq!(code(api.exec("x", ["true"], &AttachParams::default()).await.map(drop)), 401);
    demo.faults().clear_all();
    api.list(&list).await.unwrap();
    demo.faults().set(Fault::ReadOnly);
    assert_eq!(code(api.delete("x", &kube::api::DeleteParams::default()).await.map(drop)), 403);
}

#[tokio::test]
async fn a_stranger_is_refused() {
    let demo = recorded().await;
    let mut kubeconfig = Kubeconfig::read_from(demo.kubeconfig()).unwrap();
    kubeconfig.auth_infos[0].auth_info.as_mut().unwrap().token = Some("wrong".to_string().into());
    let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await.unwrap();
    let api: Api<Pod> = Api::default_namespaced(Client::try_from(config).unwrap());
    assert_eq!(code(api.list(&ListParams::default()).await), 401);
}

/// Runs `cat` of a file that is longer than what passes before a cut; gives (bytes, status).
async fn cut_stream(api: &Api<Pod>, pod: &str) -> (usize, Option<String>) {
    let attach = AttachParams::default().container("app").max_stdout_buf_size(1 << 20);
    let files = ["cat"].into_iter().chain(std::iter::repeat_n("/usr/src/app/src/content-feed/content-feed.service.js", 60));
    let mut attached = api.exec(pod, files, &attach).await.unwrap();
    let status = attached.take_status().unwrap();
    let mut stdout = attached.stdout().unwrap();
    let mut bytes = 0;
    let mut buffer = vec![0; 64 * 1024];
    // After a reset kube's reader never ends (K3): the status says it first.
    let mut status = std::pin::pin!(status);
    let ended = loop {
        tokio::select! {
            biased;
            read = stdout.read(&mut buffer) => match read.unwrap() {
                0 => break tokio::time::timeout(PATIENCE, &mut status).await.unwrap(),
                n => bytes += n,
            },
            status = &mut status => {
                if status.is_some() {
                    bytes += tokio::io::copy(&mut stdout, &mut tokio::io::sink()).await.unwrap() as usize;
                }
                break status;
            }
        }
    };
    (bytes, ended.and_then(|s| s.status))
}

#[tokio::test]
async fn exec_streams_are_cut_in_every_way_that_was_measured() {
    let demo = recorded().await;
    let client = client(&demo).await;
    let api = pods(&client).await;
    let pod = name(&replicas(&client).await[0]).to_string();
    let (whole, status) = cut_stream(&api, &pod).await;
    assert_eq!(status.as_deref(), Some("Success"));
    assert!(whole > 150_000, "{whole}");
    for (fault, expected) in [(Fault::ExecCutWithoutStatus, None), (Fault::ExecCutWithSuccess, Some("Success")), (Fault::StreamReset, None)]
    {
        demo.faults().set(fault);
        let (bytes, status) = tokio::time::timeout(PATIENCE, cut_stream(&api, &pod)).await.unwrap();
        assert_eq!(status.as_deref(), expected, "{fault:?}");
        assert!(bytes < whole, "{fault:?}: {bytes} of {whole}");
        demo.faults().clear_all();
    }
    demo.faults().set(Fault::ExecForbidden);
    assert_eq!(code(api.exec(&pod, ["true"], &AttachParams::default()).await.map(drop)), 403);
    demo.faults().set(Fault::PortForwardForbidden);
    assert_eq!(code(api.portforward(&pod, &[9229]).await.map(drop)), 403);
}

#[tokio::test]
async fn a_silent_server_answers_nothing_until_it_speaks_again() {
    let demo = recorded().await;
    let client = client(&demo).await;
    let api = pods(&client).await;
    demo.faults().set(Fault::Silent);
    let asked = tokio::spawn(async move { api.list(&ListParams::default()).await });
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert!(!asked.is_finished());
    demo.faults().clear(Fault::Silent);
    assert!(!tokio::time::timeout(PATIENCE, asked).await.unwrap().unwrap().unwrap().items.is_empty());
}
