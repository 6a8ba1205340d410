//! The Kubernetes API as far as `cutoff` and kubectl use it, over TLS with a bearer token.

mod context;
mod discovery;
mod exec;
mod logs;
mod metrics;
mod objects;
mod portforward;
mod present;
mod protobuf;
mod reply;
mod request;
mod reviews;
mod server;
mod spdy;
mod tls;
mod tunnel;
mod watch;
mod websocket;

pub(crate) use context::Context;
pub(crate) use server::serve;
pub(crate) use tls::identity;
