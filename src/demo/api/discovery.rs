//! `/version`, `/api`, `/apis` and below: what clients ask before anything else.

use serde_json::{Value, json};

use crate::demo::world::{RESOURCES, Refusal};

const VERBS: [&str; 7] = ["create", "delete", "get", "list", "patch", "update", "watch"];

/// Groups beside the core group, with their version.
fn groups(metrics: bool) -> Vec<(&'static str, &'static str)> {
    let mut groups = vec![("apps", "v1"), ("authorization.k8s.io", "v1"), ("batch", "v1"), ("coordination.k8s.io", "v1")];
    if metrics {
        groups.push(("metrics.k8s.io", "v1beta1"));
    }
    groups
}

fn group((name, version): (&str, &str)) -> Value {
    let version = json!({ "groupVersion": format!("{name}/{version}"), "version": version });
    json!({ "name": name, "versions": [version], "preferredVersion": version })
}

/// Answers discovery paths; `None` when the path is none.
pub(crate) fn answer(path: &[&str], metrics: bool) -> Option<Result<Value, Refusal>> {
    let found = match path {
        ["version"] => json!({
            "major": "1", "minor": "35", "gitVersion": "v1.35.4", "gitCommit": "demo", "gitTreeState": "clean",
            "buildDate": "2026-03-18T10:00:00Z", "goVersion": "go1.25.7", "compiler": "gc", "platform": "linux/amd64",
        }),
        ["api"] => json!({ "kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": [] }),
        ["apis"] => {
            let groups: Vec<Value> = groups(metrics).into_iter().map(group).collect();
            json!({ "kind": "APIGroupList", "apiVersion": "v1", "groups": groups })
        }
        ["apis", name] => match groups(metrics).into_iter().find(|g| g.0 == *name) {
            Some(known) => {
                let mut group = group(known);
                group["kind"] = "APIGroup".into();
                group["apiVersion"] = "v1".into();
                group
            }
            None => return Some(Err(Refusal::no_such_path())),
        },
        ["api", "v1"] => resources("", "v1"),
        ["apis", name, version] => match groups(metrics).into_iter().find(|g| g == &(*name, *version)) {
            Some(("metrics.k8s.io", _)) => metrics_resources(),
            Some(("authorization.k8s.io", _)) => reviews(),
            Some((name, version)) => resources(name, &format!("{name}/{version}")),
            None => return Some(Err(Refusal::no_such_path())),
        },
        _ => return None,
    };
    Some(Ok(found))
}

fn list(group_version: &str, resources: &[Value]) -> Value {
    json!({ "kind": "APIResourceList", "apiVersion": "v1", "groupVersion": group_version, "resources": resources })
}

fn resources(group: &str, group_version: &str) -> Value {
    let mut all = Vec::new();
    for resource in RESOURCES.iter().filter(|r| r.group == group) {
        let mut entry = json!({
            "name": resource.plural, "singularName": resource.singular, "namespaced": resource.namespaced, "kind": resource.name, "verbs": VERBS,
        });
        if !resource.short.is_empty() {
            entry["shortNames"] = resource.short.into();
        }
        all.push(entry);
        for (name, kind, verbs) in resource.subresources {
            let mut entry = json!({
                "name": format!("{}/{name}", resource.plural), "singularName": "", "namespaced": resource.namespaced, "kind": kind, "verbs": verbs,
            });
            if *name == "eviction" {
                (entry["group"], entry["version"]) = ("policy".into(), "v1".into());
            }
            if *name == "scale" {
                (entry["group"], entry["version"]) = ("autoscaling".into(), "v1".into());
            }
            all.push(entry);
        }
    }
    list(group_version, &all)
}

fn metrics_resources() -> Value {
    let entry = |name: &str, kind: &str, namespaced: bool| json!({ "name": name, "singularName": "", "namespaced": namespaced, "kind": kind, "verbs": ["get", "list"] });
    list("metrics.k8s.io/v1beta1", &[entry("nodes", "NodeMetrics", false), entry("pods", "PodMetrics", true)])
}

fn reviews() -> Value {
    let entry = |name: &str, kind: &str| json!({ "name": name, "singularName": name.trim_end_matches('s'), "namespaced": false, "kind": kind, "verbs": ["create"] });
    list(
        "authorization.k8s.io/v1",
        &[entry("selfsubjectaccessreviews", "SelfSubjectAccessReview"), entry("selfsubjectrulesreviews", "SelfSubjectRulesReview")],
    )
}
