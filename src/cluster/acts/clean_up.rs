//! Delete a pod that was isolated or copied here, when it is not needed any more. Any other pod is refused, whoever asks:
//! the label that `isolate` and `debug-copy` leave must be there, and no controller may own it.

use futures::FutureExt;
use serde_json::json;

use super::frame::{Act, CALLS_ALONE, Change, Plan};
use super::tools::{place, pod, pod_path, refused, text};
use crate::base::Masked;
use crate::cluster::error::{Error, foreign};
use crate::cluster::rule::Rule;
use crate::cluster::session::Session;
use crate::incident::ActRequest;
use crate::pressure::{COPY_OF, ISOLATED};

const DELETE: Rule = Rule::new("", "pods", "delete");
/// See the file's opening.
pub static CLEAN_UP: Act = Act {
    name: "clean-up",
    summary: "Delete a pod that was isolated or copied here",
    kinds: &["pod"],
    needs: &[DELETE],
    plan: |session, request| plan(session, request).boxed(),
    ..CALLS_ALONE
};

async fn plan(session: &Session, request: &ActRequest) -> Result<Plan, Error> {
    let pod = pod(session, request).await?;
    let place = place(&request.target);
    let labels = &pod["metadata"]["labels"];
    if !labels[ISOLATED].is_string() && !labels[COPY_OF].is_string() {
        return Err(refused(format!("{place} was neither isolated nor copied here"), "delete it with kubectl if you mean to"));
    }
    if pod["metadata"]["ownerReferences"].as_array().is_some_and(|owners| owners.iter().any(|o| o["controller"] == true)) {
        return Err(refused(format!("{place} belongs to a controller"), "look whether its labels were put back"));
    }
    if pod["metadata"]["deletionTimestamp"].is_string() {
        return Err(refused(format!("{place} is being deleted already"), "wait until it is gone"));
    }
    let uid = text(&pod, "/metadata/uid").to_owned();
    let change =
        Change::delete(DELETE, pod_path(request), json!({"apiVersion": "v1", "kind": "DeleteOptions", "preconditions": {"uid": uid}}));
    let grace = pod["spec"]["terminationGracePeriodSeconds"].as_u64().unwrap_or(30);
    let shown = &["/metadata/name", "/metadata/labels", "/status/phase"];
    let warnings = vec![Masked::own("its process ends, and with it its heap and every file that was not copied")];
    let plan = Plan::of(change, pod, shown, foreign(format!("pod {place} is being deleted (it may take {grace} s)")));
    Ok(Plan { warnings, confirm: Some(request.target.name.clone()), ..plan })
}
