//! Change a container's memory limit in place (`pods/resize`, Kubernetes 1.33). Raises the room of a capture; V8's heap
//! limit of the running process does not follow.
//!
//! Measured: the server accepts what the node cannot give; the kubelet says so half a second later in a condition
//! (`Infeasible`, `Deferred`), or refuses to go below what is in use (`Error`, tried for ever). So the outcome is waited
//! for, and the old values are put back when it fails.
//!
//! Arguments: `container`, `memory` (new limit, as a quantity), `for` = `capture` when it is raised for a capture and to
//! be put back afterwards: then the pod carries the old limit in a label until it is, so that nobody forgets it.
//! `in_use` (a quantity): memory in use, where the caller measured it.

use std::time::Duration;

use futures::FutureExt;
use serde_json::{Value, json};

use super::frame::{Act, Change, Plan, Step};
use super::tools::{GET_POD, PATCH_POD, arg, place, pod, pod_path, refused, text};
use crate::base::{Bytes, Masked, parse_quantity};
use crate::cluster::error::{Error, foreign};
use crate::cluster::rule::Rule;
use crate::cluster::session::Session;
use crate::incident::{ActRequest, Leftover, LeftoverKind, Receipt};
use crate::pressure::{LIMIT_BEFORE, limit_before};

const PATCH: Rule = Rule::new("", "pods/resize", "patch");
const POLL: Duration = Duration::from_millis(300);
/// A limit this little above what is in use is no limit to live under: 10 %.
const ROOM: f64 = 1.1;
/// Longest value of a label.
const LABEL: usize = 63;

/// See the file's opening.
pub static RESIZE: Act = Act {
    name: "resize",
    summary: "Change a container's memory limit without restarting it",
    kinds: &["pod"],
    needs: &[PATCH, PATCH_POD],
    plan: |session, request| plan(session, request).boxed(),
    settle: |session, request, plan| settle(session, request, plan).boxed(),
    refusal,
};

/// Without the subresource the server answers 404 on a pod that is there.
fn refusal(error: Error) -> Error {
    match error {
        Error::NotFound { .. } => {
            refused("this cluster cannot resize in place (Kubernetes 1.33 can)", "use a method that needs less memory")
        }
        other => other,
    }
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

async fn plan(session: &Session, request: &ActRequest) -> Result<Plan, Error> {
    let (name, wish) = (arg(request, "container")?, arg(request, "memory")?);
    let wished = parse_quantity(wish).ok_or_else(|| refused(format!("{wish:?} is no quantity"), "write it as 768Mi or 1Gi"))?;
    let pod = pod(session, request).await?;
    let found = container(&pod, name)?;
    let (old, place) = (parse_quantity(&found.limit).unwrap_or_default(), place(&request.target));
    let mut warnings = Vec::new();
    let (goes_back, for_capture) = (is_back(&pod, name, wished), request.args.get("for").is_some_and(|what| what == "capture"));
    if wished < old {
        may_lower(session, request, name, wished).await?;
        warnings.push(foreign(format!("the limit is lowered from {} to {}", old.binary(), wished.binary())));
    }
    let raised = request_for(&found, wish);
    if raised.is_some() {
        warnings.push(Masked::own("request and limit are the same (Guaranteed), so both change"));
    }
    if wished > old {
        warnings.push(Masked::own("V8's heap limit of the running process does not follow: this only keeps the kernel from killing it"));
    }
    let uid = text(&pod, "/metadata/uid");
    let resize = Step {
        change: Change::json_patch(PATCH, format!("{}/resize", pod_path(request)), patch(uid, name, &found, wish, raised.as_deref())),
        before: pod.clone(),
        shown: &["/spec/containers"],
        said: None,
    };
    let put_back = ActRequest {
        act: RESIZE.name.to_owned(),
        target: request.target.clone(),
        args: [("container".to_owned(), name.to_owned()), ("memory".to_owned(), found.limit.clone())].into(),
    };
    let (mut steps, mut leaves) = (Vec::new(), None);
    if for_capture && wished > old {
        let mark = format!("{name}.{}", found.limit);
        if mark.len() <= LABEL && limit_before_of(&pod).is_none() {
            let change = Change::merge_patch(PATCH_POD, pod_path(request), marking(uid, Some(&mark)));
            steps.push(Step { change, before: pod.clone(), shown: &["/metadata/labels"], said: None });
        }
        warnings.push(foreign(format!(
            "it is put back to {} after the capture: you are asked again then, and a label remembers it",
            found.limit
        )));
        let what = format!("limit of {place} {name} is raised from {} to {wish} for a capture", found.limit);
        leaves = Some(Leftover { kind: LeftoverKind::Limit, what: foreign(what), settle: put_back.clone() });
    } else if goes_back {
        warnings.push(Masked::own("the label that remembers the old limit is taken off when the kubelet has done it"));
    }
    steps.push(resize);
    let summary = foreign(format!("limit of {place} {name} {} → {wish}", found.limit));
    let pins = vec![("from", found.limit)];
    Ok(Plan { steps, pins, warnings, confirm: None, receipt: Receipt { summary, undo: Some(put_back), leaves } })
}

/// The old limit that a label of the pod remembers: container and quantity.
fn limit_before_of(pod: &Value) -> Option<(&str, &str)> {
    pod["metadata"]["labels"][LIMIT_BEFORE].as_str().and_then(limit_before)
}

/// Whether `wished` is the limit that the pod's label remembers.
fn is_back(pod: &Value, name: &str, wished: Bytes) -> bool {
    limit_before_of(pod).is_some_and(|(container, limit)| container == name && parse_quantity(limit) == Some(wished))
}

fn marking(uid: &str, mark: Option<&str>) -> Value {
    json!({"metadata": {"uid": uid, "labels": {LIMIT_BEFORE: mark}}})
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
            let why = format!(
                "{name} uses {}: the kubelet does not lower the limit to {} below that (a process gives little back after a snapshot)",
                used.binary(),
                wished.binary()
            );
            Err(refused(why, "leave the limit until memory has fallen or the container was restarted, then try again"))
        }
        Some(_) => Ok(()),
    }
}

