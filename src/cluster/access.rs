//! Which rights the person has (SelfSubjectAccessReview).

use futures::stream::{StreamExt, TryStreamExt};
use serde_json::json;

use super::error::Error;
use super::rule::{Allowed, Rule};
use super::session::{JsonCall, Session};

const REVIEW: Rule = Rule::new("authorization.k8s.io", "selfsubjectaccessreviews", "create");

impl Session {
    /// Asks for each of `rules` whether it is granted in the session's namespace; in the order of `rules`.
    ///
    /// # Errors
    /// As any call. A rule that is not granted is no error.
    pub async fn allowed(&self, rules: &[Rule]) -> Result<Vec<Allowed>, Error> {
        let reviews: Vec<_> = rules.iter().map(|rule| self.review(rule.clone())).collect();
        futures::stream::iter(reviews).buffered(8).try_collect().await
    }

    async fn review(&self, rule: Rule) -> Result<Allowed, Error> {
        let (resource, subresource) = rule.resource.split_once('/').unwrap_or((&rule.resource, ""));
        let body = json!({
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": {
                "namespace": self.namespace(), "verb": rule.verb, "group": rule.group, "resource": resource, "subresource": subresource,
            }},
        });
        let call = JsonCall {
            method: "POST",
            path: "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews".into(),
            content_type: "application/json",
            body: &body,
        };
        let answer = self.send_json(&REVIEW, "", &call).await?;
        Ok(Allowed { allowed: answer["status"]["allowed"] == true, rule })
    }
}
