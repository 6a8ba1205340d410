//! Opens the inspector of a process in a container, makes sure that it is that process, and closes it again.

use std::time::Duration;

use crate::base::Masked;
use crate::inspector::{self, CALL, Session};
use crate::node::{Effect, ProcessFacts, Signal};

use super::error::Error;
use super::helper::send_signal;
use super::place::{Place, Port};

/// Measured: 0.3 to 0.7 s after the signal, also with a blocked loop; a throttled container takes longer.
const OPENS_WITHIN: Duration = Duration::from_secs(15);

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
    let port = listening.or(process.flags.inspector_port()).unwrap_or(9229);
    let dial = Port { place, port };
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
    let mut session = loop {
        match Session::open(&dial, CALL).await {
            Ok(session) => break session,
            // Not yet, or the app has a SIGUSR1 handler of its own and never will.
            Err(error @ (inspector::Error::Closed { .. } | inspector::Error::Dial(_))) if listening.is_none() => {
                if tokio::time::Instant::now() > until {
                    return Err(Error::NotOpened(Masked::from(error.to_string())));
                }
                tokio::time::sleep(Duration::from_millis(200)).await;
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
