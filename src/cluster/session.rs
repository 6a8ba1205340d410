//! One connection to one cluster: every call goes through here, with a deadline, and with new credentials when the old
//! ones have run out.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use http::Request;
use http_body_util::BodyExt as _;
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::jiff::Timestamp;
use kube::core::Status;
use kube::{Api, Client};
use serde_json::Value;

use super::connect::{Connected, connect};
use super::error::Error;
use super::facts::pod_facts;
use super::options::Options;
use super::rule::Rule;
use crate::base::{Clock, Masked, PodRef};
use crate::pressure::PodFacts;

/// New credentials are asked for at most this often; in between, a 401 is told as it is.
const RENEW_EVERY: Duration = Duration::from_secs(5);
/// A `Date` header has whole seconds: less than this is no skew.
const SKEW_FROM: TimeDelta = TimeDelta::seconds(2);

/// A connection to a cluster. Cheap to clone; all clones share the credentials.
#[derive(Clone)]
pub struct Session {
    inner: Arc<Inner>,
}

struct Inner {
    options: Options,
    clock: Arc<dyn Clock>,
    connected: Mutex<Connected>,
    /// When credentials were renewed last; also keeps two calls from renewing at the same time.
    renewed: tokio::sync::Mutex<Option<tokio::time::Instant>>,
    /// Server's clock minus ours.
    skew: Mutex<TimeDelta>,
    version: Mutex<String>,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").field("context", &self.context()).field("namespace", &self.namespace()).finish_non_exhaustive()
    }
}

impl Session {
    /// Connects as `options` say and asks the server for its version, which proves address, TLS and credentials.
    /// `clock` gives incident time, against which the server's clock is measured. Run it before raw mode.
    ///
    /// # Errors
    /// [`Error::Config`], [`Error::Plugin`], [`Error::Expired`], [`Error::Unreachable`], [`Error::TimedOut`].
    pub async fn connect(options: Options, clock: Arc<dyn Clock>) -> Result<Self, Error> {
        let connected = connect(&options).await?;
        let session = Self {
            inner: Arc::new(Inner {
                options,
                clock,
                connected: Mutex::new(connected),
                renewed: tokio::sync::Mutex::new(None),
                skew: Mutex::new(TimeDelta::zero()),
                version: Mutex::new(String::new()),
            }),
        };
        session.greet().await?;
        Ok(session)
    }

