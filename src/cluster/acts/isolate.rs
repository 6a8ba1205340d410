//! Take a pod out of its Services and its ReplicaSet by its labels: it gets no more traffic, is replaced, and lives on to
//! be looked at. Nobody deletes it afterwards.
//!
//! The labels to remove are those by which Services select it; if the ReplicaSet selects by none of them, its own too.
//! Removed labels are kept in an annotation. With the argument `restore` (that annotation's JSON) they are put back.

use std::collections::BTreeMap;

use futures::future::BoxFuture;
use serde_json::{Map, Value, json};

use super::Act;
use super::tools::{MERGE_PATCH, Patch, arg, pinned, place, refused};
use crate::base::{Masked, parse_quantity};
use crate::cluster::diff::diff;
use crate::cluster::error::{Error, foreign};
use crate::cluster::rule::Rule;
use crate::cluster::session::Session;
use crate::incident::{ActRequest, Preview, Receipt};

/// See the file's opening.
pub struct Isolate;

/// Marks an isolated pod, so that it is found again.
pub const MARK: &str = "cutoff.dev/isolated";
const KEPT: &str = "cutoff.dev/isolated-labels";
const GET: Rule = Rule::new("", "pods", "get");
const PATCH: Rule = Rule::new("", "pods", "patch");
const SERVICES: Rule = Rule::new("", "services", "list");
const SETS: Rule = Rule::new("apps", "replicasets", "get");
const NEEDS: &[Rule] = &[PATCH, SERVICES, SETS];

type Labels = BTreeMap<String, String>;

impl Act for Isolate {
    fn name(&self) -> &'static str {
        "isolate"
    }

    fn summary(&self) -> &'static str {
        "Take a pod out of its Services by its labels; it is replaced and lives on"
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

fn path(request: &ActRequest) -> String {
    format!("/api/v1/namespaces/{}/pods/{}", request.target.namespace, request.target.name)
}

async fn preview(session: &Session, request: &ActRequest) -> Result<Preview, Error> {
    if request.target.kind != "pod" {
        return Err(refused(format!("a {} cannot be isolated", request.target.kind), "choose a pod"));
    }
    let (path, place) = (path(request), place(&request.target));
    let pod = session.get_json(&GET, &place, &path).await?;
    let labels: Labels = serde_json::from_value(pod["metadata"]["labels"].clone()).unwrap_or_default();
    let mut warnings = Vec::new();
    let mut pins = vec![("uid", pod["metadata"]["uid"].as_str().unwrap_or_default().to_owned())];
    let body = if let Some(kept) = request.args.get("restore") {
        warnings.push(Masked::own("the ReplicaSet takes it back and then has one pod too many: it may delete this one"));
        restoring(&pins[0].1, kept)?
    } else {
        if pod["metadata"]["labels"][MARK].is_string() {
            return Err(refused("this pod is isolated already", "capture it, then delete it by hand"));
        }
        let removed = labels_to_remove(session, request, &pod, &labels, &mut warnings).await?;
        let kept = serde_json::to_string(&removed).unwrap_or_default();
        pins.push(("kept", kept));
        isolating(&pins[0].1, &removed)
    };
    let change = Patch { rule: &PATCH, path: &path, kind: MERGE_PATCH, body: &body };
    let after = change.send(session, &place, true).await?;
    Ok(Preview {
        request: pinned(request, &pins),
        call: change.readable(),
        diff: diff(&pod, &after, &["/metadata/labels", "/metadata/annotations"]),
        warnings,
        confirm: None,
    })
}

