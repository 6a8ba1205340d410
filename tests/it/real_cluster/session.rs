//! The library on the real cluster, where no verb leads.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use cutoff::base::{ContainerRef, PodRef, ScaledClock};
use cutoff::capture::{Captured, Depth, Memory, SessionPlace, Survey, survey, take};
use cutoff::cluster::{Deadlines, Options, Session};
use cutoff::preflight::{Assessment, CaptureState, Risk};
use tokio_util::sync::CancellationToken;

use super::world::Room;

/// Runs `story` to its end.
pub fn wait<T>(story: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime").block_on(story)
}

impl Room<'_> {
    /// A session with the administrator's rights.
    pub async fn session(&self) -> Session {
        self.session_as(self.cluster.kubeconfig()).await
    }

    /// A session with another kubeconfig.
    pub async fn session_as(&self, kubeconfig: PathBuf) -> Session {
        let deadlines = Deadlines { idle_s: 10, ..Deadlines::default() };
        let options = Options { kubeconfig: Some(kubeconfig), namespace: Some(self.name.clone()), deadlines, ..Options::default() };
        Session::connect(options, Arc::new(ScaledClock::new(1.0))).await.expect("the cluster answers")
    }

    /// The container `node` of `pod`.
    pub fn container(&self, pod: &str) -> ContainerRef {
        ContainerRef { pod: PodRef::new(self.name.as_str(), pod), name: "node".to_owned() }
    }

    /// The container as captures reach it.
    pub async fn place(&self, pod: &str) -> SessionPlace {
        SessionPlace::new(self.session().await, self.container(pod))
    }
}

/// A survey with V8's own numbers.
pub async fn look(place: &SessionPlace) -> Survey {
    survey(place, None, (None, None), Depth::Inspector).await.expect("a survey")
}

/// Takes a capture; `tell` hears each state.
pub async fn capture(
    place: &SessionPlace,
    survey: &Survey,
    assessment: &Assessment,
    accepted: bool,
    mut tell: impl FnMut(&CaptureState) + Send,
) -> (Captured, Vec<u8>) {
    let mut bytes = Memory::default();
    let mut told = |state: CaptureState| tell(&state);
    let taking =
        take(place, survey, assessment, if accepted { Risk::WouldKill } else { Risk::Ok }, &mut bytes, &mut told, CancellationToken::new());
    let captured = tokio::time::timeout(Duration::from_secs(300), taking).await.expect("a capture ends");
    (captured, bytes.0)
}

/// Whether the bytes are a whole snapshot, by parsing them.
pub fn is_whole(snapshot: &[u8]) -> bool {
    serde_json::from_slice::<serde::de::IgnoredAny>(snapshot).is_ok()
}
