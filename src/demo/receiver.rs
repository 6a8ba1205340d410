//! A receiver of posts on 127.0.0.1: what a status page's webhook would be.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use http_body_util::{BodyExt as _, Empty};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

use super::error::Error;
use crate::base::Trouble;

/// Takes posts until it is dropped.
#[derive(Debug)]
pub struct Receiver {
    url: String,
    received: Arc<AtomicUsize>,
    task: tokio::task::JoinHandle<()>,
}

impl Receiver {
    /// Listens on a free port.
    ///
    /// # Errors
    /// When no port can be had.
    pub async fn start() -> Result<Self, Trouble> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.map_err(Error::Start)?;
        let url = format!("http://{}/hook", listener.local_addr().map_err(Error::Start)?);
        let received = Arc::new(AtomicUsize::new(0));
        let count = received.clone();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let count = count.clone();
                tokio::spawn(async move {
                    let service = service_fn(move |request: Request<Incoming>| answer(request, count.clone()));
                    // A sender that goes away is its own business.
                    let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
                });
            }
        });
        Ok(Self { url, received, task })
    }

    /// Where to post to.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Posts that came whole and were JSON.
    pub fn received(&self) -> usize {
        self.received.load(Ordering::SeqCst)
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn answer(request: Request<Incoming>, count: Arc<AtomicUsize>) -> Result<Response<Empty<Bytes>>, Infallible> {
    let is_post = request.method() == hyper::Method::POST;
    let body = request.into_body().collect().await.map(http_body_util::Collected::to_bytes);
    let good = is_post && body.is_ok_and(|b| serde_json::from_slice::<serde_json::Value>(&b).is_ok());
    if good {
        count.fetch_add(1, Ordering::SeqCst);
    }
    let mut response = Response::new(Empty::new());
    *response.status_mut() = if good { StatusCode::ACCEPTED } else { StatusCode::BAD_REQUEST };
    Ok(response)
}
