//! Redeploy with the flags of a capture: adds to an environment variable of a container (`NODE_OPTIONS`) and mounts an
//! emptyDir on disk that outlives the container's restarts, so that the next out-of-memory death leaves its heap there.
//!
//! What is to be added, and why, is the caller's business.

use futures::future::BoxFuture;
use serde_json::{Value, json};

use super::Act;
use super::tools::{JSON_PATCH, Patch, arg, gitops_warning, pinned, pins, place, refused, unchanged, workload};
use crate::base::Masked;
use crate::cluster::diff::diff;
use crate::cluster::error::{Error, foreign};
use crate::cluster::history::{workload_path, workload_rule};
use crate::cluster::rule::Rule;
use crate::cluster::session::Session;
use crate::incident::{ActRequest, ActTarget, Preview, Receipt};

/// See the file's opening. Arguments: `container`, `variable`, `add` (text that is added to its value), `mount` (path of
/// the emptyDir).
pub struct Arm;

const NEEDS: &[Rule] =
    &[Rule::new("apps", "deployments", "patch"), Rule::new("apps", "statefulsets", "patch"), Rule::new("apps", "daemonsets", "patch")];
/// Name of the volume; a second arming finds it there.
const VOLUME: &str = "cutoff-dumps";
const SPEC: &str = "/spec/template/spec";

impl Act for Arm {
    fn name(&self) -> &'static str {
        "arm"
    }

    fn summary(&self) -> &'static str {
        "Redeploy with the flags of a capture: the next out-of-memory death leaves its heap on a volume"
    }

    fn needs(&self) -> &'static [Rule] {
        NEEDS
    }

    fn preview<'a>(&'a self, session: &'a Session, request: &'a ActRequest) -> BoxFuture<'a, Result<Preview, Error>> {
        Box::pin(async move {
            let workload = workload(&request.target)?;
            let owner = session.workload(&workload, &request.target.namespace).await?;
            let [uid, generation] = pins(&owner);
            let body = patch(&owner, request, &uid.1, &generation.1)?;
            let path = workload_path(&workload, &request.target.namespace)?;
            let rule = workload_rule(&workload, "patch");
            let change = Patch { rule: &rule, path: &path, kind: JSON_PATCH, body: &body };
            let after = change.send(session, &place(&request.target), true).await?;
            let mut warnings: Vec<Masked> = gitops_warning(&owner).into_iter().collect();
            warnings.push(Masked::own(
                "all pods are replaced: what they hold in memory now is lost, and the heap comes only at the next out-of-memory death",
            ));
            Ok(Preview {
                request: pinned(request, &[uid, generation, ("patch", body.to_string())]),
                call: change.readable(),
                diff: diff(&owner, &after, &["/spec"]),
                warnings,
                confirm: Some(workload.name),
            })
        })
    }

    fn perform<'a>(&'a self, session: &'a Session, preview: &'a Preview) -> BoxFuture<'a, Result<Receipt, Error>> {
        Box::pin(async move {
            let request = &preview.request;
            let workload = workload(&request.target)?;
            let before = session.history(&workload, &request.target.namespace).await.unwrap_or_default();
            let revision = before.iter().find(|r| r.current).map(|r| r.revision);
            let body: Value =
                serde_json::from_str(arg(request, "patch")?).map_err(|_| refused("the preview holds no patch", "preview it again"))?;
            let path = workload_path(&workload, &request.target.namespace)?;
            let rule = workload_rule(&workload, "patch");
            Patch { rule: &rule, path: &path, kind: JSON_PATCH, body: &body }.send(session, &place(&request.target), false).await?;
            let undo = revision.map(|revision| ActRequest {
                act: "rollback".to_owned(),
                target: ActTarget { ..request.target.clone() },
                args: [("revision".to_owned(), revision.to_string())].into(),
            });
            let summary = foreign(format!(
                "{workload} starts new pods that are armed: the next out-of-memory death leaves its heap in {}",
                arg(request, "mount")?
            ));
            Ok(Receipt { summary, undo })
        })
    }
}

