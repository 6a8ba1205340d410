//! Restart a workload by a rolling update, as `kubectl rollout restart` does: an annotation of the template changes.

use futures::future::BoxFuture;
use serde_json::{Value, json};

use super::Act;
use super::tools::{MERGE_PATCH, Patch, arg, gitops_warning, pinned, pins, place, refused, workload};
use crate::base::Masked;
use crate::cluster::diff::diff;
use crate::cluster::error::{Error, foreign};
use crate::cluster::history::{workload_path, workload_rule};
use crate::cluster::rule::Rule;
use crate::cluster::session::Session;
use crate::incident::{ActRequest, Preview, Receipt};

/// See the file's opening.
pub struct Restart;

const NEEDS: &[Rule] =
    &[Rule::new("apps", "deployments", "patch"), Rule::new("apps", "statefulsets", "patch"), Rule::new("apps", "daemonsets", "patch")];

impl Act for Restart {
    fn name(&self) -> &'static str {
        "restart"
    }

    fn summary(&self) -> &'static str {
        "Restart all pods of a workload one after the other"
    }

    fn needs(&self) -> &'static [Rule] {
        NEEDS
    }

    fn preview<'a>(&'a self, session: &'a Session, request: &'a ActRequest) -> BoxFuture<'a, Result<Preview, Error>> {
        Box::pin(async move {
            let workload = workload(&request.target)?;
            let owner = session.workload(&workload, &request.target.namespace).await?;
            if owner["spec"]["paused"] == true {
                return Err(refused(format!("{workload} is paused"), "resume it first: kubectl rollout resume"));
            }
            let at = session.now().format("%Y-%m-%dT%H:%M:%SZ").to_string();
            let [uid, generation] = pins(&owner);
            let body = patch(&uid.1, &at);
            let path = workload_path(&workload, &request.target.namespace)?;
            let rule = workload_rule(&workload, "patch");
            let change = Patch { rule: &rule, path: &path, kind: MERGE_PATCH, body: &body };
            let after = change.send(session, &place(&request.target), true).await?;
            let mut warnings: Vec<Masked> = gitops_warning(&owner).into_iter().collect();
            warnings.push(Masked::own("all pods are replaced, and with them what they hold in memory: capture first"));
            Ok(Preview {
                request: pinned(request, &[uid, generation, ("at", at)]),
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
            let body = patch(arg(request, "uid")?, arg(request, "at")?);
            let path = workload_path(&workload, &request.target.namespace)?;
            let rule = workload_rule(&workload, "patch");
            Patch { rule: &rule, path: &path, kind: MERGE_PATCH, body: &body }.send(session, &place(&request.target), false).await?;
            Ok(Receipt { summary: foreign(format!("{workload} restarts, pod by pod")), undo: None })
        })
    }
}

/// The uid makes the server refuse an object that was made anew.
fn patch(uid: &str, at: &str) -> Value {
    json!({
        "metadata": {"uid": uid},
        "spec": {"template": {"metadata": {"annotations": {"kubectl.kubernetes.io/restartedAt": at}}}},
    })
}
