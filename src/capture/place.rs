//! A container as this room needs it: commands, byte streams to its ports, the pod's facts and rights. A [`Session`] of
//! the cluster is one; tests have another that is a container on this machine.

use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::io::AsyncRead;

use crate::base::{ContainerRef, Trouble};
use crate::cluster::{Exec, ExecEnd, Output, Rule, Session};
use crate::inspector::{ByteStream, Dial};
use crate::pressure::PodFacts;

/// A command that runs; its output is read from it.
pub trait Running: AsyncRead + Send + Unpin {
    /// Waits for the end; output that was not read is thrown away.
    fn finish(self: Box<Self>) -> BoxFuture<'static, ExecEnd>;
}

/// One container.
pub trait Place: Send + Sync {
    /// Which one.
    fn container(&self) -> &ContainerRef;
    /// Runs a short command to its end and keeps at most `most` bytes of its output.
    fn run<'a>(&'a self, command: &'a [String], deadline: Duration, most: usize) -> BoxFuture<'a, Result<Output, Trouble>>;
    /// Starts a long command. `idle`: how long its output may be silent before a read fails.
    fn start<'a>(&'a self, command: &'a [String], idle: Duration) -> BoxFuture<'a, Result<Box<dyn Running>, Trouble>>;
    /// Opens a byte stream to a port on the pod's loopback.
    fn connect(&self, port: u16) -> BoxFuture<'_, Result<Box<dyn ByteStream>, Trouble>>;
    /// The pod as the cluster knows it now.
    fn pod(&self) -> BoxFuture<'_, Result<PodFacts, Trouble>>;
    /// Those of `rules` that are not granted.
    fn refused<'a>(&'a self, rules: &'a [Rule]) -> BoxFuture<'a, Result<Vec<Rule>, Trouble>>;
}

/// A container of a real cluster.
#[derive(Clone, Debug)]
pub struct SessionPlace {
    session: Session,
    container: ContainerRef,
}

impl SessionPlace {
    /// `container`, reached through `session`.
    pub fn new(session: Session, container: ContainerRef) -> Self {
        Self { session, container }
    }
}

impl Running for Exec {
    fn finish(self: Box<Self>) -> BoxFuture<'static, ExecEnd> {
        Exec::finish(*self).boxed()
    }
}

impl Place for SessionPlace {
    fn container(&self) -> &ContainerRef {
        &self.container
    }

    fn run<'a>(&'a self, command: &'a [String], deadline: Duration, most: usize) -> BoxFuture<'a, Result<Output, Trouble>> {
        async move { self.session.run(&self.container, command, deadline, most).await.map_err(Trouble::from) }.boxed()
    }

    fn start<'a>(&'a self, command: &'a [String], idle: Duration) -> BoxFuture<'a, Result<Box<dyn Running>, Trouble>> {
        async move {
            let mut exec = self.session.exec(&self.container, command).await.map_err(Trouble::from)?;
            exec.idle_after(idle);
            Ok(Box::new(exec) as Box<dyn Running>)
        }
        .boxed()
    }

    fn connect(&self, port: u16) -> BoxFuture<'_, Result<Box<dyn ByteStream>, Trouble>> {
        async move {
            let forward = self.session.forward(&self.container.pod, port).await.map_err(Trouble::from)?;
            Ok(Box::new(forward) as Box<dyn ByteStream>)
        }
        .boxed()
    }

    fn pod(&self) -> BoxFuture<'_, Result<PodFacts, Trouble>> {
        async move { self.session.pod(&self.container.pod).await.map_err(Trouble::from) }.boxed()
    }

    fn refused<'a>(&'a self, rules: &'a [Rule]) -> BoxFuture<'a, Result<Vec<Rule>, Trouble>> {
        async move {
            let all = self.session.allowed(rules).await.map_err(Trouble::from)?;
            Ok(all.into_iter().filter(|answer| !answer.allowed).map(|answer| answer.rule).collect())
        }
        .boxed()
    }
}

/// Streams to one port of a place.
pub(super) struct Port<'a> {
    pub place: &'a dyn Place,
    pub port: u16,
}

impl Dial for Port<'_> {
    fn dial(&self) -> BoxFuture<'_, Result<Box<dyn ByteStream>, Trouble>> {
        self.place.connect(self.port)
    }
}