    /// Asks for the version.
    async fn greet(&self) -> Result<(), Error> {
        const VERSION: Rule = Rule::new("", "version", "get");
        match self.get_json(&VERSION, "", "/version").await {
            Ok(info) => {
                let version = info["gitVersion"].as_str().unwrap_or_default();
                version.clone_into(&mut self.inner.version.lock().unwrap_or_else(PoisonError::into_inner));
                Ok(())
            }
            // A hardened server hides its version; that it refused us by name proves the rest.
            Err(Error::Denied { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Makes a call and reads the server's clock off the answer.
    async fn raw(&self, client: &Client, request: Request<kube::client::Body>) -> Result<Value, kube::Error> {
        let before = self.now();
        let answer = client.send(request).await?;
        let after = self.now();
        let code = answer.status().as_u16();
        let date = answer.headers().get(http::header::DATE).and_then(|d| d.to_str().ok());
        if let Some(date) = date.and_then(|d| DateTime::parse_from_rfc2822(d).ok()) {
            self.compare_clocks(date.to_utc(), before, after);
        }
        let body = answer.into_body().collect().await?.to_bytes();
        if code >= 400 {
            return Err(kube::Error::Api(Box::new(refusal(code, &body))));
        }
        serde_json::from_slice(&body).map_err(kube::Error::SerdeError)
    }

    fn compare_clocks(&self, date: DateTime<Utc>, before: DateTime<Utc>, after: DateTime<Utc>) {
        let measured = skew(date, before, after);
        let mut known = self.inner.skew.lock().unwrap_or_else(PoisonError::into_inner);
        // Within the header's precision nothing has changed; moving with it would shake every time on the screen.
        if (measured - *known).abs() >= SKEW_FROM {
            *known = measured;
        }
    }

    /// Name of the context.
    pub fn context(&self) -> String {
        self.connected().context
    }

    /// Namespace that is worked in.
    pub fn namespace(&self) -> String {
        self.connected().namespace
    }

    /// URL of the API server, without credentials.
    pub fn server(&self) -> String {
        self.connected().server
    }

    /// The server's version (`v1.35.4`); empty when it hides it.
    pub fn version(&self) -> String {
        self.inner.version.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The options it was connected with.
    pub fn options(&self) -> &Options {
        &self.inner.options
    }

    /// How far the server's clock is ahead of ours; zero within two seconds. Times that this room hands out are
    /// corrected by it.
    pub fn skew(&self) -> TimeDelta {
        *self.inner.skew.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads kubeconfig and credentials again (a person logged in again). Clones of the session follow.
    ///
    /// # Errors
    /// As [`Session::connect`].
    pub async fn renew(&self) -> Result<(), Error> {
        let mut renewed = self.inner.renewed.lock().await;
        *renewed = Some(tokio::time::Instant::now());
        self.replace(connect(&self.inner.options).await?);
        Ok(())
    }

    /// After a 401: renews, unless somebody did so a moment ago. Says whether it is worth trying again.
    pub(super) async fn renew_after_refusal(&self, refused: u64) -> Result<bool, Error> {
        let mut renewed = self.inner.renewed.lock().await;
        if renewed.is_some_and(|at| at.elapsed() < RENEW_EVERY) {
            // Another call was refused with the same credentials and has renewed them already: try those.
            return Ok(refused != self.connected().generation);
        }
        *renewed = Some(tokio::time::Instant::now());
        self.replace(connect(&self.inner.options).await?);
        Ok(true)
    }

    fn replace(&self, connected: Connected) {
        let mut old = self.inner.connected.lock().unwrap_or_else(PoisonError::into_inner);
        *old = Connected { generation: old.generation + 1, ..connected };
    }

    pub(super) fn connected(&self) -> Connected {
        self.inner.connected.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Incident time, as the session's clock gives it.
    pub fn now(&self) -> DateTime<Utc> {
        self.inner.clock.now().wall
    }

    /// A time of the server, corrected by the skew.
    pub(super) fn local(&self, at: Timestamp) -> DateTime<Utc> {
        let nanos = u32::try_from(at.subsec_nanosecond().max(0)).unwrap_or(0);
        let server = DateTime::from_timestamp(at.as_second(), nanos).unwrap_or(DateTime::<Utc>::UNIX_EPOCH);
        server.checked_sub_signed(self.skew()).unwrap_or(server)
    }

    /// The pods of `namespace`.
    pub(super) fn pods(client: Client, namespace: &str) -> Api<Pod> {
        Api::namespaced(client, namespace)
    }

    /// Makes one call with the deadline of calls; after a 401 once more with new credentials (a refused call was not
    /// executed, so this is safe for changes too).
    pub(super) async fn call<T, F>(&self, rule: &Rule, place: &str, make: impl Fn(Client) -> F) -> Result<T, Error>
    where
        F: Future<Output = Result<T, kube::Error>>,
    {
        self.call_within(self.inner.options.deadlines.call(), rule, place, make).await
    }

    /// As [`Session::call`] with a deadline of its own.
    pub(super) async fn call_within<T, F>(&self, after: Duration, rule: &Rule, place: &str, make: impl Fn(Client) -> F) -> Result<T, Error>
    where
        F: Future<Output = Result<T, kube::Error>>,
    {
        let mut again = true;
        loop {
            let Connected { client, server, generation, .. } = self.connected();
            let error = match tokio::time::timeout(after, make(client)).await {
                Ok(Ok(answer)) => return Ok(answer),
                Ok(Err(error)) => Error::from_kube(error, rule, place, &server),
                Err(_) => return Err(Error::TimedOut { what: format!("{rule} {place}").trim_end().to_owned(), after }),
            };
            if !(error.is_expired() && again) {
                return Err(error);
            }
            again = false;
            match self.renew_after_refusal(generation).await {
                Ok(true) => {}
                Ok(false) => return Err(error),
                Err(Error::Plugin { hint }) => return Err(Error::Expired { hint }),
                Err(other) => return Err(other),
            }
        }
    }

    /// GET of a path as JSON.
    pub(super) async fn get_json(&self, rule: &Rule, place: &str, path: &str) -> Result<Value, Error> {
        self.call(rule, place, |client| {
            let request = Request::get(path).header(http::header::ACCEPT, "application/json").body(kube::client::Body::empty());
            async move { self.raw(&client, request.map_err(kube::Error::HttpError)?).await }
        })
        .await
    }

    /// A call with a JSON body (`PATCH` with its content type, `POST`) and a JSON answer.
    pub(super) async fn send_json(&self, rule: &Rule, place: &str, call: &JsonCall<'_>) -> Result<Value, Error> {
        self.call(rule, place, |client| {
            let request = Request::builder()
                .method(call.method)
                .uri(call.path.as_ref())
                .header(http::header::CONTENT_TYPE, call.content_type)
                .header(http::header::ACCEPT, "application/json")
                .body(serde_json::to_vec(call.body).unwrap_or_default().into());
            async move { self.raw(&client, request.map_err(kube::Error::HttpError)?).await }
        })
        .await
    }

    /// What is known of `pod` now.
    ///
    /// # Errors
    /// [`Error::NotFound`] when it is gone, else as any call.
    pub async fn pod(&self, pod: &PodRef) -> Result<PodFacts, Error> {
        const GET: Rule = Rule::new("", "pods", "get");
        let found =
            self.call(&GET, &pod.to_string(), |client| async move { Self::pods(client, &pod.namespace).get(&pod.name).await }).await?;
        Ok(pod_facts(&found, |at| self.local(at)))
    }

    /// Refuses when the session is read-only.
    pub(super) fn may_change(&self) -> Result<(), Error> {
        if self.inner.options.read_only {
            return Err(Error::Refused {
                why: Masked::own("this session is read-only"),
                instead: "start without --read-only to change the cluster",
            });
        }
        Ok(())
    }
}

/// A call with a JSON body.
pub(super) struct JsonCall<'a> {
    pub method: &'static str,
    pub path: std::borrow::Cow<'a, str>,
    pub content_type: &'static str,
    pub body: &'a Value,
}

/// The `Status` in the body of a refused call. An aggregated API that is ill answers in plain text.
fn refusal(code: u16, body: &[u8]) -> Status {
    match serde_json::from_slice::<Status>(body) {
        Ok(status) => Status { code, ..status },
        Err(_) => Status { code, message: String::from_utf8_lossy(body).into_owned(), ..Status::default() },
    }
}

/// Server's clock minus ours, from a `Date` that was written between `before` and `after`; zero when it is within the
/// precision of the header.
fn skew(date: DateTime<Utc>, before: DateTime<Utc>, after: DateTime<Utc>) -> TimeDelta {
    let middle = before + (after - before) / 2;
    // The header cuts the fraction of the second: on average half of one.
    let skew = date + TimeDelta::milliseconds(500) - middle;
    if skew.abs() < SKEW_FROM + (after - before) / 2 { TimeDelta::zero() } else { skew }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_within_the_headers_precision_is_right() {
        let t = DateTime::<Utc>::UNIX_EPOCH + TimeDelta::days(9000);
        assert_eq!(skew(t, t, t + TimeDelta::milliseconds(40)), TimeDelta::zero());
        assert_eq!(skew(t + TimeDelta::seconds(301), t, t), TimeDelta::milliseconds(301_500));
        assert_eq!(skew(t + TimeDelta::seconds(4), t, t + TimeDelta::seconds(8)), TimeDelta::zero(), "a slow answer proves nothing");
    }
}
