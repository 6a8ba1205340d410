//! A right in Kubernetes' role-based access control, as a rule asks for it.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

/// One verb on one resource of one API group.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Rule {
    /// API group; empty for the core group.
    pub group: Cow<'static, str>,
    /// Resource with its subresource: `pods`, `pods/exec`.
    pub resource: Cow<'static, str>,
    /// `get`, `list`, `watch`, `create`, `patch`, …
    pub verb: Cow<'static, str>,
}

impl Rule {
    /// The rule `verb` on `resource` in `group`.
    pub const fn new(group: &'static str, resource: &'static str, verb: &'static str) -> Self {
        Self { group: Cow::Borrowed(group), resource: Cow::Borrowed(resource), verb: Cow::Borrowed(verb) }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.verb, self.resource)?;
        if !self.group.is_empty() {
            write!(f, ".{}", self.group)?;
        }
        Ok(())
    }
}

/// Whether a rule is granted in the session's namespace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Allowed {
    /// The rule.
    pub rule: Rule,
    /// Granted.
    pub allowed: bool,
}

/// What the dashboard needs to watch, read logs and look into processes.
///
/// Exec and port-forward need both verbs: a WebSocket upgrade is a GET, and Kubernetes 1.35 asks for `create` besides.
pub const BASE_RULES: &[Rule] = &[
    Rule::new("", "pods", "get"),
    Rule::new("", "pods", "list"),
    Rule::new("", "pods", "watch"),
    Rule::new("", "pods/log", "get"),
    Rule::new("", "pods/exec", "get"),
    Rule::new("", "pods/exec", "create"),
    Rule::new("", "pods/portforward", "get"),
    Rule::new("", "pods/portforward", "create"),
    Rule::new("", "events", "list"),
    Rule::new("apps", "deployments", "get"),
    Rule::new("apps", "statefulsets", "get"),
    Rule::new("apps", "daemonsets", "get"),
    Rule::new("apps", "replicasets", "list"),
    Rule::new("apps", "controllerrevisions", "list"),
    Rule::new("metrics.k8s.io", "pods", "list"),
];
