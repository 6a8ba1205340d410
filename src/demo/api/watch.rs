//! Watches: changes as JSON lines, bookmarks, the initial events of a streaming list, 410 Gone.

use std::sync::Arc;
use std::time::Duration;

use futures::stream;
use hyper::body::Bytes;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::context::Context;
use super::present::Form;
use super::reply::{self, Reply};
use super::request::{Query, Target};
use crate::demo::faults::Fault;
use crate::demo::world::{Change, Refusal, Selector, What};

/// A quiet watch gets a bookmark this often. A real server does so about once a minute.
const BOOKMARK: Duration = Duration::from_secs(15);

struct Watch {
    context: Arc<Context>,
    target: Target,
    selector: Selector,
    form: Form,
    bookmarks: bool,
    into: mpsc::Sender<Bytes>,
}

/// Starts a watch.
pub(crate) fn watch(context: &Arc<Context>, target: &Target, query: &Query, form: Form) -> Result<Reply, Refusal> {
    let selector = Selector::parse(query.get("labelSelector"), query.get("fieldSelector"))?;
    let from: u64 = match query.get("resourceVersion") {
        "" => 0,
        text => text.parse().map_err(|_| Refusal::bad_request(format!("Invalid value: \"{text}\": strconv.ParseUint: invalid syntax")))?,
    };
    let initial = query.is("sendInitialEvents");
    if initial && query.get("resourceVersionMatch") != "NotOlderThan" {
        let why = "sendInitialEvents: Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan";
        return Err(Refusal::new(422, "Invalid", format!("ListOptions.meta.k8s.io \"\" is invalid: {why}")));
    }
    let (into, pieces) = mpsc::channel(64);
    let bookmarks = query.is("allowWatchBookmarks");
    let watch = Watch { context: context.clone(), target: target.clone(), selector, form, bookmarks, into };
    let timeout = query.number("timeoutSeconds").map_or(Duration::from_secs(1800), Duration::from_secs);
    let silent = context.faults.clone();
    tokio::spawn(async move {
        let _ = tokio::time::timeout(timeout, watch.run(from, initial)).await;
        if silent.is(Fault::Silent) {
            std::future::pending::<()>().await;
        }
    });
    let pieces = stream::unfold(pieces, |mut pieces| async { pieces.recv().await.map(|piece| (piece, pieces)) });
    Ok(reply::stream("application/json", pieces))
}

impl Watch {
    async fn run(self, from: u64, initial: bool) -> Option<()> {
        let mut changed = self.context.store.subscribe();
        changed.mark_unchanged();
        let mut at = from;
        // Version 0 or none, and streaming lists, begin with what there is.
        if initial || from == 0 {
            let (version, objects) = self.context.store.list(self.target.resource.kind, &self.target.namespace);
            for object in objects.iter().filter(|o| self.selector.matches(o)) {
                self.send("ADDED", object).await?;
            }
            at = version;
            if initial {
                self.bookmark(version, true).await?;
            }
        }
        loop {
            if self.context.faults.is(Fault::WatchGone) {
                return self.gone(&Refusal::gone(format!("too old resource version: {at} ({})", self.context.store.version()))).await;
            }
            match self.context.store.since(at) {
                Ok(changes) => {
                    for change in changes {
                        at = change.version;
                        self.tell(&change).await?;
                    }
                }
                Err(refusal) => return self.gone(&refusal).await,
            }
            match tokio::time::timeout(BOOKMARK, changed.changed()).await {
                Ok(Ok(())) => {}
                Ok(Err(_)) => return None,
                Err(_) => {
                    if self.bookmarks {
                        self.bookmark(at, false).await?;
                    }
                }
            }
            while self.context.faults.is(Fault::Silent) {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }

    /// An object that comes into or leaves the selection is added or deleted for this watch.
    async fn tell(&self, change: &Change) -> Option<()> {
        let in_namespace = self.target.namespace.is_empty() || change.object["metadata"]["namespace"] == self.target.namespace.as_str();
        if change.kind != self.target.resource.kind || !in_namespace {
            return Some(());
        }
        let now = change.what != What::Deleted && self.selector.matches(&change.object);
        let before = change.before.as_ref().is_some_and(|b| self.selector.matches(b));
        match (before, now) {
            (false, true) => self.send("ADDED", &change.object).await,
            (true, true) => self.send("MODIFIED", &change.object).await,
            (true, false) => self.send("DELETED", &change.object).await,
            (false, false) => Some(()),
        }
    }

    async fn send(&self, kind: &str, object: &Value) -> Option<()> {
        self.line(&json!({ "type": kind, "object": self.form.one(self.target.resource, object) })).await
    }

    async fn line(&self, event: &Value) -> Option<()> {
        self.into.send(Bytes::from(format!("{event}\n"))).await.ok()
    }

    async fn bookmark(&self, version: u64, initial_end: bool) -> Option<()> {
        let resource = self.target.resource;
        let mut meta = json!({ "resourceVersion": version.to_string(), "creationTimestamp": null });
        if initial_end {
            meta["annotations"] = json!({ "k8s.io/initial-events-end": "true" });
        }
        let object = match self.form {
            Form::Metadata => json!({ "kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": meta }),
            _ => json!({ "kind": resource.name, "apiVersion": resource.api_version(), "metadata": meta }),
        };
        // A bookmark of a pod is a pod without content.
        let mut object = object;
        if self.form == Form::Whole && matches!(resource.name, "Pod" | "Deployment" | "ReplicaSet" | "StatefulSet" | "DaemonSet") {
            object["spec"] = match resource.name {
                "Pod" => json!({ "containers": null }),
                _ => json!({ "selector": null, "template": { "metadata": { "creationTimestamp": null }, "spec": { "containers": null } } }),
            };
        }
        self.line(&json!({ "type": "BOOKMARK", "object": object })).await
    }

    async fn gone(&self, refusal: &Refusal) -> Option<()> {
        self.line(&json!({ "type": "ERROR", "object": refusal.status() })).await
    }
}
