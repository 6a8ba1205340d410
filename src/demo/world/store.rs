//! All objects with their resource versions, and the log of changes that watches read (etcd and the watch cache in one).

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::SecondsFormat;
use serde_json::{Map, Value};
use tokio::sync::watch;

use super::refusal::Refusal;
use super::resource::Kind;

/// How many changes a watch may be behind before it gets 410 Gone.
const LOG: usize = 2000;

/// What happened to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    Added,
    Modified,
    Deleted,
}

/// One change.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    pub version: u64,
    pub kind: Kind,
    pub what: What,
    /// The object after the change (for Deleted: as it was last, with the version of its deletion).
    pub object: Arc<Value>,
    /// The object before.
    pub before: Option<Arc<Value>>,
}

type Key = (Kind, String, String);

#[derive(Debug)]
struct Inner {
    version: u64,
    /// Versions up to this one are compacted.
    compacted: u64,
    objects: BTreeMap<Key, Arc<Value>>,
    log: VecDeque<Change>,
    random: u64,
}

/// The world's objects.
#[derive(Debug)]
pub(crate) struct Store {
    inner: Mutex<Inner>,
    changed: watch::Sender<u64>,
}

/// The text at a path of object keys; empty when it is not there.
pub(crate) fn text<'a>(value: &'a Value, path: &[&str]) -> &'a str {
    path.iter().try_fold(value, |v, key| v.get(key)).and_then(Value::as_str).unwrap_or("")
}

/// Now, as Kubernetes writes times.
pub(crate) fn now() -> String {
    crate::demo::clock::now().to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// The object at `path`, made where it is missing.
pub(crate) fn object_at<'a>(value: &'a mut Value, path: &[&str]) -> &'a mut Map<String, Value> {
    let mut at = value;
    for key in path {
        if !at.is_object() {
            *at = Value::Object(Map::new());
        }
        at = &mut at[*key];
    }
    if !at.is_object() {
        *at = Value::Object(Map::new());
    }
    at.as_object_mut().expect("made an object above")
}

