//! Opens the inspector of a process in a container, makes sure that it is that process, and closes it again.

use std::time::Duration;

use crate::base::{Bytes, Masked};
use crate::inspector::{self, CALL, HeapStatistics, Session};
use crate::node::cost::{self, Census};
use crate::node::{Effect, ProcessFacts, Signal};
use crate::preflight::{HeapReading, HeapSource};

use super::error::Error;
use super::helper::{probe, send_signal};
use super::place::{Place, Port};

/// Measured: 0.3 to 0.7 s after the signal, also with a blocked loop; a throttled container takes longer.
const OPENS_WITHIN: Duration = Duration::from_secs(15);

/// Tries between two looks for the port: a second or more, so that a slow start is waited for first.
const LOOK_EVERY: u32 = 5;

/// An inspector that was opened for a capture.
pub(super) struct Inspector {
    pub session: Session,
    /// It was open before: it is left open, and somebody else's debugger is not thrown out.
    pub was_open: bool,
    pub port: u16,
}

/// Opens the inspector of `pid`: by SIGUSR1, unless it listens already.
pub(super) async fn open(place: &dyn Place, facts: &ProcessFacts, pid: u32) -> Result<Inspector, Error> {
    let process = facts.process(pid).ok_or(Error::NoTarget)?;
    let listening = facts.inspector(pid).map(|listener| listener.port);
    let mut port = listening.or(process.flags.inspector_port()).unwrap_or(9229);
    if let Some(other) = facts.port_taken_by_other(pid) {
        return Err(Error::NotOpened(Masked::from(format!("port {} is taken by another process of the pod", other.port))));
    }
    if listening.is_none() {
        if process.signals.effect(Signal::Usr1, pid) != Effect::Handled {
            return Err(Error::NotOpened(Masked::own("the process does not catch SIGUSR1; it was not sent")));
        }
        send_signal(place, facts, process, Signal::Usr1).await?;
    }
    let until = tokio::time::Instant::now() + OPENS_WITHIN;
    let mut tries = 0;
    let mut session = loop {
        match Session::open(&Port { place, port }, CALL).await {
            Ok(session) => break session,
            // Not yet; or at another port, which a title hides or chance chose; or the app has a SIGUSR1 handler of its
            // own and never will.
            Err(error @ (inspector::Error::Closed { .. } | inspector::Error::Dial(_))) if listening.is_none() => {
                if tokio::time::Instant::now() > until {
                    return Err(Error::NotOpened(Masked::from(error.to_string())));
                }
                tokio::time::sleep(Duration::from_millis(200)).await;
                tries += 1;
                if tries % LOOK_EVERY == 0
                    && let Ok(now) = probe(place).await
                    && let Some(opened) = now.opened_since(facts, pid)
                {
                    port = opened.port;
                }
            }
            Err(error) => return Err(error.into()),
        }
    };
    let identity = session.identity().await?;
    if identity.pid != pid {
        // Somebody else's: leave it as it is.
        return Err(Error::WrongProcess { found: identity.pid, wanted: pid });
    }
    Ok(Inspector { session, was_open: listening.is_some(), port })
}

/// V8's numbers after a full collection in which it counts what is alive, if the process can bear that: it stands still
/// for about a tenth of the time that a snapshot would take.
pub(super) async fn weigh(session: &mut Session, cpus: Option<f64>, bears: Option<Duration>) -> Option<HeapReading> {
    let before = session.heap().await.ok()?;
    let stands_still = cost::census_freeze(before.used, cpus);
    if bears.is_some_and(|budget| stands_still > budget / 2) {
        return Some(reading(&before, false));
    }
    let deadline = CALL + stands_still * 10;
    let counted = session.census(deadline).await;
    let collected = match &counted {
        Ok(_) => true,
        Err(_) => session.collect_garbage().await.is_ok(),
    };
    let heap = if collected { session.heap().await.unwrap_or(before) } else { before };
    let mut read = reading(&heap, collected);
    // A large array lies in a space of its own, each above 128 KiB: the tighter of two bounds.
    let longest = |large: Option<Bytes>| large.map_or(u64::MAX, |bytes| (bytes.0 / 8).max(16_384));
    read.census = counted.ok().map(|census| Census {
        objects: census.objects,
        fields: census.fields,
        elements: census.elements,
        longest: census.longest.min(longest(read.large)),
        strings: census.strings,
        text: census.text,
    });
    Some(read)
}

/// V8's numbers in preflight's words.
fn reading(heap: &HeapStatistics, after_collection: bool) -> HeapReading {
    HeapReading {
        used: heap.used,
        large: heap.spaces.iter().find(|(name, _)| name == "large_object_space").map(|(_, used)| *used),
        census: None,
        limit: Some(heap.limit),
        external: heap.external,
        array_buffers: heap.array_buffers,
        rss: heap.rss,
        after_collection,
        handles_sigterm: heap.handles_sigterm,
        source: HeapSource::Inspector,
    }
}

impl Inspector {
    /// Closes what was opened. Says what is left open, if it could not be closed.
    pub async fn close(self) -> Option<Masked> {
        if self.was_open {
            return Some(Masked::own("the inspector was open before and was left open"));
        }
        match self.session.close().await {
            Ok(()) => None,
            Err(error) => Some(Masked::from(format!("the inspector could not be closed on port {}: {error}", self.port))),
        }
    }
}

/// Closes the inspector of `pid` by a new connection: the one that was used broke or was given up. A process that is
/// gone has none.
pub(super) async fn close_again(place: &dyn Place, port: u16, pid: u32) -> Option<Masked> {
    let dial = Port { place, port };
    let closing = async {
        let mut session = Session::open(&dial, CALL).await?;
        if session.identity().await?.pid == pid {
            session.close().await?;
        }
        Ok::<(), inspector::Error>(())
    };
    match closing.await {
        Ok(()) | Err(inspector::Error::Closed { .. } | inspector::Error::Dial(_)) => None,
        Err(error) => Some(Masked::from(format!("the inspector on port {port} may still be open: {error}"))),
    }
}
