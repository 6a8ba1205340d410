//! What all acts have in common. An act looks at the cluster and answers with a [`Plan`]: the calls it would make. The
//! frame has the server try them (dry-run), shows what they would change, and later plans once more and makes the very
//! same calls, or none.

use futures::FutureExt;
use futures::future::BoxFuture;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::tools::{place, refused};
use crate::base::Masked;
use crate::cluster::diff::diff;
use crate::cluster::error::{Error, foreign};
use crate::cluster::rule::Rule;
use crate::cluster::session::{JsonCall, Session};
use crate::incident::{ActRequest, Preview, Receipt};

const JSON_PATCH: &str = "application/json-patch+json";
const MERGE_PATCH: &str = "application/merge-patch+json";
const JSON: &str = "application/json";
/// The argument that holds the fingerprint of the calls that were shown.
const PIN: &str = "pin";

/// A kind of change.
pub struct Act {
    /// Its name in requests: `rollback`.
    pub name: &'static str,
    /// What it does, in a line.
    pub summary: &'static str,
    /// Kinds of object it is about.
    pub kinds: &'static [&'static str],
    /// The rights it needs besides [`crate::cluster::BASE_RULES`].
    pub needs: &'static [Rule],
    /// Looks at the cluster and says which calls a request comes to. Asked for the preview and again right before it is
    /// done: only if the same calls come out are they made.
    pub plan: for<'a> fn(&'a Session, &'a ActRequest) -> BoxFuture<'a, Result<Plan, Error>>,
    /// The server took all calls: waits for what follows, if anything does, and says what was done.
    pub settle: for<'a> fn(&'a Session, &'a ActRequest, Plan) -> BoxFuture<'a, Result<Receipt, Error>>,
    /// A refused call in the act's own words.
    pub refusal: fn(Error) -> Error,
}

/// What most acts are besides name and plan: done when the server took their calls.
pub const CALLS_ALONE: Act = Act {
    name: "",
    summary: "",
    kinds: &[],
    needs: &[],
    plan: |_, _| std::future::ready(Err(refused("it has no plan", "name another act"))).boxed(),
    settle: |_, _, plan| std::future::ready(Ok(plan.receipt)).boxed(),
    refusal: |error| error,
};

/// One call that changes the cluster.
pub struct Change {
    rule: Rule,
    method: &'static str,
    path: String,
    content_type: &'static str,
    body: Value,
}

impl Change {
    /// A JSON patch (RFC 6902) of the object (or subresource) at `path`.
    pub fn json_patch(rule: Rule, path: impl Into<String>, operations: Value) -> Self {
        Self { rule, method: "PATCH", path: path.into(), content_type: JSON_PATCH, body: operations }
    }

    /// A merge patch (RFC 7386) of the object at `path`.
    pub fn merge_patch(rule: Rule, path: impl Into<String>, body: Value) -> Self {
        Self { rule, method: "PATCH", path: path.into(), content_type: MERGE_PATCH, body }
    }

    /// A new object in the collection at `path`.
    pub fn create(rule: Rule, path: impl Into<String>, object: Value) -> Self {
        Self { rule, method: "POST", path: path.into(), content_type: JSON, body: object }
    }

    /// The end of the object at `path`, with these delete options.
    pub fn delete(rule: Rule, path: impl Into<String>, options: Value) -> Self {
        Self { rule, method: "DELETE", path: path.into(), content_type: JSON, body: options }
    }

    /// Makes the call; with `dry_run` the server does everything but keep it. Unknown fields are errors: without that a
    /// typo is dropped in silence.
    pub async fn send(&self, session: &Session, place: &str, dry_run: bool) -> Result<Value, Error> {
        let (path, body) = self.request(dry_run);
        let call = JsonCall { method: self.method, path: path.into(), content_type: self.content_type, body: &body };
        session.send_json(&self.rule, place, &call).await
    }

    /// Path with query, and body. A server that gets delete options in the body does not look at the query: a dry-run asked
    /// for there alone deletes (measured on 1.35; `k8s.io/apiserver/pkg/endpoints/handlers/delete.go`).
    fn request(&self, dry_run: bool) -> (String, Value) {
        let mut body = self.body.clone();
        if self.method == "DELETE" {
            if dry_run {
                body["dryRun"] = json!(["All"]);
            }
            return (self.path.clone(), body);
        }
        let dry = if dry_run { "&dryRun=All" } else { "" };
        (format!("{}?fieldManager=cutoff&fieldValidation=Strict{dry}", self.path), body)
    }
}

/// A call, and what is shown of it.
pub struct Step {
    /// The call.
    pub change: Change,
    /// The object as it is now (of a copy: what it is a copy of).
    pub before: Value,
    /// The parts of the object whose change is shown, as JSON pointers. What it is about comes first: a plan that changes
    /// nothing there is refused.
    pub shown: &'static [&'static str],
    /// The call in words, where its body is too long to be read.
    pub said: Option<String>,
}

