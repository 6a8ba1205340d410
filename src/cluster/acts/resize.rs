//! Change a container's memory limit in place (`pods/resize`, Kubernetes 1.33). Raises the room of a capture; V8's heap
//! limit of the running process does not follow.
//!
//! Measured: the server accepts what the node cannot give; the kubelet says so half a second later in a condition
//! (`Infeasible`, `Deferred`), or refuses to go below what is in use (`Error`, tried for ever). So the outcome is waited
//! for, and the old values are put back when it fails.
//!
//! Arguments: `container`, `memory` (new limit, as a quantity).

use std::time::Duration;

use futures::future::BoxFuture;
use serde_json::{Value, json};

use super::Act;
use super::tools::{JSON_PATCH, Patch, arg, pinned, place, refused};
use crate::base::{Bytes, Masked, parse_quantity};
use crate::cluster::diff::diff;
use crate::cluster::error::{Error, foreign};
use crate::cluster::rule::Rule;
use crate::cluster::session::Session;
use crate::incident::{ActRequest, Preview, Receipt};

/// See the file's opening.
pub struct Resize;

const GET: Rule = Rule::new("", "pods", "get");
const PATCH: Rule = Rule::new("", "pods/resize", "patch");
const NEEDS: &[Rule] = &[PATCH];
const POLL: Duration = Duration::from_millis(300);
/// A limit this little above what is in use is no limit to live under: 10 %.
const ROOM: f64 = 1.1;

impl Act for Resize {
    fn name(&self) -> &'static str {
        "resize"
    }

    fn summary(&self) -> &'static str {
        "Change a container's memory limit without restarting it"
    }

    fn needs(&self) -> &'static [Rule] {
        NEEDS
    }

    fn preview<'a>(&'a self, session: &'a Session, request: &'a ActRequest) -> BoxFuture<'a, Result<Preview, Error>> {
        Box::pin(preview(session, request))
    }

    fn perform<'a>(&'a self, session: &'a Session, preview: &'a Preview) -> BoxFuture<'a, Result<Receipt, Error>> {
        Box::pin(perform(session, &preview.request))
    }
}

fn pod_path(request: &ActRequest) -> String {
    format!("/api/v1/namespaces/{}/pods/{}", request.target.namespace, request.target.name)
}

/// A container's place and memory in the spec.
struct Found {
    index: usize,
    limit: String,
    request: Option<String>,
}

fn container(pod: &Value, name: &str) -> Result<Found, Error> {
    let containers = pod["spec"]["containers"].as_array().into_iter().flatten();
    let (index, spec) =
        containers.enumerate().find(|(_, c)| c["name"] == name).ok_or_else(|| Error::NotFound { what: format!("container {name}") })?;
    let restarts = spec["resizePolicy"].as_array().into_iter().flatten();
    if restarts.into_iter().any(|p| p["resourceName"] == "memory" && p["restartPolicy"] == "RestartContainer") {
        return Err(refused(
            format!("a resize of {name} restarts it (resizePolicy: RestartContainer) and what it holds in memory is lost"),
            "capture without a resize, or choose a method that needs less memory",
        ));
    }
    let memory = |of: &str| spec["resources"][of]["memory"].as_str().map(str::to_owned);
    let limit = memory("limits").ok_or_else(|| refused(format!("{name} has no memory limit"), "there is nothing to raise"))?;
    Ok(Found { index, limit, request: memory("requests") })
}

/// The patch to `limit` (and, where the request equals the limit, to the same request: the QoS class may not change).
fn patch(uid: &str, name: &str, found: &Found, limit: &str, request: Option<&str>) -> Value {
    let at = format!("/spec/containers/{}", found.index);
    let mut operations = vec![
        json!({"op": "test", "path": "/metadata/uid", "value": uid}),
        json!({"op": "test", "path": format!("{at}/name"), "value": name}),
        json!({"op": "test", "path": format!("{at}/resources/limits/memory"), "value": found.limit}),
        json!({"op": "replace", "path": format!("{at}/resources/limits/memory"), "value": limit}),
    ];
    if let Some(request) = request {
        operations.push(json!({"op": "replace", "path": format!("{at}/resources/requests/memory"), "value": request}));
    }
    Value::Array(operations)
}

/// The request that goes with a new limit: the same where both were the same (Guaranteed), else none.
fn request_for(found: &Found, limit: &str) -> Option<String> {
    let request = found.request.as_deref()?;
    (parse_quantity(request) == parse_quantity(&found.limit)).then(|| limit.to_owned())
}

