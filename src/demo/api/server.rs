//! Listens on 127.0.0.1, checks the token, sends each request to its resource.

use std::convert::Infallible;
use std::sync::Arc;

use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Method, Request, header};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use super::context::Context;
use super::present::Form;
use super::reply::{self, Reply};
use super::request::{Query, Target, verb};
use super::{discovery, exec, logs, metrics, objects, portforward, protobuf, reviews, watch};
use crate::demo::faults::Fault;
use crate::demo::world::{Refusal, mark_deleted};

/// As the API server limits a request body.
const BODY: usize = 3 << 20;

/// Serves until the task is dropped; open connections end with it.
pub(crate) async fn serve(listener: TcpListener, acceptor: TlsAcceptor, context: Arc<Context>) {
    let mut connections = JoinSet::new();
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        let _ = stream.set_nodelay(true);
        let (acceptor, context) = (acceptor.clone(), context.clone());
        connections.spawn(async move {
            let Ok(stream) = acceptor.accept(stream).await else { return };
            let service = service_fn(move |request| {
                let context = context.clone();
                async move { Ok::<_, Infallible>(answer(&context, request).await) }
            });
            let connection = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
            // A client that goes away is no error of the server.
            let _ = connection.with_upgrades().await;
        });
        while connections.try_join_next().is_some() {}
    }
}

