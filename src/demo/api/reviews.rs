//! What the caller may do: SelfSubjectAccessReview and SelfSubjectRulesReview, in step with the faults that forbid.

use serde_json::{Value, json};

use super::context::Context;
use crate::demo::faults::Fault;
use crate::demo::scenario::NAMESPACE;

const WRITES: [&str; 5] = ["create", "update", "patch", "delete", "deletecollection"];

/// Whether `verb` on `resource` (with its subresource as `pods/exec`) is allowed now.
pub(crate) fn allowed(context: &Context, verb: &str, resource: &str) -> bool {
    let faults = &context.faults;
    let is_stream = matches!(resource, "pods/exec" | "pods/portforward");
    let forbidden = (resource == "pods/exec" && faults.is(Fault::ExecForbidden))
        || (resource == "pods/portforward" && faults.is(Fault::PortForwardForbidden))
        || (WRITES.contains(&verb) && !is_stream && !resource.starts_with("self") && faults.is(Fault::ReadOnly));
    !forbidden
}

/// Fills the status of a SelfSubjectAccessReview.
pub(crate) fn access(context: &Context, mut review: Value) -> Value {
    let asked = &review["spec"]["resourceAttributes"];
    let part = |key: &str| asked[key].as_str().unwrap_or("").to_string();
    let resource = if part("subresource").is_empty() { part("resource") } else { format!("{}/{}", part("resource"), part("subresource")) };
    let allowed = allowed(context, &part("verb"), &resource);
    review["kind"] = "SelfSubjectAccessReview".into();
    review["apiVersion"] = "authorization.k8s.io/v1".into();
    review["status"] = if allowed {
        let reason = format!("RBAC: allowed by RoleBinding \"on-call/{NAMESPACE}\" of Role \"on-call\" to User \"on-call\"");
        json!({ "allowed": true, "reason": reason })
    } else {
        json!({ "allowed": false })
    };
    review
}

/// Fills the status of a SelfSubjectRulesReview.
pub(crate) fn rules(context: &Context, mut review: Value) -> Value {
    let mut rules = vec![json!({ "verbs": ["get", "list", "watch"], "apiGroups": ["*"], "resources": ["*"] })];
    if !context.faults.is(Fault::ReadOnly) {
        rules.push(json!({ "verbs": WRITES, "apiGroups": ["*"], "resources": ["*"] }));
    }
    review["kind"] = "SelfSubjectRulesReview".into();
    review["apiVersion"] = "authorization.k8s.io/v1".into();
    review["status"] = json!({ "resourceRules": rules, "nonResourceRules": [], "incomplete": false });
    review
}