impl Step {
    /// The call as a person can check it.
    fn readable(&self) -> String {
        let Change { method, path, body, .. } = &self.change;
        format!("{method} {path} {}", self.said.clone().unwrap_or_else(|| body.to_string()))
    }

    fn diff(&self, after: &Value, shown: &[&str]) -> Vec<Masked> {
        diff(&self.before, if self.change.method == "DELETE" { &Value::Null } else { after }, shown)
    }
}

/// What an act would do.
pub struct Plan {
    /// The calls, in order.
    pub steps: Vec<Step>,
    /// Arguments that were found out, which the act takes from the request when it plans again.
    pub pins: Vec<(&'static str, String)>,
    /// What the person should know first.
    pub warnings: Vec<Masked>,
    /// The name that has to be typed; `None`: a plain yes is enough.
    pub confirm: Option<String>,
    /// What will have been done.
    pub receipt: Receipt,
}

impl Plan {
    /// A plan of one call that shows `shown` of its object.
    pub fn of(change: Change, before: Value, shown: &'static [&'static str], summary: Masked) -> Self {
        let steps = vec![Step { change, before, shown, said: None }];
        Self { steps, pins: Vec::new(), warnings: Vec::new(), confirm: None, receipt: Receipt { summary, undo: None, leaves: None } }
    }

    /// Identifies the calls: equal only for the same calls with the same bodies.
    fn fingerprint(&self) -> String {
        let mut hash = Sha256::new();
        for Step { change, .. } in &self.steps {
            hash.update(format!("{} {} {}\n", change.method, change.path, change.body));
        }
        hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
    }
}

fn takes(act: &Act, request: &ActRequest) -> Result<(), Error> {
    let Act { name, kinds, .. } = act;
    let kind = request.target.kind.as_str();
    if kinds.contains(&kind) {
        return Ok(());
    }
    Err(refused(format!("{name} is for a {}, not for a {kind}", kinds.join(" or ")), "choose one"))
}

/// What `request` would do, tried by the server.
pub async fn preview(act: &Act, session: &Session, request: &ActRequest) -> Result<Preview, Error> {
    takes(act, request)?;
    let plan = (act.plan)(session, request).await?;
    let (mut lines, mut matters) = (Vec::new(), false);
    for step in &plan.steps {
        let after = step.change.send(session, &place(&request.target), true).await.map_err(act.refusal)?;
        matters |= !step.diff(&after, &step.shown[..step.shown.len().min(1)]).is_empty();
        lines.extend(step.diff(&after, step.shown));
    }
    if !matters {
        return Err(refused(
            format!("{} would change nothing: {} is so already", request.act, place(&request.target)),
            "choose another value",
        ));
    }
    let mut pinned = request.clone();
    let pins = plan.pins.iter().map(|(k, v)| ((*k).to_owned(), v.clone()));
    pinned.args.extend(pins.chain([(PIN.to_owned(), plan.fingerprint())]));
    let calls: Vec<String> = plan.steps.iter().map(Step::readable).collect();
    Ok(Preview { request: pinned, call: foreign(calls.join("; then ")), diff: lines, warnings: plan.warnings, confirm: plan.confirm })
}

/// Does what `preview` shows: plans again, and makes the calls if they are the same.
pub async fn perform(act: &Act, session: &Session, preview: &Preview) -> Result<Receipt, Error> {
    let request = &preview.request;
    takes(act, request)?;
    let place = place(&request.target);
    let plan = (act.plan)(session, request).await?;
    if request.args.get(PIN) != Some(&plan.fingerprint()) {
        return Err(Error::Conflict { what: place, why: Masked::own("it was changed since the preview") });
    }
    for step in &plan.steps {
        step.change.send(session, &place, false).await.map_err(act.refusal)?;
    }
    (act.settle)(session, request, plan).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dry_run_is_one_for_every_kind_of_call() {
        const RULE: Rule = Rule::new("", "pods", "x");
        let path = "/api/v1/namespaces/shop/pods/a";
        let delete = Change::delete(RULE, path, json!({"preconditions": {"uid": "u"}}));
        assert_eq!(delete.request(true), (path.to_owned(), json!({"preconditions": {"uid": "u"}, "dryRun": ["All"]})));
        assert_eq!(delete.request(false), (path.to_owned(), json!({"preconditions": {"uid": "u"}})));
        for change in
            [Change::merge_patch(RULE, path, json!({})), Change::json_patch(RULE, path, json!([])), Change::create(RULE, path, json!({}))]
        {
            assert!(change.request(true).0.ends_with("&dryRun=All") && !change.request(false).0.contains("dryRun"));
        }
    }

    #[test]
    fn another_body_is_another_plan() {
        let plan = |body: Value| {
            let change = Change::merge_patch(Rule::new("", "pods", "patch"), "/api/v1/namespaces/shop/pods/a", body);
            Plan::of(change, json!({}), &["/metadata"], "done".into()).fingerprint()
        };
        assert_eq!(plan(json!({"a": 1})), plan(json!({"a": 1})));
        assert_ne!(plan(json!({"a": 1})), plan(json!({"a": 2})));
        assert_eq!(plan(json!({})).len(), 16);
    }
}
