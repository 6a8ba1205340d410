//! Roll a workload's template back to an earlier revision, as `kubectl rollout undo` does
//! (`kubectl/pkg/polymorphichelpers/rollback.go`): the template of the old ReplicaSet or ControllerRevision replaces the
//! present one. Template only: not ConfigMaps, Secrets, replicas or data.
//!
//! Arguments: `revision` (default: the one before the present one).

use futures::FutureExt;
use serde_json::{Value, json};

use super::frame::{Act, CALLS_ALONE, Change, Plan};
use super::tools::{PATCH_WORKLOADS, WORKLOADS, ago, gitops_warning, refused, seen, unchanged};
use crate::base::Masked;
use crate::cluster::error::{Error, foreign};
use crate::cluster::history::{is_current, revision_number, template_of};
use crate::cluster::session::Session;
use crate::incident::{ActRequest, Receipt};

const CAUSE: &str = "kubernetes.io/change-cause";
/// See the file's opening.
pub static ROLLBACK: Act = Act {
    name: "rollback",
    summary: "Roll a deployment, statefulset or daemonset back to an earlier revision",
    kinds: WORKLOADS,
    needs: PATCH_WORKLOADS,
    plan: |session, request| plan(session, request).boxed(),
    ..CALLS_ALONE
};

async fn plan(session: &Session, request: &ActRequest) -> Result<Plan, Error> {
    let seen = seen(session, request).await?;
    let (workload, owner) = (&seen.workload, seen.owner);
    if owner["spec"]["paused"] == true {
        return Err(refused(format!("{workload} is paused"), "resume it first: kubectl rollout resume"));
    }
    let revisions = session.revisions(&owner, workload, &request.target.namespace).await?;
    let from = revisions.iter().find(|r| is_current(r, &owner, workload)).map_or(0, revision_number);
    let wanted: u64 = match request.args.get("revision") {
        Some(text) => text.parse().map_err(|_| refused(format!("{text:?} is no revision"), "revisions are whole numbers"))?,
        None => revisions
            .iter()
            .map(revision_number)
            .filter(|r| *r != from)
            .max()
            .ok_or_else(|| refused(format!("{workload} has no earlier revision"), "nothing can be rolled back"))?,
    };
    let target = revisions
        .into_iter()
        .find(|r| revision_number(r) == wanted)
        .ok_or_else(|| refused(format!("revision {wanted} of {workload} is not kept any more"), "choose one of its history"))?;
    if wanted == from {
        return Err(refused(format!("{workload} is at revision {wanted} already"), "choose another revision"));
    }
    let image = template_of(&target)["spec"]["containers"][0]["image"].as_str().unwrap_or("?");
    let receipt = Receipt {
        summary: foreign(format!("{workload} rolled back from revision {from} to {wanted} ({image})")),
        undo: (from > 0).then(|| ActRequest {
            act: ROLLBACK.name.to_owned(),
            target: request.target.clone(),
            args: [("revision".to_owned(), from.to_string())].into(),
        }),
        leaves: None,
    };
    let warnings = warnings(session, &owner, &target, wanted);
    let change = Change::json_patch(seen.rule, seen.path, patch(&owner, &target));
    let generation = owner["metadata"]["generation"].clone();
    let mut plan = Plan::of(change, owner, &["/spec", "/metadata/annotations"], Masked::default());
    plan.steps[0].said = Some(format!("[test uid, test generation {generation}, replace /spec/template by that of revision {wanted}]"));
    Ok(Plan {
        pins: vec![("revision", wanted.to_string()), ("from", from.to_string())],
        warnings,
        confirm: Some(workload.name.clone()),
        receipt,
        ..plan
    })
}

fn warnings(session: &Session, owner: &Value, target: &Value, wanted: u64) -> Vec<Masked> {
    let mut warnings: Vec<Masked> = gitops_warning(owner).into_iter().collect();
    let pods = owner["spec"]["replicas"].as_u64().or_else(|| owner["status"]["desiredNumberScheduled"].as_u64()).unwrap_or(1);
    warnings.push(foreign(format!("all {pods} pods are replaced, and with them what they hold in memory: capture first")));
    if let Some(made) = target["metadata"]["creationTimestamp"].as_str().and_then(|t| session.local_text(t)) {
        warnings.push(foreign(format!("revision {wanted} was first rolled out {}", ago(session, made))));
    }
    warnings.push(Masked::own("only the template goes back: ConfigMaps, Secrets and data stay as they are"));
    warnings
}

/// The JSON patch from the present template of `owner` to that of `target`.
fn patch(owner: &Value, target: &Value) -> Value {
    let mut operations = unchanged(owner);
    let mut template = template_of(target).clone();
    if let Some(labels) = template.pointer_mut("/metadata/labels").and_then(Value::as_object_mut) {
        labels.remove("pod-template-hash");
    }
    // Of a ControllerRevision: the directive of a strategic merge.
    if let Some(template) = template.as_object_mut() {
        template.remove("$patch");
    }
    operations.push(json!({"op": "replace", "path": "/spec/template", "value": template}));
    // The cause belongs to the template. Other annotations stay: tools keep their books in them.
    let cause = &target["metadata"]["annotations"][CAUSE];
    let present = &owner["metadata"]["annotations"];
    let path = "/metadata/annotations/kubernetes.io~1change-cause";
    if cause != &present[CAUSE] && present.is_object() {
        operations.push(if cause.is_null() {
            json!({"op": "remove", "path": path})
        } else {
            json!({"op": "add", "path": path, "value": cause})
        });
    }
    Value::Array(operations)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_patch_is_that_of_kubectl_guarded_by_what_was_seen() {
        let owner = json!({"metadata": {"uid": "u", "generation": 7, "annotations": {CAUSE: "new", "keep": "me"}}});
        let target = json!({"metadata": {"annotations": {CAUSE: "old"}}, "spec": {"template": {
            "metadata": {"labels": {"app": "api", "pod-template-hash": "6d5f"}}, "spec": {"containers": []}}}});
        assert_eq!(
            patch(&owner, &target),
            json!([
                {"op": "test", "path": "/metadata/uid", "value": "u"},
                {"op": "test", "path": "/metadata/generation", "value": 7},
                {"op": "replace", "path": "/spec/template", "value": {"metadata": {"labels": {"app": "api"}}, "spec": {"containers": []}}},
                {"op": "add", "path": "/metadata/annotations/kubernetes.io~1change-cause", "value": "old"},
            ])
        );
    }

    #[test]
    fn a_controller_revision_loses_its_directive() {
        let owner = json!({"metadata": {"uid": "u", "generation": 1}});
        let target = json!({"revision": 2, "data": {"spec": {"template": {"$patch": "replace", "spec": {"containers": []}}}}});
        let patch = patch(&owner, &target);
        assert_eq!(patch[2]["value"], json!({"spec": {"containers": []}}));
        assert_eq!(patch.as_array().expect("a list").len(), 3);
    }
}
