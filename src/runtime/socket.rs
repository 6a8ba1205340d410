//! The desk's door for other processes: `cutoff note` beside a running dashboard hands its intent to the one that holds
//! the journal. A Unix socket of mode 0600 in a private directory; one line of JSON in, one line out.

use serde::{Deserialize, Serialize};

/// What another process may ask of the desk. Nothing that changes a pod or the cluster passes here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "ask")]
pub enum Ask {
    /// Add a note.
    Note {
        /// Its text.
        text: String,
    },
    /// End the incident.
    Resolve {
        /// What ended it.
        text: String,
    },
}

/// What the desk answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "answer")]
pub enum Answer {
    /// It was taken.
    Taken,
    /// It was not, because.
    Refused {
        /// Why.
        why: String,
    },
}

#[cfg(unix)]
pub use unix::{ask, listen};

#[cfg(unix)]
mod unix {
    use std::path::Path;
    use std::time::Duration;

    use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
    use tokio::net::{UnixListener, UnixStream};
    use tokio::sync::mpsc;

    use super::{Answer, Ask};
    use crate::app::Intent;
    use crate::base::{Trouble, TroubleKind};
    use crate::runtime::jobs::spawn;

    /// A note of this size is a file, not a note.
    const LONGEST: u64 = 64 << 10;
    const WITHIN: Duration = Duration::from_secs(5);

    /// Listens at `path` and gives the intents that come. An old socket there is replaced: whoever holds the journal's lock
    /// owns the door too.
    ///
    /// # Errors
    /// When the socket cannot be made (a path longer than the system takes); the dashboard works without.
    pub fn listen(path: &Path) -> Result<mpsc::Receiver<Intent>, Trouble> {
        let failed = |e: std::io::Error| {
            Trouble::new(TroubleKind::Failed, format!("no door for other terminals: {e}"), path.display().to_string(), "")
        };
        if let Ok(Some(_)) = crate::disk::entry(path) {
            let _ = crate::disk::remove(path);
        }
        let listener = UnixListener::bind(path).map_err(failed)?;
        let (to, from) = mpsc::channel(16);
        spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let to = to.clone();
                spawn(async move {
                    let _ = tokio::time::timeout(WITHIN, serve(stream, to)).await;
                });
            }
        });
        Ok(from)
    }

    async fn serve(mut stream: UnixStream, to: mpsc::Sender<Intent>) {
        let (read, mut write) = stream.split();
        let mut line = String::new();
        let answer = match BufReader::new(read.take(LONGEST)).read_line(&mut line).await {
            Ok(_) => match serde_json::from_str(&line) {
                Ok(Ask::Note { text }) => hand(&to, Intent::Note { text }).await,
                Ok(Ask::Resolve { text }) => hand(&to, Intent::Resolve { text }).await,
                Err(error) => Answer::Refused { why: error.to_string() },
            },
            Err(error) => Answer::Refused { why: error.to_string() },
        };
        let mut text = serde_json::to_vec(&answer).unwrap_or_default();
        text.push(b'\n');
        let _ = write.write_all(&text).await;
    }

    async fn hand(to: &mpsc::Sender<Intent>, intent: Intent) -> Answer {
        match to.send(intent).await {
            Ok(()) => Answer::Taken,
            Err(_) => Answer::Refused { why: "the dashboard is leaving".to_owned() },
        }
    }

    /// Asks the desk that listens at `path`.
    ///
    /// # Errors
    /// When nobody listens, or it refused.
    pub async fn ask(path: &Path, ask: &Ask) -> Result<(), Trouble> {
        let gone = |e: std::io::Error| {
            Trouble::new(
                TroubleKind::Refused,
                format!("the incident is held by another process that does not answer: {e}"),
                path.display().to_string(),
                "use the dashboard that holds it, or end that process",
            )
        };
        let work = async {
            let mut stream = UnixStream::connect(path).await.map_err(gone)?;
            let mut text = serde_json::to_vec(ask).unwrap_or_default();
            text.push(b'\n');
            stream.write_all(&text).await.map_err(gone)?;
            let mut line = String::new();
            BufReader::new(stream).read_line(&mut line).await.map_err(gone)?;
            match serde_json::from_str(&line) {
                Ok(Answer::Taken) => Ok(()),
                Ok(Answer::Refused { why }) => Err(Trouble::new(TroubleKind::Refused, why, "", "")),
                Err(error) => Err(Trouble::new(TroubleKind::Failed, format!("an answer that is none: {error}"), "", "")),
            }
        };
        match tokio::time::timeout(WITHIN, work).await {
            Ok(result) => result,
            Err(_) => {
                Err(Trouble::new(TroubleKind::TimedOut, "the dashboard that holds the incident does not answer", "", "use its own keys"))
            }
        }
    }
}
