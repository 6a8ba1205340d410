//! The Role that all of it needs, as YAML for `kubectl apply`.

use std::collections::BTreeMap;

use super::acts::rules;
use super::rule::{BASE_RULES, Rule};

/// Every right that the program may use in a namespace, each once: those of the dashboard and those of all acts.
pub fn all_rules() -> Vec<Rule> {
    let mut all: Vec<Rule> = BASE_RULES.to_vec();
    all.extend(rules());
    all.sort();
    all.dedup();
    all
}

/// A Role with [`all_rules`] and a RoleBinding for the group `on-call`. A cluster's read-only users need the first part
/// alone.
pub fn role_yaml() -> String {
    let mut yaml = String::from(
        "# What cutoff may do in one namespace, generated from what its acts and sources declare.\n\
         # Change the namespace and the group, then: kubectl apply -f role.yaml\n\
         # Not asked for on purpose: secrets, nodes/proxy, delete of anything but pods.\n\
         apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata:\n  name: cutoff\n  namespace: default\nrules:\n",
    );
    yaml.push_str("  # Look: watch pods, read logs, measure, look into processes. A WebSocket needs both verbs on exec and portforward.\n");
    push(&mut yaml, BASE_RULES.to_vec());
    let (apart, acts): (Vec<Rule>, Vec<Rule>) = rules().into_iter().partition(|rule| ["create", "delete"].contains(&rule.verb.as_ref()));
    yaml.push_str("  # Act: rollback, restart, resize, isolate, arm. Leave these out for --read-only.\n");
    push(&mut yaml, acts);
    yaml.push_str(
        "  # Copy a pod for debugging, and delete what was copied or isolated: cutoff deletes no pod without its own label, but\n  \
         # a Role cannot say so. Leave these out and the acts debug-copy and clean-up are refused, nothing else.\n",
    );
    push(&mut yaml, apart);
    yaml.push_str(
        "---\napiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata:\n  name: cutoff\n  namespace: default\n\
         roleRef:\n  apiGroup: rbac.authorization.k8s.io\n  kind: Role\n  name: cutoff\nsubjects:\n  \
         - apiGroup: rbac.authorization.k8s.io\n    kind: Group\n    name: on-call\n",
    );
    yaml
}

/// Rules with the same group and verbs share an entry.
fn push(yaml: &mut String, rules: Vec<Rule>) {
    let mut verbs: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
    for rule in rules {
        let verbs = verbs.entry((rule.group.into_owned(), rule.resource.into_owned())).or_default();
        verbs.push(rule.verb.into_owned());
        verbs.sort();
        verbs.dedup();
    }
    let mut entries: BTreeMap<(String, Vec<String>), Vec<String>> = BTreeMap::new();
    for ((group, resource), verbs) in verbs {
        entries.entry((group, verbs)).or_default().push(resource);
    }
    for ((group, verbs), resources) in entries {
        yaml.push_str(&format!(
            "  - apiGroups: [\"{group}\"]\n    resources: [{}]\n    verbs: [{}]\n",
            resources.join(", "),
            verbs.join(", ")
        ));
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::disallowed_methods, reason = "compares a generated file of the repository")]

    use super::*;

    /// `UPDATE=1 cargo test` writes the file anew.
    #[test]
    fn the_role_that_is_shipped_is_the_one_that_is_needed() {
        let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("playbooks/rbac/role.yaml");
        if std::env::var_os("UPDATE").is_some() {
            std::fs::create_dir_all(file.parent().expect("a folder")).expect("the repository can be written");
            std::fs::write(&file, role_yaml()).expect("the repository can be written");
        }
        assert_eq!(std::fs::read_to_string(&file).expect("playbooks/rbac/role.yaml"), role_yaml(), "run with UPDATE=1");
    }

    #[test]
    fn nothing_that_could_read_secrets_or_delete_more_than_pods_is_asked_for() {
        for rule in all_rules() {
            assert!(!rule.resource.contains("secrets") && !rule.resource.starts_with("nodes"), "{rule}");
            assert!(rule.verb != "delete" || rule.resource == "pods", "{rule}");
            assert!(!rule.verb.contains('*') && !rule.resource.contains('*'), "{rule}");
        }
        for stream in ["pods/exec", "pods/portforward"] {
            for verb in ["get", "create"] {
                assert!(all_rules().iter().any(|r| r.resource == stream && r.verb == verb), "{verb} {stream}");
            }
        }
    }
}