async fn preview(session: &Session, request: &ActRequest) -> Result<Preview, Error> {
    if request.target.kind != "pod" {
        return Err(refused(format!("a {} cannot be resized in place", request.target.kind), "choose a pod"));
    }
    let (name, wish) = (arg(request, "container")?, arg(request, "memory")?);
    let wished = parse_quantity(wish).ok_or_else(|| refused(format!("{wish:?} is no quantity"), "write it as 768Mi or 1Gi"))?;
    let (path, place) = (pod_path(request), place(&request.target));
    let pod = session.get_json(&GET, &place, &path).await?;
    let found = container(&pod, name)?;
    let old = parse_quantity(&found.limit).unwrap_or_default();
    let mut warnings = Vec::new();
    if wished < old {
        may_lower(session, request, name, wished).await?;
        warnings.push(foreign(format!("the limit is lowered from {} to {}", old.binary(), wished.binary())));
    }
    let raised = request_for(&found, wish);
    if raised.is_some() {
        warnings.push(Masked::own("request and limit are the same (Guaranteed), so both change"));
    }
    warnings.push(Masked::own("V8's heap limit of the running process does not follow: this only keeps the kernel from killing it"));
    let uid = pod["metadata"]["uid"].as_str().unwrap_or_default();
    let body = patch(uid, name, &found, wish, raised.as_deref());
    let resize = format!("{path}/resize");
    let change = Patch { rule: &PATCH, path: &resize, kind: JSON_PATCH, body: &body };
    let after = change.send(session, &place, true).await.map_err(too_old)?;
    let pins = [("uid", uid.to_owned()), ("from", found.limit.clone())];
    Ok(Preview {
        request: pinned(request, &pins),
        call: change.readable(),
        diff: diff(&pod, &after, &["/spec/containers"]),
        warnings,
        confirm: None,
    })
}

/// The kubelet does not lower a limit below what is in use but tries for ever. Usage unknown: refused too.
async fn may_lower(session: &Session, request: &ActRequest, name: &str, wished: Bytes) -> Result<(), Error> {
    let used = match request.args.get("in_use").and_then(|t| parse_quantity(t)) {
        Some(used) => Some(used),
        None => session.pod_metrics().await.ok().and_then(|all| {
            let pod = all.into_iter().find(|m| m.pod.namespace == request.target.namespace && m.pod.name == request.target.name)?;
            pod.containers.into_iter().find(|(c, _)| c == name).map(|(_, used)| used)
        }),
    };
    match used {
        None => Err(refused(format!("what {name} uses is not known, so its limit is not lowered"), "lower it when it has been measured")),
        Some(used) if (wished.0 as f64) < used.0 as f64 * ROOM => {
            let why = format!("{name} uses {}: a limit of {} would be refused by the kubelet or kill it", used.binary(), wished.binary());
            Err(refused(why, "leave the limit as it is"))
        }
        Some(_) => Ok(()),
    }
}

/// Without the subresource the server answers 404 on a pod that is there.
fn too_old(error: Error) -> Error {
    match error {
        Error::NotFound { .. } => {
            refused("this cluster cannot resize in place (Kubernetes 1.33 can)", "use a method that needs less memory")
        }
        other => other,
    }
}

async fn perform(session: &Session, request: &ActRequest) -> Result<Receipt, Error> {
    let (name, wish, uid, from) = (arg(request, "container")?, arg(request, "memory")?, arg(request, "uid")?, arg(request, "from")?);
    let (path, place) = (pod_path(request), place(&request.target));
    let pod = session.get_json(&GET, &place, &path).await?;
    let found = container(&pod, name)?;
    if found.limit != from || pod["metadata"]["uid"] != uid {
        return Err(Error::Conflict { what: place, why: Masked::own("its limit was changed since the preview") });
    }
    let wished = parse_quantity(wish).unwrap_or_default();
    if wished < parse_quantity(from).unwrap_or_default() {
        may_lower(session, request, name, wished).await?;
    }
    let restarts = restart_count(&pod, name);
    let resize = format!("{path}/resize");
    let body = patch(uid, name, &found, wish, request_for(&found, wish).as_deref());
    Patch { rule: &PATCH, path: &resize, kind: JSON_PATCH, body: &body }.send(session, &place, false).await.map_err(too_old)?;
    let outcome = outcome(session, &path, &place, name, wished).await;
    let Err(why) = outcome else {
        let undo = ActRequest {
            act: "resize".to_owned(),
            target: request.target.clone(),
            args: [("container".to_owned(), name.to_owned()), ("memory".to_owned(), from.to_owned())].into(),
        };
        let after = session.get_json(&GET, &place, &path).await?;
        let note = if restart_count(&after, name) == restarts { "" } else { "; it was restarted meanwhile" };
        return Ok(Receipt { summary: foreign(format!("limit of {place} {name} {from} → {wish}{note}")), undo: Some(undo) });
    };
    // Put back what was: a wish that the kubelet goes on trying would come true at the worst moment.
    let back = Found { index: found.index, limit: wish.to_owned(), request: found.request.clone() };
    let body = patch(uid, name, &back, from, request_for(&found, from).as_deref());
    let put_back = Patch { rule: &PATCH, path: &resize, kind: JSON_PATCH, body: &body }.send(session, &place, false).await;
    let rest = match put_back {
        Ok(_) => "the old limit was put back".to_owned(),
        Err(error) => format!("and the old limit could not be put back: {error}"),
    };
    Err(refused(format!("the resize was not done: {why}; {rest}"), "use a method that needs less memory, or another node"))
}

