//! Delivers a post to every channel that carries it; retries as the channel's rules say; each try is news.

use std::sync::Arc;

use tokio::sync::mpsc;

use super::Word;
use super::hands::Hands;
use crate::incident::{Post, Seq};

pub(super) async fn send(
    _hands: Arc<Hands>,
    _queued: Seq,
    _post: Post,
    _incident: String,
    _channels: Vec<String>,
    _to: mpsc::Sender<Word>,
) {
}
