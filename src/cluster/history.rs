//! What was rolled out when: ReplicaSets of a Deployment, ControllerRevisions of the others.

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::error::Error;
use super::rule::Rule;
use super::session::Session;
use crate::pressure::{Rollout, Workload};

pub(super) const REVISION: &str = "deployment.kubernetes.io/revision";
const CAUSE: &str = "kubernetes.io/change-cause";
const REPLICASETS: Rule = Rule::new("apps", "replicasets", "list");
const REVISIONS: Rule = Rule::new("apps", "controllerrevisions", "list");

impl Session {
    /// Rollouts of `workload` in `namespace` that the cluster still keeps (ten by default), newest revision first.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Denied`], or as any call; [`Error::Refused`] for a kind that has no history.
    pub async fn history(&self, workload: &Workload, namespace: &str) -> Result<Vec<Rollout>, Error> {
        let owner = self.workload(workload, namespace).await?;
        let mut rollouts: Vec<Rollout> =
            self.revisions(&owner, workload, namespace).await?.iter().map(|r| self.rollout(r, &owner, workload)).collect();
        rollouts.sort_by_key(|r| std::cmp::Reverse(r.revision));
        Ok(rollouts)
    }

    /// The workload itself, as JSON.
    pub(super) async fn workload(&self, workload: &Workload, namespace: &str) -> Result<Value, Error> {
        let path = workload_path(workload, namespace)?;
        self.get_json(&workload_rule(workload, "get"), &format!("{namespace}/{}", workload.name), &path).await
    }

    /// ReplicaSets or ControllerRevisions that `owner` owns, in no order.
    pub(super) async fn revisions(&self, owner: &Value, workload: &Workload, namespace: &str) -> Result<Vec<Value>, Error> {
        let (rule, plural) =
            if workload.kind == "deployment" { (&REPLICASETS, "replicasets") } else { (&REVISIONS, "controllerrevisions") };
        let path = format!("/apis/apps/v1/namespaces/{namespace}/{plural}");
        let list = self.get_json(rule, namespace, &path).await?;
        let uid = &owner["metadata"]["uid"];
        let owned =
            |item: &&Value| item["metadata"]["ownerReferences"].as_array().is_some_and(|owners| owners.iter().any(|o| o["uid"] == *uid));
        Ok(list["items"].as_array().into_iter().flatten().filter(owned).cloned().collect())
    }

    fn rollout(&self, revision: &Value, owner: &Value, workload: &Workload) -> Rollout {
        let template = template_of(revision);
        Rollout {
            revision: revision_number(revision),
            image: template["spec"]["containers"][0]["image"].as_str().unwrap_or_default().to_owned(),
            made: revision["metadata"]["creationTimestamp"].as_str().and_then(|t| self.local_text(t)),
            cause: revision["metadata"]["annotations"][CAUSE].as_str().map(str::to_owned),
            current: is_current(revision, owner, workload),
            replicas: revision["status"]["replicas"].as_u64().and_then(|n| u32::try_from(n).ok()).unwrap_or(0),
        }
    }

    /// A time as the API writes it, corrected by the skew.
    pub(super) fn local_text(&self, text: &str) -> Option<DateTime<Utc>> {
        let server = DateTime::parse_from_rfc3339(text).ok()?.to_utc();
        Some(server.checked_sub_signed(self.skew()).unwrap_or(server))
    }
}

/// Path of the workload's object.
pub(super) fn workload_path(workload: &Workload, namespace: &str) -> Result<String, Error> {
    let Some(plural) = plural(&workload.kind) else {
        return Err(Error::Refused {
            why: super::error::foreign(format!("{workload} has no rollout history here")),
            instead: "roll it back with the tool that made it (kubectl argo rollouts undo for a Rollout)",
        });
    };
    Ok(format!("/apis/apps/v1/namespaces/{namespace}/{plural}/{}", workload.name))
}

/// The kinds whose template can be rolled back, restarted and patched.
pub(super) fn plural(kind: &str) -> Option<&'static str> {
    match kind {
        "deployment" => Some("deployments"),
        "statefulset" => Some("statefulsets"),
        "daemonset" => Some("daemonsets"),
        _ => None,
    }
}

pub(super) fn workload_rule(workload: &Workload, verb: &'static str) -> Rule {
    Rule::new("apps", plural(&workload.kind).unwrap_or("deployments"), verb)
}

/// The pod template in a ReplicaSet or in a ControllerRevision's data.
pub(super) fn template_of(revision: &Value) -> &Value {
    if revision["data"].is_null() { &revision["spec"]["template"] } else { &revision["data"]["spec"]["template"] }
}

/// Number of a revision; 0 if it has none. Sorting by it, not by age: a rollback takes an old ReplicaSet again.
pub(super) fn revision_number(revision: &Value) -> u64 {
    match revision["revision"].as_u64() {
        Some(number) => number,
        None => revision["metadata"]["annotations"][REVISION].as_str().and_then(|r| r.parse().ok()).unwrap_or(0),
    }
}

/// Whether the workload's template is this revision now.
pub(super) fn is_current(revision: &Value, owner: &Value, workload: &Workload) -> bool {
    match workload.kind.as_str() {
        "deployment" => {
            let current = &owner["metadata"]["annotations"][REVISION];
            !current.is_null() && revision["metadata"]["annotations"][REVISION] == *current
        }
        "statefulset" => owner["status"]["updateRevision"] == revision["metadata"]["name"],
        // A DaemonSet does not name its revision; its template says it.
        _ => {
            let mut template = template_of(revision).clone();
            if let Some(map) = template.as_object_mut() {
                map.remove("$patch");
            }
            template == owner["spec"]["template"]
        }
    }
}