/// The JSON patch, which fails unless the workload is the one that was looked at.
fn patch(owner: &Value, request: &ActRequest, uid: &str, generation: &str) -> Result<Value, Error> {
    let (container, variable, added, mount) =
        (arg(request, "container")?, arg(request, "variable")?, arg(request, "add")?, arg(request, "mount")?);
    let spec = &owner["spec"]["template"]["spec"];
    let containers = spec["containers"].as_array().map(Vec::as_slice).unwrap_or_default();
    let Some(i) = containers.iter().position(|c| c["name"] == container) else {
        return Err(refused(format!("{} has no container {container}", place(&request.target)), "name one of its containers"));
    };
    let mut operations = unchanged(uid, generation);
    let mut add = |path: String, value: Value| operations.push(json!({"op": "add", "path": path, "value": value}));
    let at = format!("{SPEC}/containers/{i}");
    let of = &containers[i];
    let env = of["env"].as_array();
    match env.and_then(|env| env.iter().position(|e| e["name"] == variable).map(|k| (k, &env[k]))) {
        Some((_, entry)) if entry["valueFrom"].is_object() => {
            return Err(refused(format!("{variable} comes from a ConfigMap or Secret"), "add the flags there"));
        }
        Some((k, entry)) => {
            let old = entry["value"].as_str().unwrap_or_default();
            if old.contains(added) {
                return Err(refused(format!("{variable} holds these flags already"), "its pods are armed: wait for the file"));
            }
            add(format!("{at}/env/{k}/value"), json!(format!("{old} {added}").trim()));
        }
        None if env.is_some() => add(format!("{at}/env/-"), json!({"name": variable, "value": added})),
        None => add(format!("{at}/env"), json!([{"name": variable, "value": added}])),
    }
    let mounts = of["volumeMounts"].as_array();
    if let Some(taken) = mounts.and_then(|m| m.iter().find(|m| m["mountPath"] == mount)) {
        if taken["name"] != VOLUME {
            return Err(refused(format!("{mount} is mounted already"), "choose another directory"));
        }
    } else if mounts.is_some() {
        add(format!("{at}/volumeMounts/-"), json!({"name": VOLUME, "mountPath": mount}));
    } else {
        add(format!("{at}/volumeMounts"), json!([{"name": VOLUME, "mountPath": mount}]));
    }
    let volumes = spec["volumes"].as_array();
    if volumes.is_none() {
        add(format!("{SPEC}/volumes"), json!([{"name": VOLUME, "emptyDir": {}}]));
    } else if !volumes.is_some_and(|v| v.iter().any(|v| v["name"] == VOLUME)) {
        add(format!("{SPEC}/volumes/-"), json!({"name": VOLUME, "emptyDir": {}}));
    }
    Ok(Value::Array(operations))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request() -> ActRequest {
        let args = [("container", "app"), ("variable", "NODE_OPTIONS"), ("add", "--x=1"), ("mount", "/dumps")];
        ActRequest {
            act: "arm".into(),
            target: ActTarget { kind: "deployment".into(), namespace: "shop".into(), name: "web".into() },
            args: args.map(|(k, v)| (k.to_owned(), v.to_owned())).into(),
        }
    }

    fn workload(container: &Value) -> Value {
        json!({"spec": {"template": {"spec": {"containers": [{"name": "side"}, container]}}}})
    }

    #[test]
    fn what_is_there_is_kept_and_what_is_missing_is_made() {
        let bare = patch(&workload(&json!({"name": "app"})), &request(), "u", "3").expect("a patch");
        assert_eq!(
            bare[2],
            json!({"op": "add", "path": "/spec/template/spec/containers/1/env", "value": [{"name": "NODE_OPTIONS", "value": "--x=1"}]})
        );
        assert_eq!(bare.as_array().map(Vec::len), Some(5), "two tests, env, mount, volume");
        let set = workload(
            &json!({"name": "app", "env": [{"name": "A", "value": "b"}, {"name": "NODE_OPTIONS", "value": "--y"}], "volumeMounts": [{"name": "v", "mountPath": "/v"}]}),
        );
        let added = patch(&set, &request(), "u", "3").expect("a patch");
        assert_eq!(added[2], json!({"op": "add", "path": "/spec/template/spec/containers/1/env/1/value", "value": "--y --x=1"}));
        assert_eq!(added[3]["path"], "/spec/template/spec/containers/1/volumeMounts/-");
    }

    #[test]
    fn what_it_would_break_is_refused() {
        for container in [
            json!({"name": "other"}),
            json!({"name": "app", "env": [{"name": "NODE_OPTIONS", "valueFrom": {"secretKeyRef": {}}}]}),
            json!({"name": "app", "env": [{"name": "NODE_OPTIONS", "value": "--a --x=1"}]}),
            json!({"name": "app", "volumeMounts": [{"name": "data", "mountPath": "/dumps"}]}),
        ] {
            assert!(matches!(patch(&workload(&container), &request(), "u", "3"), Err(Error::Refused { .. })), "{container}");
        }
    }
}
