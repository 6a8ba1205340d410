//! Restart a workload by a rolling update, as `kubectl rollout restart` does: an annotation of the template changes.

use futures::FutureExt;
use serde_json::{Value, json};

use super::frame::{Act, CALLS_ALONE, Change, Plan};
use super::tools::{PATCH_WORKLOADS, WORKLOADS, gitops_warning, refused, seen};
use crate::base::Masked;
use crate::cluster::error::{Error, foreign};
use crate::cluster::session::Session;
use crate::incident::ActRequest;

/// See the file's opening.
pub static RESTART: Act = Act {
    name: "restart",
    summary: "Restart all pods of a workload one after the other",
    kinds: WORKLOADS,
    needs: PATCH_WORKLOADS,
    plan: |session, request| plan(session, request).boxed(),
    ..CALLS_ALONE
};

async fn plan(session: &Session, request: &ActRequest) -> Result<Plan, Error> {
    let seen = seen(session, request).await?;
    if seen.owner["spec"]["paused"] == true {
        return Err(refused(format!("{} is paused", seen.workload), "resume it first: kubectl rollout resume"));
    }
    let at = request.args.get("at").cloned().unwrap_or_else(|| session.now().format("%Y-%m-%dT%H:%M:%SZ").to_string());
    let body = patch(seen.owner["metadata"]["uid"].as_str().unwrap_or_default(), &at);
    let warnings = gitops_warning(&seen.owner).into_iter();
    let lost = Masked::own("all pods are replaced, and with them what they hold in memory: capture first");
    Ok(Plan {
        pins: vec![("at", at)],
        warnings: warnings.chain([lost]).collect(),
        confirm: Some(seen.workload.name.clone()),
        ..Plan::of(
            Change::merge_patch(seen.rule, seen.path, body),
            seen.owner,
            &["/spec"],
            foreign(format!("{} restarts, pod by pod", seen.workload)),
        )
    })
}

/// The uid makes the server refuse an object that was made anew.
fn patch(uid: &str, at: &str) -> Value {
    json!({
        "metadata": {"uid": uid},
        "spec": {"template": {"metadata": {"annotations": {"kubectl.kubernetes.io/restartedAt": at}}}},
    })
}
