//! `cutoff capture --resize`: a memory limit that is raised in place for a capture, and put back after it.

use std::time::Duration;

use anyhow::Result;
use tokio_util::sync::CancellationToken;

use super::acts::{Consent, ask, perform};
use super::home::{Home, say};
use super::{Context, Exit};
use crate::base::{ContainerRef, Trouble, TroubleKind};
use crate::capture::{self, Depth, Place as _, SessionPlace};
use crate::cluster::Session;
use crate::incident::{ActRequest, ActTarget, Kind, Seq};
use crate::preflight::{Assessment, RemedyKind};

/// What could not be put back is tried again after this.
const AGAIN: Duration = Duration::from_secs(5);

/// A limit that was raised.
pub struct Raised {
    /// The method that it was raised for.
    pub method: String,
    container: ContainerRef,
    from: String,
    to: String,
    settle: ActRequest,
    intent: Option<Seq>,
}

/// Raises the limit, if the capture needs it and a resize can make it safe; asked by name, or by `--yes`.
///
/// # Errors
/// The survey's or the act's; Refused when it was not accepted.
pub async fn raise(
    context: &Context,
    home: &mut Home,
    session: &Session,
    place: &SessionPlace,
    method: Option<&str>,
    consent: Consent<'_>,
) -> Result<Option<Raised>> {
    let survey = capture::survey(place, None, (None, None), Depth::Inspector).await.map_err(Trouble::from)?;
    let room = home.store.room();
    let wanted = match method {
        Some(name) => vec![survey.assess_by(name, room)],
        None => survey.assess(room),
    };
    let Some((method, to)) = wished(&wanted) else {
        say(&match wanted.first() {
            Some(best) if best.risk.wants_yes() => format!("a resize would not help: {}", best.headline()),
            _ => "no resize is needed".to_owned(),
        });
        return Ok(None);
    };
    let container = place.container().clone();
    let target = ActTarget { kind: "pod".to_owned(), namespace: container.pod.namespace.clone(), name: container.pod.name.clone() };
    let memory = format!("{}Mi", to.0.div_ceil(1 << 20));
    let args = [("container", container.name.clone()), ("memory", memory.clone()), ("for", "capture".to_owned())];
    let request = ActRequest { act: "resize".to_owned(), target, args: args.map(|(k, v)| (k.to_owned(), v)).into() };
    let preview = session.preview(&request).await.map_err(Trouble::from)?;
    ask(&preview, consent)?;
    let (receipt, intent) = perform(context, home, session, &preview).await?;
    say(receipt.summary.as_str());
    let left = receipt.leaves.ok_or_else(|| Trouble::new(TroubleKind::Failed, "the resize left nothing to put back", "", ""))?;
    let from = left.settle.args.get("memory").cloned().unwrap_or_default();
    Ok(Some(Raised { method, container, from, to: memory, settle: left.settle, intent }))
}

/// The first snapshot that a resize makes safe, where none is safe without.
fn wished(wanted: &[Assessment]) -> Option<(String, crate::base::Bytes)> {
    let snapshot = |a: &&Assessment| capture::find(&a.method).is_some_and(|m| m.spec().extension == "heapsnapshot" && !m.spec().waits);
    let mut snapshots = wanted.iter().filter(snapshot);
    if snapshots.clone().any(|a| a.risk.may_start() && !a.risk.wants_yes()) {
        return None;
    }
    snapshots.find_map(|a| {
        a.remedies.iter().find_map(|remedy| match remedy.kind {
            RemedyKind::Resize { to, .. } => Some((a.method.clone(), to)),
            _ => None,
        })
    })
}

/// What became of the limit.
pub struct Back {
    /// It is as it was, by the kubelet's status; or its pod is gone.
    done: bool,
    why: String,
}

impl Back {
    /// The exit code, when the capture ended with `exit`: a limit that is still raised is no success.
    pub fn exit(&self, exit: Exit) -> Exit {
        if self.done || exit != Exit::Ok { exit } else { Exit::TimedOut }
    }
}

impl Raised {
    /// Puts the limit back. The kubelet does not lower it below what is in use: then it is tried again, for `patience`.
    ///
    /// # Errors
    /// When the journal cannot be written.
    pub async fn put_back(
        &self,
        context: &Context,
        home: &mut Home,
        session: &Session,
        place: &SessionPlace,
        patience: Duration,
        stop: &CancellationToken,
    ) -> Result<Back> {
        let began = tokio::time::Instant::now();
        let mut said = String::new();
        loop {
            let why = match self.once(context, home, session, place).await? {
                Ok(summary) => {
                    say(&summary);
                    return Ok(Back { done: true, why: summary });
                }
                Err(trouble) if trouble.kind == TroubleKind::NotFound => {
                    if let Some(act) = self.intent {
                        home.record(context, Kind::LeftoverGone { act, why: "the pod is gone".into() })?;
                    }
                    say("the pod is gone, and the raised limit with it");
                    return Ok(Back { done: true, why: "the pod is gone".to_owned() });
                }
                Err(trouble) => trouble.to_string(),
            };
            if why != said {
                say(&format!("the limit is not put back yet: {why}"));
                said.clone_from(&why);
            }
            if began.elapsed() >= patience || stop.is_cancelled() {
                let target = &self.settle.target;
                say(&format!(
                    "the limit of {} is still {}; later: cutoff act resize {}/pod/{} container={} memory={} --yes",
                    self.container, self.to, target.namespace, target.name, self.container.name, self.from
                ));
                return Ok(Back { done: false, why });
            }
            tokio::select! {
                () = tokio::time::sleep(AGAIN) => {}
                () = stop.cancelled() => {}
            }
        }
    }

    /// One try; the inner error is the cluster's word.
    async fn once(
        &self,
        context: &Context,
        home: &mut Home,
        session: &Session,
        place: &SessionPlace,
    ) -> Result<std::result::Result<String, Trouble>> {
        let mut request = self.settle.clone();
        // What is in use is asked in the container itself: a metrics server may be absent, or half a minute behind.
        match capture::survey(place, None, (None, None), Depth::Probe).await {
            Ok(survey) => {
                let used = survey.facts.cgroup.as_ref().map(crate::node::Cgroup::working_set);
                request.args.extend(used.map(|used| ("in_use".to_owned(), used.0.to_string())));
            }
            Err(error) => {
                let trouble = Trouble::from(error);
                if trouble.kind == TroubleKind::NotFound {
                    return Ok(Err(trouble));
                }
            }
        }
        let preview = match session.preview(&request).await {
            Ok(preview) => preview,
            Err(error) => return Ok(Err(error.into())),
        };
        match perform(context, home, session, &preview).await {
            Ok((receipt, _)) => Ok(Ok(receipt.summary.to_string())),
            Err(error) => match error.downcast::<Trouble>() {
                Ok(trouble) => Ok(Err(trouble)),
                Err(error) => Err(error),
            },
        }
    }

    /// What happened, for programs.
    pub fn json(&self, back: &Back) -> serde_json::Value {
        serde_json::json!({
            "schema": "cutoff.resize/1",
            "pod": self.container.pod.name,
            "namespace": self.container.pod.namespace,
            "container": self.container.name,
            "from": self.from,
            "to": self.to,
            "put_back": back.done,
            "why": back.why,
        })
    }
}