impl Store {
    /// An empty world whose names and uids come from `seed`.
    pub fn new(seed: u64) -> Self {
        let inner = Inner { version: 1000, compacted: 1000, objects: BTreeMap::new(), log: VecDeque::new(), random: seed };
        Self { inner: Mutex::new(inner), changed: watch::channel(1000).0 }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells when something changed.
    pub fn subscribe(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// The newest resource version.
    pub fn version(&self) -> u64 {
        self.lock().version
    }

    /// Splitmix64: reproducible, which is all that names and uids need here.
    pub fn random(&self) -> u64 {
        let mut inner = self.lock();
        inner.random = inner.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = inner.random;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A new uid in the shape of a random UUID.
    pub fn uid(&self) -> String {
        let (a, b) = (self.random(), self.random());
        format!("{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}", a >> 32, a >> 16 & 0xffff, a & 0xfff, b >> 52, b & 0xffff_ffff_ffff)
    }

    /// Five characters as `generateName` adds them (`k8s.io/apimachinery/pkg/util/rand`).
    pub fn suffix(&self, length: usize) -> String {
        const ALPHABET: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
        let mut n = self.random();
        (0..length)
            .map(|_| {
                let c = ALPHABET[(n % ALPHABET.len() as u64) as usize];
                n /= ALPHABET.len() as u64;
                char::from(c)
            })
            .collect()
    }

    /// One object.
    pub fn get(&self, kind: Kind, namespace: &str, name: &str) -> Option<Arc<Value>> {
        self.lock().objects.get(&(kind, namespace.to_string(), name.to_string())).cloned()
    }

    /// Every object of a kind (of one namespace, unless that is empty) in the order of their names, and the version of the list.
    pub fn list(&self, kind: Kind, namespace: &str) -> (u64, Vec<Arc<Value>>) {
        let inner = self.lock();
        let of = inner.objects.iter().filter(|((k, ns, _), _)| *k == kind && (namespace.is_empty() || ns == namespace));
        (inner.version, of.map(|(_, object)| object.clone()).collect())
    }

    fn commit(&self, mut inner: MutexGuard<'_, Inner>, key: Key, what: What, mut object: Value) -> Arc<Value> {
        inner.version += 1;
        let version = inner.version;
        object_at(&mut object, &["metadata"]).insert("resourceVersion".into(), version.to_string().into());
        let object = Arc::new(object);
        let kind = key.0;
        let before = if what == What::Deleted { inner.objects.remove(&key) } else { inner.objects.insert(key, object.clone()) };
        inner.log.push_back(Change { version, kind, what, object: object.clone(), before });
        if inner.log.len() > LOG
            && let Some(oldest) = inner.log.pop_front()
        {
            inner.compacted = oldest.version;
        }
        drop(inner);
        self.changed.send_replace(version);
        object
    }

    /// What the object would be once created: identity filled in.
    pub fn prepared(&self, kind: Kind, mut object: Value) -> Value {
        let resource = kind.resource();
        let uid = self.uid();
        let generated = format!("{}{}", text(&object, &["metadata", "generateName"]), self.suffix(5));
        object["apiVersion"] = resource.api_version().into();
        object["kind"] = resource.name.into();
        let has_spec = object.get("spec").is_some();
        let meta = object_at(&mut object, &["metadata"]);
        if !meta.contains_key("name") {
            meta.insert("name".into(), generated.into());
        }
        if !meta.contains_key("uid") {
            meta.insert("uid".into(), uid.into());
        }
        if !meta.contains_key("creationTimestamp") {
            meta.insert("creationTimestamp".into(), now().into());
        }
        if has_spec && !meta.contains_key("generation") {
            meta.insert("generation".into(), 1.into());
        }
        meta.remove("resourceVersion");
        object
    }

    /// Creates an object; refused when the name is taken.
    pub fn create(&self, kind: Kind, object: Value) -> Result<Arc<Value>, Refusal> {
        let object = self.prepared(kind, object);
        let key = (kind, text(&object, &["metadata", "namespace"]).to_string(), text(&object, &["metadata", "name"]).to_string());
        let inner = self.lock();
        if inner.objects.contains_key(&key) {
            return Err(Refusal::already_exists(kind.resource(), &key.2));
        }
        Ok(self.commit(inner, key, What::Added, object))
    }

    /// What `change` makes of the object, without keeping it: same version, `generation` moved when the spec changed.
    pub fn dry(
        &self,
        kind: Kind,
        namespace: &str,
        name: &str,
        change: impl FnOnce(&Value) -> Result<Value, Refusal>,
    ) -> Result<Arc<Value>, Refusal> {
        let before = self.get(kind, namespace, name).ok_or_else(|| Refusal::not_found(kind.resource(), name))?;
        Ok(Arc::new(settled(kind, &before, change(&before)?, name)?))
    }

    /// Changes an object in one step. A stale `metadata.resourceVersion` in what `change` returns is a conflict.
    pub fn update(
        &self,
        kind: Kind,
        namespace: &str,
        name: &str,
        change: impl FnOnce(&Value) -> Result<Value, Refusal>,
    ) -> Result<Arc<Value>, Refusal> {
        let key = (kind, namespace.to_string(), name.to_string());
        let inner = self.lock();
        let before = inner.objects.get(&key).cloned().ok_or_else(|| Refusal::not_found(kind.resource(), name))?;
        let after = settled(kind, &before, change(&before)?, name)?;
        if after == *before {
            return Ok(before);
        }
        Ok(self.commit(inner, key, What::Modified, after))
    }

    /// Changes an object in place; does nothing when it is gone or nothing changed. For controllers and the kubelet.
    pub fn touch(&self, kind: Kind, namespace: &str, name: &str, change: impl FnOnce(&mut Value)) -> Option<Arc<Value>> {
        self.update(kind, namespace, name, |before| {
            let mut after = before.clone();
            change(&mut after);
            Ok(after)
        })
        .ok()
    }

    /// Removes an object at once.
    pub fn delete(&self, kind: Kind, namespace: &str, name: &str) -> Option<Arc<Value>> {
        let key = (kind, namespace.to_string(), name.to_string());
        let inner = self.lock();
        let before = inner.objects.get(&key).cloned()?;
        Some(self.commit(inner, key, What::Deleted, (*before).clone()))
    }

    /// The changes after `version`, oldest first; refused when they are no longer kept.
    pub fn since(&self, version: u64) -> Result<Vec<Change>, Refusal> {
        let inner = self.lock();
        if version < inner.compacted {
            return Err(Refusal::gone(format!("too old resource version: {version} ({})", inner.compacted)));
        }
        Ok(inner.log.iter().filter(|c| c.version > version).cloned().collect())
    }

    /// Forgets the log of changes, as etcd's compaction does: older watches get 410.
    pub fn compact(&self) {
        let mut inner = self.lock();
        inner.version += 1;
        inner.compacted = inner.version;
        inner.log.clear();
        let version = inner.version;
        drop(inner);
        self.changed.send_replace(version);
    }
}

/// Checks the resource version and keeps what a writer may not change.
fn settled(kind: Kind, before: &Value, mut after: Value, name: &str) -> Result<Value, Refusal> {
    let (old, new) = (&before["metadata"]["resourceVersion"], &after["metadata"]["resourceVersion"]);
    if new.as_str().is_some_and(|v| !v.is_empty()) && old != new {
        return Err(Refusal::conflict(kind.resource(), name));
    }
    let spec_changed = before.get("spec") != after.get("spec");
    let meta = object_at(&mut after, &["metadata"]);
    for fixed in ["uid", "creationTimestamp", "name", "namespace", "resourceVersion", "generation", "deletionTimestamp"] {
        if fixed == "deletionTimestamp" && before["metadata"].get(fixed).is_none() {
            continue;
        }
        match before["metadata"].get(fixed) {
            Some(value) => meta.insert(fixed.into(), value.clone()),
            None => meta.remove(fixed),
        };
    }
    if spec_changed && let Some(generation) = before["metadata"]["generation"].as_i64() {
        meta.insert("generation".into(), (generation + 1).into());
    }
    after["apiVersion"] = before["apiVersion"].clone();
    after["kind"] = before["kind"].clone();
    Ok(after)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn pod(name: &str) -> Value {
        json!({ "metadata": { "namespace": "shop", "name": name }, "spec": {} })
    }

    #[test]
    fn a_stale_writer_is_refused_and_a_watch_sees_each_change_once() {
        let store = Store::new(1);
        let start = store.version();
        let made = store.create(Kind::Pod, pod("a")).unwrap();
        assert_eq!(store.create(Kind::Pod, pod("a")).unwrap_err().reason, "AlreadyExists");
        store.touch(Kind::Pod, "shop", "a", |p| p["spec"]["x"] = 1.into()).unwrap();
        let stale = store.update(Kind::Pod, "shop", "a", |_| Ok((*made).clone())).unwrap_err();
        assert_eq!((stale.code, stale.reason), (409, "Conflict"));
        store.delete(Kind::Pod, "shop", "a");
        let seen: Vec<What> = store.since(start).unwrap().iter().map(|c| c.what).collect();
        assert_eq!(seen, [What::Added, What::Modified, What::Deleted]);
    }

    #[test]
    fn what_was_compacted_is_gone() {
        let store = Store::new(1);
        let start = store.version();
        store.create(Kind::Pod, pod("a")).unwrap();
        store.compact();
        assert_eq!(store.since(start).unwrap_err().code, 410);
        assert!(store.since(store.version()).unwrap().is_empty());
    }

    #[test]
    fn a_change_of_the_spec_moves_the_generation_and_nothing_else_does() {
        let store = Store::new(1);
        store.create(Kind::Pod, pod("a")).unwrap();
        let labelled = store.touch(Kind::Pod, "shop", "a", |p| p["metadata"]["labels"] = json!({"a": "b"})).unwrap();
        assert_eq!(labelled["metadata"]["generation"], 1);
        let changed = store.dry(Kind::Pod, "shop", "a", |p| {
            let mut p = p.clone();
            p["spec"]["x"] = 1.into();
            Ok(p)
        });
        let changed = changed.unwrap();
        assert_eq!(changed["metadata"]["generation"], 2);
        assert_eq!(changed["metadata"]["resourceVersion"], labelled["metadata"]["resourceVersion"]);
    }
}