async fn settle(session: &Session, request: &ActRequest, plan: Plan) -> Result<Receipt, Error> {
    let (name, wish, from) = (arg(request, "container")?, arg(request, "memory")?, arg(request, "from")?);
    let (path, place, wished) = (pod_path(request), place(&request.target), parse_quantity(wish).unwrap_or_default());
    let before = plan.steps.last().map_or(&Value::Null, |step| &step.before);
    let (uid, goes_back) = (text(before, "/metadata/uid"), is_back(before, name, wished));
    let unmark = async |is_ours: bool| {
        let change = Change::merge_patch(PATCH_POD, path.clone(), marking(uid, None));
        if is_ours { change.send(session, &place, false).await.err() } else { None }
    };
    if let Err(why) = outcome(session, &path, &place, name, wished).await {
        // Put back what was: a wish that the kubelet goes on trying would come true at the worst moment.
        let found = container(before, name)?;
        // The request goes back with it where both were the same.
        let back = Found { index: found.index, limit: wish.to_owned(), request: found.request.clone() };
        let body = patch(uid, name, &back, from, request_for(&found, from).as_deref());
        let back = Change::json_patch(PATCH, format!("{path}/resize"), body).send(session, &place, false).await;
        let rest = match back {
            Ok(_) => "the old limit was put back".to_owned(),
            Err(error) => format!("and the old limit could not be put back: {error}"),
        };
        let _ = unmark(plan.steps.len() > 1).await;
        return Err(refused(format!("the resize was not done: {why}; {rest}"), "use a method that needs less memory, or another node"));
    }
    let mut notes = vec!["in force by the kubelet's status".to_owned()];
    let after = session.get_json(&GET_POD, &place, &path).await?;
    notes.push(
        if restart_count(&after, name) == restart_count(before, name) { "no restart" } else { "it was restarted meanwhile" }.to_owned(),
    );
    if let Some(error) = unmark(goes_back).await {
        notes.push(format!("its label {LIMIT_BEFORE} could not be taken off: {error}"));
    }
    Ok(Receipt { summary: foreign(format!("{} ({})", plan.receipt.summary, notes.join("; "))), ..plan.receipt })
}

/// Waits until the limit in force is the wished one, or says why it will not be.
async fn outcome(session: &Session, path: &str, place: &str, name: &str, wished: Bytes) -> Result<(), String> {
    let deadline = session.options().deadlines.act();
    let wait = async {
        loop {
            tokio::time::sleep(POLL).await;
            let Ok(pod) = session.get_json(&GET_POD, place, path).await else { continue };
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
