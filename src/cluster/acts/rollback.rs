//! Roll a workload's template back to an earlier revision, as `kubectl rollout undo` does
//! (`kubectl/pkg/polymorphichelpers/rollback.go`): the template of the old ReplicaSet or ControllerRevision replaces the
//! present one. Template only: not ConfigMaps, Secrets, replicas or data.
//!
//! Arguments: `revision` (default: the one before the present one).

use futures::future::BoxFuture;
use serde_json::{Value, json};

use super::Act;
use super::tools::{JSON_PATCH, Patch, ago, arg, gitops_warning, pinned, pins, place, refused, unchanged, workload};
use crate::base::Masked;
use crate::cluster::diff::diff;
use crate::cluster::error::{Error, foreign};
use crate::cluster::history::{is_current, revision_number, template_of, workload_path, workload_rule};
use crate::cluster::rule::Rule;
use crate::cluster::session::Session;
use crate::incident::{ActRequest, Preview, Receipt};
use crate::pressure::Workload;

/// See the file's opening.
pub struct Rollback;

const NEEDS: &[Rule] =
    &[Rule::new("apps", "deployments", "patch"), Rule::new("apps", "statefulsets", "patch"), Rule::new("apps", "daemonsets", "patch")];
const CAUSE: &str = "kubernetes.io/change-cause";

/// What a rollback is made of.
struct Plan {
    workload: Workload,
    owner: Value,
    target: Value,
    /// Revision that runs now, for the undo.
    from: u64,
}

impl Act for Rollback {
    fn name(&self) -> &'static str {
        "rollback"
    }

    fn summary(&self) -> &'static str {
        "Roll a deployment, statefulset or daemonset back to an earlier revision"
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

async fn plan(session: &Session, request: &ActRequest) -> Result<Plan, Error> {
    let workload = workload(&request.target)?;
    let namespace = &request.target.namespace;
    let owner = session.workload(&workload, namespace).await?;
    if owner["spec"]["paused"] == true {
        return Err(refused(format!("{workload} is paused"), "resume it first: kubectl rollout resume"));
    }
    let revisions = session.revisions(&owner, &workload, namespace).await?;
    let from = revisions.iter().find(|r| is_current(r, &owner, &workload)).map_or(0, revision_number);
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
    Ok(Plan { workload, owner, target, from })
}

/// The JSON patch from the present template to that of `plan.target`.
fn patch(plan: &Plan) -> Value {
    let [(_, uid), (_, generation)] = pins(&plan.owner);
    let mut operations = unchanged(&uid, &generation);
    let mut template = template_of(&plan.target).clone();
    if let Some(labels) = template.pointer_mut("/metadata/labels").and_then(Value::as_object_mut) {
        labels.remove("pod-template-hash");
    }
    // Of a ControllerRevision: the directive of a strategic merge.
    if let Some(template) = template.as_object_mut() {
        template.remove("$patch");
    }
    operations.push(json!({"op": "replace", "path": "/spec/template", "value": template}));
    // The cause belongs to the template. Other annotations stay: tools keep their books in them.
    let cause = &plan.target["metadata"]["annotations"][CAUSE];
    let present = &plan.owner["metadata"]["annotations"];
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

async fn preview(session: &Session, request: &ActRequest) -> Result<Preview, Error> {
    let plan = plan(session, request).await?;
    let wanted = revision_number(&plan.target);
    let body = patch(&plan);
    let path = workload_path(&plan.workload, &request.target.namespace)?;
    let rule = workload_rule(&plan.workload, "patch");
    let change = Patch { rule: &rule, path: &path, kind: JSON_PATCH, body: &body };
    let after = change.send(session, &place(&request.target), true).await?;
    let diff = diff(&plan.owner, &after, &["/spec", "/metadata/annotations"]);
    if !diff.iter().any(|line| line.as_str().contains(" spec.")) {
        return Err(refused(format!("revision {wanted} has the same template as now"), "choose another revision"));
    }
    let mut warnings: Vec<Masked> = gitops_warning(&plan.owner).into_iter().collect();
    let pods = plan.owner["spec"]["replicas"].as_u64().or_else(|| plan.owner["status"]["desiredNumberScheduled"].as_u64()).unwrap_or(1);
    warnings.push(foreign(format!("all {pods} pods are replaced, and with them what they hold in memory: capture first")));
    if let Some(made) = plan.target["metadata"]["creationTimestamp"].as_str().and_then(|t| session.local_text(t)) {
        warnings.push(foreign(format!("revision {wanted} was first rolled out {}", ago(session, made))));
    }
    warnings.push(Masked::own("only the template goes back: ConfigMaps, Secrets and data stay as they are"));
    let mut pins = pins(&plan.owner).to_vec();
    pins.push(("revision", wanted.to_string()));
    pins.push(("from", plan.from.to_string()));
    Ok(Preview {
        request: pinned(request, &pins),
        call: foreign(format!(
            "PATCH {path} [test uid, test generation {}, replace /spec/template by that of revision {wanted}]",
            plan.owner["metadata"]["generation"]
        )),
        diff,
        warnings,
        confirm: Some(plan.workload.name),
    })
}

async fn perform(session: &Session, request: &ActRequest) -> Result<Receipt, Error> {
    let (uid, generation) = (arg(request, "uid")?, arg(request, "generation")?);
    let plan = plan(session, request).await?;
    let [(_, uid_now), (_, generation_now)] = pins(&plan.owner);
    if uid != uid_now || generation != generation_now {
        return Err(Error::Conflict { what: plan.workload.to_string(), why: Masked::own("it was changed since the preview") });
    }
    let body = patch(&plan);
    let path = workload_path(&plan.workload, &request.target.namespace)?;
    let rule = workload_rule(&plan.workload, "patch");
    Patch { rule: &rule, path: &path, kind: JSON_PATCH, body: &body }.send(session, &place(&request.target), false).await?;
    let wanted = revision_number(&plan.target);
    let image = template_of(&plan.target)["spec"]["containers"][0]["image"].as_str().unwrap_or("?").to_owned();
    let undo = (plan.from > 0).then(|| ActRequest {
        act: "rollback".to_owned(),
        target: request.target.clone(),
        args: [("revision".to_owned(), plan.from.to_string())].into(),
    });
    Ok(Receipt { summary: foreign(format!("{} rolled back from revision {} to {wanted} ({image})", plan.workload, plan.from)), undo })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_patch_is_that_of_kubectl_guarded_by_what_was_seen() {
        let plan = Plan {
            workload: Workload { kind: "deployment".into(), name: "api".into() },
            owner: json!({"metadata": {"uid": "u", "generation": 7, "annotations": {CAUSE: "new", "keep": "me"}}}),
            target: json!({"metadata": {"annotations": {CAUSE: "old"}}, "spec": {"template": {
                "metadata": {"labels": {"app": "api", "pod-template-hash": "6d5f"}}, "spec": {"containers": []}}}}),
            from: 3,
        };
        assert_eq!(
            patch(&plan),
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
        let plan = Plan {
            workload: Workload { kind: "statefulset".into(), name: "db".into() },
            owner: json!({"metadata": {"uid": "u", "generation": 1}}),
            target: json!({"revision": 2, "data": {"spec": {"template": {"$patch": "replace", "spec": {"containers": []}}}}}),
            from: 3,
        };
        assert_eq!(patch(&plan)[2]["value"], json!({"spec": {"containers": []}}));
        assert_eq!(patch(&plan).as_array().expect("a list").len(), 3);
    }
}
