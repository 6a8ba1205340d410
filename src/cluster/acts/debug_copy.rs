//! A copy of a pod to be looked at, as `kubectl debug --copy-to` makes it (`kubectl/pkg/cmd/debug`): no labels but its
//! mark, so that no Service and no controller selects it; no probes, so that nobody kills it while it stands still; its
//! Node with a small heap whose snapshot fits, written to an emptyDir when it is full. Nobody deletes it afterwards.
//!
//! Arguments: those of the flags (`container`, `variable`, `add`, `mount`) and `memory` (its limit, if it needs another).

use futures::FutureExt;
use serde_json::{Map, Value, json};

use super::flags::arm;
use super::frame::{Act, CALLS_ALONE, Change, Plan, Step};
use super::tools::{arg, place, pod, refused, text};
use crate::base::{Bytes, Masked, parse_quantity};
use crate::cluster::error::{Error, foreign};
use crate::cluster::rule::Rule;
use crate::cluster::session::Session;
use crate::incident::{ActRequest, ActTarget, Leftover, LeftoverKind, Receipt};
use crate::pressure::COPY_OF;

const CREATE: Rule = Rule::new("", "pods", "create");
/// Longest name of a pod that is a host name too, and longest value of a label.
const NAME: usize = 63;
/// See the file's opening.
pub static DEBUG_COPY: Act = Act {
    name: "debug-copy",
    summary: "A copy of a pod outside of its Services, without probes and with a small heap that is written when it is full",
    kinds: &["pod"],
    needs: &[CREATE],
    plan: |session, request| plan(session, request).boxed(),
    ..CALLS_ALONE
};

async fn plan(session: &Session, request: &ActRequest) -> Result<Plan, Error> {
    let pod = pod(session, request).await?;
    let (namespace, of) = (&request.target.namespace, &request.target.name);
    let name = match request.args.get("name") {
        Some(name) => name.clone(),
        None => format!("{}-copy-{}", cut(of, NAME - 12), session.now().format("%H%M%S")),
    };
    let copy = copy(&pod, &name, request)?;
    let warnings = warnings(&pod, &copy)?;
    let target = ActTarget { kind: "pod".to_owned(), namespace: namespace.clone(), name: name.clone() };
    let end = ActRequest { act: "clean-up".to_owned(), target, args: std::collections::BTreeMap::new() };
    let receipt = Receipt {
        summary: foreign(format!(
            "copy {name} of pod {} starts; its heap is written to {} when it is full",
            place(&request.target),
            arg(request, "mount")?
        )),
        undo: Some(end.clone()),
        leaves: Some(Leftover {
            kind: LeftoverKind::Pod,
            what: foreign(format!("pod {namespace}/{name} is a copy for debugging: nobody else deletes it")),
            settle: end,
        }),
    };
    let said = format!("{name}: a copy of {of} without its labels and probes, with {}={}", arg(request, "variable")?, arg(request, "add")?);
    let step = Step {
        change: Change::create(CREATE, format!("/api/v1/namespaces/{namespace}/pods"), copy),
        before: pod,
        shown: &["/spec", "/metadata/name", "/metadata/labels"],
        said: Some(said),
    };
    Ok(Plan { steps: vec![step], pins: vec![("name", name)], warnings, confirm: None, receipt })
}

fn cut(text: &str, most: usize) -> &str {
    text.get(..most).unwrap_or(text).trim_end_matches(['-', '.'])
}

/// The copy that would be made of `pod`.
fn copy(pod: &Value, name: &str, request: &ActRequest) -> Result<Value, Error> {
    if pod["metadata"]["labels"][COPY_OF].is_string() {
        return Err(refused("this pod is a copy itself", "capture it, then clean it up"));
    }
    let mut spec = pod["spec"].clone();
    if let Some(spec) = spec.as_object_mut() {
        // Where it ran, what is filled in for each pod, and what only one pod can have.
        for key in ["nodeName", "ephemeralContainers", "hostname", "subdomain", "priority", "schedulingGates"] {
            spec.remove(key);
        }
        spec.insert("restartPolicy".to_owned(), json!("Always"));
    }
    arm(&mut spec, request)?;
    for list in ["containers", "initContainers"] {
        let containers = spec.get_mut(list).and_then(Value::as_array_mut);
        for container in containers.into_iter().flatten().filter_map(Value::as_object_mut) {
            quiet(container);
            if let Some(memory) = request.args.get("memory").filter(|_| container["name"] == request.args["container"].as_str()) {
                container["resources"]["limits"]["memory"] = json!(memory);
            }
        }
    }
    let mut annotations = pod["metadata"]["annotations"].as_object().cloned().unwrap_or_default();
    annotations.remove("kubectl.kubernetes.io/last-applied-configuration");
    Ok(json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {
            "name": name, "namespace": request.target.namespace, "annotations": annotations,
            "labels": {COPY_OF: cut(&request.target.name, NAME)},
        },
        "spec": spec,
    }))
}

/// Nobody asks it whether it lives, and it takes no port of the node.
fn quiet(container: &mut Map<String, Value>) {
    for probe in ["livenessProbe", "readinessProbe", "startupProbe"] {
        container.remove(probe);
    }
    for port in container.get_mut("ports").and_then(Value::as_array_mut).into_iter().flatten().filter_map(Value::as_object_mut) {
        port.remove("hostPort");
    }
}