async fn labels_to_remove(
    session: &Session,
    request: &ActRequest,
    pod: &Value,
    labels: &Labels,
    warnings: &mut Vec<Masked>,
) -> Result<Labels, Error> {
    let namespace = &request.target.namespace;
    let owner = pod["metadata"]["ownerReferences"].as_array().into_iter().flatten().find(|o| o["controller"] == true);
    let selector: Vec<String> = match owner.map(|o| (o["kind"].as_str().unwrap_or_default(), o["name"].as_str().unwrap_or_default())) {
        Some(("StatefulSet", name)) => {
            let why = format!("a pod of statefulset/{name} keeps its name, so no replacement could be made beside it");
            return Err(refused(why, "capture it in place"));
        }
        Some(("ReplicaSet", name)) => {
            let set = session
                .get_json(&SETS, &format!("{namespace}/{name}"), &format!("/apis/apps/v1/namespaces/{namespace}/replicasets/{name}"))
                .await?;
            let keys = set["spec"]["selector"]["matchLabels"].as_object();
            keys.into_iter().flatten().map(|(k, _)| k.clone()).collect()
        }
        Some((kind, name)) => {
            warnings.push(foreign(format!("it belongs to {kind} {name}, which may not replace it")));
            Vec::new()
        }
        None => {
            warnings.push(Masked::own("no controller owns it: it will not be replaced"));
            Vec::new()
        }
    };
    let services = match session.get_json(&SERVICES, namespace, &format!("/api/v1/namespaces/{namespace}/services")).await {
        Ok(list) => matching(&list, labels),
        Err(Error::Denied { .. }) => {
            warnings.push(Masked::own("its Services cannot be listed (list services is missing): all selector labels are removed"));
            vec![("?".to_owned(), selector.iter().filter(|k| *k != "pod-template-hash").cloned().collect())]
        }
        Err(other) => return Err(other),
    };
    if services.is_empty() {
        warnings.push(Masked::own("no Service selects it: its traffic, if any, comes another way and goes on"));
    } else {
        let names: Vec<&str> = services.iter().map(|(name, _)| name.as_str()).collect();
        warnings.push(foreign(format!("it leaves: {}", names.join(", "))));
    }
    let keys = choose(&services.into_iter().flat_map(|(_, keys)| keys).collect::<Vec<_>>(), &selector);
    let removed: Labels = keys.iter().filter_map(|k| Some((k.clone(), labels.get(k)?.clone()))).collect();
    if removed.is_empty() {
        return Err(refused("no label of this pod selects it, so removing labels changes nothing", "capture it in place"));
    }
    let request_bytes = pod["spec"]["containers"].as_array().into_iter().flatten();
    let needed: u64 = request_bytes.filter_map(|c| parse_quantity(c["resources"]["requests"]["memory"].as_str()?)).map(|b| b.0).sum();
    if !selector.is_empty() {
        let room = crate::base::Bytes(needed).binary();
        warnings.push(foreign(format!("a replacement is made at once: the cluster needs room for one more pod ({room} of memory)")));
    }
    warnings.push(Masked::own("it lives on until somebody deletes it; its liveness probe goes on"));
    Ok(removed)
}

/// Services of the list that select `labels`, with the keys of their selectors.
fn matching(list: &Value, labels: &Labels) -> Vec<(String, Vec<String>)> {
    let services = list["items"].as_array().into_iter().flatten();
    services
        .filter_map(|service| {
            let selector = service["spec"]["selector"].as_object().filter(|s| !s.is_empty())?;
            let selects = selector.iter().all(|(k, v)| labels.get(k).map(String::as_str) == v.as_str());
            selects.then(|| (service["metadata"]["name"].as_str().unwrap_or("?").to_owned(), selector.keys().cloned().collect()))
        })
        .collect()
}

/// Keys to remove: one of each Service's would do, but all are the same to undo; if the ReplicaSet selects by none of
/// them it would keep the pod and make no replacement.
fn choose(services: &[String], selector: &[String]) -> Vec<String> {
    let mut keys: Vec<String> = services.to_vec();
    if !keys.iter().any(|k| selector.contains(k)) {
        let own: Vec<String> = selector.iter().filter(|k| *k != "pod-template-hash").cloned().collect();
        keys.extend(if own.is_empty() { selector.to_vec() } else { own });
    }
    keys.sort_unstable();
    keys.dedup();
    keys
}

