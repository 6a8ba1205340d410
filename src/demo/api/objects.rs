//! Reading and writing objects: get, list with continuation, create, replace, patch, delete.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::context::Context;
use super::present::Form;
use super::reply::{self, Reply};
use super::request::{Query, Target};
use crate::demo::world::{Kind, Patch, Refusal, Selector, apply, check, mark_deleted, object_at, placed, text};

/// One object.
pub(crate) fn get(context: &Context, target: &Target, form: Form) -> Result<Reply, Refusal> {
    let object = find(context, target)?;
    Ok(reply::json(200, &form.one(target.resource, &object)))
}

/// The object that the path names.
pub(crate) fn find(context: &Context, target: &Target) -> Result<Arc<Value>, Refusal> {
    let found = context.store.get(target.resource.kind, &target.namespace, &target.name);
    found.ok_or_else(|| Refusal::not_found(target.resource, &target.name))
}

/// A list, whole or a page of it.
pub(crate) fn list(context: &Context, target: &Target, query: &Query, form: Form) -> Result<Reply, Refusal> {
    let selector = Selector::parse(query.get("labelSelector"), query.get("fieldSelector"))?;
    let (mut version, objects) = context.store.list(target.resource.kind, &target.namespace);
    let mut selected: Vec<&Value> = objects.iter().map(|o| &**o).filter(|o| selector.matches(o)).collect();
    if !query.get("continue").is_empty() {
        let (of, after) = continuation(query.get("continue"))?;
        // The page must come from the version of the first one; when that is compacted the client starts again.
        context.store.since(of).map_err(|_| {
            Refusal::gone("The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter.")
        })?;
        version = of;
        selected.retain(|o| key(o) > after);
    }
    let mut meta = json!({ "resourceVersion": version.to_string() });
    if let Some(limit) = query.number("limit").filter(|l| *l > 0)
        && (selected.len() as u64) > limit
    {
        meta["remainingItemCount"] = (selected.len() as u64 - limit).into();
        selected.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        let last = selected.last().map(|o| key(o)).unwrap_or_default();
        meta["continue"] = URL_SAFE_NO_PAD.encode(json!({ "v": "meta.k8s.io/v1", "rv": version, "start": last }).to_string()).into();
    }
    Ok(reply::json(200, &form.list(target.resource, &selected, &meta)))
}

fn key(object: &Value) -> String {
    format!("{}/{}", text(object, &["metadata", "namespace"]), text(object, &["metadata", "name"]))
}

fn continuation(token: &str) -> Result<(u64, String), Refusal> {
    let decoded = URL_SAFE_NO_PAD.decode(token).ok().and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok());
    let read = decoded.as_ref().and_then(|t| Some((t["rv"].as_u64()?, t["start"].as_str()?.to_string())));
    read.ok_or_else(|| Refusal::bad_request(format!("continue key is not valid: {token}")))
}

/// Adds the warnings that a lenient write earns.
fn warned(mut reply: Reply, unknown: &[String]) -> Reply {
    for field in unknown {
        if let Ok(value) = hyper::header::HeaderValue::from_str(&format!("299 - \"unknown field \\\"{field}\\\"\"")) {
            reply.headers_mut().append("warning", value);
        }
    }
    reply
}

/// Creates what the body says.
pub(crate) fn create(context: &Context, target: &Target, query: &Query, mut body: Value) -> Result<Reply, Refusal> {
    let kind = target.resource.kind;
    let given = text(&body, &["metadata", "namespace"]).to_string();
    if target.resource.namespaced {
        if !given.is_empty() && given != target.namespace {
            return Err(Refusal::bad_request("the namespace of the provided object does not match the namespace sent on the request"));
        }
        if context.store.get(Kind::Namespace, "", &target.namespace).is_none() {
            return Err(Refusal::not_found(Kind::Namespace.resource(), &target.namespace));
        }
        object_at(&mut body, &["metadata"]).insert("namespace".into(), target.namespace.clone().into());
    }
    let (mut body, unknown) = check(kind, body, None, query.fields())?;
    if kind == Kind::Pod {
        placed(&mut body);
    }
    let name = text(&body, &["metadata", "name"]);
    if name.is_empty() && text(&body, &["metadata", "generateName"]).is_empty() {
        return Err(Refusal::invalid(target.resource, "", "metadata.name", "Required value: name or generateName is required"));
    }
    let made = if query.dry_run()? {
        if context.store.get(kind, &target.namespace, name).is_some() {
            return Err(Refusal::already_exists(target.resource, name));
        }
        Arc::new(context.store.prepared(kind, body))
    } else {
        context.store.create(kind, body)?
    };
    Ok(warned(reply::json(201, &made), &unknown))
}

/// Replaces an object by the body.
pub(crate) fn replace(context: &Context, target: &Target, query: &Query, body: Value) -> Result<Reply, Refusal> {
    change(context, target, query, move |_| Ok(body))
}