fn warnings(pod: &Value, copy: &Value) -> Result<Vec<Masked>, Error> {
    let claims: Vec<&str> = pod["spec"]["volumes"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|v| v["persistentVolumeClaim"]["readOnly"] != true)
        .filter_map(|v| v["persistentVolumeClaim"]["claimName"].as_str())
        .collect();
    if let Some(claim) = claims.first() {
        return Err(refused(
            format!("it writes to the volume {claim}: a copy would be a second writer of the same data"),
            "capture it in place, or isolate it",
        ));
    }
    let mut warnings = vec![Masked::own(
        "the copy is one more instance of the app: it takes from queues, runs its schedules and writes to databases as the others do",
    )];
    let controlled = pod["metadata"]["ownerReferences"].as_array().is_some_and(|o| !o.is_empty());
    if !text(pod, "/spec/nodeName").is_empty() {
        let memory = |of: &str| {
            let containers = copy["spec"]["containers"].as_array().into_iter().flatten();
            let each = containers.filter_map(|c| parse_quantity(c["resources"][of]["memory"].as_str()?));
            Bytes(each.map(|b| b.0).sum()).binary()
        };
        let room = format!("some node must have room for one more pod ({} of memory, up to {})", memory("requests"), memory("limits"));
        warnings.push(foreign(room));
    }
    warnings.push(Masked::own("no Service sends it traffic: where requests make the leak, it does not leak by itself"));
    if !controlled {
        warnings.push(Masked::own("no controller owns the original either: both stay until somebody deletes them"));
    }
    warnings.push(Masked::own("network policies that go by label do not know it"));
    Ok(warnings)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pod() -> Value {
        json!({
            "metadata": {"name": "api-6d5f-x1", "namespace": "shop", "uid": "u",
                "labels": {"app": "api", "pod-template-hash": "6d5f"},
                "annotations": {"keep": "me", "kubectl.kubernetes.io/last-applied-configuration": "{}"},
                "ownerReferences": [{"kind": "ReplicaSet", "name": "api-6d5f", "controller": true}]},
            "spec": {"nodeName": "n1", "restartPolicy": "Always", "containers": [
                {"name": "app", "image": "api:1", "livenessProbe": {"httpGet": {}}, "readinessProbe": {"httpGet": {}},
                    "ports": [{"containerPort": 80, "hostPort": 80}],
                    "resources": {"limits": {"memory": "256Mi"}, "requests": {"memory": "128Mi"}}},
                {"name": "log", "image": "log:1", "startupProbe": {"exec": {}}}]},
            "status": {"phase": "Running"},
        })
    }

    fn request() -> ActRequest {
        let args = [("container", "app"), ("variable", "NODE_OPTIONS"), ("add", "--x=1"), ("mount", "/dumps"), ("memory", "1216Mi")];
        ActRequest {
            act: "debug-copy".into(),
            target: ActTarget { kind: "pod".into(), namespace: "shop".into(), name: "api-6d5f-x1".into() },
            args: args.map(|(k, v)| (k.to_owned(), v.to_owned())).into(),
        }
    }

    #[test]
    fn nobody_selects_probes_or_owns_the_copy() {
        let copy = copy(&pod(), "api-copy", &request()).expect("a copy");
        assert_eq!(copy["metadata"]["labels"], json!({COPY_OF: "api-6d5f-x1"}));
        assert!(copy["metadata"]["ownerReferences"].is_null() && copy["status"].is_null() && copy["spec"]["nodeName"].is_null());
        assert_eq!(copy["metadata"]["annotations"], json!({"keep": "me"}));
        let text = copy.to_string();
        assert!(!text.contains("Probe") && !text.contains("hostPort"), "{text}");
        let app = &copy["spec"]["containers"][0];
        assert_eq!(app["env"], json!([{"name": "NODE_OPTIONS", "value": "--x=1"}]));
        assert_eq!(app["resources"], json!({"limits": {"memory": "1216Mi"}, "requests": {"memory": "128Mi"}}));
        assert_eq!(copy["spec"]["volumes"], json!([{"name": "cutoff-dumps", "emptyDir": {}}]));
    }

    #[test]
    fn a_second_writer_and_a_copy_of_a_copy_are_refused() {
        let mut shared = pod();
        shared["spec"]["volumes"] = json!([{"name": "data", "persistentVolumeClaim": {"claimName": "data-0"}}]);
        assert!(matches!(warnings(&shared, &shared), Err(Error::Refused { .. })));
        shared["spec"]["volumes"][0]["persistentVolumeClaim"]["readOnly"] = json!(true);
        assert!(warnings(&shared, &shared).is_ok());
        let mut again = pod();
        again["metadata"]["labels"][COPY_OF] = json!("api");
        assert!(matches!(copy(&again, "x", &request()), Err(Error::Refused { .. })));
    }

    #[test]
    fn names_are_cut_where_a_name_may_end() {
        assert_eq!(cut("content-import-7d9f", 15), "content-import");
        assert_eq!(cut("short", 40), "short");
    }
}