async fn answer(context: &Arc<Context>, request: Request<Incoming>) -> Reply {
    while context.faults.is(Fault::Silent) {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    let mut reply = route(context, request).await.unwrap_or_else(|refusal| reply::refuse(&refusal));
    // hyper would write the machine's time; this server's clock is the world's.
    let date = crate::demo::clock::now().format("%a, %d %b %Y %H:%M:%S GMT").to_string();
    if let Ok(date) = header::HeaderValue::from_str(&date) {
        reply.headers_mut().insert(header::DATE, date);
    }
    reply
}

fn header_text(request: &Request<Incoming>, name: header::HeaderName) -> String {
    request.headers().get(name).and_then(|v| v.to_str().ok()).unwrap_or("").to_string()
}

async fn route(context: &Arc<Context>, request: Request<Incoming>) -> Result<Reply, Refusal> {
    let path = request.uri().path().trim_matches('/').to_string();
    let path: Vec<&str> = path.split('/').collect();
    if matches!(path[..], ["healthz" | "livez" | "readyz"]) {
        return Ok(reply::plain(200, "ok"));
    }
    let bearer = header_text(&request, header::AUTHORIZATION);
    if bearer.strip_prefix("Bearer ") != Some(&context.token) || context.faults.is(Fault::Unauthorized) {
        return Err(Refusal::new(401, "Unauthorized", "Unauthorized"));
    }
    let query = Query::parse(request.uri().query().unwrap_or(""));
    if path.starts_with(&["apis", "metrics.k8s.io"]) && context.faults.is(Fault::MetricsUnavailable) {
        // The aggregator's words, in plain text, when metrics-server is gone (`kube-real.md` K1).
        return Ok(reply::plain(503, "error trying to reach service: dial tcp 10.96.12.7:443: connect: connection refused"));
    }
    let has_metrics = !context.faults.is(Fault::MetricsAbsent);
    if request.method() == Method::GET
        && let Some(found) = discovery::answer(&path, has_metrics)
    {
        return Ok(reply::json(200, &found?));
    }
    let form = Form::of_accept(&header_text(&request, header::ACCEPT));
    match path[..] {
        ["apis", "metrics.k8s.io", "v1beta1", ref rest @ ..] if has_metrics => metrics::answer(context, rest, &query),
        ["apis", "authorization.k8s.io", "v1", review] => {
            let review = review.to_string();
            let body = body(request).await?;
            match review.as_str() {
                "selfsubjectaccessreviews" => Ok(reply::json(201, &reviews::access(context, body))),
                "selfsubjectrulesreviews" => Ok(reply::json(201, &reviews::rules(context, body))),
                _ => Err(Refusal::no_such_path()),
            }
        }
        ["api", "v1", ref rest @ ..] => {
            let target = Target::parse("", rest).ok_or_else(Refusal::no_such_path)?;
            dispatch(context, &target, &query, form, request).await
        }
        ["apis", group, "v1", ref rest @ ..] => {
            let target = Target::parse(group, rest).ok_or_else(Refusal::no_such_path)?;
            dispatch(context, &target, &query, form, request).await
        }
        _ => Err(Refusal::no_such_path()),
    }
}

async fn body(request: Request<Incoming>) -> Result<Value, Refusal> {
    let content_type = header_text(&request, header::CONTENT_TYPE);
    let limited = Limited::new(request.into_body(), BODY).collect().await;
    let bytes = limited.map_err(|_| Refusal::new(413, "RequestEntityTooLarge", "Request entity too large: limit is 3145728"))?.to_bytes();
    if content_type.contains("protobuf") || content_type.contains("cbor") {
        let message = "the body of the request was in an unknown format - accepted media types include: application/json";
        return protobuf::review(&bytes).ok_or_else(|| Refusal::new(415, "UnsupportedMediaType", message));
    }
    if bytes.is_empty() {
        return Ok(json!({}));
    }
    serde_json::from_slice(&bytes).map_err(|why| Refusal::bad_request(format!("couldn't decode the body: {why}")))
}

async fn dispatch(
    context: &Arc<Context>,
    target: &Target,
    query: &Query,
    form: Form,
    mut request: Request<Incoming>,
) -> Result<Reply, Refusal> {
    let method = request.method().clone();
    let verb = verb(&method, target, query);
    let resource = target.resource;
    let full =
        if target.subresource.is_empty() { resource.plural.to_string() } else { format!("{}/{}", resource.plural, target.subresource) };
    if !reviews::allowed(context, verb, &full) {
        let place =
            if target.namespace.is_empty() { "at the cluster scope".into() } else { format!("in the namespace \"{}\"", target.namespace) };
        let message = format!(
            "{} \"{}\" is forbidden: User \"on-call\" cannot {verb} resource \"{full}\" in API group \"{}\" {place}",
            resource.qualified(),
            target.name,
            resource.group
        );
        let mut refusal = Refusal::new(403, "Forbidden", message);
        refusal.details = json!({ "name": target.name, "kind": resource.plural });
        return Err(refusal);
    }
    let not_allowed = || Refusal::new(405, "MethodNotAllowed", "the server does not allow this method on the requested resource");
    match (target.subresource.as_str(), method.as_str()) {
        ("log", "GET") => return logs::log(context, target, query),
        ("exec", "GET" | "POST") => return exec::exec(context, target, query, &mut request),
        ("portforward", "GET" | "POST") => return portforward::forward(context, target, query, &mut request),
        ("log" | "exec" | "portforward", _) => return Err(not_allowed()),
        _ => {}
    }
    if method == Method::GET {
        return match (verb, target.subresource.as_str()) {
            ("watch", _) => watch::watch(context, target, query, form),
            ("list", _) => objects::list(context, target, query, form),
            (_, "scale") => scale(context, target),
            _ => objects::get(context, target, form),
        };
    }
    let content_type = header_text(&request, header::CONTENT_TYPE);
    let body = body(request).await?;
    match (target.subresource.as_str(), method.as_str()) {
        ("eviction", "POST") => evict(context, target, query, &body),
        ("", "POST") if target.name.is_empty() => objects::create(context, target, query, body),
        ("" | "status" | "resize", "PUT") => objects::replace(context, target, query, body),
        ("" | "status" | "resize", "PATCH") => objects::patch(context, target, query, &content_type, &body),
        ("scale", "PUT" | "PATCH") => {
            let replicas = json!({ "spec": { "replicas": body["spec"]["replicas"] } });
            objects::patch(context, target, query, "application/merge-patch+json", &replicas)?;
            scale(context, target)
        }
        ("", "DELETE") if !target.name.is_empty() => objects::delete(context, target, query, &body),
        _ => Err(not_allowed()),
    }
}

fn scale(context: &Context, target: &Target) -> Result<Reply, Refusal> {
    let object = objects::find(context, target)?;
    let labels = object["spec"]["selector"]["matchLabels"].as_object().into_iter().flatten();
    let selector: Vec<String> = labels.map(|(k, v)| format!("{k}={}", v.as_str().unwrap_or_default())).collect();
    let scale = json!({
        "kind": "Scale", "apiVersion": "autoscaling/v1", "metadata": object["metadata"], "spec": { "replicas": object["spec"]["replicas"] },
        "status": { "replicas": object["status"]["replicas"], "selector": selector.join(",") },
    });
    Ok(reply::json(200, &scale))
}

/// Eviction: the pod is asked to end. A field that is not known is warned of and dropped, as on a real server (K7).
fn evict(context: &Context, target: &Target, query: &Query, body: &Value) -> Result<Reply, Refusal> {
    let pod = objects::find(context, target)?;
    let options = &body["deleteOptions"];
    objects::preconditions(target, &pod, options)?;
    let dry = query.dry_run()? || options["dryRun"].as_array().is_some_and(|d| d.iter().any(|v| v == "All"));
    if !dry {
        mark_deleted(&context.store, &target.namespace, &target.name, options["gracePeriodSeconds"].as_i64());
    }
    let mut reply = reply::json(201, &json!({ "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201 }));
    let known = ["kind", "apiVersion", "metadata", "deleteOptions"];
    for field in body.as_object().into_iter().flatten().map(|(k, _)| k).filter(|k| !known.contains(&k.as_str())) {
        if let Ok(value) = header::HeaderValue::from_str(&format!("299 - \"unknown field \\\"{field}\\\"\"")) {
            reply.headers_mut().append("warning", value);
        }
    }
    Ok(reply)
}
