//! A byte stream to a port inside a pod.
//!
//! Measured: opening it and the first write succeed even when nothing listens; the refusal comes 30 ms later on the error
//! side. A dead server or a deleted pod ends the stream at once. kube sends no pings here: who keeps it idle must
//! speak now and then.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures::future::BoxFuture;
use kube::api::Portforwarder;
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf};

use super::error::{Error, foreign};
use super::rule::Rule;
use super::session::Session;
use crate::base::{Masked, PodRef};

const FORWARD: Rule = Rule::new("", "pods/portforward", "create");

/// A connection to a port in a pod. Reads and writes fail with [`io::ErrorKind::ConnectionRefused`] when the kubelet
/// reports that nothing listens there.
pub struct Forward {
    stream: DuplexStream,
    trouble: Option<BoxFuture<'static, Option<String>>>,
    said: Option<Masked>,
    forwarder: Portforwarder,
}

impl Session {
    /// Opens a stream to `port` of `pod`. That something listens there shows at the first read.
    ///
    /// # Errors
    /// [`Error::Denied`], [`Error::NotFound`], or as any call.
    pub async fn forward(&self, pod: &PodRef, port: u16) -> Result<Forward, Error> {
        let mut forwarder =
            self.call(&FORWARD, &pod.to_string(), |client| async move {
                Self::pods(client, &pod.namespace).portforward(&pod.name, &[port]).await
            })
            .await?;
        let stream = forwarder.take_stream(port);
        let trouble = forwarder.take_error(port).map(|e| Box::pin(e) as BoxFuture<'static, Option<String>>);
        let Some(stream) = stream else {
            return Err(Error::Broken { what: format!("port {port} of {pod}"), why: Masked::own("the port has no stream") });
        };
        Ok(Forward { stream, trouble, said: None, forwarder })
    }
}

impl std::fmt::Debug for Forward {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Forward").field("said", &self.said).finish_non_exhaustive()
    }
}

impl Forward {
    /// What the kubelet said, if it said something.
    pub fn trouble(&self) -> Option<&Masked> {
        self.said.as_ref()
    }

    /// Ready with the kubelet's complaint, once there is one.
    fn poll_trouble(&mut self, cx: &mut Context<'_>) -> Option<io::Error> {
        if let Some(trouble) = &mut self.trouble
            && let Poll::Ready(said) = trouble.as_mut().poll(cx)
        {
            self.trouble = None;
            self.said = said.map(foreign);
        }
        let said = self.said.as_ref()?.as_str();
        let kind = if said.contains("refused") { io::ErrorKind::ConnectionRefused } else { io::ErrorKind::ConnectionAborted };
        Some(io::Error::new(kind, said.to_owned()))
    }
}

impl Drop for Forward {
    fn drop(&mut self) {
        self.forwarder.abort();
    }
}

impl AsyncRead for Forward {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let before = buffer.filled().len();
        match Pin::new(&mut this.stream).poll_read(cx, buffer) {
            Poll::Ready(Ok(())) if buffer.filled().len() > before => Poll::Ready(Ok(())),
            // The end: a complaint explains it.
            Poll::Ready(Ok(())) => Poll::Ready(this.poll_trouble(cx).map_or(Ok(()), Err)),
            Poll::Ready(Err(error)) => Poll::Ready(Err(this.poll_trouble(cx).unwrap_or(error))),
            Poll::Pending => this.poll_trouble(cx).map_or(Poll::Pending, |error| Poll::Ready(Err(error))),
        }
    }
}

impl AsyncWrite for Forward {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if let Some(error) = self.poll_trouble(cx) {
            return Poll::Ready(Err(error));
        }
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
