//! All pods, kept up to date.
//!
//! List, then watch from there; a broken watch goes on from the last version, a 410 (normal after a restart of the API
//! server) lists again. Own loop instead of `kube::runtime::watcher`: that one says nothing when a broken watch goes on,
//! so a screen could not tell "still stale" from "fine and quiet", and it waits 295 s before it gives up a dead
//! connection. Protocol: <https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes>.

use std::collections::VecDeque;
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures::stream::{BoxStream, StreamExt};
use k8s_openapi::api::core::v1::Pod;
use kube::api::{ListParams, WatchEvent, WatchParams};
use kube::{Api, Client};

use super::backoff::Backoff;
use super::error::Error;
use super::facts::pod_facts;
use super::rule::Rule;
use super::session::Session;
use crate::base::{PodRef, Trouble};
use crate::pressure::PodFacts;

/// What a watch tells. After `Stale` everything known stays as it was, only older.
#[derive(Clone, Debug, PartialEq)]
pub enum PodNews {
    /// The full set; what is not in it is gone.
    All(Vec<PodFacts>),
    /// One pod is new or changed.
    One(Box<PodFacts>),
    /// One pod is gone.
    Gone(PodRef),
    /// The connection is lost; it is tried again for ever. Told again when the trouble changes.
    Stale {
        /// Since when nothing was heard.
        since: DateTime<Utc>,
        /// Why.
        trouble: Trouble,
    },
    /// The connection is back; what changed meanwhile follows.
    Back,
}

const LIST: Rule = Rule::new("", "pods", "list");
const WATCH: Rule = Rule::new("", "pods", "watch");
/// The server ends a watch after this; so silence longer than that is a dead connection.
const WATCH_FOR_S: u32 = 30;
const SILENCE: Duration = Duration::from_secs(WATCH_FOR_S as u64 + 5);
/// Page of a list, as client-go has it.
const PAGE: u32 = 500;

impl Session {
    /// Watches the pods that the options name, for ever. Nothing happens until the stream is polled.
    pub fn watch_pods(&self) -> BoxStream<'static, PodNews> {
        let watch = Watch {
            session: self.clone(),
            step: Step::List { from: None, found: Vec::new() },
            backoff: Backoff::new(),
            heard: self.now(),
            stale: None,
            outdated: None,
            ready: VecDeque::new(),
        };
        futures::stream::unfold(watch, |mut watch| async move { Some((watch.next().await, watch)) }).boxed()
    }
}

struct Watch {
    session: Session,
    step: Step,
    backoff: Backoff,
    /// When the server was heard last.
    heard: DateTime<Utc>,
    stale: Option<Trouble>,
    /// Waits between lists when each is too old at once: only the first 410 is followed by a list without a pause.
    outdated: Option<Backoff>,
    ready: VecDeque<PodNews>,
}

type Events = BoxStream<'static, Result<WatchEvent<Pod>, kube::Error>>;

enum Step {
    /// Pages of a list; the rows on the screen stay until it is whole.
    List { from: Option<String>, found: Vec<PodFacts> },
    /// Open a watch from this version.
    Open { version: String },
    /// Read it.
    Read { version: String, events: Events },
}

impl Watch {
    async fn next(&mut self) -> PodNews {
        loop {
            if let Some(news) = self.ready.pop_front() {
                return news;
            }
            // Whatever fails without saying how to go on begins again with a list.
            let step = std::mem::replace(&mut self.step, Step::List { from: None, found: Vec::new() });
            let done = match step {
                Step::List { from, found } => self.list(from, found).await,
                Step::Open { version } => self.open(version).await,
                Step::Read { version, events } => self.read(version, events).await,
            };
            if let Err(error) = done {
                self.failed(error);
                if let Some(news) = self.ready.pop_front() {
                    return news;
                }
                tokio::time::sleep(self.backoff.next()).await;
            }
        }
    }

    fn api(session: &Session, client: Client) -> Api<Pod> {
        if session.options().all_namespaces { Api::all(client) } else { Session::pods(client, &session.namespace()) }
    }

    fn place(&self) -> String {
        if self.session.options().all_namespaces { "all namespaces".to_owned() } else { format!("namespace {}", self.session.namespace()) }
    }