/// Waits until the limit in force is the wished one, or says why it will not be.
async fn outcome(session: &Session, path: &str, place: &str, name: &str, wished: Bytes) -> Result<(), String> {
    let deadline = session.options().deadlines.act();
    let wait = async {
        loop {
            tokio::time::sleep(POLL).await;
            let Ok(pod) = session.get_json(&GET, place, path).await else { continue };
            if let Some(done) = judge(&pod, name, wished) {
                return done;
            }
        }
    };
    match tokio::time::timeout(deadline, wait).await {
        Ok(done) => done,
        Err(_) => Err(format!("the kubelet had not done it after {} s", deadline.as_secs())),
    }
}

/// Done, refused (why), or not decided yet.
fn judge(pod: &Value, name: &str, wished: Bytes) -> Option<Result<(), String>> {
    let conditions = pod["status"]["conditions"].as_array().into_iter().flatten();
    let resizing = conditions.into_iter().find(|c| c["type"].as_str().is_some_and(|t| t.starts_with("PodResize")) && c["status"] == "True");
    if let Some(condition) = resizing {
        // What the kubelet said of an earlier wish stays until it has looked at this one (measured after a put-back).
        if condition["observedGeneration"].as_i64().zip(pod["metadata"]["generation"].as_i64()).is_some_and(|(seen, now)| seen < now) {
            return None;
        }
        let reason = condition["reason"].as_str().unwrap_or_default();
        let refused = matches!(reason, "Infeasible" | "Deferred" | "Error");
        return refused.then(|| Err(format!("{reason}: {}", condition["message"].as_str().unwrap_or("no reason given"))));
    }
    let statuses = pod["status"]["containerStatuses"].as_array().into_iter().flatten();
    let in_force = statuses.into_iter().find(|s| s["name"] == name)?["resources"]["limits"]["memory"].as_str().and_then(parse_quantity)?;
    (in_force == wished).then_some(Ok(()))
}

fn restart_count(pod: &Value, name: &str) -> u64 {
    let statuses = pod["status"]["containerStatuses"].as_array().into_iter().flatten();
    statuses.into_iter().find(|s| s["name"] == name).and_then(|s| s["restartCount"].as_u64()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_outcome_is_what_the_kubelet_did_not_what_the_server_accepted() {
        let pod = |conditions: Value, memory: &str| json!({"status": {"conditions": conditions, "containerStatuses": [{"name": "node", "resources": {"limits": {"memory": memory}}}]}});
        let wished = Bytes::mib(1280);
        assert_eq!(judge(&pod(json!([]), "1Gi"), "node", wished), None, "accepted, not done yet");
        let under_way = json!([{"type": "PodResizeInProgress", "status": "True"}]);
        assert_eq!(judge(&pod(under_way, "1280Mi"), "node", wished), None);
        assert_eq!(judge(&pod(json!([]), "1280Mi"), "node", wished), Some(Ok(())));
        for (kind, reason) in [("PodResizePending", "Infeasible"), ("PodResizePending", "Deferred"), ("PodResizeInProgress", "Error")] {
            let told = json!([{"type": kind, "status": "True", "reason": reason, "message": "no room", "observedGeneration": 4}]);
            let mut pod = pod(told, "1Gi");
            pod["metadata"]["generation"] = json!(4);
            assert_eq!(judge(&pod, "node", wished), Some(Err(format!("{reason}: no room"))));
            pod["metadata"]["generation"] = json!(5);
            assert_eq!(judge(&pod, "node", wished), None, "that was another wish");
        }
    }

    #[test]
    fn guaranteed_pods_stay_guaranteed() {
        let found = |limit: &str, request: Option<&str>| Found { index: 0, limit: limit.into(), request: request.map(Into::into) };
        assert_eq!(request_for(&found("1Gi", Some("1024Mi")), "2Gi").as_deref(), Some("2Gi"));
        assert_eq!(request_for(&found("1Gi", Some("512Mi")), "2Gi"), None);
        assert_eq!(request_for(&found("1Gi", None), "2Gi"), None);
    }

    #[test]
    fn what_would_restart_it_is_refused() {
        let pod = json!({"spec": {"containers": [{"name": "node", "resources": {"limits": {"memory": "1Gi"}},
            "resizePolicy": [{"resourceName": "memory", "restartPolicy": "RestartContainer"}]}, {"name": "free"}]}});
        assert!(matches!(container(&pod, "node"), Err(Error::Refused { .. })));
        assert!(matches!(container(&pod, "free"), Err(Error::Refused { .. })), "no limit to raise");
        assert!(matches!(container(&pod, "gone"), Err(Error::NotFound { .. })));
    }
}
