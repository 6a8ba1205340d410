//! Kubernetes and nothing else: connect, auth, access, watch, logs, exec, port-forward, changes, acts.
//!
//! Every call has a deadline and is never retried behind the caller's back; foreign error texts are masked here.

mod access;
pub mod acts;
mod backoff;
mod connect;
#[cfg(test)]
mod connect_tests;
mod diff;
mod error;
#[cfg(test)]
mod error_tests;
mod events;
mod exec;
mod facts;
mod forward;
mod history;
mod logs;
mod metrics;
mod options;
mod role;
mod rule;
mod session;
#[cfg(test)]
mod stories;
mod watch;

pub use error::Error;
pub use events::PodEvent;
pub use exec::{Exec, ExecEnd, Output};
pub use forward::Forward;
pub use logs::{LogLine, LogNews, LogOptions};
pub use metrics::PodMetrics;
pub use options::{Deadlines, Options};
pub use role::{all_rules, role_yaml};
pub use rule::{Allowed, BASE_RULES, Rule};
pub use session::Session;
#[cfg(test)]
pub(crate) use stories::world;
pub use watch::PodNews;
