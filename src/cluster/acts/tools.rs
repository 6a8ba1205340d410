//! What acts share: patches, pins, GitOps warnings.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::base::{Masked, span};
use crate::cluster::error::{Error, foreign};
use crate::cluster::facts::manager;
use crate::cluster::history::plural;
use crate::cluster::rule::Rule;
use crate::cluster::session::{JsonCall, Session};
use crate::incident::{ActRequest, ActTarget};
use crate::pressure::{Manager, Workload};

pub const JSON_PATCH: &str = "application/json-patch+json";
pub const MERGE_PATCH: &str = "application/merge-patch+json";

/// A patch of one object.
pub struct Patch<'a> {
    pub rule: &'a Rule,
    /// Path of the object (and subresource).
    pub path: &'a str,
    pub kind: &'static str,
    pub body: &'a Value,
}

impl Patch<'_> {
    /// Sends it; with `dry_run` the server does everything but keep it. Unknown fields are errors: without that a typo
    /// is dropped in silence.
    pub async fn send(&self, session: &Session, place: &str, dry_run: bool) -> Result<Value, Error> {
        let dry = if dry_run { "&dryRun=All" } else { "" };
        let path = format!("{}?fieldManager=cutoff&fieldValidation=Strict{dry}", self.path);
        session
            .send_json(self.rule, place, &JsonCall { method: "PATCH", path: path.into(), content_type: self.kind, body: self.body })
            .await
    }

    /// The call as a person can check it.
    pub fn readable(&self) -> Masked {
        foreign(format!("PATCH {} {}", self.path, self.body))
    }
}

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

/// The target as a workload whose template can be changed.
pub fn workload(target: &ActTarget) -> Result<Workload, Error> {
    if plural(&target.kind).is_none() {
        let why = format!("a {} has no template that could be changed", target.kind);
        return Err(refused(why, "choose its deployment, statefulset or daemonset"));
    }
    Ok(Workload { kind: target.kind.clone(), name: target.name.clone() })
}

/// `request` with `pins` added to its arguments.
pub fn pinned(request: &ActRequest, pins: &[(&str, String)]) -> ActRequest {
    let mut request = request.clone();
    request.args.extend(pins.iter().map(|(k, v)| ((*k).to_owned(), v.clone())));
    request
}

/// Operations that make a JSON patch fail unless the object is the one that was looked at, with the same spec.
///
/// `generation` counts changes of the spec alone. `resourceVersion` also moves with each restart of a pod, so in an
/// outage no patch that a person thought about for ten seconds would ever match.
pub fn unchanged(uid: &str, generation: &str) -> Vec<Value> {
    let generation: Value = generation.parse::<u64>().map_or(Value::Null, Value::from);
    vec![
        json!({"op": "test", "path": "/metadata/uid", "value": uid}),
        json!({"op": "test", "path": "/metadata/generation", "value": generation}),
    ]
}

/// uid and generation of an object, as pins.
pub fn pins(object: &Value) -> [(&'static str, String); 2] {
    let meta = &object["metadata"];
    [("uid", meta["uid"].as_str().unwrap_or_default().to_owned()), ("generation", meta["generation"].as_u64().unwrap_or(0).to_string())]
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
