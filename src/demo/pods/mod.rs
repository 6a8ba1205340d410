//! Runs the demo's pods as real local processes.

mod account;
mod host;
mod live;
mod spawner;
mod types;

pub(crate) use host::Host;
pub(crate) use live::Live;
pub(crate) use types::{ExecRefusal, Line, Running, Session, Sink, Source, StartSpec, Tunnel, Usage};
