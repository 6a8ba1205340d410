//! Take a pod out of its Services and its ReplicaSet by its labels: it gets no more traffic, is replaced, and lives on to
//! be looked at. Nobody deletes it afterwards.
//!
//! The labels to remove are those by which Services select it; if the ReplicaSet selects by none of them, its own too.
//! Removed labels are kept in an annotation. With the argument `restore` (that annotation's JSON) they are put back.

use std::collections::BTreeMap;

use futures::FutureExt;
use serde_json::{Map, Value, json};

use super::frame::{Act, CALLS_ALONE, Change, Plan};
use super::tools::{PATCH_POD, place, pod, pod_path, refused, text};
use crate::base::{Masked, parse_quantity};
use crate::cluster::error::{Error, foreign};
use crate::cluster::rule::Rule;
use crate::cluster::session::Session;
use crate::incident::{ActRequest, Leftover, LeftoverKind, Receipt};
use crate::pressure::ISOLATED;

const KEPT: &str = "cutoff.dev/isolated-labels";
const SERVICES: Rule = Rule::new("", "services", "list");
const SETS: Rule = Rule::new("apps", "replicasets", "get");
/// See the file's opening.
pub static ISOLATE: Act = Act {
    name: "isolate",
    summary: "Take a pod out of its Services by its labels; it is replaced and lives on",
    kinds: &["pod"],
    needs: &[PATCH_POD, SERVICES, SETS],
    plan: |session, request| plan(session, request).boxed(),
    ..CALLS_ALONE
};

type Labels = BTreeMap<String, String>;

async fn plan(session: &Session, request: &ActRequest) -> Result<Plan, Error> {
    let pod = pod(session, request).await?;
    let uid = text(&pod, "/metadata/uid").to_owned();
    let shown: &[&str] = &["/metadata/labels", "/metadata/annotations"];
    let change = |body: Value| Change::merge_patch(PATCH_POD, pod_path(request), body);
    let place = place(&request.target);
    if let Some(kept) = request.args.get("restore") {
        let back = Plan::of(change(restoring(&uid, kept)?), pod, shown, foreign(format!("labels of pod {place} put back")));
        let warning = Masked::own("the ReplicaSet takes it back and then has one pod too many: it may delete this one");
        // What may end the pod wants its name.
        return Ok(Plan { warnings: vec![warning], confirm: Some(request.target.name.clone()), ..back });
    }
    if pod["metadata"]["labels"][ISOLATED].is_string() {
        return Err(refused("this pod is isolated already", "capture it, then clean it up"));
    }
    let labels: Labels = serde_json::from_value(pod["metadata"]["labels"].clone()).unwrap_or_default();
    let mut warnings = Vec::new();
    let removed = labels_to_remove(session, request, &pod, &labels, &mut warnings).await?;
    let kept = serde_json::to_string(&removed).unwrap_or_default();
    let again = |act: &str, args: BTreeMap<String, String>| ActRequest { act: act.to_owned(), target: request.target.clone(), args };
    let receipt = Receipt {
        summary: foreign(format!("pod {place} isolated; delete it when it is not needed any more")),
        undo: Some(again(ISOLATE.name, [("restore".to_owned(), kept.clone())].into())),
        leaves: Some(Leftover {
            kind: LeftoverKind::Pod,
            what: foreign(format!("pod {place} is isolated and lives on: nobody else deletes it")),
            settle: again("clean-up", BTreeMap::new()),
        }),
    };
    let isolated = Plan::of(change(isolating(&uid, &removed)), pod, shown, Masked::default());
    Ok(Plan { pins: vec![("kept", kept)], warnings, receipt, ..isolated })
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
    warnings.push(Masked::own("it lives on until somebody deletes it, and is listed until then; its liveness probe goes on"));
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
    labels.insert(ISOLATED.to_owned(), json!("true"));
    let kept = serde_json::to_string(removed).unwrap_or_default();
    json!({"metadata": {"uid": uid, "labels": labels, "annotations": {KEPT: kept}}})
}

fn restoring(uid: &str, kept: &str) -> Result<Value, Error> {
    let kept: Labels =
        serde_json::from_str(kept).map_err(|_| refused("the labels to put back cannot be read", "put them back with kubectl label"))?;
    let mut labels: Map<String, Value> = kept.into_iter().map(|(k, v)| (k, json!(v))).collect();
    labels.insert(ISOLATED.to_owned(), Value::Null);
    Ok(json!({"metadata": {"uid": uid, "labels": labels, "annotations": {KEPT: null}}}))
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
        assert_eq!(back["metadata"]["labels"], json!({"app": "api", ISOLATED: null}));
        assert!(restoring("u", "no json").is_err());
    }
}