fn isolating(uid: &str, removed: &Labels) -> Value {
    let mut labels: Map<String, Value> = removed.keys().map(|k| (k.clone(), Value::Null)).collect();
    labels.insert(MARK.to_owned(), json!("true"));
    let kept = serde_json::to_string(removed).unwrap_or_default();
    json!({"metadata": {"uid": uid, "labels": labels, "annotations": {KEPT: kept}}})
}

fn restoring(uid: &str, kept: &str) -> Result<Value, Error> {
    let kept: Labels =
        serde_json::from_str(kept).map_err(|_| refused("the labels to put back cannot be read", "put them back with kubectl label"))?;
    let mut labels: Map<String, Value> = kept.into_iter().map(|(k, v)| (k, json!(v))).collect();
    labels.insert(MARK.to_owned(), Value::Null);
    Ok(json!({"metadata": {"uid": uid, "labels": labels, "annotations": {KEPT: null}}}))
}

async fn perform(session: &Session, request: &ActRequest) -> Result<Receipt, Error> {
    let (path, place, uid) = (path(request), place(&request.target), arg(request, "uid")?);
    let restore = request.args.get("restore");
    let body = match restore {
        Some(kept) => restoring(uid, kept)?,
        None => {
            let removed: Labels = serde_json::from_str(arg(request, "kept")?)
                .map_err(|_| refused("the labels to remove cannot be read", "look at the pod again"))?;
            isolating(uid, &removed)
        }
    };
    Patch { rule: &PATCH, path: &path, kind: MERGE_PATCH, body: &body }.send(session, &place, false).await?;
    if restore.is_some() {
        return Ok(Receipt { summary: foreign(format!("labels of pod {place} put back")), undo: None });
    }
    let undo = ActRequest {
        act: "isolate".to_owned(),
        target: request.target.clone(),
        args: [("restore".to_owned(), arg(request, "kept")?.to_owned())].into(),
    };
    Ok(Receipt { summary: foreign(format!("pod {place} isolated; delete it when it is not needed any more")), undo: Some(undo) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(of: &[&str]) -> Vec<String> {
        of.iter().map(|k| (*k).to_owned()).collect()
    }

    #[test]
    fn enough_labels_go_and_no_more() {
        let set = keys(&["app", "pod-template-hash"]);
        assert_eq!(choose(&keys(&["app"]), &set), ["app"], "the Service's label is the set's too");
        assert_eq!(choose(&keys(&["role"]), &set), ["app", "role"], "the set would keep the pod otherwise");
        assert_eq!(choose(&[], &set), ["app"]);
        assert_eq!(choose(&[], &keys(&["pod-template-hash"])), ["pod-template-hash"]);
        assert!(choose(&[], &[]).is_empty());
    }

    #[test]
    fn only_services_whose_whole_selector_matches() {
        let labels: Labels = [("app".to_owned(), "api".to_owned())].into();
        let list = json!({"items": [
            {"metadata": {"name": "api"}, "spec": {"selector": {"app": "api"}}},
            {"metadata": {"name": "other"}, "spec": {"selector": {"app": "api", "tier": "x"}}},
            {"metadata": {"name": "external"}, "spec": {}},
            {"metadata": {"name": "empty"}, "spec": {"selector": {}}},
        ]});
        assert_eq!(matching(&list, &labels), [("api".to_owned(), keys(&["app"]))]);
    }

    #[test]
    fn what_is_removed_can_be_put_back() {
        let removed: Labels = [("app".to_owned(), "api".to_owned())].into();
        let there = isolating("u", &removed);
        let kept = there["metadata"]["annotations"][KEPT].as_str().expect("kept");
        let back = restoring("u", kept).expect("readable");
        assert_eq!(back["metadata"]["labels"], json!({"app": "api", MARK: null}));
        assert!(restoring("u", "no json").is_err());
    }
}