    async fn list(&mut self, from: Option<String>, mut found: Vec<PodFacts>) -> Result<(), Error> {
        let params = ListParams {
            label_selector: self.session.options().labels.clone(),
            limit: Some(PAGE),
            continue_token: from,
            ..ListParams::default()
        };
        let (session, params) = (&self.session, &params);
        let listed = session.call(&LIST, &self.place(), |client| async move { Self::api(session, client).list(params).await }).await;
        let page = match listed {
            // The list changed too much between two pages: begin again.
            Err(error) if gone(&error) && params.continue_token.is_some() => return self.relist().await,
            listed => listed?,
        };
        self.heard();
        found.extend(page.items.iter().map(|pod| pod_facts(pod, |at| self.session.local(at))));
        let version = page.metadata.resource_version.unwrap_or_default();
        self.step = match page.metadata.continue_.filter(|c| !c.is_empty()) {
            Some(more) => Step::List { from: Some(more), found },
            None => {
                self.ready.push_back(PodNews::All(found));
                Step::Open { version }
            }
        };
        Ok(())
    }

    async fn open(&mut self, version: String) -> Result<(), Error> {
        let params = WatchParams {
            label_selector: self.session.options().labels.clone(),
            timeout: Some(WATCH_FOR_S),
            bookmarks: true,
            ..WatchParams::default()
        };
        let (session, params, from) = (&self.session, &params, version.as_str());
        let opened = session
            .call(&WATCH, &self.place(), |client| async move { Ok(Self::api(session, client).watch(params, from).await?.boxed()) })
            .await;
        match opened {
            Ok(events) => {
                self.heard();
                self.step = Step::Read { version, events };
                Ok(())
            }
            Err(error) if gone(&error) => self.relist().await,
            Err(error) => {
                self.step = Step::Open { version };
                Err(error)
            }
        }
    }

    async fn read(&mut self, version: String, mut events: Events) -> Result<(), Error> {
        let event = match tokio::time::timeout(SILENCE, events.next()).await {
            Err(_) => {
                let error = Error::TimedOut { what: format!("{WATCH} {}", self.place()), after: SILENCE };
                self.step = Step::Open { version };
                return Err(error);
            }
            // The server ends each watch after its time: go on at once. A connection that was cut looks the same; then
            // opening it again fails.
            Ok(None) => {
                self.step = Step::Open { version };
                return Ok(());
            }
            Ok(Some(Err(error))) => {
                let error = Error::from_kube(error, &WATCH, &self.place(), &self.session.server());
                return self.broke(error, version).await;
            }
            Ok(Some(Ok(event))) => event,
        };
        self.heard();
        if !matches!(event, WatchEvent::Error(_)) {
            self.outdated = None;
        }
        let mut version = version;
        let facts = |pod: &Pod| pod_facts(pod, |at| self.session.local(at));
        match event {
            WatchEvent::Added(pod) | WatchEvent::Modified(pod) => {
                version = pod.metadata.resource_version.clone().unwrap_or(version);
                self.ready.push_back(PodNews::One(Box::new(facts(&pod))));
            }
            WatchEvent::Deleted(pod) => {
                version = pod.metadata.resource_version.clone().unwrap_or(version);
                self.ready.push_back(PodNews::Gone(facts(&pod).pod));
            }
            WatchEvent::Bookmark(mark) => version = mark.metadata.resource_version,
            WatchEvent::Error(status) => {
                let error = Error::from_kube(kube::Error::Api(status), &WATCH, &self.place(), &self.session.server());
                return self.broke(error, version).await;
            }
        }
        self.step = Step::Read { version, events };
        Ok(())
    }

    /// A watch that ended with `error` goes on from `version`; if that is too old, with a new list.
    async fn broke(&mut self, error: Error, version: String) -> Result<(), Error> {
        if gone(&error) {
            return self.relist().await;
        }
        self.step = Step::Open { version };
        Err(error)
    }

    /// Lists again: the version is too old, which is no trouble (normal after the API server was restarted). At once the
    /// first time, then with pauses.
    async fn relist(&mut self) -> Result<(), Error> {
        self.step = Step::List { from: None, found: Vec::new() };
        match &mut self.outdated {
            None => self.outdated = Some(Backoff::new()),
            Some(backoff) => tokio::time::sleep(backoff.next()).await,
        }
        Ok(())
    }

    fn heard(&mut self) {
        self.heard = self.session.now();
        self.backoff.reset();
        if self.stale.take().is_some() {
            self.ready.push_back(PodNews::Back);
        }
    }

    fn failed(&mut self, error: Error) {
        let trouble = Trouble::from(error);
        tracing::warn!(%trouble, "watch");
        if self.stale.as_ref() != Some(&trouble) {
            self.ready.push_back(PodNews::Stale { since: self.heard, trouble: trouble.clone() });
            self.stale = Some(trouble);
        }
    }
}

/// 410: the version is too old, or the list's continue token.
fn gone(error: &Error) -> bool {
    matches!(error, Error::Server { code: 410, .. })
}
