//! Pods and their memory, as long as the program runs.

use std::sync::Arc;

use futures::StreamExt;
use tokio::sync::{mpsc, watch};

use super::Word;
use super::hands::Hands;
use super::jobs::spawn;
use crate::app::News;
use crate::base::ContainerRef;
use crate::cluster::PodNews;
use crate::metrics::Poller;

/// Watches pods for ever.
pub(super) fn follow(hands: &Arc<Hands>, to: &mpsc::Sender<Word>) {
    let mut stream = hands.session.watch_pods();
    let to = to.clone();
    spawn(async move {
        while let Some(news) = stream.next().await {
            let news = match news {
                PodNews::All(pods) => News::Pods { pods },
                PodNews::One(pod) => News::Pod { pod },
                PodNews::Gone(pod) => News::PodGone { pod },
                PodNews::Stale { trouble, .. } => News::LinkDown { trouble },
                PodNews::Back => News::LinkUp,
            };
            if to.send(Word::News(Box::new(news))).await.is_err() {
                return;
            }
        }
    });
}

/// Measures memory for ever: all pods by the cheapest source, the worst few also directly.
pub(super) fn meter(hands: &Arc<Hands>, to: &mpsc::Sender<Word>, closely: watch::Receiver<Vec<ContainerRef>>) {
    let mut poller = Poller::new(hands.session.clone(), hands.metrics);
    let every = hands.metrics.interval();
    let to = to.clone();
    spawn(async move {
        loop {
            let worst = closely.borrow().clone();
            let reading = poller.poll(&worst).await;
            let news = match reading.troubles.into_iter().next() {
                Some(first) if reading.samples.is_empty() => News::MeterTrouble { trouble: first.trouble },
                _ => News::Samples { samples: reading.samples },
            };
            if to.send(Word::News(Box::new(news))).await.is_err() {
                return;
            }
            tokio::time::sleep(every).await;
        }
    });
}
