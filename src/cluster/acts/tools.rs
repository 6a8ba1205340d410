//! What acts share: the workload they change, guards, GitOps warnings.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::base::{Masked, span};
use crate::cluster::error::{Error, foreign};
use crate::cluster::facts::manager;
use crate::cluster::history::{workload_path, workload_rule};
use crate::cluster::rule::Rule;
use crate::cluster::session::Session;
use crate::incident::{ActRequest, ActTarget};
use crate::pressure::{Manager, Workload};

/// The kinds whose template can be changed.
pub const WORKLOADS: &[&str] = &["deployment", "statefulset", "daemonset"];
/// The rights for that.
pub const PATCH_WORKLOADS: &[Rule] =
    &[Rule::new("apps", "deployments", "patch"), Rule::new("apps", "statefulsets", "patch"), Rule::new("apps", "daemonsets", "patch")];
/// The right to look at a pod.
pub const GET_POD: Rule = Rule::new("", "pods", "get");
/// The right to change its metadata.
pub const PATCH_POD: Rule = Rule::new("", "pods", "patch");

/// An argument that must be there.
pub fn arg<'a>(request: &'a ActRequest, name: &str) -> Result<&'a str, Error> {
    request.args.get(name).map(String::as_str).ok_or_else(|| refused(format!("{} needs {name}", request.act), "name it"))
}

/// A refusal.
pub fn refused(why: impl AsRef<str>, instead: &'static str) -> Error {
    Error::Refused { why: foreign(why.as_ref()), instead }
}

/// `namespace/name`.
pub fn place(target: &ActTarget) -> String {
    format!("{}/{}", target.namespace, target.name)
}

/// A workload as it is now, and how it is patched.
pub struct Seen {
    /// Which.
    pub workload: Workload,
    /// The object.
    pub owner: Value,
    /// Its path.
    pub path: String,
    /// The right to patch it.
    pub rule: Rule,
}

/// Looks at the workload that `request` is about.
pub async fn seen(session: &Session, request: &ActRequest) -> Result<Seen, Error> {
    let workload = Workload { kind: request.target.kind.clone(), name: request.target.name.clone() };
    let owner = session.workload(&workload, &request.target.namespace).await?;
    let (path, rule) = (workload_path(&workload, &request.target.namespace)?, workload_rule(&workload, "patch"));
    Ok(Seen { workload, owner, path, rule })
}

/// Path of the pod that `request` is about.
pub fn pod_path(request: &ActRequest) -> String {
    format!("/api/v1/namespaces/{}/pods/{}", request.target.namespace, request.target.name)
}

/// Looks at the pod that `request` is about.
pub async fn pod(session: &Session, request: &ActRequest) -> Result<Value, Error> {
    session.get_json(&GET_POD, &place(&request.target), &pod_path(request)).await
}

/// A text in an object by JSON pointer; empty when it is not there.
pub fn text<'a>(object: &'a Value, pointer: &str) -> &'a str {
    object.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// Operations that make a JSON patch fail unless the object is the one that was looked at, with the same spec.
///
/// `generation` counts changes of the spec alone. `resourceVersion` also moves with each restart of a pod, so in an
/// outage no patch that a person thought about for ten seconds would ever match.
pub fn unchanged(object: &Value) -> Vec<Value> {
    let meta = &object["metadata"];
    vec![
        json!({"op": "test", "path": "/metadata/uid", "value": meta["uid"]}),
        json!({"op": "test", "path": "/metadata/generation", "value": meta["generation"]}),
    ]
}

/// Names the tool that would undo a change of `object`, if there is one: by labels, annotations and field managers.
pub fn gitops_warning(object: &Value) -> Option<Masked> {
    let map = |at: &str| serde_json::from_value::<BTreeMap<String, String>>(object["metadata"][at].clone()).unwrap_or_default();
    let owner = manager(&map("labels"), Some(&map("annotations"))).or_else(|| by_field_manager(object))?;
    let instead = match owner.tool.as_str() {
        "Argo CD" => "it may revert this within minutes: switch off auto-sync of the application, or revert in git",
        "Flux" => "it reverts this at its next reconciliation: flux suspend first, or revert in git",
        "Argo Rollouts" => "use kubectl argo rollouts undo",
        _ => "its next release overwrites this: helm rollback keeps its records right",
    };
    Some(foreign(format!("{} manages this ({}): {instead}", owner.tool, owner.sign)))
}

fn by_field_manager(object: &Value) -> Option<Manager> {
    const MANAGERS: [(&str, &str); 4] = [
        ("argocd-controller", "Argo CD"),
        ("argocd-application-controller", "Argo CD"),
        ("kustomize-controller", "Flux"),
        ("helm-controller", "Flux"),
    ];
    let managers = object["metadata"]["managedFields"].as_array()?;
    managers.iter().find_map(|m| {
        let name = m["manager"].as_str()?;
        let (_, tool) = MANAGERS.iter().find(|(sign, _)| *sign == name)?;
        Some(Manager { tool: (*tool).to_owned(), sign: format!("field manager {name}") })
    })
}

/// How long ago, in words.
pub fn ago(session: &Session, at: chrono::DateTime<chrono::Utc>) -> String {
    format!("{} ago", span((session.now() - at).to_std().unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_would_undo_it_is_named() {
        let tool = |object: Value| gitops_warning(&object).map(|w| w.as_str().split(' ').next().expect("a word").to_owned());
        assert_eq!(tool(json!({"metadata": {"annotations": {"argocd.argoproj.io/tracking-id": "x"}}})).as_deref(), Some("Argo"));
        assert_eq!(tool(json!({"metadata": {"labels": {"kustomize.toolkit.fluxcd.io/name": "x"}}})).as_deref(), Some("Flux"));
        assert_eq!(tool(json!({"metadata": {"annotations": {"meta.helm.sh/release-name": "x"}}})).as_deref(), Some("Helm"));
        assert_eq!(tool(json!({"metadata": {"managedFields": [{"manager": "kustomize-controller"}]}})).as_deref(), Some("Flux"));
        assert_eq!(tool(json!({"metadata": {"managedFields": [{"manager": "kubectl"}]}})), None);
    }
}
