//! The kinds of objects that the demo serves, as discovery describes them.

/// A kind of object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Kind {
    Namespace,
    Node,
    Pod,
    Service,
    Event,
    ConfigMap,
    Deployment,
    ReplicaSet,
    StatefulSet,
    DaemonSet,
    Job,
    Lease,
}

/// How a kind is called and where it is served.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Resource {
    pub kind: Kind,
    /// API group; empty for the core group.
    pub group: &'static str,
    pub name: &'static str,
    pub plural: &'static str,
    pub singular: &'static str,
    pub short: &'static [&'static str],
    pub namespaced: bool,
    /// Served subresources with their kind and verbs.
    pub subresources: &'static [(&'static str, &'static str, &'static [&'static str])],
}

const SCALE: (&str, &str, &[&str]) = ("scale", "Scale", &["get", "patch", "update"]);

/// Every kind, in the order of discovery. All groups are served as `v1`.
pub(crate) const RESOURCES: [Resource; 12] = [
    resource(Kind::ConfigMap, "", "ConfigMap", "configmaps", "configmap", &["cm"], true, &[]),
    resource(Kind::Event, "", "Event", "events", "event", &["ev"], true, &[]),
    resource(Kind::Namespace, "", "Namespace", "namespaces", "namespace", &["ns"], false, &[]),
    resource(Kind::Node, "", "Node", "nodes", "node", &["no"], false, &[]),
    resource(
        Kind::Pod,
        "",
        "Pod",
        "pods",
        "pod",
        &["po"],
        true,
        &[
            ("eviction", "Eviction", &["create"]),
            ("exec", "PodExecOptions", &["create", "get"]),
            ("log", "Pod", &["get"]),
            ("portforward", "PodPortForwardOptions", &["create", "get"]),
            ("resize", "Pod", &["get", "patch", "update"]),
            ("status", "Pod", &["get", "patch", "update"]),
        ],
    ),
    resource(Kind::Service, "", "Service", "services", "service", &["svc"], true, &[]),
    resource(Kind::DaemonSet, "apps", "DaemonSet", "daemonsets", "daemonset", &["ds"], true, &[]),
    resource(Kind::Deployment, "apps", "Deployment", "deployments", "deployment", &["deploy"], true, &[SCALE]),
    resource(Kind::ReplicaSet, "apps", "ReplicaSet", "replicasets", "replicaset", &["rs"], true, &[]),
    resource(Kind::StatefulSet, "apps", "StatefulSet", "statefulsets", "statefulset", &["sts"], true, &[]),
    resource(Kind::Job, "batch", "Job", "jobs", "job", &[], true, &[]),
    resource(Kind::Lease, "coordination.k8s.io", "Lease", "leases", "lease", &[], true, &[]),
];

#[expect(clippy::too_many_arguments, reason = "a row of the table above")]
const fn resource(
    kind: Kind,
    group: &'static str,
    name: &'static str,
    plural: &'static str,
    singular: &'static str,
    short: &'static [&'static str],
    namespaced: bool,
    subresources: &'static [(&'static str, &'static str, &'static [&'static str])],
) -> Resource {
    Resource { kind, group, name, plural, singular, short, namespaced, subresources }
}

impl Kind {
    /// How the kind is called and served.
    pub fn resource(self) -> &'static Resource {
        RESOURCES.iter().find(|r| r.kind == self).expect("the table has every kind")
    }
}

impl Resource {
    /// `v1` or `apps/v1`.
    pub fn api_version(&self) -> String {
        if self.group.is_empty() { "v1".into() } else { format!("{}/v1", self.group) }
    }

    /// `pods` or `deployments.apps`, as messages name it.
    pub fn qualified(&self) -> String {
        if self.group.is_empty() { self.plural.into() } else { format!("{}.{}", self.plural, self.group) }
    }
}
