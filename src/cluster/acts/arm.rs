//! Redeploy with the flags of a capture: adds to an environment variable of a container (`NODE_OPTIONS`) and mounts an
//! emptyDir on disk that outlives the container's restarts, so that the next out-of-memory death leaves its heap there.
//!
//! What is to be added, and why, is the caller's business. Arguments: `container`, `variable`, `add` (flags, which take
//! the place of the same flags there), `mount` (path of the emptyDir).

use futures::FutureExt;
use serde_json::Value;

use super::flags::{arm, operations};
use super::frame::{Act, CALLS_ALONE, Change, Plan};
use super::tools::{PATCH_WORKLOADS, WORKLOADS, arg, gitops_warning, seen, unchanged};
use crate::base::Masked;
use crate::cluster::error::{Error, foreign};
use crate::cluster::history::is_current;
use crate::cluster::history::revision_number;
use crate::cluster::session::Session;
use crate::incident::ActRequest;

const TEMPLATE: &str = "/spec/template/spec";
/// See the file's opening.
pub static ARM: Act = Act {
    name: "arm",
    summary: "Redeploy with the flags of a capture: the next out-of-memory death leaves its heap on a volume",
    kinds: WORKLOADS,
    needs: PATCH_WORKLOADS,
    plan: |session, request| plan(session, request).boxed(),
    ..CALLS_ALONE
};

async fn plan(session: &Session, request: &ActRequest) -> Result<Plan, Error> {
    let seen = seen(session, request).await?;
    let before = seen.owner.pointer(TEMPLATE).cloned().unwrap_or_default();
    let mut after = before.clone();
    arm(&mut after, request)?;
    let mut patch = unchanged(&seen.owner);
    operations(&before, &after, TEMPLATE, &mut patch);
    // Without a history it cannot be undone from here, but it can be done.
    let revisions = session.revisions(&seen.owner, &seen.workload, &request.target.namespace).await.unwrap_or_default();
    let now = revisions.iter().find(|r| is_current(r, &seen.owner, &seen.workload)).map(revision_number);
    let mut warnings: Vec<Masked> = gitops_warning(&seen.owner).into_iter().collect();
    warnings.push(Masked::own(
        "all pods are replaced: what they hold in memory now is lost, and the heap comes only at the next out-of-memory death",
    ));
    let summary = format!(
        "{} starts new pods that are armed: the next out-of-memory death leaves its heap in {}",
        seen.workload,
        arg(request, "mount")?
    );
    let mut plan = Plan::of(Change::json_patch(seen.rule, seen.path, Value::Array(patch)), seen.owner, &["/spec"], foreign(summary));
    plan.receipt.undo = now.map(|revision| ActRequest {
        act: "rollback".to_owned(),
        target: request.target.clone(),
        args: [("revision".to_owned(), revision.to_string())].into(),
    });
    Ok(Plan { warnings, confirm: Some(seen.workload.name), ..plan })
}
