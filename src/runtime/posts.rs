//! Delivers a post to every channel that carries it; retries as the channel's rules say; each try is news.

use std::sync::Arc;

use tokio::sync::mpsc;

use super::Word;
use super::hands::Hands;
use super::jobs::spawn;
use crate::app::News;
use crate::base::{Bytes, Trouble, TroubleKind};
use crate::notify::{Channel, Letter, wait};

/// A secret file is a line.
const SECRET: Bytes = Bytes(64 << 10);

/// Sends `letter` to the channels called `names`, side by side: one that hangs does not hold up the others.
pub(super) fn send(hands: &Arc<Hands>, letter: &Letter, names: &[String], to: &mpsc::Sender<Word>) {
    for name in names {
        let channel = hands.channels.iter().find(|c| &c.base().name == name).cloned();
        let (letter, name, to) = (letter.clone(), name.clone(), to.clone());
        spawn(async move {
            match channel {
                Some(channel) => deliver(channel, letter, to).await,
                None => {
                    let trouble = Trouble::new(
                        TroubleKind::Config,
                        "the channel is not in the config any more",
                        name.clone(),
                        "send it again by hand",
                    );
                    tell(&to, letter.event, name, 0, Err((trouble, true))).await;
                }
            }
        });
    }
}

async fn deliver(channel: Arc<dyn Channel>, letter: Letter, to: mpsc::Sender<Word>) {
    let name = channel.base().name.clone();
    let mut tries = 0;
    loop {
        tries += 1;
        let (one, text) = (channel.clone(), letter.clone());
        let read = |path: &std::path::Path| crate::disk::read_text(path, SECRET).map_err(Trouble::from);
        let tried = tokio::task::spawn_blocking(move || one.send(&text, &read)).await;
        let failure = match tried {
            Ok(Ok(delivered)) => return tell(&to, letter.event, name, tries, Ok(delivered.answer.to_string())).await,
            Ok(Err(failure)) => failure,
            Err(_) => {
                let trouble = Trouble::new(TroubleKind::Failed, "the channel broke down", name.clone(), "see the log file");
                return tell(&to, letter.event, name, tries, Err((trouble, true))).await;
            }
        };
        let pause = if failure.last { None } else { wait(tries, failure.retry_after) };
        let trouble = Trouble::new(TroubleKind::Failed, failure.why.to_string(), name.clone(), "");
        tell(&to, letter.event, name.clone(), tries, Err((trouble, pause.is_none()))).await;
        match pause {
            Some(pause) => tokio::time::sleep(pause).await,
            None => return,
        }
    }
}

async fn tell(to: &mpsc::Sender<Word>, queued: u64, channel: String, tries: u32, result: Result<String, (Trouble, bool)>) {
    let _ = to.send(Word::News(Box::new(News::Delivered { queued, channel, tries, result }))).await;
}