/// Patches an object.
pub(crate) fn patch(context: &Context, target: &Target, query: &Query, content_type: &str, body: &Value) -> Result<Reply, Refusal> {
    let kind = Patch::of_content_type(content_type).ok_or_else(|| {
        let takes = "application/json-patch+json, application/merge-patch+json, application/strategic-merge-patch+json";
        Refusal::new(
            415,
            "UnsupportedMediaType",
            format!("the body of the request was in an unknown format - accepted media types include: {takes}"),
        )
    })?;
    change(context, target, query, |before| {
        apply(kind, before, body)
            .map_err(|why| Refusal::new(422, "Invalid", format!("the server rejected our request due to an error in our request: {why}")))
    })
}

fn change(
    context: &Context,
    target: &Target,
    query: &Query,
    work: impl FnOnce(&Value) -> Result<Value, Refusal>,
) -> Result<Reply, Refusal> {
    let kind = target.resource.kind;
    let mut unknown = Vec::new();
    let checked = |before: &Value| {
        let after = work(before)?;
        let name = text(&after, &["metadata", "name"]);
        if !name.is_empty() && name != target.name {
            return Err(Refusal::bad_request(format!(
                "the name of the object ({name}) does not match the name on the URL ({})",
                target.name
            )));
        }
        let (after, dropped) = check(kind, after, Some(before), query.fields())?;
        unknown = dropped;
        if kind == Kind::Pod {
            pod_rules(target, before, &after)?;
        }
        Ok(after)
    };
    let changed = if query.dry_run()? {
        context.store.dry(kind, &target.namespace, &target.name, checked)?
    } else {
        context.store.update(kind, &target.namespace, &target.name, checked)?
    };
    Ok(warned(reply::json(200, &changed), &unknown))
}

/// What of a pod may change: images and labels on the pod itself, resources through `resize`.
fn pod_rules(target: &Target, before: &Value, after: &Value) -> Result<(), Refusal> {
    let resizing = target.subresource == "resize";
    let masked = |pod: &Value| {
        let mut spec = pod["spec"].clone();
        for container in spec["containers"].as_array_mut().into_iter().flatten() {
            container[if resizing { "resources" } else { "image" }] = Value::Null;
            if let Some(map) = container.as_object_mut() {
                map.sort_keys();
            }
        }
        if !resizing {
            for free in ["activeDeadlineSeconds", "terminationGracePeriodSeconds", "tolerations"] {
                spec[free] = Value::Null;
            }
        }
        spec
    };
    if masked(before) != masked(after) {
        let why = if resizing {
            "Forbidden: only cpu and memory resources are mutable"
        } else {
            "Forbidden: pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,\
             `spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),\
             `spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"
        };
        return Err(Refusal::invalid(target.resource, &target.name, "spec", why));
    }
    Ok(())
}

/// Deletes an object; a pod is asked to end.
pub(crate) fn delete(context: &Context, target: &Target, query: &Query, options: &Value) -> Result<Reply, Refusal> {
    let object = find(context, target)?;
    preconditions(target, &object, options)?;
    // Options in the body take the place of those in the query, as in a real server: a dry-run in the query alone deletes.
    let in_body = options.as_object().is_some_and(|options| !options.is_empty());
    let dry = if in_body { options["dryRun"].as_array().is_some_and(|d| d.iter().any(|v| v == "All")) } else { query.dry_run()? };
    let in_query = || query.get("gracePeriodSeconds").parse().ok();
    let grace = if in_body { options["gracePeriodSeconds"].as_i64() } else { in_query() };
    if target.resource.kind == Kind::Pod {
        if dry {
            return Ok(reply::json(200, &object));
        }
        let marked = mark_deleted(&context.store, &target.namespace, &target.name, grace).unwrap_or(object);
        return Ok(reply::json(200, &marked));
    }
    if !dry {
        context.store.delete(target.resource.kind, &target.namespace, &target.name);
    }
    let details =
        json!({ "name": target.name, "kind": target.resource.plural, "group": target.resource.group, "uid": object["metadata"]["uid"] });
    Ok(reply::json(200, &json!({ "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details })))
}

/// `preconditions` of delete options.
pub(crate) fn preconditions(target: &Target, object: &Value, options: &Value) -> Result<(), Refusal> {
    let wanted = &options["preconditions"];
    let conflict = |what: &str, wanted: &Value, found: &Value| {
        let why = format!(
            "the {what} in the precondition ({}) does not match the {what} in record ({}). The object might have been deleted and then recreated",
            wanted.as_str().unwrap_or_default(),
            found.as_str().unwrap_or_default()
        );
        Refusal::because_conflict(target.resource, &target.name, &why)
    };
    for (what, key) in [("UID", "uid"), ("ResourceVersion", "resourceVersion")] {
        let found = &object["metadata"][key];
        if wanted[key].is_string() && wanted[key] != *found {
            return Err(conflict(what, &wanted[key], found));
        }
    }
    Ok(())
}
